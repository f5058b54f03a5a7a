"""The limits EC2 puts on snapshots, tags and requests."""

from __future__ import annotations

from dataclasses import dataclass

COLD_TYPES = frozenset({"st1", "sc1"})


@dataclass
class Limits:
    """Each with AWS's value at first; None means no limit.

    Sources: Amazon EBS endpoints and quotas; CreateSnapshots and DescribeSnapshots in the EC2 API
    reference; EC2 API error codes.
    """

    spacing_seconds: float = 15.0
    """Between two snapshots of one volume."""
    pending_per_volume: int = 5
    """Snapshots in progress or in error, per volume."""
    pending_per_cold_volume: int = 1
    """The same for st1 and sc1."""
    pending: int | None = None
    """In progress in the whole region."""
    snapshots: int | None = 100_000
    """Of any state, owned in the region."""
    tags: int = 50
    volumes_per_set: int = 128
    excluded_volumes: int = 40
    filter_values: int = 200
    tagged_resources: int = 1000
    volumes_per_instance: int | None = None
    """27 of a small Nitro instance with one interface."""

    def pending_of(self, volume_type: str) -> int:
        """Return how many snapshots of a volume of this type may be open at once."""
        return (
            self.pending_per_cold_volume if volume_type in COLD_TYPES else self.pending_per_volume
        )
