"""How snapshots live: born pending, later completed or in error."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

KMS_MESSAGE = (
    "Given key ID is not accessible. You must have DescribeKey permissions on the "
    "customer managed key."
)
"""StateMessage of a snapshot whose key its caller may not use."""


@dataclass
class Life:
    """One snapshot's way: `message` is its StateMessage if it ends in error, else empty.

    `set_number` tells the sets apart; 0 is a snapshot made alone.
    """

    snapshot_id: str
    volume_id: str
    born_at: datetime
    done_at: datetime
    message: str = ""
    set_number: int = 0
    settled: bool = False
    delete_when_done: bool = False

    def progress(self, now: datetime) -> int:
        """Return percent done; 99 at most while it is pending."""
        if self.settled:
            return 100 if not self.message else 0
        whole = (self.done_at - self.born_at).total_seconds() or 1
        return max(0, min(99, int(100 * (now - self.born_at).total_seconds() / whole)))


@dataclass
class FailurePlan:
    """How many of a volume's next snapshots end in error; None: all of them."""

    message: str
    times: int | None = 1

    def take(self) -> bool:
        """Use one up; False when none is left."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class SnapshotLives:
    """Every snapshot made through the API, and what is planned for the next ones.

    `delay_seconds` is how long one stays pending; `delays` overrides it by volume.
    """

    delay_seconds: float = 60.0
    delays: dict[str, float] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    last_made: dict[str, datetime] = field(default_factory=dict)
    failures: dict[str, FailurePlan] = field(default_factory=dict)
    ended: list[Life] = field(default_factory=list)
    """Those of which nobody has been told yet that they are done."""
    _sets: int = field(default=0, init=False)

    def fail(self, volume_id: str, times: int | None, message: str) -> None:
        """Let the next `times` snapshots of a volume (`*`: of any) end in error."""
        self.failures[volume_id] = FailurePlan(message, times)

    def born(self, snapshots: Sequence[Any], now: datetime, *, as_set: bool = False) -> None:
        """Take in what one call made: a set ends in error as a whole and is done as a whole."""
        self._sets += as_set
        reasons = [self._reason(snapshot.volume_id) for snapshot in snapshots]
        message = next((reason for reason in reasons if reason), "")
        delay = max(
            (self.delays.get(each.volume_id, self.delay_seconds) for each in snapshots),
            default=0.0,
        )
        for snapshot in snapshots:
            snapshot.status = "pending"
            snapshot.start_time = now
            self.last_made[snapshot.volume_id] = now
            self.lives[snapshot.id] = Life(
                snapshot.id,
                snapshot.volume_id,
                now,
                now + timedelta(seconds=delay),
                message,
                self._sets if as_set else 0,
            )

    def settle(self, snapshots: dict[str, Any], now: datetime) -> None:
        """Bring moto's snapshots up to `now`."""
        for life in list(self.lives.values()):
            snapshot = snapshots.get(life.snapshot_id)
            if life.settled or snapshot is None or now < life.done_at:
                continue
            life.settled = True
            self.ended.append(life)
            snapshot.status = "error" if life.message else "completed"
            if life.delete_when_done:
                del snapshots[life.snapshot_id]

    def complete_all(self) -> None:
        """Let every pending one be done at the next look."""
        for life in self.lives.values():
            life.done_at = min(life.done_at, life.born_at)

    def age(self, shift: timedelta) -> None:
        """Move everything into the past, as if that much time had gone by."""
        for life in self.lives.values():
            life.born_at -= shift
            life.done_at -= shift
        for volume_id in self.last_made:
            self.last_made[volume_id] -= shift

    def _reason(self, volume_id: str) -> str:
        for name in (volume_id, "*"):
            plan = self.failures.get(name)
            if plan is not None and plan.take():
                return plan.message
        return ""


def open_by_volume(snapshots: Sequence[Any]) -> dict[str, int]:
    """Count snapshots that hold a place of their volume: in progress, and in error."""
    counts: dict[str, int] = defaultdict(int)
    for snapshot in snapshots:
        counts[snapshot.volume_id] += snapshot.status in {"pending", "error"}
    return counts
