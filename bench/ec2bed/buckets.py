"""EC2's request token buckets as AWS documents them, written down here once more on purpose.

The product has a table of its own: were this one shared with it, a wrong rate would go unseen.
Sources: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html, and for the EBS
direct APIs, which have quotas of requests a second,
https://docs.aws.amazon.com/general/latest/gr/ebs-service.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNPAGED: Final = ":unpaged"
_FULL_LISTINGS: Final = frozenset(
    {"DescribeInstances", "DescribeInstanceStatus", "DescribeSnapshots", "DescribeVolumes"}
)
_NARROWED: Final = ("MaxResults", "NextToken", "Filter.", "VolumeId.", "SnapshotId.", "InstanceId.")
_DOCUMENTED: Final = {
    "CreateSnapshot": (100, 5),
    "CreateSnapshots": (100, 5),
    "DeleteSnapshot": (100, 5),
    "CreateVolume": (100, 5),
    "DeleteVolume": (100, 5),
    "CreateTags": (100, 10),
    "DeleteTags": (100, 10),
    "StartInstances": (5, 2),
    "GetSnapshotBlock": (1000, 1000),
    "ListSnapshotBlocks": (50, 50),
}


def limits(name: str) -> tuple[float, float]:
    """Return (burst, refill a second) of a bucket."""
    if name.endswith(UNPAGED):
        return 50, 10
    return _DOCUMENTED.get(name, (100, 20) if name.startswith("Describe") else (50, 5))


def bucket_wait(name: str, calls: int) -> float:
    """Return the seconds a full bucket makes that many calls wait."""
    burst, refill = limits(name)
    return max(0.0, (calls - burst) / refill)


def bucket_name(action: str, params: Mapping[str, str]) -> str:
    """Name the bucket a call draws on: listing everything at once has a smaller one."""
    if action in _FULL_LISTINGS and not any(key.startswith(_NARROWED) for key in params):
        return action + UNPAGED
    return action


class Buckets:
    """The buckets of the account; somebody else eats `share` of each."""

    def __init__(self, share: float) -> None:
        self._left = 1 - share
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str, now: float) -> bool:
        """Take a token; False when none is left."""
        burst, refill = (limit * self._left for limit in limits(name))
        level, since = self._levels.get(name, (burst, now))
        level = min(burst, level + (now - since) * refill)
        granted = level >= 1
        self._levels[name] = (level - granted, now)
        return granted
