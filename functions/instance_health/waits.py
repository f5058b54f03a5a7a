"""What a repair waits for: time to pass, AWS, people at work, and the breaker. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from .facts import Cause, Reason
from .ladder import DAY, Ending
from .request import Rung

if TYPE_CHECKING:
    from .case import Case, Item
    from .facts import Machine, ScheduledEvent
    from .ladder import Ladder

_EVENT_LASTS: Final = timedelta(hours=1)
"""How long a scheduled event is taken to last of which EC2 does not tell the end."""


def why_not_told(item: Item, case: Case) -> Reason | None:
    """Return why a failed check is not believed yet; a launch counts as its beginning, too."""
    sighting = item.sighting
    if sighting is None or sighting.polls < case.request.repairs.polls:
        return Reason.FIRST_SEEN
    since = min(item.status.since or sighting.since, sighting.since)
    return Reason.JUST_IMPAIRED if case.now - since < case.minutes("impaired") else None


def why_waiting(item: Item, machine: Machine, case: Case, cause: Cause, step: str) -> Reason | None:
    """Return what a new ladder, whose first step this is, has to wait for."""
    if case.now - machine.launched < case.minutes("settle"):
        return Reason.JUST_STARTED
    if cause is Cause.SYSTEM and _is_left_to_aws(item, case):
        return Reason.AWS_RECOVERING
    held = why_held(item, case, step, is_planned=cause is Cause.EVENT)
    if held:
        return held
    begun = item.ladder.begun_within_a_day(case.now) if item.ladder else ()
    if len(begun) >= case.request.repairs.ladders_per_day:
        return Reason.DAILY_BUDGET
    rests = item.ladder is not None and case.now < rested_at(item.ladder, case)
    return Reason.COOLDOWN if rests else None


def why_held(item: Item, case: Case, step: str, *, is_planned: bool) -> Reason | None:
    """Return what a step has to wait for, whichever of a ladder it is."""
    closed = case.breaker(item.status.zone)
    if closed:
        return closed
    if any(is_under_way(event, case) for event in item.status.events):
        return Reason.AWS_EVENT_UNDER_WAY
    if case.in_window and not is_planned:
        return Reason.MAINTENANCE_WINDOW
    is_blind = step == Rung.STOP_START and not case.facts.are_costs_known
    return Reason.COST_UNKNOWN if is_blind else None


def is_under_way(event: ScheduledEvent, case: Case) -> bool:
    """Tell whether AWS is at work on an instance."""
    if event.not_before is None:
        return False
    return event.not_before <= case.now <= (event.not_after or event.not_before + _EVENT_LASTS)


def streak_after(item: Item, case: Case) -> int:
    """Return which ladder in a row the next one is; a day in health ends the row."""
    ladder = item.ladder
    if ladder is None:
        return 1
    fell_ill = item.sighting.since if item.sighting else case.now
    was_well = ladder.ending is Ending.FIXED and ladder.ended is not None
    rested = was_well and ladder.ended is not None and fell_ill - ladder.ended >= DAY
    return 1 if rested else ladder.streak + 1


def rested_at(ladder: Ladder, case: Case) -> datetime:
    """Return when the next ladder may begin: the wait doubles with each in a row."""
    doubled = case.minutes("cooldown") * (1 << min(ladder.streak - 1, 10))
    return (ladder.ended or ladder.at) + min(doubled, DAY)


def _is_left_to_aws(item: Item, case: Case) -> bool:
    """EC2 moves an instance off a failed host by itself, and tells when it could not.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-recover.html
    """
    sighting = item.sighting
    if sighting is None or item.status.id in case.facts.left:
        return False
    since = min(item.status.since or sighting.since, sighting.since)
    return case.now - since < case.minutes("recovery")
