"""Clocks of the local cloud: the time AWS is thought to have."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

DEFAULT_START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class StrictClock(Protocol):
    """What the local cloud asks of a clock; the product's own fake clock fits too."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        ...


class ManualClock:
    """Stands still until told otherwise; `sleep` moves it instead of waiting."""

    def __init__(self, start: datetime = DEFAULT_START) -> None:
        """Start at `start` (aware UTC)."""
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Return the seconds gone by since the start."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        with self._lock:
            self._seconds += seconds

    def sleep(self, seconds: float) -> None:
        """Move the time forward, as a caller that waits would see it."""
        self.advance(max(0.0, seconds))


class SystemTime:
    """The machine's time, for the server: what is deployed reads that clock as well."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        """Wait: real time cannot be moved."""
        time.sleep(seconds)
