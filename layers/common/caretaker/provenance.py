"""Whether a snapshot is one that we made, and of which slot. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.ec2 import COPIED_VOLUME_ID, description_of
from caretaker.slots import slot_of, slot_time

if TYPE_CHECKING:
    from caretaker.ec2 import Snapshot

EARLIEST_YEAR: Final = 2000
MAX_SLOT_LEAD: Final = timedelta(days=1)


def why_not_ours(snapshot: Snapshot, account: str, installation: str) -> str | None:
    """Return what speaks against our having made a snapshot; None when all speaks for it.

    Tags can be written by others, and who copies a volume's tags to its snapshots copies ours; the
    description was written as the snapshot was made, and EC2 has no call to change it. One of
    `foreign_owner`, `aws_managed`, `not_managed`, `not_made_here`, `slot_unreadable`,
    `slot_in_future`.
    """
    if snapshot.owner_id != account:
        return "foreign_owner"
    if any(key.startswith(tag.AWS) for key in snapshot.tags):
        return "aws_managed"
    if snapshot.tags.get(tag.MANAGED_BY) != installation:
        return "not_managed"
    if snapshot.description != description_of(snapshot.policy, snapshot.slot):
        return "not_made_here"
    if snapshot.volume_id == COPIED_VOLUME_ID:
        return "not_made_here"
    return _why_slot_is_wrong(snapshot)


def _why_slot_is_wrong(snapshot: Snapshot) -> str | None:
    try:
        time = slot_time(snapshot.slot)
    except ValueError:
        return "slot_unreadable"
    if slot_of(time) != snapshot.slot or time.year < EARLIEST_YEAR:
        return "slot_unreadable"
    return "slot_in_future" if time > snapshot.started + MAX_SLOT_LEAD else None
