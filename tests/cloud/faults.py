"""Faults: what goes wrong with which call, for any service."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud.calls import Call


class FaultKind(StrEnum):
    """What the caller meets."""

    ANSWER_LOST = "answer_lost"
    """The call takes effect; the caller sees a read timeout."""
    CONNECTION_DROPPED = "connection_dropped"
    """The call takes effect; the caller sees the connection close without an answer."""
    NEVER_ARRIVED = "never_arrived"
    """Nothing happens; the caller sees a connect error."""
    CALLER_DIES = "caller_dies"
    """Nothing happens, and the server kills the process that has called; without a server it lives
    and sees a connect error."""
    THROTTLED = "throttled"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"
    DENIED = "denied"
    ERROR = "error"
    """An answer with the `code`, `status` and `message` of the fault."""


LOSSES = frozenset(
    {
        *(FaultKind.ANSWER_LOST, FaultKind.CONNECTION_DROPPED, FaultKind.NEVER_ARRIVED),
        FaultKind.CALLER_DIES,
    }
)
HAPPENS_ANYWAY = frozenset({FaultKind.ANSWER_LOST, FaultKind.CONNECTION_DROPPED})


@dataclass
class Fault:
    """One thing that goes wrong; `fired` counts how often it did.

    It strikes the `nth` matching call after it was added and the `times - 1` that follow (None: all
    of them). `match` narrows it to calls that hold this very value in some parameter, for example a
    volume's id. `effective` lets the call take effect before an error is answered, as a 500 may.
    `seconds` is how long the caller waits for it on the strict clock.
    """

    kind: FaultKind
    operation: str = "*"
    service: str = "*"
    nth: int = 1
    times: int | None = 1
    match: str = ""
    code: str = ""
    status: int = 400
    message: str = ""
    effective: bool = False
    seconds: float = 0.0
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    @property
    def happens(self) -> bool:
        """Whether the call takes effect all the same."""
        return self.effective or self.kind in HAPPENS_ANYWAY

    def concerns(self, call: Call) -> bool:
        """Whether it counts this call at all."""
        return (
            self.operation in {"*", call.operation}
            and self.service in {"*", call.service}
            and call.mentions(self.match)
        )

    def strikes(self) -> bool:
        """Count one matching call and tell whether this is one to fail."""
        self.seen += 1
        after_last = None if self.times is None else self.nth + self.times
        due = self.seen >= self.nth and (after_last is None or self.seen < after_last)
        self.fired += due
        return due


class FaultPlan:
    """All the faults that wait for their call."""

    def __init__(self) -> None:
        """Start without any."""
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Fault]:
        """Go through what was added."""
        return iter(tuple(self._faults))

    def add(
        self,
        kind: FaultKind | str,
        *,
        operation: str = "*",
        service: str = "*",
        nth: int = 1,
        times: int | None = 1,
        match: str = "",
        code: str = "",
        status: int = 400,
        message: str = "",
        effective: bool = False,
        seconds: float = 0.0,
    ) -> Fault:
        """Plan one fault and return it, so that a test can ask whether it `fired`."""
        fault = Fault(
            FaultKind(kind),
            operation,
            service,
            nth,
            times,
            match,
            code,
            status,
            message,
            effective,
            seconds,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def concurrent_tags(
        self, times: int | None = 1, *, operation: str = "CreateTags", match: str = ""
    ) -> Fault:
        """Let the next calls meet somebody else who tags the same; "Error codes" of EC2."""
        return self.add(
            FaultKind.ERROR,
            service="ec2",
            operation=operation,
            times=times,
            match=match,
            code="ConcurrentTagAccess",
            message="You can't run simultaneous commands to modify a tag for a specific resource.",
        )

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._faults.clear()

    def take(self, call: Call) -> Fault | None:
        """Return the fault that strikes this call, if one does; every matching one counts it."""
        with self._lock:
            due = [fault for fault in self._faults if fault.concerns(call) and fault.strikes()]
        return due[0] if due else None
