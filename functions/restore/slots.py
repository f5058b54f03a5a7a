"""The slot that brings volumes back to one moment: the newest whole one, not after it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caretaker.ec2 import STANDARD_TIER, Snapshot, SnapshotState
from caretaker.lineages import backups_along, by_volume
from caretaker.slots import is_slot, slot_time

from .facts import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .facts import Facts


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot, and the snapshot of each volume in it."""

    name: str
    snapshots: Mapping[str, Snapshot]

    @property
    def began(self) -> datetime:
        """Return when the first of its snapshots was started: what was written since is lost."""
        return min(snapshot.started for snapshot in self.snapshots.values())

    @property
    def ended(self) -> datetime:
        """Return when the last of its snapshots was started."""
        return max(snapshot.started for snapshot in self.snapshots.values())


@dataclass(frozen=True, slots=True)
class Known:
    """The good snapshots of a policy, by volume and oldest first, and whose data they are."""

    snapshots: Mapping[str, Sequence[Snapshot]]
    lines: Mapping[str, Sequence[str]]
    made: Mapping[str, datetime]

    @classmethod
    def of(cls, facts: Facts, policy: str) -> Known:
        """Read them from the facts."""
        good = (
            each
            for each in facts.snapshots
            if each.policy == policy
            and each.state == SnapshotState.COMPLETED
            and is_slot(each.slot)
        )
        made = {disk.id: disk.created for disk in facts.disks.values() if disk.created}
        return cls(by_volume(good), facts.lines, made)

    def backups(self, volume: str, at: datetime | None = None) -> dict[str, Snapshot]:
        """Return a volume's snapshot of each slot, its own or of what it continues.

        None was started after `at`, if that is given.
        A snapshot that was started later than its slot says, after a failure or by hand, holds what
        was there then.
        """
        line = self.lines.get(volume, (volume,))
        along = backups_along(line, self.made, self.snapshots)
        return {each.slot: each for each in along if at is None or each.started <= at}


def slot_for(volumes: Iterable[str], known: Known, at: datetime) -> Slot | Reason:
    """Return the newest slot, not after a time, that has all these volumes; or why there is none.

    All come from one slot: the latest snapshot of each would be several moments.
    """
    backups = {volume: known.backups(volume, at) for volume in volumes}
    if not all(known.backups(volume) for volume in backups):
        return Reason.NO_BACKUP
    whole = set.intersection(*(set(slots) for slots in backups.values()))
    newest = max((name for name in whole if slot_time(name) <= at), default="")
    if not newest:
        return Reason.NO_COMPLETE_SLOT
    slot = Slot(newest, {volume: found[newest] for volume, found in backups.items()})
    if any(each.tier != STANDARD_TIER for each in slot.snapshots.values()):
        return Reason.ARCHIVED
    return slot


def first_whole(volumes: Iterable[str], known: Known) -> tuple[str, list[str]]:
    """Return the first slot that has all volumes, empty without one; and those in no slot."""
    backups = {volume: known.backups(volume) for volume in volumes}
    whole = set.intersection(*(set(slots) for slots in backups.values()))
    return min(whole, default=""), sorted(v for v, slots in backups.items() if not slots)
