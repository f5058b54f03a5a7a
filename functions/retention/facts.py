"""The evidence a run judges by, gathered before anything is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker.ec2 import Snapshot, SnapshotState, Volume

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.plans import StoredPlan


class Action(StrEnum):
    """What may happen to a snapshot."""

    MARK = "mark"
    UNMARK = "unmark"
    DELETE = "delete"
    KEEP = "keep"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    NOT_MANAGED = "not_managed"
    FOREIGN_OWNER = "foreign_owner"
    AWS_MANAGED = "aws_managed"
    OTHER_POLICY = "other_policy"
    SLOT_UNREADABLE = "slot_unreadable"
    SLOT_IN_FUTURE = "slot_in_future"
    NOT_MADE_HERE = "not_made_here"
    PENDING = "pending"
    STATE_UNKNOWN = "state_unknown"
    NEWEST_FAILED = "newest_failed"
    ARCHIVED = "archived"
    TOO_YOUNG = "too_young"
    KEPT_BY_RULE = "kept_by_rule"
    LAST_GOOD = "last_good"
    USED_BY_IMAGE = "used_by_image"
    USED_BY_LAUNCH_TEMPLATE = "used_by_launch_template"
    FAST_RESTORE = "fast_restore"
    LOCKED = "locked"
    SHARED = "shared"
    VOLUME_CREATING = "volume_creating"
    RESTORE_OPEN = "restore_open"
    KEEP_TAG = "keep_tag"
    MARKED = "marked"
    NOT_APPROVED = "not_approved"
    IN_USE = "in_use"
    OWNED_BY_SERVICE = "owned_by_service"
    CHANGED_MEANWHILE = "changed_meanwhile"
    GONE = "gone"
    EXPIRED = "expired"
    SPARE = "spare"
    ORPHAN_EXPIRED = "orphan_expired"
    FAILED = "failed"


OUT_OF_SCOPE: Final = frozenset(
    {
        Reason.NOT_MANAGED,
        Reason.FOREIGN_OWNER,
        Reason.AWS_MANAGED,
        Reason.OTHER_POLICY,
        Reason.SLOT_UNREADABLE,
        Reason.SLOT_IN_FUTURE,
        Reason.NOT_MADE_HERE,
    }
)
"""Not ours to touch, not even to unmark."""


@dataclass(frozen=True, slots=True)
class Population:
    """How many good snapshots a policy had, and how many volumes there were."""

    good: int
    volumes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered.

    `snapshots` are all that the account owns, `references` says of those that something else needs
    what it is. `last_seen` is what the last run saw, None on the first. `approved` are snapshots of
    approved plans; `plan` is the one that this event approves. `recycle_bin_days` is for how long
    what is deleted can be had back, None when AWS did not say.
    """

    account: str
    installation: str
    snapshots: tuple[Snapshot, ...]
    volumes: tuple[Volume, ...]
    references: Mapping[str, Reason] = field(default_factory=dict)
    last_seen: Population | None = None
    approved: frozenset[str] = frozenset()
    plan: StoredPlan | None = None
    recycle_bin_days: int | None = None


def is_good(snapshot: Snapshot) -> bool:
    """Tell whether a snapshot can be restored from."""
    return snapshot.state == SnapshotState.COMPLETED


def newest_good(snapshots: Iterable[Snapshot]) -> dict[str, Snapshot]:
    """Return the newest good snapshot of each volume."""
    newest: dict[str, Snapshot] = {}
    for snapshot in filter(is_good, snapshots):
        known = newest.get(snapshot.volume_id)
        if known is None or _newness(snapshot) > _newness(known):
            newest[snapshot.volume_id] = snapshot
    return newest


def _newness(snapshot: Snapshot) -> tuple[datetime, str]:
    return snapshot.started, snapshot.id


def by_lineage(
    snapshots: Iterable[Snapshot], lineage_of: Mapping[str, str]
) -> Mapping[str, list[Snapshot]]:
    """Return the snapshots of each lineage."""
    groups: defaultdict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        groups[lineage_of[snapshot.volume_id]].append(snapshot)
    return groups
