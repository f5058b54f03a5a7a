"""What people must know of a restore. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.incidents import Check, Severity

from .facts import How
from .journal import Ending, Goal
from .telling import left_over, named, named_some, power, problem_of, some_of, told_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from .journal import Journal
    from .memory import Restore

JUDGED: Final = frozenset({"restore_failed", "restore_stalled", "restore_stuck"})
"""Kinds of which a run of the schedule knows every restore there is."""
_STALLED_AFTER: Final = timedelta(minutes=30)
_STUCK_AFTER: Final = timedelta(minutes=30)
_TOLD_FOR: Final = timedelta(days=1)
_MOST_SAID: Final = 9
"""Targets in the evidence; an alert shows ten facts."""
_WORST_FIRST: Final = (Ending.LEFT, Ending.ROLLED_BACK, Ending.NOT_STARTED)


def checks_of(
    restore: Restore, journals: Sequence[Journal], now: datetime, machine: str = ""
) -> Iterator[Check]:
    """Yield what is judged of one restore; `machine` is the ARN of the state machine."""
    case = _Case(restore, journals, now, machine)
    yield case.failed()
    yield case.stalled()
    yield case.stuck()


@dataclass(frozen=True)
class _Case:
    """One restore, and how its targets stand."""

    restore: Restore
    journals: Sequence[Journal]
    now: datetime
    machine: str

    def failed(self) -> Check:
        """Tell of those that are not brought back, or left something over, for a day after the end.

        What is left to a person is told until one says that it is put right.
        """
        restore = self.restore
        bad = [j for ending in _WORST_FIRST for j in self.journals if j.ending is ending]
        untidy = [each for each in self.journals if left_over(each) and each not in bad]
        left = [journal for journal in bad if journal.ending is Ending.LEFT]
        is_over = restore.ended is not None and self.now - restore.ended >= _TOLD_FOR and not left
        check = self._check(
            "restore_failed",
            (*bad, *untidy),
            healthy=not (bad or untidy) or is_over or restore.is_closed,
            cause="left" if left else ("rolled_back" if bad else "left_over"),
            ending="put right, as a person has said"
            if restore.is_closed
            else "told for a day, no longer",
            lapsed=True,
        )
        if not bad:
            return _untidy(check, untidy)
        return replace(
            check,
            severity=Severity.CRITICAL if left else Severity.WARNING,
            what=f"{_counted(bad)} of {len(self.journals)}: {named_some(left or bad)}",
            done=_done(bad),
            next=f"a person has to, see the runbook; delete nothing; then {self._event('end')}"
            if left
            else f"mend what holds them, then plan again; how each stands: {self._event('wave')}",
        )

    def stalled(self) -> Check:
        """Tell of a restore that nobody takes on any more: an instance may be stopped by it."""
        restore = self.restore
        open_ones = [journal for journal in self.journals if journal.is_open]
        begun = [journal.moved for journal in open_ones if journal.turned and journal.moved]
        moved = (journal.moved for journal in self.journals if journal.moved)
        last = max(moved, default=restore.started)
        stalled = restore.is_open and self.now - min(begun, default=last) >= _STALLED_AFTER
        touched = [journal for journal in open_ones if journal.is_touched]
        perhaps = f"; perhaps stopped: {named_some(touched)}" if touched else ""
        approve = json.dumps({"mode": "act", "approve": restore.plan})
        return self._check(
            "restore_stalled",
            (*touched, *(each for each in open_ones if not each.is_touched)),
            healthy=not stalled,
            ending=self._going,
            severity=Severity.CRITICAL,
            what=f"{len(open_ones)} of {len(self.journals)} not over, nothing moves{perhaps}",
            done="nothing; how far each is stands in the state table",
            next=f"take it up: RestoreFunction, {approve}; each goes on from where it stands",
        )

    def stuck(self) -> Check:
        """Tell of instances that were touched and come no further, though somebody is at work."""
        stuck = [journal for journal in self.journals if _is_stuck(journal, self.now)]
        some = named_some(stuck)
        check = self._check(
            "restore_stuck",
            stuck,
            healthy=not stuck,
            ending=self._going,
            severity=Severity.CRITICAL,
            what=f"{len(stuck)} of {len(self.journals)} half-way and come no further: {some}",
            done="it is tried again and again, for a day each way; the originals are kept",
            next=f"take away what holds it up, it then goes on by itself: {self._event('wave')}",
        )
        held = {named(each): _held_by(each) for each in stuck[:_MOST_SAID]}
        return replace(check, evidence={"restore": self._about, **held})

    def _check(self, kind: str, about: Sequence[Journal], **known: Any) -> Check:  # noqa: ANN401 - fields
        return Check(
            kind=kind,
            resource=self.restore.plan,
            name=f"restore of {self.restore.policy}",
            evidence={
                "restore": self._about,
                **{named(each): told_of(each) for each in about[:_MOST_SAID]},
            },
            console=self._console,
            **known,
        )

    @property
    def _about(self) -> str:
        """Return which restore this is: the watch that tells has a policy and a slot of its own."""
        slots = sorted({journal.slot for journal in self.journals})
        slot = " to ".join(dict.fromkeys((slots[0], slots[-1]))) if slots else "unknown"
        how = next((journal.how.value for journal in self.journals), "")
        began = f"{self.restore.started:%Y-%m-%d %H:%M} UTC"
        return f"policy {self.restore.policy}, slot {slot}, {how}, begun {began}"

    @property
    def _going(self) -> str:
        return "it goes on" if self.restore.is_open else "it is over"

    @property
    def _console(self) -> str:
        """Return the page of its first execution."""
        if not self.machine:
            return ""
        region = self.machine.split(":")[3]
        execution = f"{self.machine.replace(':stateMachine:', ':execution:')}:{self.restore.plan}"
        return f"states/home?region={region}#/v2/executions/details/{execution}"

    def _event(self, do: str) -> str:
        """Return the event that asks how it stands, or that ends it."""
        mode = "act" if do == "end" else "report"
        event = {"mode": mode, "step": {"do": do, "plan": self.restore.plan}}
        return f"RestoreFunction, {json.dumps(event)}"


def _counted(bad: Sequence[Journal]) -> str:
    """Return how many ended in which way."""
    endings = [journal.ending for journal in bad]
    counts = ((ending, endings.count(ending)) for ending in _WORST_FIRST)
    return ", ".join(f"{count} {ending.replace('_', ' ')}" for ending, count in counts if count)


def _done(bad: Sequence[Journal]) -> str:
    """Return what was done of itself about those that are not brought back."""
    if any(journal.ending is Ending.LEFT for journal in bad):
        return "all volumes are kept, the originals and the new ones"
    if any(journal.is_touched for journal in bad):
        return "the originals are in their seats again; none was deleted"
    return "no instance was touched"


def _untidy(check: Check, untidy: Sequence[Journal]) -> Check:
    """Return what is told of new volumes that nobody needs, where all were restored."""
    volumes = [volume for journal in untidy for volume in left_over(journal)]
    commands = (f"aws ec2 delete-volume --volume-id {each}" for each in volumes)
    refused = sorted({j.refused.partition(": ")[2] for j in untidy if j.refused[:7] == "discard"})
    why = f" ({', '.join(refused)})" if refused else ""
    beside = all(journal.how is How.VOLUMES for journal in untidy)
    where = "are made" if beside else "are in their seats"
    some = some_of(volumes)
    return replace(
        check,
        severity=Severity.NOTICE,
        what=f"restored; of no use and not deleted: {some}{why}",
        done=f"the new volumes {where}; the originals are kept",
        next=f"delete by hand: {some_of(commands)}",
    )


def _is_stuck(journal: Journal, now: datetime) -> bool:
    """Tell whether a touched one has waited, or been refused, or on its way back, for long.

    Status checks may be given longer.
    """
    back = journal.turned if journal.goal is Goal.BACK else None
    since = min(each for each in (journal.since, journal.refused_since, back, now) if each)
    after = max(_STUCK_AFTER, timedelta(minutes=journal.check_minutes))
    return journal.is_open and journal.is_touched and now - since >= after


def _held_by(journal: Journal) -> str:
    why = journal.waiting_for or journal.refused or journal.about_to
    back = f"on the way back ({problem_of(journal)}); " if journal.problem else ""
    said = f"{back}{'was refused' if why == journal.refused else 'waits for'} {why}"
    return "; ".join(filter(None, (said, power(journal))))
