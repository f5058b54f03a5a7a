"""What a drill judges by, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.ec2 import Instance, Snapshot, Volume

AVAILABLE: Final = "available"
CREATING: Final = "creating"
ERROR: Final = "error"
IN_USE: Final = "in-use"


class How(StrEnum):
    """How a backup is proven: its blocks are read, or a volume is made of it."""

    BLOCKS = "blocks"
    VOLUME = "volume"


class Action(StrEnum):
    """What may happen to a volume: its backup is drilled; one of a drill is swept."""

    DRILL = "drill"
    SWEEP = "sweep"
    KEEP = "keep"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page. Those of the layer's selection come beside."""

    SAMPLED = "sampled"
    FAILED_BEFORE = "failed_before"
    UNDER_WAY = "under_way"
    NOT_SAMPLED = "not_sampled"
    SLOT_DRILLED = "slot_drilled"
    NO_BACKUP = "no_backup"
    ARCHIVED = "archived"
    EXPIRED = "expired"
    NOT_EXPIRED = "not_expired"
    END_UNREADABLE = "end_unreadable"
    IN_USE = "in_use"
    STATE_UNAVAILABLE = "state_unavailable"
    NOT_FOUND = "not_found"


class Flaw(StrEnum):
    """What speaks against a backup."""

    LIST_NOT_ASCENDING = "list_not_ascending"
    LIST_BEYOND_VOLUME = "list_beyond_volume"
    LIST_CHANGED = "list_changed"
    LIST_WRONG_SIZE = "list_wrong_size"
    LIST_ENDLESS = "list_endless"
    BLOCK_SHORT = "block_short"
    CHECKSUM_WRONG = "checksum_wrong"
    CHECKSUM_UNKNOWN = "checksum_unknown"
    TABLE_DAMAGED = "partition_table_damaged"
    FIRST_TABLE_DAMAGED = "first_partition_table_damaged"
    SIGNATURE_DAMAGED = "signature_damaged"
    SIGNATURE_LOST = "signature_lost"
    VOLUME_ERROR = "volume_error"
    VOLUME_VANISHED = "volume_vanished"
    NOT_PROVEN = "judged_not_proven"
    JUDGE_FAILED = "judge_failed"
    JUDGE_UNCLEAR = "judge_unclear"


OF_JUDGE: Final = frozenset({Flaw.NOT_PROVEN, Flaw.JUDGE_FAILED, Flaw.JUDGE_UNCLEAR})
"""What only a judge can take back."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume, and where a new one of its backup is made."""

    volume: Volume
    zone: str

    @property
    def id(self) -> str:
        """Return the volume's id."""
        return self.volume.id


class Proven(NamedTuple):
    """When a backup was proven, and which."""

    at: datetime
    slot: str = ""
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is remembered of a volume's drills.

    `tried` is when one was last begun, whatever came of it. The last that came to an end was of
    `snapshot`, in the run of `run_slot`, which is empty when none has; `problem` is what it found
    to be wrong. `proven`, `proven_slot` and `proven_snapshot` are of the last that proved
    something, `found` is what that has read, `seconds` what the last volume took to become
    available, 0 where nobody knows. One that was `sampled` took a place of the sample. `how` is
    that of the problem, if there is one.
    """

    volume: str
    tried: datetime
    run_slot: str
    how: How
    snapshot: str
    slot: str
    proven: datetime | None = None
    proven_slot: str = ""
    proven_snapshot: str = ""
    problem: str = ""
    found: tuple[str, ...] = ()
    seconds: int = 0
    sampled: bool = False

    @property
    def last(self) -> Proven | None:
        """Return what was last proven."""
        return Proven(self.proven, self.proven_slot, self.proven_snapshot) if self.proven else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered: `disks` are all volumes, `snapshots` ours of the policy.

    `lines` are, of each volume, itself and those that it continues, the nearest first.

    `proofs` are by volume, None when the state table is out of reach; `since` is when this policy
    was first drilled.
    """

    installation: str
    disks: Sequence[Disk]
    instances: Mapping[str, Instance]
    snapshots: Sequence[Snapshot]
    lines: Mapping[str, Sequence[str]]
    proofs: Mapping[str, Proof] | None = field(default_factory=dict)
    since: datetime | None = None
