"""Incidents, and where their messages come from, for tests of what people are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.incidents import Incident, Origin, Severity
from caretaker.rendering import Alert, Message, Turn, render_messages
from caretaker.settings import Channel
from tests.support.builders import ACCOUNT, NOW, SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

ORIGIN: Final = Origin(
    "caretaker", "prod", ACCOUNT, "eu-west-1", "snapshot", "daily", "01JD", SLOT,
    "s3://bucket/snapshot/daily/2026-11-21T0300Z/01JD.jsonl.gz", "https://example.com/alerts",
)  # fmt: skip
STALE: Final = Incident(
    kind="backup_stale",
    resource="vol-0123456789abcdef0",
    severity=Severity.CRITICAL,
    opened=NOW - timedelta(minutes=4),
    scope=ORIGIN.scope,
    parent="backup_stale/vol-0123456789abcdef0",
    what="newest backup is older than 30 h",
    name="web-1",
    evidence={"newest good snapshot": "snap-0123456789abcdef0", "age": "31.0 h, allowed are 30 h"},
    done="nothing",
    next="the next slot takes it first",
    told=NOW - timedelta(minutes=4),
)
"""Critical, four minutes old."""
WARNING: Final = replace(STALE, severity=Severity.WARNING)
NASTY: Final = (
    "\N{GRINNING FACE}" * 1_000,
    "\N{RIGHT-TO-LEFT OVERRIDE}web\N{LEFT-TO-RIGHT MARK}" * 100,
    "\x00\x1b[31m\r\nSubject: x\u2028y\x85z" * 50,
    '"\\' * 500,
    "[`{" * 300,
    "x" * 10_000,
    "é" * 10_000,
    "lone \ud800 surrogate \udfff",
    "<!channel> <@U0123> @here @channel <at>everyone</at>",
    "*bold* _italic_ ~gone~ `code` [a link](https://example.com) &lt;!here&gt; |",
    "# heading\n> quote\n- item\n![x](https://example.com/x.png)",
    " \t ",
    "",
)
"""What people and programs may write into a name or a tag, to break what is made of it."""


def everywhere(text: str, incident: Incident = STALE, **more: Any) -> Incident:
    """Return an incident that says `text` wherever it can."""
    texts = {"what": text, "name": text, "done": text, "next": text, "cause": text}
    return replace(incident, **{**texts, "evidence": {text: text, "age": text}, **more})


def numbered(count: int, incident: Incident = STALE) -> list[Incident]:
    """Return incidents of one group, of as many volumes."""
    return [replace(incident, resource=f"vol-{n:017x}") for n in range(count)]


def render(
    *incidents: Incident,
    to: Channel = Channel.ALERTS,
    turn: Turn = Turn.ALARM,
    origin: Origin = ORIGIN,
    still_open: Sequence[Incident] | None = None,
    paged: Sequence[Incident] | None = None,
) -> Message | None:
    """Return what a channel is told of incidents; None when it is told nothing."""
    left = (incidents if turn is Turn.ALARM else ()) if still_open is None else still_open
    found = render_messages(Alert(turn, incidents, origin, left, NOW, paged), [to])
    return found[0] if found else None


def rendered(*incidents: Incident, **how: Any) -> Message:
    """Return the message, which there must be."""
    message = render(*incidents, **how)
    assert message is not None
    return message
