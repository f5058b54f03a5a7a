"""How long a target was up, and how quick: added up over minutes, hours and days. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ROLLUP: Final = 300
HOUR: Final = 3600
DAY: Final = 86_400
SPANS: Final = (ROLLUP, HOUR, DAY)


class State(StrEnum):
    """How a target stands after a run."""

    UP = "up"
    UNSTABLE = "unstable"
    DEGRADED = "degraded"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sum:
    """What a span of time came to: seconds by state, probes, and their milliseconds.

    Seconds of which nobody knows anything are in none of them.
    """

    up: int = 0
    down: int = 0
    maintenance: int = 0
    probes: int = 0
    ms: int = 0
    slowest: int = 0

    def __add__(self, other: Sum) -> Sum:
        """Return both together."""
        return Sum(
            self.up + other.up,
            self.down + other.down,
            self.maintenance + other.maintenance,
            self.probes + other.probes,
            self.ms + other.ms,
            max(self.slowest, other.slowest),
        )

    @property
    def share_up(self) -> float | None:
        """Return the share of the known time that it was up; None if nothing is known."""
        known = self.up + self.down
        return self.up / known if known else None

    @property
    def values(self) -> list[int]:
        """Return it as it is kept."""
        return [self.up, self.down, self.maintenance, self.probes, self.ms, self.slowest]


NOTHING: Final = Sum()


def lasted(state: State, seconds: int) -> Sum:
    """Return what so many seconds in a state come to; late, or at the second try, is up."""
    match state:
        case State.UP | State.UNSTABLE | State.DEGRADED:
            return Sum(up=seconds)
        case State.DOWN:
            return Sum(down=seconds)
        case State.MAINTENANCE:
            return Sum(maintenance=seconds)
        case State.UNKNOWN:
            return NOTHING


def probed(ms: float | None) -> Sum:
    """Return what one probe adds; a failed one has no time that counts."""
    return NOTHING if ms is None else Sum(probes=1, ms=round(ms), slowest=round(ms))


def total(sums: Iterable[Sum]) -> Sum:
    """Return all together."""
    return sum(sums, start=NOTHING)


@dataclass(frozen=True, slots=True)
class Budget:
    """What an objective for availability leaves: `spent` of the `allowed` seconds of down time."""

    allowed: float
    spent: int

    @property
    def left(self) -> float:
        """Return the share that is left; below 0 it is overdrawn."""
        return 1 - self.spent / self.allowed if self.allowed else 0.0


def budget_of(over: Sum, slo: float, days: int) -> Budget:
    """Return the error budget of so many days; `slo` is in percent."""
    return Budget(days * DAY * (100 - slo) / 100, over.down)


def as_sums(kept: Iterable[Sequence[int]]) -> tuple[Sum, ...]:
    """Read sums back."""
    return tuple(Sum(*values) for values in kept)
