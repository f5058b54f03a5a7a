"""What AWS announces: scheduled events of instances, and its own troubles. Pure."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.incidents import Check, Severity

from .arrivals import HealthEvent
from .beginning import ACTED_ON, REBOOTS
from .facts import Cause
from .gates import next_step, rungs_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .arrivals import Arrival
    from .ended import Ended
    from .facts import Machine, ScheduledEvent

_NEAR: Final = ((timedelta(hours=1), "1h"), (timedelta(hours=24), "24h"))
"""People hear of an event when it is announced, and again so long before it begins."""
_ISSUE: Final = "issue"
_CLOSED: Final = "closed"


def events_announced(ended: Ended) -> Iterator[Check]:
    """Yield a check for each scheduled event; one that is over is not listed, and so resolved."""
    case = ended.plan.case
    for verdict in ended.plan.verdicts:
        machine = case.facts.machines.get(verdict.id)
        if machine is None or tag.is_ignored(machine.tags):
            continue
        ladder = ended.ladders.get(verdict.id, verdict.ladder)
        for event in verdict.item.status.events:
            acted = ladder is not None and event.id in ladder.events
            yield _announced(
                event,
                machine,
                case.now,
                has_window=_is_acted_on(ended, machine, event),
                done=f"{ladder.step} begun" if ladder and acted else "",
            )


def _is_acted_on(ended: Ended, machine: Machine, event: ScheduledEvent) -> bool:
    if not ended.request.maintenance_windows or event.code not in ACTED_ON:
        return False
    case = ended.plan.case
    rungs = rungs_for(Cause.EVENT, case.request, is_reboot=event.code == REBOOTS)
    return bool(next_step(machine, rungs, 0, case).step)


def _announced(
    event: ScheduledEvent, machine: Machine, now: datetime, *, has_window: bool, done: str
) -> Check:
    left = event.not_before - now if event.not_before else None
    stage = next((name for span, name in _NEAR if left is not None and left <= span), "")
    begins = _text(event.not_before)
    return Check(
        kind="instance_event",
        resource=event.id,
        name=machine.name or machine.id,
        healthy=False,
        severity=Severity.WARNING if stage else Severity.NOTICE,
        stage=f"{stage} {begins} {done}".strip(),
        what=f"{event.code} from {begins}",
        evidence={
            "instance": machine.id,
            "zone": machine.zone,
            "announced": event.description,
            "until": _text(event.not_after),
        },
        done=done or "nothing",
        next=_next(event, has_window=has_window, is_done=bool(done)),
        cause=event.code,
    )


def _next(event: ScheduledEvent, *, has_window: bool, is_done: bool) -> str:
    if is_done:
        return "EC2 may list it for another hour, and for a week once it is completed"
    if has_window:
        return "acted on in the next maintenance window before it begins"
    if event.code in ACTED_ON:
        return "stop and start (for instance-reboot: reboot) the instance before it begins"
    return "AWS does it; be ready for it"


def _text(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if time else "a time that EC2 does not tell"


def health_told(event: Arrival | None) -> Iterator[Check]:
    """Yield what AWS Health tells of a trouble of its own, until it is closed."""
    if event is None or not isinstance(event.detail, HealthEvent):
        return
    said = event.detail
    if said.eventTypeCategory != _ISSUE:
        return
    ids = said.instance_ids
    yield Check(
        kind="health_issue",
        resource=event.about,
        name=said.eventTypeCode,
        healthy=said.statusCode == _CLOSED,
        what=f"AWS tells of an issue: {said.eventTypeCode}",
        evidence={
            "since": said.startTime,
            "instances": f"{len(ids)}: {', '.join(ids[:5])}" if ids else "not named",
            "event": said.eventArn,
        },
        done="nothing",
        next="resolved when AWS closes it",
    )
