"""For people and programs: an e-mail, an SMS, and the alert as a JSON document."""

from __future__ import annotations

import json
import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.rendering.alert import Turn
from caretaker.rendering.text import (
    console_link,
    ending_of,
    evidence_of,
    plain,
    runbook_link,
    span,
    subject_of,
    who_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.incidents import Incident
    from caretaker.rendering.alert import Alert

MAX_SMS: Final = 160
MAX_LISTED: Final = 20
"""Incidents that an e-mail spells out; the report has them all."""
SCHEMA: Final = 1
_NOT_GSM: Final = re.compile(r"[^A-Za-z0-9 @$!\"#%&'()*+,./:;<=>?_-]")
_QUIET: Final = timedelta(hours=8)
_INTERNAL: Final = frozenset({"changes", "calm", "console", "is_final", "gone", "lapsed"})


def body(alert: Alert, listed: int) -> dict[str, str]:
    """Return the texts by protocol; `default` is what HTTP, SQS and Lambda get."""
    return {
        "default": json.dumps(_document(alert, listed), ensure_ascii=False),
        "email": _email(alert, min(listed, MAX_LISTED)),
        "sms": _sms(subject_of(alert)),
    }


def _sms(subject: str) -> str:
    """Return the subject in letters that an SMS counts once; brackets would count twice.

    https://docs.aws.amazon.com/sns/latest/dg/sms_sms-content.html
    """
    return _NOT_GSM.sub("?", re.sub(r"[\[\]]", "", subject))[:MAX_SMS]


def _email(alert: Alert, listed: int) -> str:
    parts = [_entry(alert, incident) for incident in alert.incidents[:listed]]
    if len(alert.incidents) > listed:
        parts.append(f"... and {len(alert.incidents) - listed} more; the report lists them all.")
    return "\n\n".join([*parts, _links(alert), _footer(alert)]) + "\n"


def _entry(alert: Alert, incident: Incident) -> str:
    since = f"{incident.opened.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    is_alarm = alert.turn is Turn.ALARM
    what = plain(incident.what) if is_alarm else ending_of(incident)
    told = f", reminder {incident.reminders}" if is_alarm and incident.reminders else ""
    lines = [
        f"{who_of(incident)}: {what}",
        f"  Since:    {since} ({span(incident.opened, alert.now)}{told})",
    ]
    if is_alarm:
        lines += [
            *(f"  Evidence: {key}: {value}" for key, value in evidence_of(incident).items()),
            f"  Done:     {plain(incident.done) or 'nothing yet'}",
            f"  Next:     {plain(incident.next) or 'the next run looks again'}",
        ]
    elif incident.ending:
        lines.append(f"  Done:     {plain(incident.ending)}")
    return "\n".join([*lines, f"  Incident: {plain(incident.full_key)}"])


def _links(alert: Alert) -> str:
    first, origin = alert.incidents[0], alert.origin
    report = (first.report if alert.turn is Turn.ALARM else "") or origin.report
    lines = [
        f"Report:  {report or 'none was written'}",
        f"Console: {console_link(first)}",
        f"Logs:    fields @timestamp, message | filter run = '{origin.run}'",
    ]
    runbook = runbook_link(origin, first)
    return "\n".join([*lines, f"Runbook: {runbook}"] if runbook else lines)


def _footer(alert: Alert) -> str:
    origin = alert.origin
    until = (alert.now + _QUIET).astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
    silence = {"silence": {"match": _pattern(alert.incidents), "until": until, "reason": ""}}
    slot = f"slot {origin.slot}, " if origin.slot else ""
    place = f"{slot}account {origin.account}, {origin.region}"
    lines = [
        f"Caretaker {origin.installation}, chore {origin.chore}, policy {origin.policy}, {place}.",
        f"{len(alert.still_open)} incident(s) of this policy are open."
        if len({incident.scope for incident in alert.incidents}) == 1
        else f"{len(alert.still_open)} incident(s) are open.",
    ]
    if alert.turn is Turn.ALARM:
        lines.append(f"To hear no more of it for 8 hours: AlertsFunction, {json.dumps(silence)}")
    return "\n".join(lines)


def _pattern(incidents: Sequence[Incident]) -> str:
    """Return the narrowest pattern of keys that covers all incidents of a message."""
    keys = {incident.full_key for incident in incidents}
    kinds = {f"{incident.scope}/{incident.kind}/*" for incident in incidents}
    scopes = {f"{incident.scope}/*" for incident in incidents}
    return next((each.pop() for each in (keys, kinds, scopes) if len(each) == 1), "*")


def _document(alert: Alert, listed: int) -> dict[str, Any]:
    origin, worst = alert.origin, alert.incidents[0]
    return {
        "schema": SCHEMA,
        "state": alert.turn.value,
        "severity": worst.severity.value,
        "subject": subject_of(alert),
        "time": alert.now.astimezone(UTC).isoformat(),
        "installation": origin.installation,
        "environment": origin.environment,
        "account": origin.account,
        "region": origin.region,
        "chore": origin.chore,
        "policy": origin.policy,
        "run": origin.run,
        "slot": origin.slot,
        "report": origin.report,
        "runbook": runbook_link(origin, worst),
        "incidents": [_item(incident) for incident in alert.incidents[:listed]],
        "incidents_omitted": max(0, len(alert.incidents) - listed),
        "incidents_open": len(alert.still_open),
    }


def _item(incident: Incident) -> dict[str, Any]:
    document = {k: v for k, v in incident.as_document().items() if k not in _INTERNAL}
    texts = {key: plain(value) for key, value in document.items() if isinstance(value, str)}
    names = {"key": plain(incident.full_key), "thread": incident.thread}
    return {**document, **texts, **names, "evidence": evidence_of(incident)}
