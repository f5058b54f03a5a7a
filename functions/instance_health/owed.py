"""Finish a stop-start that was begun: an instance that we stopped is started. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import ENDING, RUNNING, STOPPED, STOPPING, Action, Cause, Reason
from .gates import next_step, rungs_of
from .ladder import JUDGED_WITHIN, LOST_AFTER, Ending, Ladder, Stand, start_waits
from .request import Rung
from .verdict import Verdict, detail_of, plain, step, told
from .waits import why_held

if TYPE_CHECKING:
    from .case import Case, Item

STUCK_AFTER: Final = timedelta(minutes=10)
LISTED_AFTER_END: Final = timedelta(hours=1)
"""How long a terminated instance is still listed; one that is not is gone.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
"""
_MAX_STOPS: Final = 3


def is_owed(item: Item, case: Case) -> bool:
    """Tell whether a stop-start of ours has to be seen through, whatever else is the matter.

    A stop that is answered late comes after the start: the instance is ours until it is judged.
    """
    ladder = item.ladder
    if ladder is None or not ladder.is_open:
        return False
    is_fresh = case.now - ladder.at < JUDGED_WITHIN
    late = is_fresh and item.status.state in {STOPPED, STOPPING}
    return ladder.is_owed or (late and ladder.may_be_stopped)


def finish(item: Item, ladder: Ladder, case: Case) -> Verdict:
    """Return what is due now; nobody's opt-out leaves an instance stopped that we have stopped."""
    state, waited = item.status.state, case.now - ladder.at
    if state in ENDING or (not state and waited > LISTED_AFTER_END):
        gone = plain(item, Action.SKIP, Reason.GONE, detail_of(item, case))
        return replace(gone, ladder=ladder.ended_as(Ending.GONE, case.now))
    if state == STOPPED:
        if ladder.stand is Stand.STARTING and waited < start_waits(ladder):
            return _under_way(item, ladder, case)
        intent = ladder.sent(Stand.STARTING, case.now)
        return step(item, case, Reason.STOPPED_BY_US, intent, Action.START)
    if state != RUNNING:
        return _under_way(item, ladder, case)
    if ladder.stand is Stand.STARTING:
        # From now on it is judged.
        now_judged = replace(ladder, stand=Stand.TAKEN, at=case.now, tries=1)
        return replace(_under_way(item, ladder, case), ladder=now_judged)
    return _not_stopping(item, ladder, case)


def _under_way(item: Item, ladder: Ladder, case: Case) -> Verdict:
    """Return that it has to wait; too long in one state, and people are woken."""
    stuck = case.now - ladder.at > STUCK_AFTER or ladder.tries > 1
    reason = Reason.STUCK if case.now - ladder.at > STUCK_AFTER else Reason.REPAIR_UNDER_WAY
    return told(item, case, reason, is_paged=stuck)


def _not_stopping(item: Item, ladder: Ladder, case: Case) -> Verdict:
    """Send a stop again that came to nothing; one that may still come is waited for."""
    waited, status = case.now - ladder.at, item.status
    if waited >= JUDGED_WITHIN:
        ending = Ending.FIXED if status.is_well else Ending.NOT_FIXED
        over = ladder.ended_as(ending, case.now, "it never stopped")
        reason = Reason.HEALTHY if status.is_well else Reason.LADDER_ENDED
        if status.is_well:
            return replace(plain(item, Action.KEEP, reason), ladder=over)
        return replace(told(item, case, reason, is_paged=True), ladder=over)
    if waited >= LOST_AFTER and _may_stop_again(item, ladder, case):
        intent = ladder.sent(Stand.STOPPING, case.now)
        return step(item, case, Reason.STOP_LOST, intent, Action.STOP)
    return told(item, case, Reason.REPAIR_UNDER_WAY)


def _may_stop_again(item: Item, ladder: Ladder, case: Case) -> bool:
    """Tell whether what led to the stop still holds: nothing is owed before it has happened."""
    machine = case.facts.machines.get(item.status.id)
    if machine is None or tag.is_ignored(machine.tags):
        return False
    if ladder.tries >= _MAX_STOPS or item.status.cause is None:
        return False
    following = next_step(machine, rungs_of(ladder, case), ladder.rung - 1, case)
    is_planned = ladder.cause is Cause.EVENT
    held = why_held(item, case, following.step, is_planned=is_planned)
    return following.step == Rung.STOP_START and held is None
