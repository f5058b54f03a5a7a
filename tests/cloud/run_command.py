"""Commands of Systems Manager, and how they go: what is known of agents and documents.

Source: Systems Manager user guide, "Understanding command statuses".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ONLINE, LOST = "Online", "ConnectionLost"
PENDING, IN_PROGRESS, SUCCESS, FAILED = "Pending", "InProgress", "Success", "Failed"
TIMED_OUT, CANCELLED = "TimedOut", "Cancelled"
ENDS = frozenset({SUCCESS, FAILED, TIMED_OUT, CANCELLED, ""})


@dataclass
class Document:
    """A document; `parameters` are those it takes, True where it needs one."""

    parameters: dict[str, bool] = field(default_factory=dict)


@dataclass
class Course:
    """How commands go: known `late` seconds after they were sent, begun and ended after so many.

    One whose `end` is empty goes on for ever.
    """

    end: str = SUCCESS
    late: float = 0.0
    begins: float = 2.0
    ends: float = 10.0
    code: int = 0


@dataclass
class Invocation:
    """A command on one instance."""

    command: str
    instance: str
    document: str
    comment: str
    parameters: Mapping[str, Any]
    sent: datetime
    course: Course
    timeout: float
    delivered: bool

    def state(self, now: datetime) -> str:
        """Return its status."""
        gone = (now - self.sent).total_seconds()
        if not self.delivered:
            return TIMED_OUT if gone >= self.timeout else PENDING
        if gone < self.course.begins:
            return PENDING
        return IN_PROGRESS if gone < self.course.ends or not self.course.end else self.course.end

    def is_known(self, now: datetime) -> bool:
        """Tell whether it is listed yet."""
        return now - self.sent >= timedelta(seconds=self.course.late)


@dataclass
class RunCommand:
    """What Systems Manager has in all accounts and regions; by instance or name."""

    agents: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    """By instance or document; `*` is all others."""
    invocations: list[Invocation] = field(default_factory=list)

    def age(self, shift: timedelta) -> None:
        """Move all commands into the past."""
        for each in self.invocations:
            each.sent -= shift
