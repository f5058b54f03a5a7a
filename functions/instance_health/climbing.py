"""Judge the last step of an open ladder, and take the next one. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caretaker import tags as tag

from .facts import ENDING, STOPPED, STOPPING, Action, Cause, Reason
from .gates import next_step, rungs_of
from .ladder import JUDGED_WITHIN, Ending, Ladder, Stand
from .request import Rung
from .verdict import STEPS, Verdict, detail_of, plain, step, told
from .waits import why_held

if TYPE_CHECKING:
    from .case import Case, Item

_LEFT = ENDING | {STOPPED, STOPPING, ""}


def go_on(item: Item, ladder: Ladder, case: Case) -> Verdict:
    """Return how the last step ended and what follows from it."""
    status, waited = item.status, case.now - ladder.at
    machine = case.facts.machines.get(status.id)
    is_ignored = machine is not None and tag.is_ignored(machine.tags)
    if machine is None or is_ignored or status.state in _LEFT:
        reason = Reason.IGNORED if is_ignored else Reason.GONE
        left = plain(item, Action.SKIP, reason, detail_of(item, case))
        return replace(left, ladder=ladder.ended_as(Ending.GONE, case.now))
    if _is_fixed(item, ladder, case):
        ending = Ending.NOT_FIXED if ladder.stand is Stand.REFUSED else Ending.FIXED
        fixed = plain(item, Action.KEEP, Reason.FIXED, detail_of(item, case))
        return replace(fixed, ladder=ladder.ended_as(ending, case.now))
    is_due = ladder.stand is Stand.REFUSED or waited >= case.minutes("step")
    if is_due and _is_bad(item, ladder):
        return _next(item, ladder, case)
    if waited < JUDGED_WITHIN:
        return told(item, case, Reason.REPAIR_UNDER_WAY, is_paged=_is_paged(ladder, case))
    over = ladder.ended_as(Ending.UNKNOWN, case.now)
    return replace(told(item, case, Reason.OUTCOME_UNKNOWN, is_paged=True), ladder=over)


def _is_fixed(item: Item, ladder: Ladder, case: Case) -> bool:
    """Tell whether what the ladder is about is over."""
    if ladder.cause is Cause.ASKED:
        return ladder.incident not in case.facts.open_incidents
    return item.status.is_well


def _is_bad(item: Item, ladder: Ladder) -> bool:
    """Tell whether it is certain that the last step did not help."""
    if ladder.cause is Cause.ASKED:
        return item.status.is_well or item.status.cause is not None
    return item.status.cause is not None


def _next(item: Item, ladder: Ladder, case: Case) -> Verdict:
    machine = case.facts.machines[item.status.id]
    failed = ladder if ladder.stand is Stand.REFUSED else ladder.noted(Ending.NOT_FIXED)
    following = next_step(machine, rungs_of(ladder, case), ladder.rung, case)
    if not following.step:
        over = ladder.ended_as(Ending.NOT_FIXED, case.now, following.reason)
        return replace(told(item, case, following.reason, is_paged=True), ladder=over)
    held = why_held(item, case, following.step, is_planned=ladder.cause is Cause.EVENT)
    if held:
        return told(item, case, held, is_paged=_is_paged(ladder, case))
    stand = Stand.STOPPING if following.step == Rung.STOP_START else Stand.TAKEN
    intent = replace(
        failed, rung=following.rung, step=following.step, stand=stand, at=case.now, tries=1
    )
    verdict = step(item, case, Reason.STILL_IMPAIRED, intent, STEPS[following.step])
    return replace(verdict, is_paged=following.is_paged)


def _is_paged(ladder: Ladder, case: Case) -> bool:
    return Rung.PAGE in rungs_of(ladder, case)[: ladder.rung]
