"""Status of instances as EC2 shows it, and its XML: thousands of healthy ones in no time.

Source: EC2 API reference, "InstanceStatus", "InstanceStatusEvent", "EbsStatusSummary".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tests.cloud.views import View, aware, operator_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cloud.extras import Extras
    from tests.cloud.health import Impairment, ScheduledEvent

_MEMBERS = {
    "system": "SystemStatus",
    "instance": "InstanceStatus",
    "ebs": "AttachedEbsStatus",
}
_SETS = {"Events": "eventsSet"}


def status_view(
    instance: Any, extras: Extras, now: datetime, events: Sequence[ScheduledEvent] = ()
) -> View:
    """Show one instance's checks and events."""
    view = {
        "InstanceId": instance.id,
        "AvailabilityZone": instance.placement.zone,
        "Operator": operator_view(extras, instance.id),
        "InstanceState": {"Code": instance.state_code, "Name": instance.state},
        **_checks(instance, extras, now),
    }
    shown = [_event_view(each) for each in events]
    return view | ({"Events": shown} if shown else {})


def is_plain(instance: Any, extras: Extras, now: datetime) -> bool:
    """Tell whether nothing sets this instance apart but its state and its zone."""
    health, key = extras.health, instance.id
    return not (
        key in health.impairments or key in extras.impaired or key in extras.operators
    ) and (instance.state != "running" or _is_checked(instance, extras, now))


def rendered(view: Mapping[str, Any]) -> str:
    """Return a view as XML in EC2's spelling."""
    return "".join(_element(name, value) for name, value in view.items())


@cache
def plain_text(zone: str, code: int, state: str) -> str:
    """Return the XML of an instance that `is_plain`, without its id."""
    status = "ok" if state == "running" else "not-applicable"
    return rendered(
        {
            "AvailabilityZone": zone,
            "Operator": {"Managed": False},
            "InstanceState": {"Code": code, "Name": state},
            **{member: _summary(status, None) for member in _MEMBERS.values()},
        }
    )


def _checks(instance: Any, extras: Extras, now: datetime) -> View:
    if instance.state != "running":
        return {member: _summary("not-applicable", None) for member in _MEMBERS.values()}
    if not _is_checked(instance, extras, now):
        return {member: _summary("initializing", None) for member in _MEMBERS.values()}
    failing = extras.health.failing(instance.id, now)
    view = {member: _failing(failing.get(check)) for check, member in _MEMBERS.items()}
    if instance.id in extras.impaired:
        view["InstanceStatus"] = _summary(extras.impaired[instance.id], None)
    return view


def _is_checked(instance: Any, extras: Extras, now: datetime) -> bool:
    since = aware(instance.launch_time)
    since = max(since, extras.health.running_since.get(instance.id, since))
    return now >= since + timedelta(seconds=extras.initializing_seconds)


def _failing(impairment: Impairment | None) -> View:
    if impairment is None:
        return _summary("ok", None)
    since = impairment.since if impairment.status == "impaired" else None
    return _summary(impairment.status, since)


def _summary(status: str, since: datetime | None) -> View:
    if status == "not-applicable":
        return {"Status": status}
    checked = {"ok": "passed", "impaired": "failed"}.get(status, status)
    detail: View = {"Name": "reachability", "Status": checked}
    return {"Status": status, "Details": [detail | ({"ImpairedSince": since} if since else {})]}


def _event_view(event: ScheduledEvent) -> View:
    view = {
        "InstanceEventId": event.identifier,
        "Code": event.code,
        "Description": event.prefix + event.description,
        "NotAfter": event.not_after,
        "NotBefore": event.not_before,
        "NotBeforeDeadline": event.deadline,
    }
    return {name: value for name, value in view.items() if value is not None}


def _element(name: str, value: Any) -> str:
    tag = _SETS.get(name, name[0].lower() + name[1:])
    match value:
        case dict():
            text = rendered(value)
        case list():
            text = "".join(f"<item>{rendered(each)}</item>" for each in value)
        case bool():
            text = str(value).lower()
        case datetime():
            text = timestamp(value)
        case _:
            text = escape(str(value))
    return f"<{tag}>{text}</{tag}>"


def timestamp(moment: datetime) -> str:
    """Return a time as EC2 writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
