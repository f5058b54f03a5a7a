"""Facts for tests of instance health: something ordinary; keywords tell what is odd."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.request import parse_request
from caretaker.slots import slot_of
from functions.instance_health.case import Case, Item, open_case
from functions.instance_health.facts import (
    Cause,
    Facts,
    Machine,
    ScheduledEvent,
    Status,
)
from functions.instance_health.ladder import Ending, Ladder, Stand
from functions.instance_health.plan import plan_health
from functions.instance_health.request import InstanceHealthRequest
from functions.instance_health.sightings import Sighting, Trouble
from tests.support.builders import NOW, SLOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from functions.instance_health.plan import Plan
    from functions.instance_health.verdict import Verdict

ID: Final = "i-00000001"
OTHER: Final = "i-00000002"
ZONE: Final = "eu-west-1a"
OTHER_ZONE: Final = "eu-west-1b"
OPEN: Final = {"start": "02:30", "duration_minutes": 60}
"""A maintenance window that is open at NOW."""


def ago(minutes: float, *, before: datetime = NOW) -> datetime:
    """Return the time so many minutes before now."""
    return before - timedelta(minutes=minutes)


def ask(**event: Any) -> InstanceHealthRequest:
    """Return a request, checked as an event is."""
    return parse_request(InstanceHealthRequest, event)


def a_status(
    instance_id: str = ID,
    failed: str = "",
    *,
    word: str = "impaired",
    state: str = "running",
    zone: str = ZONE,
    since: float | None = 5,
    events: Iterable[ScheduledEvent] = (),
) -> Status:
    """Return a status in which these checks, named with blanks between, have failed."""
    said: dict[str, Any] = {
        check.value: word if check in failed.split() else "ok" for check in _CHECKS
    }
    if state != "running":
        said |= dict.fromkeys(said, "not-applicable")
    began = ago(since) if failed and since is not None else None
    return Status(instance_id, zone, state, **said, since=began, events=tuple(events))


_CHECKS: Final = (Cause.SYSTEM, Cause.INSTANCE, Cause.EBS)


def a_machine(
    instance_id: str = ID,
    remediate: str | None = "stop-start",
    *,
    up: float = 10_000,
    state: str = "running",
    tags: dict[str, str] | None = None,
    **fields: Any,
) -> Machine:
    """Return an instance on EBS, launched `up` minutes ago, that allows all repairs."""
    own = {} if remediate is None else {tag.REMEDIATE: remediate}
    return Machine(
        **{
            "id": instance_id,
            "state": state,
            "zone": ZONE,
            "type": "t3.small",
            "launched": ago(up),
            "tags": own | (tags or {}),
            **fields,
        }
    )


def a_sighting(
    trouble: str = "impaired", *, minutes: float = 5, polls: int = 3, slot: str = ""
) -> Sighting:
    """Return trouble that was seen at three polls, the last of them a minute ago."""
    return Sighting(Trouble(trouble), ago(minutes), polls, slot or slot_of(ago(1)))


def a_ladder(
    step: str = "reboot",
    stand: str = "taken",
    *,
    minutes: float = 11,
    cause: str = "instance",
    rung: int = 1,
    ended: float | None = None,
    ending: str = "",
    **more: Any,
) -> Ladder:
    """Return a ladder whose last call was sent eleven minutes ago; `ended` is how long ago."""
    over = ended is not None
    known: dict[str, Any] = {
        "cause": Cause(cause),
        "began": ago(minutes),
        "rung": rung,
        "step": step,
        "stand": Stand.ENDED if over else Stand(stand),
        "at": ago(minutes),
        "begun": (ago(minutes),),
        "ended": ago(ended) if ended is not None else None,
        "ending": Ending(ending or "fixed") if over else None,
        "version": 1,
    }
    return Ladder(**known | more)


def an_event(
    code: str = "instance-retirement", *, hours: float | None = 48, name: str = "1", **more: Any
) -> ScheduledEvent:
    """Return a scheduled event that begins so many hours from now."""
    begins = None if hours is None else NOW + timedelta(hours=hours)
    return ScheduledEvent(
        **{
            "id": f"instance-event-{name}",
            "code": code,
            "description": "it is going to happen",
            "not_before": begins,
            **more,
        }
    )


def crowd(healthy: int, *, zone: str = ZONE, of: str = "w") -> list[Status]:
    """Return so many instances that are well."""
    return [a_status(f"i-{of}{zone[-1]}{n:05}", zone=zone) for n in range(healthy)]


def gathered(*things: Any, **known: Any) -> Facts:
    """Return the facts; a sighting and a ladder are those of ID unless given by name."""
    machines = {each.id: each for each in things if isinstance(each, Machine)}
    statuses = [each for each in things if isinstance(each, Status)]
    for name, kind in (("sightings", Sighting), ("ladders", Ladder)):
        its = next((each for each in things if isinstance(each, kind)), None)
        known[name] = ({ID: its} if its else {}) | known.get(name, {})
    return Facts(tuple(statuses), machines, **known)


def a_case(*things: Any, event: dict[str, Any] | None = None, **known: Any) -> Case:
    """Return what is the same for every instance of a run at NOW."""
    return open_case(gathered(*things, **known), ask(**(event or {})), slot=SLOT, now=NOW)


def an_item(*things: Any) -> Item:
    """Return one instance with what is remembered of it."""
    found = {type(each): each for each in things}
    return Item(found.get(Status, a_status()), found.get(Sighting), found.get(Ladder))


def planned(*things: Any, event: dict[str, Any] | None = None, **known: Any) -> Plan:
    """Return the plan of a run at NOW."""
    return plan_health(gathered(*things, **known), ask(**(event or {})), slot=SLOT, now=NOW)


def verdict_on(*things: Any, event: dict[str, Any] | None = None, **known: Any) -> Verdict:
    """Return what was decided of ID."""
    plan = planned(*things, event=event, **known)
    return next(verdict for verdict in plan.verdicts if verdict.id == ID)


def decided(*things: Any, event: dict[str, Any] | None = None, **known: Any) -> tuple[str, str]:
    """Return what happens to ID, and why."""
    decision = verdict_on(*things, event=event, **known).decision
    return decision.action, decision.reason
