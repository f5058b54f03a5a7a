"""Texts that every channel needs, made harmless: names and tags may hold anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from caretaker.incidents import MAX_EVIDENCE, MAX_TEXT, Severity
from caretaker.rendering.alert import Turn

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.incidents import Incident, Origin
    from caretaker.rendering.alert import Alert

MAX_SUBJECT: Final = 99
WORD: Final = {Severity.CRITICAL: "CRIT", Severity.WARNING: "WARN", Severity.NOTICE: "NOTE"}
_RESOURCE_ID: Final = re.compile(r"(i|vol|snap)-[0-9a-f]{8,17}")
_CONSOLE_DOMAINS: Final = {"cn": "console.amazonaws.cn"}
_CONSOLE_PAGES: Final = {
    "i": "InstanceDetails:instanceId",
    "vol": "VolumeDetails:volumeId",
    "snap": "SnapshotDetails:snapshotId",
}


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """Return text without control or formatting characters, as one line of at most `limit`."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * limit])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def ascii_line(text: str, limit: int) -> str:
    """Return text as one line of ASCII."""
    return plain(text.encode("ascii", "replace").decode(), limit)


def subject_of(alert: Alert) -> str:
    """Return the subject: state and severity first, then where, who, and what."""
    first, origin, number = alert.incidents[0], alert.origin, len(alert.incidents)
    head = f"{alert.turn}: [{WORD[first.severity]}] {origin.environment or origin.installation}"
    if number == 1:
        who = who_of(first)
    else:
        kinds = {incident.kind for incident in alert.incidents}
        who = f"{number} x {first.kind}" if len(kinds) == 1 else f"{number} incidents"
    return ascii_line(f"{head} {who}: {_what(alert, first)}", MAX_SUBJECT)


def _what(alert: Alert, first: Incident) -> str:
    """Return what is the matter; a reminder begins with for how long, lest it be cut off."""
    since = span(first.opened, alert.now)
    if alert.turn is Turn.OK:
        ending = f", {first.ending}" if first.ending and not first.closed else ""
        return f"{ending_of(first)} after {since}{ending}"
    if not first.reminders:
        return first.what
    return f"{'escalated, ' if first.escalated else ''}open for {since}: {first.what}"


def ending_of(incident: Incident) -> str:
    """Return how an incident ended."""
    if incident.closed:
        return "closed by hand"
    if incident.lapsed:
        return "over"
    return "gone" if incident.gone else "healthy"


def who_of(incident: Incident) -> str:
    """Return what people call the resource, and its id."""
    return " ".join(part for part in (plain(incident.name), plain(incident.resource)) if part)


def evidence_of(incident: Incident) -> dict[str, str]:
    """Return as much of the evidence as is shown."""
    entries = list(incident.evidence.items())[:MAX_EVIDENCE]
    return {plain(key): plain(value) for key, value in entries}


def runbook_link(origin: Origin, incident: Incident) -> str:
    """Return where the runbook tells of this kind; empty where none is published."""
    return f"{origin.runbook}#{incident.kind}" if origin.runbook else ""


def console_link(incident: Incident) -> str:
    """Return where the resource is seen in the console; of those unknown, where dashboards are."""
    _, region = incident.place
    domain = _CONSOLE_DOMAINS.get(region.partition("-")[0], "console.aws.amazon.com")
    if region.startswith("us-gov-"):
        domain = "console.amazonaws-us-gov.com"
    found = _RESOURCE_ID.fullmatch(incident.resource)
    page = incident.console or (
        f"ec2/home?region={region}#{_CONSOLE_PAGES[found[1]]}={incident.resource}"
        if found
        else f"cloudwatch/home?region={region}#dashboards"
    )
    return f"https://{region}.{domain}/{page}"


def span(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in two units at most."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes}m"
    hours, rest = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    return f"{days}d {hours_left}h" if days else f"{hours}h {rest}m"
