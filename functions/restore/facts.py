"""What a restore judges by, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.ec2 import Snapshot
    from caretaker.tags import Tags

RUNNING: Final = "running"
STOPPED: Final = "stopped"
GONE: Final = frozenset({"terminated", "shutting-down"})
ATTACHED: Final = "attached"
ATTACHING: Final = "attaching"
AVAILABLE: Final = "available"
IN_USE: Final = "in-use"
_GIB_PER_TIB: Final = 1024
DELETED: Final = frozenset({"deleting", "deleted"})
"""States of a volume that is as good as gone."""


class How(StrEnum):
    """What is done with what is brought back."""

    VOLUMES = "volumes"
    SWAP = "swap"
    ROOT = "root"


class Action(StrEnum):
    """What may happen to an instance, or to a volume of its own."""

    RESTORE = "restore"
    ADVANCE = "advance"
    KEEP = "keep"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    ASKED = "asked"
    ALREADY_STARTED = "already_started"
    NOT_BEGUN = "not_begun"
    UNDER_WAY = "under_way"
    GOING_BACK = "going_back"
    OVER = "over"
    NO_BACKUP = "no_backup"
    NO_COMPLETE_SLOT = "no_complete_slot"
    ARCHIVED = "archived"
    NO_VOLUMES = "no_volumes"
    IGNORED = "ignored"
    REPLACED = "replaced"
    IN_SCALING_GROUP = "in_scaling_group"
    INSTANCE_STATE = "instance_state"
    NOT_STOPPABLE = "not_stoppable"
    VOLUME_STATE = "volume_state"
    MULTI_ATTACH = "multi_attach"
    MANAGED_BY_SERVICE = "managed_by_service"
    NOT_ATTACHED = "not_attached"
    ROOT_NOT_REPLACEABLE = "root_not_replaceable"
    KEY_UNUSABLE = "key_unusable"
    ZONE_NEEDED = "zone_needed"
    RESTORE_OPEN = "restore_open"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a volume is attached, or about to be; `state` is EC2's of the attachment."""

    instance: str
    device: str
    state: str = ATTACHED
    deletes_on_termination: bool = False


@dataclass(frozen=True, slots=True)
class Make:
    """What a volume is made like; `iops` and `throughput` are 0 where its type has none of its own.

    `key` is the ARN of its KMS key, empty where it is not encrypted.
    """

    zone: str
    size_gib: int
    type: str
    iops: int = 0
    throughput: int = 0
    key: str = ""

    @property
    def size_tib(self) -> float:
        """Return its size as quotas count it."""
        return self.size_gib / _GIB_PER_TIB


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume, with all that a new one in its place must be like; `created` is when it was."""

    id: str
    state: str
    make: Make
    seats: tuple[Seat, ...] = ()
    tags: Tags = field(default_factory=dict)
    created: datetime | None = None
    is_multi_attach: bool = False
    is_managed: bool = False

    def seat_at(self, instance: str) -> Seat | None:
        """Return where it is attached to an instance."""
        return next((seat for seat in self.seats if seat.instance == instance), None)


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance; `group` is its Auto Scaling group, `group_state` how it stands there.

    `public_address` is one that a stop would lose, `launched` when it was started last.
    """

    id: str
    state: str
    zone: str
    root_device: str
    type: str = ""
    public_address: str = ""
    launched: datetime | None = None
    has_ebs_root: bool = True
    is_spot: bool = False
    is_managed: bool = False
    tags: Tags = field(default_factory=dict)
    group: str = ""
    group_state: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much storage of a type of volume the account may have, and has, in TiB."""

    type: str
    limit_tib: float
    used_tib: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered.

    `lines` are, of each volume, itself and those that it continues, the nearest first.

    `busy` tells of the instances and volumes of restores that are not over the plan, `earlier` how
    many are over of each target; `unusable_keys` tells, by the ARN of a key, its state. `stores`
    are the types of instances with instance store. `quotas` lacks those that AWS did not tell.
    """

    region: str
    machines: Mapping[str, Machine]
    disks: Mapping[str, Disk]
    snapshots: Sequence[Snapshot]
    lines: Mapping[str, Sequence[str]]
    busy: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, int] = field(default_factory=dict)
    unusable_keys: Mapping[str, str] = field(default_factory=dict)
    stores: frozenset[str] = frozenset()
    quotas: Sequence[Quota] = ()


@dataclass(frozen=True, slots=True)
class RootTask:
    """A task that replaces a root volume.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRootVolumeTask.html
    """

    id: str
    state: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of one instance, or lone volume, on its way: `disks` are its old and new ones.

    `health` is `ok`, `impaired`, `initializing`, or empty where EC2 tells nothing.
    """

    at: datetime
    machine: Machine | None
    disks: Mapping[str, Disk]
    health: str = ""
    task: RootTask | None = None
