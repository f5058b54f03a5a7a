"""For pagers: the message of a CloudWatch alarm, which their integrations with SNS read.

An alarm stands for a scope, so that its recovery closes what its first urgent incident opened.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from caretaker.rendering.alert import Turn
from caretaker.rendering.text import plain, runbook_link, who_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.incidents import Incident
    from caretaker.rendering.alert import Alert

MAX_REASON: Final = 1_000
_BEFORE: Final = {Turn.ALARM: "OK", Turn.OK: "ALARM"}


def paged(alert: Alert) -> Sequence[Incident]:
    """Return what a pager hears: what became urgent, and that nothing is urgent any more."""
    heard_of = (incident for incident in alert.still_open if incident.told)
    if alert.turn is Turn.OK and any(incident.is_urgent for incident in heard_of):
        return []
    heard = alert.incidents if alert.paged is None else alert.paged
    return [incident for incident in heard if incident.is_urgent]


def body(alert: Alert, listed: int) -> dict[str, Any]:
    """Return the alarm of the scope, in its new state."""
    first, origin = alert.incidents[0], alert.origin
    reasons = (f"{who_of(i)}: {plain(i.what)}" for i in alert.incidents[: max(1, listed)])
    reason = "; ".join(reasons) if alert.turn is Turn.ALARM else "nothing urgent is open"
    return {
        "AlarmName": plain(first.scope),
        "AlarmDescription": runbook_link(origin, first) or plain(first.next),
        "AWSAccountId": first.place[0],
        "NewStateValue": alert.turn.value,
        "OldStateValue": _BEFORE[alert.turn],
        "NewStateReason": plain(reason, MAX_REASON),
        "StateChangeTime": alert.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": first.place[1],
        "Trigger": {
            "MetricName": first.kind,
            "Namespace": "Caretaker",
            "Dimensions": [
                {"name": "Incident", "value": plain(first.full_key)},
                {"name": "Report", "value": first.report or origin.report},
            ],
        },
    }
