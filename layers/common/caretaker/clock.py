"""Time as an argument: the handler passes a clock, everything below is told what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a run needs of time; tests bring their own."""

    def now(self) -> datetime:
        """Return the time of day, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time of day, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Deadline:
    """The moment after which no new change may start.

    `seconds` is what the invocation has left; the last `reserve_seconds` of it are kept for
    finishing what is under way and for the report.
    """

    def __init__(self, clock: Clock, seconds: float, reserve_seconds: float = 60) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds - reserve_seconds

    def remaining(self) -> float:
        """Return the seconds left for new changes; negative when there are none."""
        return self._end - self._clock.monotonic()

    def allows(self, seconds: float = 0) -> bool:
        """Tell whether something that first waits `seconds` may still start."""
        return self.remaining() > seconds
