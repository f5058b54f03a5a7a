"""EC2 resources as frozen values: what a decision may know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.tags import Tags


STANDARD_TIER: Final = "standard"


class SnapshotState(StrEnum):
    """States of a snapshot; any other is none of our business.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
    """

    PENDING = "pending"
    COMPLETED = "completed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A volume at an instance."""

    instance_id: str
    device: str


@dataclass(frozen=True, slots=True)
class Volume:
    """An EBS volume."""

    id: str
    state: str
    created: datetime
    size_gib: int
    type: str
    attachments: tuple[Attachment, ...] = ()
    tags: Tags = field(default_factory=dict)
    snapshot_id: str = ""

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """Return the instances it is attached to, several for a multi-attach volume."""
        return tuple(sorted(a.instance_id for a in self.attachments))


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance; `root_device` is the device name of its boot volume."""

    id: str
    state: str
    root_device: str = ""
    tags: Tags = field(default_factory=dict)


COPIED_VOLUME_ID: Final = "vol-ffffffff"
"""What stands in the place of the volume's id in a copy of a snapshot: it says nothing.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
"""


def description_of(policy: str, slot: str) -> str:
    """Return the description that our snapshots are made with; EC2 has no call to change one."""
    return f"caretaker {policy} {slot}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An EBS snapshot.

    To hold 100,000 of them, only a failed one keeps other tags than `caretaker:` and `aws:`: its
    retake gets the same. `size_gib` is what it holds at most: its full size where EC2 tells it, or
    else its volume's, which is `volume_gib`.
    """

    id: str
    volume_id: str
    state: str
    started: datetime
    owner_id: str
    message: str = ""
    tags: Tags = field(default_factory=dict)
    description: str = ""
    tier: str = STANDARD_TIER
    size_gib: float = 0
    volume_gib: int = 0

    @property
    def slot(self) -> str:
        """Return the slot it was taken for."""
        return self.tags.get(tag.SLOT, "")

    @property
    def policy(self) -> str:
        """Return the policy it was taken for."""
        return self.tags.get(tag.POLICY, "")

    @property
    def attempt(self) -> int:
        """Return which attempt of its slot it was, 1 when the tag is missing or no number."""
        text = self.tags.get(tag.ATTEMPT, "")
        return int(text) if text.isdecimal() else 1
