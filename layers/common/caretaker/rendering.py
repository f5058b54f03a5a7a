"""Texts of alerts: subject, e-mail, SMS, and the JSON document for programs. Pure.

SNS: a subject is ASCII, one line, under 100 characters; a message is at most 262,144 bytes.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from caretaker.incidents import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.incidents import Incident

MAX_SUBJECT: Final = 99
MAX_SMS: Final = 160
MAX_LISTED: Final = 20
"""Incidents that an e-mail spells out; the report has them all."""
_LISTED: Final = (100, 50, 20, 5, 1)
"""How many incidents the message tries to spell out, until it fits."""
MAX_TEXT: Final = 256
MAX_EVIDENCE: Final = 10
MAX_BYTES: Final = 240_000
"""Of the whole message; what SNS adds to it stays within the rest."""
_RESOURCE_ID: Final = re.compile(r"(i|vol|snap)-[0-9a-f]{8,17}")
_CONSOLE_DOMAINS: Final = {"cn": "console.amazonaws.cn"}
_NOT_GSM: Final = re.compile(r"[^A-Za-z0-9 @$!\"#%&'()*+,./:;<=>?_-]")
_CONSOLE_PAGES: Final = {
    "i": "InstanceDetails:instanceId",
    "vol": "VolumeDetails:volumeId",
    "snap": "SnapshotDetails:snapshotId",
}
_WORD: Final = {Severity.CRITICAL: "CRIT", Severity.WARNING: "WARN"}


class Turn(StrEnum):
    """Which way a state changed."""

    ALARM = "ALARM"
    OK = "OK"


@dataclass(frozen=True, slots=True)
class Origin:
    """What all messages of a run say of where they come from."""

    installation: str
    environment: str
    account: str
    region: str
    chore: str
    policy: str
    run: str
    slot: str
    report: str = ""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One SNS message: `body` is the JSON of `MessageStructure=json`."""

    id: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Alert:
    """All incidents that turned the same way in one run; `still_open` counts the policy's."""

    turn: Turn
    incidents: Sequence[Incident]
    origin: Origin
    still_open: int
    now: datetime


def render_message(alert: Alert) -> Message:
    """Return the one message of an alert; it spells out as many incidents as fit."""
    worst_first = sorted(
        alert.incidents, key=lambda i: (i.severity is not Severity.CRITICAL, i.key)
    )
    alert = replace(alert, incidents=worst_first)
    subject = _subject(alert)
    keys = f"{alert.turn}:{alert.origin.run}:" + ",".join(i.key for i in worst_first)
    body = next(
        body
        for listed in _LISTED
        if len(body := _body(alert, subject, listed)) <= MAX_BYTES or listed == _LISTED[-1]
    )
    return Message(sha256(keys.encode()).hexdigest()[:32], subject, body.decode())


def _body(alert: Alert, subject: str, listed: int) -> bytes:
    parts = {
        "default": _json(_document(alert, subject, listed)),
        "email": _email(alert, min(listed, MAX_LISTED)),
        "sms": _sms(subject),
    }
    return _json(parts).encode()


