"""What was decided of one instance, and what is written down of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from caretaker.decisions import NOTHING, Decision, Detail, Json

from .facts import Action, Reason
from .gates import REPLACE
from .request import Rung

if TYPE_CHECKING:
    from .case import Case, Item
    from .ladder import Ladder

STEPS: Final = {Rung.REBOOT: Action.REBOOT, Rung.STOP_START: Action.STOP, REPLACE: Action.REPLACE}
_AS_IT_SHOULD_BE: Final = frozenset({Reason.HEALTHY, Reason.NOT_RUNNING})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about an instance.

    `ladder` is how its ladder stands now, `intent` how it will once the step that was decided is
    taken: it is written before the call. With `is_new` that step begins a ladder. `is_paged` tells
    whether what is wrong is left to people.
    """

    item: Item
    decision: Decision
    ladder: Ladder | None = None
    intent: Ladder | None = None
    is_new: bool = False
    is_paged: bool = False

    @property
    def id(self) -> str:
        """Return the instance."""
        return self.item.status.id

    @property
    def is_remarkable(self) -> bool:
        """Tell whether there is more to say of it than that it is as it should be."""
        return self.ladder is not None or self.decision.reason not in _AS_IT_SHOULD_BE

    def held(self, reason: Reason, *, is_paged: bool) -> Verdict:
        """Return the same without its step, which has to wait."""
        decision = replace(self.decision, action=Action.REPORT, reason=reason)
        return replace(self, decision=decision, intent=None, is_new=False, is_paged=is_paged)


def plain(item: Item, action: Action, reason: Reason, detail: Detail = NOTHING) -> Verdict:
    """Return a verdict that changes nothing."""
    decision = Decision(item.status.id, action, reason, detail)
    return Verdict(item, decision, ladder=item.ladder)


def told(item: Item, case: Case, reason: Reason, *, is_paged: bool = False) -> Verdict:
    """Return a verdict that something is wrong and waits, for the next poll or for people."""
    verdict = plain(item, Action.REPORT, reason, detail_of(item, case))
    return replace(verdict, is_paged=is_paged)


def step(item: Item, case: Case, reason: Reason, intent: Ladder, action: Action) -> Verdict:
    """Return a verdict to take a step."""
    detail = {**detail_of(item, case), "step": intent.step, "rung": intent.rung}
    decision = Decision(item.status.id, action, reason, detail)
    return Verdict(item, decision, ladder=item.ladder, intent=intent)


def detail_of(item: Item, case: Case) -> dict[str, Json]:
    """Return what people want to know of an instance in trouble."""
    status, sighting, ladder = item.status, item.sighting, item.ladder
    machine = case.facts.machines.get(status.id)
    detail: dict[str, Json] = {"zone": status.zone, "state": status.state}
    if machine:
        detail |= {"name": machine.name, "group": case.group_of(status.id, status.zone)}
    if status.cause:
        detail |= {"cause": status.cause, "since": _text(status.since)}
    if sighting:
        detail |= {"first_seen": _text(sighting.since), "polls": sighting.polls}
    if status.id in case.facts.bad_keys:
        detail |= {"key": case.facts.bad_keys[status.id]}
    if ladder:
        detail |= {"ladder": list(ladder.history), "ladders_today": len(ladder.begun)}
    return detail


def _text(time: datetime | None) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""
