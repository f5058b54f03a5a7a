"""Judge an instance that no ladder is at work on, and begin one. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import ENDING, RUNNING, STOPPED, Action, Cause, Machine, Reason
from .gates import next_step, rungs_for, why_untouched
from .ladder import Ending, Ladder, Stand
from .request import Rung
from .sightings import Trouble
from .verdict import STEPS, Verdict, detail_of, plain, step, told
from .waits import streak_after, why_not_told, why_waiting

if TYPE_CHECKING:
    from .case import Case, Item
    from .facts import ScheduledEvent

LASTING: Final = timedelta(minutes=15)
"""Trouble without a failed check is told when it has lasted for so long."""
REBOOTS: Final = "instance-reboot"
"""Of the scheduled events this one is settled by a reboot.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/schedevents_actions_reboot.html
"""
ACTED_ON: Final = frozenset({REBOOTS, "system-reboot", "instance-stop", "instance-retirement"})


def begin(item: Item, case: Case) -> Verdict:
    """Return what is the matter with an instance, and whether a ladder begins."""
    status, machine = item.status, case.facts.machines.get(item.status.id)
    if machine is None:
        return _unremarkable(item)
    if tag.is_ignored(machine.tags):
        return plain(item, Action.SKIP, Reason.IGNORED, detail_of(item, case))
    asked = case.request.repair is not None and case.request.repair.instance == status.id
    if asked and status.state == RUNNING:
        return _asked(item, machine, case)
    if status.cause:
        reason = why_not_told(item, case)
        return told(item, case, reason) if reason else _climb(item, machine, case, status.cause)
    event = _due(item, machine, case)
    if event:
        return _climb(item, machine, case, Cause.EVENT, event)
    return _without_failed_check(item, machine, case)


def _unremarkable(item: Item) -> Verdict:
    status = item.status
    if not status.state:
        return plain(item, Action.SKIP, Reason.GONE)
    if status.state != RUNNING:
        return plain(item, Action.KEEP, Reason.NOT_RUNNING)
    if status.is_well:
        return plain(item, Action.KEEP, Reason.HEALTHY)
    if status.cause:
        return plain(item, Action.SKIP, Reason.GONE)
    return plain(item, Action.KEEP, Reason.INITIALIZING)


def _without_failed_check(item: Item, machine: Machine, case: Case) -> Verdict:
    """Judge what is no failed check and lasts, or is not as its users say it should be."""
    lasts = item.sighting is not None and case.now - item.sighting.since >= LASTING
    trouble = item.sighting.trouble if item.sighting else None
    if trouble is Trouble.UNKNOWN:
        if lasts:
            return told(item, case, Reason.INSUFFICIENT_DATA)
        return plain(item, Action.KEEP, Reason.INSUFFICIENT_DATA)
    if trouble in {Trouble.STOPPING, Trouble.PENDING} and lasts:
        return told(item, case, Reason.STUCK, is_paged=True)
    is_off = item.status.state in {STOPPED, *ENDING}
    if is_off and machine.is_expected and tag.STOP_AFTER not in machine.tags:
        return told(item, case, Reason.NOT_RUNNING_EXPECTED, is_paged=True)
    return _unremarkable(item)


def _asked(item: Item, machine: Machine, case: Case) -> Verdict:
    """Begin what another chore asks for, while what it asks for is still the matter."""
    asked = case.request.repair
    if asked is None or asked.incident not in case.facts.open_incidents:
        return plain(item, Action.SKIP, Reason.NOTHING_TO_REPAIR, detail_of(item, case))
    return _climb(item, machine, case, Cause.ASKED)


def _climb(
    item: Item, machine: Machine, case: Case, cause: Cause, event: ScheduledEvent | None = None
) -> Verdict:
    """Begin a ladder where nothing speaks against it."""
    rungs = rungs_for(cause, case.request, is_reboot=event is not None and event.code == REBOOTS)
    first = next_step(machine, rungs, 0, case)
    if not first.step:
        return told(item, case, first.reason, is_paged=True)
    waits = why_waiting(item, machine, case, cause, first.step)
    if waits:
        return told(item, case, waits, is_paged=first.is_paged or _is_left_to_people(item, waits))
    known = item.ladder
    intent = Ladder(
        cause=cause,
        began=case.now,
        rung=first.rung,
        step=first.step,
        stand=Stand.STOPPING if first.step == Rung.STOP_START else Stand.TAKEN,
        at=case.now,
        begun=(*(known.begun_within_a_day(case.now) if known else ()), case.now),
        streak=streak_after(item, case),
        events=_dealt_with(item, is_event=event is not None),
        incident=case.request.repair.incident
        if cause is Cause.ASKED and case.request.repair
        else "",
        version=known.version if known else 0,
    )
    reasons = {Cause.EVENT: Reason.SCHEDULED_EVENT, Cause.ASKED: Reason.ASKED}
    reason = reasons.get(cause, Reason.IMPAIRED)
    verdict = step(item, case, reason, intent, STEPS[first.step])
    return replace(verdict, is_new=True, is_paged=first.is_paged)


def _dealt_with(item: Item, *, is_event: bool) -> tuple[str, ...]:
    """Return the scheduled events that one step, or an earlier one, deals with."""
    known = item.ladder.events if item.ladder else ()
    listed = [event.id for event in item.status.events]
    return tuple(each for each in listed if is_event or each in known)


def _is_left_to_people(item: Item, reason: Reason) -> bool:
    """Tell whether no repair is near: today's are used up, or the last one did not help."""
    failed = item.ladder is not None and item.ladder.ending is not Ending.FIXED
    return reason is Reason.DAILY_BUDGET or (reason is Reason.COOLDOWN and failed)


def _due(item: Item, machine: Machine, case: Case) -> ScheduledEvent | None:
    """Return the scheduled event to act on: in a window, before it begins, and only once."""
    if not (case.in_window and item.status.is_well) or why_untouched(machine):
        return None
    known = item.ladder.events if item.ladder else ()
    return next(
        (
            event
            for event in item.status.events
            if event.code in ACTED_ON
            and event.id not in known
            and (event.not_before is None or event.not_before > case.now)
        ),
        None,
    )