def _sms(subject: str) -> str:
    """Return the subject in letters that an SMS counts once; brackets would count twice.

    https://docs.aws.amazon.com/sns/latest/dg/sms_sms-content.html
    """
    return _NOT_GSM.sub("?", re.sub(r"[\[\]]", "", subject))[:MAX_SMS]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """Return text without control or formatting characters, as one line of at most `limit`."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * limit])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _ascii(text: str, limit: int) -> str:
    return plain(text.encode("ascii", "replace").decode(), limit)


def _subject(alert: Alert) -> str:
    first, origin, number = alert.incidents[0], alert.origin, len(alert.incidents)
    head = f"{alert.turn}: [{_WORD[first.severity]}] {origin.environment or origin.installation}"
    if number == 1:
        who = f"{first.name} {first.resource}" if first.name else first.resource
    else:
        kinds = {incident.kind for incident in alert.incidents}
        who = f"{number} x {first.kind}" if len(kinds) == 1 else f"{number} incidents"
    healthy = f"healthy after {_span(first.opened, alert.now)}"
    what = first.what if alert.turn is Turn.ALARM else healthy
    return _ascii(f"{head} {who}: {what}", MAX_SUBJECT)


def _email(alert: Alert, listed: int) -> str:
    parts = [_email_entry(alert, incident) for incident in alert.incidents[:listed]]
    if len(alert.incidents) > listed:
        parts.append(f"... and {len(alert.incidents) - listed} more; the report lists them all.")
    links = _links(alert.incidents[0], alert.origin)
    return "\n\n".join([*parts, links, _footer(alert)]) + "\n"


def _email_entry(alert: Alert, incident: Incident) -> str:
    who = " ".join(part for part in (plain(incident.name), plain(incident.resource)) if part)
    since = f"{incident.opened.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    is_alarm = alert.turn is Turn.ALARM
    what = plain(incident.what) if is_alarm else "healthy again"
    lines = [
        f"{who}: {what}",
        f"  Since:    {since} ({_span(incident.opened, alert.now)})",
        *(f"  Evidence: {key}: {value}" for key, value in _evidence(incident).items()),
    ]
    if is_alarm:
        lines += [
            f"  Done:     {plain(incident.done) or 'nothing yet'}",
            f"  Next:     {plain(incident.next) or 'the next run looks again'}",
        ]
    return "\n".join(lines)


def _links(first: Incident, origin: Origin) -> str:
    lines = [
        f"Report:  {origin.report or 'none was written'}",
        f"Console: {console_link(origin, first.resource)}",
        f"Logs:    fields @timestamp, message | filter run = '{origin.run}'",
    ]
    if origin.runbook:
        lines.append(f"Runbook: {origin.runbook}#{first.kind}")
    return "\n".join(lines)


def _footer(alert: Alert) -> str:
    origin = alert.origin
    return (
        f"Caretaker {origin.installation}, chore {origin.chore}, policy {origin.policy}, "
        f"slot {origin.slot}, account {origin.account}, {origin.region}.\n"
        f"{alert.still_open} incident(s) of this policy are open.\n"
        "To leave a resource out, tag it caretaker:ignore=true: nothing is then done for it."
    )


def console_link(origin: Origin, resource: str) -> str:
    """Return where the resource is seen in the EC2 console."""
    domain = _CONSOLE_DOMAINS.get(origin.region.partition("-")[0], "console.aws.amazon.com")
    if origin.region.startswith("us-gov-"):
        domain = "console.amazonaws-us-gov.com"
    host = f"https://{origin.region}.{domain}/ec2/home?region={origin.region}"
    found = _RESOURCE_ID.fullmatch(resource)
    return f"{host}#{_CONSOLE_PAGES[found[1]]}={resource}" if found else host


def _document(alert: Alert, subject: str, listed: int) -> dict[str, Any]:
    origin, worst = alert.origin, alert.incidents[0]
    return {
        "schema": 1,
        "state": alert.turn.value,
        "severity": worst.severity.value,
        "subject": subject,
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
        "runbook": f"{origin.runbook}#{worst.kind}" if origin.runbook else "",
        "incidents": [_entry(incident) for incident in alert.incidents[:listed]],
        "incidents_omitted": max(0, len(alert.incidents) - listed),
        "incidents_open": alert.still_open,
    }


def _entry(incident: Incident) -> dict[str, Any]:
    document = incident.as_document()
    texts = {key: plain(value) for key, value in document.items() if isinstance(value, str)}
    return {**document, **texts, "evidence": _evidence(incident)}


def _evidence(incident: Incident) -> dict[str, str]:
    entries = list(incident.evidence.items())[:MAX_EVIDENCE]
    return {plain(key): plain(value) for key, value in entries}


def _span(since: datetime, now: datetime) -> str:
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes}m"
    hours, rest = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    return f"{days}d {hours_left}h" if days else f"{hours}h {rest}m"
