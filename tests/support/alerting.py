"""People and programs that listen to every topic, and a chore that says what a test wants."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from caretaker.incidents import Check, Severity
from caretaker.report import Findings
from caretaker.request import BaseRequest
from caretaker.run import Chore
from functions.alerts import app
from tests.support.crashes import KilledError

if TYPE_CHECKING:
    import pytest

    from tests.cloud import ManualClock
    from tests.support.stack import Stack

MINUTE: Final = 60
HOUR: Final = 3_600
LATER: Final = 300
"""The alerts chore runs every five minutes."""
KIND: Final = "backup_stale"
CHANNELS: Final = ("alerts", "urgent", "chat", "pager")


def bad(resource: str, severity: Severity = Severity.CRITICAL, **more: Any) -> Check:
    """Return a check of a resource that is unhealthy; critical unless told otherwise."""
    return Check(KIND, resource, severity, what="no backup", healthy=False, **more)


def warning(resource: str, **more: Any) -> Check:
    """Return a check of a resource that is unhealthy, and can wait."""
    return bad(resource, Severity.WARNING, **more)


def good(resource: str) -> Check:
    """Return a check of a resource that is healthy."""
    return Check(KIND, resource, healthy=True)


@dataclass
class Desk:
    """A stack with all topics, each heard by a queue; time passes by `wait`."""

    stack: Stack
    clock: ManualClock

    def look(
        self, *checks: Check, policy: str = "daily", request: str = ""
    ) -> dict[str, Any] | None:
        """Let a chore find this; None when its run was killed or raised."""
        findings = Findings((), checks)
        chore = Chore("snapshot", BaseRequest, lambda _: findings, adds_only=True)
        with contextlib.suppress(KilledError):
            return self.stack.run(chore, {"policy": policy, "mode": "report"}, request=request)
        return None

    def alerts(self, **event: Any) -> dict[str, Any]:
        """Run the alerts chore."""
        return self.stack.run(app.CHORE, event)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def next_run(self, seconds: float = LATER, **event: Any) -> dict[str, Any]:
        """Let time pass, then run the alerts chore."""
        self.wait(seconds)
        return self.alerts(**event)

    def heard(self, channel: str = "alerts") -> list[str]:
        """Return and forget what a channel heard, each as `ALARM vol-1 vol-2`.

        The pager hears of policies: `OK daily`.
        """
        return [_words(channel, message) for message in self.stack.heard(channel)]

    def heard_everywhere(self) -> dict[str, list[str]]:
        """Return and forget what each channel heard."""
        there = (channel for channel in CHANNELS if channel in self.stack.topics)
        return {channel: self.heard(channel) for channel in there}

    def open(self) -> list[str]:
        """Return the resources of all open incidents."""
        found = [i["sk"] for i in self.stack.items() if i["pk"].startswith("incidents#")]
        return sorted(key.partition("/")[2] for key in found if not key.startswith("#"))

    def unsent(self) -> list[str]:
        """Return the channels of the messages that wait."""
        return sorted(i["channel"] for i in self.stack.items() if i["pk"] == "outbox")


def _words(channel: str, message: dict[str, Any]) -> str:
    turn = message["Subject"].partition(":")[0]
    if channel == "pager":
        assert message["NewStateValue"] == turn
        return f"{turn} {message['AlarmName'].rpartition('/')[2]}"
    if channel == "chat":
        return " ".join([turn, *message["metadata"]["relatedResources"]])
    return " ".join([turn, *(incident["resource"] for incident in message["incidents"])])


def desk_of(stack: Stack, monkeypatch: pytest.MonkeyPatch, *without: str) -> Desk:
    """Give the stack all optional topics but these, and the function their names."""
    for channel in ("urgent", "chat", "pager", "watchdog"):
        if channel not in without:
            topic = stack.open_topic(channel)
            monkeypatch.setenv(f"CARETAKER_{channel.upper()}_TOPIC", topic)
    return Desk(stack, stack.clock)
