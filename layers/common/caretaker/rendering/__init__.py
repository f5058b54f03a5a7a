"""Texts of alerts: what changed, as every channel wants to read it. Pure.

An alert becomes at most one message per channel:

    alerts  MessageStructure=json: an e-mail, an SMS, and a JSON document for programs
    urgent  the same, of what is to wake people and of nothing else
    chat    a custom notification of Amazon Q Developer, one thread for each group of incidents
    pager   the shape of a CloudWatch alarm; the alarm is the scope, urgent as long as anything is

SNS: a subject is ASCII, one line, under 100 characters; a message is at most 262,144 bytes.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from caretaker.incidents import Incident, Severity
from caretaker.rendering import chat, pager, people
from caretaker.rendering.alert import Alert, Message, Turn, Unsent
from caretaker.rendering.text import subject_of
from caretaker.settings import Channel

__all__ = ["Alert", "Message", "Turn", "Unsent", "render_messages"]

MAX_BYTES: Final = 240_000
"""Of the whole message; what SNS adds to it stays within the rest."""
_LISTED: Final = (100, 50, 20, 5, 1)
"""How many incidents a message tries to spell out, until it fits."""

_BODIES: Final[Mapping[Channel, Callable[[Alert, int], object]]] = {
    Channel.ALERTS: people.body,
    Channel.URGENT: people.body,
    Channel.CHAT: chat.body,
    Channel.PAGER: pager.body,
    Channel.WATCHDOG: people.body,
}
_STRUCTURED: Final = frozenset({Channel.ALERTS, Channel.URGENT, Channel.WATCHDOG})


def render_messages(alert: Alert, channels: Iterable[Channel]) -> list[Message]:
    """Return the message of each channel that has something to hear."""
    told = ((channel, _told(alert, channel)) for channel in channels)
    return [_message(replace(alert, incidents=heard), to) for to, heard in told if heard]


def _told(alert: Alert, channel: Channel) -> Sequence[Incident]:
    """Return what a channel hears of an alert, the worst first."""
    heard = sorted(alert.incidents, key=lambda each: _worst_first(each, alert.origin.scope))
    if channel is Channel.URGENT:
        return [incident for incident in heard if incident.is_urgent]
    if channel is Channel.PAGER:
        return pager.paged(replace(alert, incidents=heard))
    return heard


def _worst_first(incident: Incident, own: str) -> tuple[bool, bool, bool, str]:
    """Return by what incidents are sorted: of two alike that of the run's own scope is first."""
    is_mild = incident.severity is not Severity.CRITICAL
    return is_mild, not incident.escalated, incident.scope != own, incident.full_key


def _message(alert: Alert, channel: Channel) -> Message:
    """Return one message; it spells out as many incidents as fit."""
    sizes = (_bytes(_BODIES[channel](alert, listed)) for listed in _LISTED)
    body = next((body for body in sizes if len(body) <= MAX_BYTES), None)
    keys = ",".join(incident.full_key for incident in alert.incidents)
    name = sha256(f"{channel}:{alert.turn}:{alert.origin.run}:{keys}".encode(errors="replace"))
    return Message(
        id=name.hexdigest()[:32],
        channel=channel,
        subject=subject_of(alert),
        body=(body or _bytes(_BODIES[channel](alert, 0))).decode(),
        structured=channel in _STRUCTURED,
        scopes=tuple(sorted({incident.scope for incident in alert.incidents})),
    )


def _bytes(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode(errors="replace")
