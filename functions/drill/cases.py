"""Cases: each volume with its newest backup, and what is known of its drills. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from caretaker import tags as tag
from caretaker.ec2 import STANDARD_TIER, SnapshotState
from caretaker.lineages import backups_along, by_volume
from caretaker.selectors import reason_to_skip
from caretaker.slots import is_slot

from .facts import Proven, Reason
from .leftovers import is_of_drill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caretaker.ec2 import Snapshot, Volume

    from .facts import Disk, Facts, Proof
    from .request import DrillRequest


@dataclass(frozen=True, slots=True)
class Case:
    """A volume, and its newest good backup; or the reason why it has none to drill.

    `proof` is what is remembered of its lineage's last drill, `last` what was last proven: an older
    volume of the lineage counts, and so does the tag of a snapshot. `begun` is the volume that an
    earlier run has made of this backup, and not judged.
    """

    disk: Disk
    reason: str = ""
    backup: Snapshot | None = None
    proof: Proof | None = None
    last: Proven | None = None
    begun: Volume | None = None

    @property
    def proven(self) -> datetime | None:
        """Return when it was last proven."""
        return self.last.at if self.last else None

    @property
    def tried(self) -> datetime | None:
        """Return when a drill of it was last begun, whatever came of that."""
        times = [self.proven, self.proof.tried if self.proof else None]
        return max((time for time in times if time), default=None)


def is_good(snapshot: Snapshot) -> bool:
    """Tell whether a snapshot of the policy is a backup."""
    return snapshot.state == SnapshotState.COMPLETED and is_slot(snapshot.slot)


def cases_of(
    facts: Facts, request: DrillRequest, now: datetime, begun: Mapping[str, Volume]
) -> list[Case]:
    """Return a case for every volume that no drill has made, sorted by id.

    `begun` are the volumes that drills have made and that are still there, by snapshot.
    """
    known = _Known(facts, now, begun)
    disks = (each for each in facts.disks if not is_of_drill(each.volume, facts.installation))
    return [known.case(disk, request) for disk in sorted(disks, key=lambda each: each.id)]


class _Known:
    """The facts, by volume."""

    def __init__(self, facts: Facts, now: datetime, begun: Mapping[str, Volume]) -> None:
        self._facts = facts
        self._now = now
        self._begun = begun
        self._made = {disk.id: disk.volume.created for disk in facts.disks}
        self._snapshots = by_volume(each for each in facts.snapshots if is_good(each))

    def case(self, disk: Disk, request: DrillRequest) -> Case:
        """Return the case of a volume."""
        why_not = reason_to_skip(disk.volume, self._facts.instances, request.select, request.policy)
        if why_not:
            return Case(disk, why_not)
        line = self._facts.lines.get(disk.id, (disk.id,))
        backups = list(backups_along(line, self._made, self._snapshots))
        usable = [each for each in backups if each.tier == STANDARD_TIER]
        if not usable:
            return Case(disk, Reason.ARCHIVED if backups else Reason.NO_BACKUP)
        proofs = list(self._proofs(line))
        proof = max(proofs, key=lambda each: (each.tried, each.volume), default=None)
        proven = [*_tagged(backups), *(each.last for each in proofs if each.last)]
        begun = [each for each in usable if self._is_begun(each, proof)]
        backup = max(begun or usable, key=partial(_turn, disk.id))
        return Case(
            disk,
            backup=backup,
            proof=proof,
            # A time that is still to come was never measured.
            last=max((each for each in proven if each.at <= self._now), default=None),
            begun=self._begun[backup.id] if begun else None,
        )

    def _is_begun(self, snapshot: Snapshot, proof: Proof | None) -> bool:
        """Tell whether a volume of a backup waits to be judged; one that was could not go."""
        made = self._begun.get(snapshot.id)
        if made is None:
            return False
        if proof is None or proof.snapshot != snapshot.id:
            return True
        return proof.run_slot < made.tags[tag.SLOT]

    def _proofs(self, line: Sequence[str]) -> Iterator[Proof]:
        """Yield what is remembered of a volume, and of those that it continues until it was."""
        known = self._facts.proofs or {}
        yield from (known[each] for each in line[:1] if each in known)
        for after, before in pairwise(line):
            proof, born = known.get(before), self._made.get(after)
            if proof and born and proof.tried < born:
                yield proof


def _turn(volume_id: str, snapshot: Snapshot) -> tuple[str, bool, datetime, str]:
    """Order backups: the newest slot last, and in a slot the volume's own.

    A volume that was replaced may be backed up beside the one in its place.
    """
    return snapshot.slot, snapshot.volume_id == volume_id, snapshot.started, snapshot.id


def _tagged(snapshots: Sequence[Snapshot]) -> Iterator[Proven]:
    """Yield which snapshots were proven when, by their tags."""
    for snapshot in snapshots:
        try:
            time = datetime.fromisoformat(snapshot.tags.get(tag.PROVEN_AT, ""))
        except ValueError:
            continue
        if time.tzinfo:
            yield Proven(time, snapshot.slot, snapshot.id)
