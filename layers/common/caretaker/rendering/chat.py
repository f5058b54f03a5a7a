"""For chat: the custom notification that Amazon Q Developer shows in Slack and Teams.

https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from caretaker.rendering.alert import Turn
from caretaker.rendering.text import (
    WORD,
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
    from caretaker.incidents import Incident
    from caretaker.rendering.alert import Alert

MAX_LISTED: Final = 10
MAX_DESCRIPTION: Final = 3_000
"""Slack cuts a block of text at 3,000 characters.

https://docs.slack.dev/reference/block-kit/blocks/section-block
"""
_ROOM_FOR_MORE: Final = 40
MAX_EVIDENCE: Final = 5
MAX_LINE: Final = 300
"""With these one entry always fits."""
_MARKUP: Final = re.compile(r"[*_~`<>|&@#!]")
_BRACKETS: Final = str.maketrans("[]", "()")
_SYMBOL: Final = {Turn.ALARM: ":warning:", Turn.OK: ":white_check_mark:"}


def body(alert: Alert, listed: int) -> dict[str, Any]:
    """Return the notification; all of one group's messages have the same `threadId`."""
    first, origin = alert.incidents[0], alert.origin
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{first.thread}-{alert.turn.value.lower()}-{origin.run}",
        "content": {
            "textType": "client-markdown",
            "title": f"{_SYMBOL[alert.turn]} {_bare(subject_of(alert))}",
            "description": _description(alert, min(listed, MAX_LISTED)),
            "nextSteps": _next_steps(alert, first),
            "keywords": [WORD[first.severity], origin.chore, first.kind],
        },
        "metadata": {
            "threadId": first.thread,
            "summary": _bare(subject_of(alert)),
            "eventType": f"caretaker-{alert.turn.value.lower()}",
            "relatedResources": [
                _bare(plain(incident.resource))
                for incident in alert.incidents[: min(listed, MAX_LISTED)]
            ],
            "additionalContext": {
                "incident": first.full_key,
                "severity": first.severity.value,
                "account": first.place[0],
                "region": first.place[1],
                "run": origin.run,
            },
        },
    }


def _description(alert: Alert, listed: int) -> str:
    """Return as many whole entries as fit, and how many more there are."""
    entries = ["\n".join(_entry(alert, each)) for each in alert.incidents[:listed]]
    while len("\n".join(entries)) > MAX_DESCRIPTION - _ROOM_FOR_MORE:
        entries.pop()
    more = len(alert.incidents) - len(entries)
    return "\n".join([*entries, f"... and {more} more"] if more else entries)


def _entry(alert: Alert, incident: Incident) -> list[str]:
    since = span(incident.opened, alert.now)
    if alert.turn is Turn.OK:
        return [f"*{_bare(who_of(incident))}*: {ending_of(incident)} after {since}"]
    evidence = list(evidence_of(incident).items())[:MAX_EVIDENCE]
    shown = [plain(f"{_bare(key)}: {_bare(value)}", MAX_LINE) for key, value in evidence]
    done = f"Done: {_bare(plain(incident.done))}" if incident.done else "Done: nothing yet"
    return [f"*{_bare(who_of(incident))}*: {_bare(plain(incident.what))} ({since})", *shown, done]


def _next_steps(alert: Alert, first: Incident) -> list[str]:
    """Return what happens next, and where to look; nothing is left to do once it is healthy."""
    if alert.turn is Turn.OK:
        return []
    runbook = runbook_link(alert.origin, first)
    steps = [
        _bare(plain(first.next) or "the next run looks again"),
        f"Console: {console_link(first)}",
        f"Report: {first.report or alert.origin.report or 'none was written'}",
    ]
    return [*steps, f"Runbook: {runbook}"] if runbook else steps


def _bare(text: str) -> str:
    """Return text that chat shows as it is: no mark-up, and nobody is mentioned."""
    return _MARKUP.sub(" ", text.translate(_BRACKETS))
