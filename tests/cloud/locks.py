"""Snapshot locks and fast snapshot restores: states that come and go with time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

GOVERNANCE = "governance"
COMPLIANCE = "compliance"
_STEPS = {
    "enabling": ("optimizing", timedelta(minutes=1)),
    "optimizing": ("enabled", timedelta(hours=1)),
    "disabling": ("disabled", timedelta(minutes=1)),
}


@dataclass
class Lock:
    """A snapshot's lock; an expired one stays in DescribeLockedSnapshots.

    Source: EC2 API reference, "LockedSnapshotsInfo".
    """

    mode: str
    created_at: datetime
    expires_at: datetime
    cool_off_until: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return governance, compliance, compliance-cooloff or expired."""
        if now >= self.expires_at:
            return "expired"
        cooling = self.cool_off_until is not None and now < self.cool_off_until
        return "compliance-cooloff" if cooling else self.mode

    def holds(self, now: datetime) -> bool:
        """Tell whether the snapshot cannot be deleted."""
        return self.state(now) != "expired"

    def is_final(self, now: datetime) -> bool:
        """Tell whether nobody can unlock it any more."""
        return self.state(now) == COMPLIANCE

    def age(self, shift: timedelta) -> None:
        """Move it into the past."""
        self.created_at -= shift
        self.expires_at -= shift
        if self.cool_off_until is not None:
            self.cool_off_until -= shift


@dataclass
class FastRestore:
    """Fast snapshot restore of one snapshot in one zone: `first` is its state at `since`."""

    first: str
    since: datetime

    def state(self, now: datetime) -> str:
        """Return enabling, optimizing, enabled, disabling or disabled."""
        state, since = self.first, self.since
        while state in _STEPS and now >= since + _STEPS[state][1]:
            state, since = _STEPS[state][0], since + _STEPS[state][1]
        return state
