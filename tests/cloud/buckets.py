"""EC2's request token buckets, per account, region and API; the tagging API's where given.

Source: EC2 developer guide, "Request throttling for the Amazon EC2 API"; AWS general reference,
"Amazon EBS endpoints and quotas" (the EBS direct APIs: requests a second, also of each snapshot).
"""

from __future__ import annotations

from collections import UserDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

UNPAGED = ":unpaged"
"""Suffix of the smaller bucket of a listing that asks for neither a page nor a filter."""

_FULL_LISTINGS = (
    "DescribeInstances",
    "DescribeInstanceStatus",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeVolumes",
)

DOCUMENTED: Mapping[str, tuple[int, float]] = {
    **dict.fromkeys(
        (
            "CreateSnapshot",
            "CreateSnapshots",
            "DeleteSnapshot",
            "ModifySnapshotAttribute",
            "CreateVolume",
            "DeleteVolume",
            "DeregisterImage",
        ),
        (100, 5),
    ),
    **dict.fromkeys(("CreateTags", "DeleteTags"), (100, 10)),
    "CopyImage": (100, 1),
    **{
        f"{name}{of}": (rate, rate)
        for name, rate in (("ListSnapshotBlocks", 50), ("GetSnapshotBlock", 1000))
        for of in ("", ":snapshot")
    },
    **{f"{name}{UNPAGED}": (50, 10) for name in _FULL_LISTINGS},
    **dict.fromkeys(("StartInstances", "RunInstances"), (5, 2)),
}
"""Burst and refill a second; what is not here falls into `Describe*` or the mutating class."""

_DESCRIBE = (100, 20)
_MUTATING = (50, 5)


@dataclass
class Bucket:
    """`burst` tokens at most, `refill` more a second, of which somebody else eats `share` (0-1)."""

    burst: float
    refill: float
    share: float = 0.0

    def __post_init__(self) -> None:
        """Fill every account's and region's bucket lazily."""
        self._levels: dict[str, tuple[float, datetime]] = {}

    def take(self, now: datetime, scope: str = "") -> bool:
        """Take a token from the bucket of this account and region, if one is left."""
        full = round(self.burst * (1 - self.share), 6)
        level, since = self._levels.get(scope, (full, now))
        gained = max(0.0, (now - since).total_seconds()) * self.refill * (1 - self.share)
        level = round(min(full, level + gained), 6)
        granted = level >= 1
        self._levels[scope] = (level - granted, now)
        return granted


class Buckets(UserDict[str, Bucket]):
    """Buckets by operation; empty, as it is at first, nothing is throttled."""

    def __init__(self) -> None:
        """Start without any."""
        super().__init__()
        self._share: float | None = None

    def use_documented(self, *, share: float = 0.0) -> None:
        """Throttle every EC2 operation as AWS documents it; somebody else eats `share` of each."""
        self.data.clear()
        self._share = share

    def off(self) -> None:
        """Throttle nothing."""
        self.data.clear()
        self._share = None

    def take(self, operation: str, params: Mapping[str, Any], now: datetime, scope: str) -> bool:
        """Take a token for this call; True where the operation has no bucket."""
        bucket = self._bucket(bucket_name(operation, params))
        return bucket is None or bucket.take(now, scope)

    def _bucket(self, name: str) -> Bucket | None:
        found = self.data.get(name) or self.data.get(name.removesuffix(UNPAGED))
        if found is None and self._share is not None:
            found = self.data[name] = documented(name, share=self._share)
        return found


def documented(name: str, *, share: float = 0.0) -> Bucket:
    """Return a full bucket with the numbers AWS documents for an operation."""
    fallback = _DESCRIBE if name.startswith("Describe") else _MUTATING
    burst, refill = DOCUMENTED.get(name, fallback)
    return Bucket(burst, refill, share)


def bucket_name(operation: str, params: Mapping[str, Any]) -> str:
    """Name the bucket a call draws from."""
    narrowed = {"MaxResults", "NextToken", "Filters", "VolumeIds", "SnapshotIds", "InstanceIds"}
    narrowed |= {"NetworkInterfaceIds", "GroupIds", "GroupNames"}
    if operation in _FULL_LISTINGS and not narrowed & params.keys():
        return operation + UNPAGED
    return operation
