"""What must hold before an instance, or a volume, is brought back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import ATTACHED, AVAILABLE, IN_USE, RUNNING, STOPPED, How, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .facts import Disk, Machine

_STANDBY: Final = "Standby"
_CREATING: Final = "creating"


def why_not_machine(machine: Machine, how: How, check_minutes: int) -> Reason | None:
    """Return why an instance is not touched; to make volumes beside it nothing speaks against.

    Where EC2 replaces the root volume, checks that fail within `check_minutes` lead back by a stop.
    """
    if tag.is_ignored(machine.tags):
        return Reason.IGNORED
    return None if how is How.VOLUMES else _why_not_touched(machine, how, check_minutes)


def _why_not_touched(machine: Machine, how: How, check_minutes: int) -> Reason | None:
    if machine.is_managed:
        return Reason.MANAGED_BY_SERVICE
    if machine.group and machine.group_state != _STANDBY:
        return Reason.IN_SCALING_GROUP
    if machine.state not in _STATES[how]:
        return Reason.INSTANCE_STATE
    may_stop = how is How.SWAP or check_minutes > 0
    if may_stop and (machine.is_spot or not machine.has_ebs_root):
        return Reason.NOT_STOPPABLE
    return None


_STATES: Final = {How.SWAP: frozenset({RUNNING, STOPPED}), How.ROOT: frozenset({RUNNING})}
"""A root volume is replaced while the instance runs:

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html
"""


def why_not_disks(disks: Iterable[Disk], machine: Machine | None, how: How) -> Reason | None:
    """Return why one of these volumes keeps them all from being brought back."""
    reasons = (_why_not_disk(disk, machine, how) for disk in disks)
    return next((reason for reason in reasons if reason), None)


def _why_not_disk(disk: Disk, machine: Machine | None, how: How) -> Reason | None:
    if tag.is_ignored(disk.tags):
        return Reason.IGNORED
    if disk.is_managed:
        return Reason.MANAGED_BY_SERVICE
    if how is How.VOLUMES:
        return Reason.VOLUME_STATE if disk.state == _CREATING else None
    if disk.is_multi_attach or len(disk.seats) > 1:
        return Reason.MULTI_ATTACH
    seat = disk.seat_at(machine.id) if machine else None
    if seat is None:
        return Reason.NOT_ATTACHED
    is_well = disk.state in {AVAILABLE, IN_USE} and seat.state == ATTACHED
    return None if is_well else Reason.VOLUME_STATE


def why_not_root(machine: Machine, disks: Sequence[Disk], snapshot_volume: str) -> Reason | None:
    """Return why EC2 would not replace a root volume by itself: it takes its own snapshots alone.

    A copy of a snapshot names no volume.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html
    """
    fits = [disk.id for disk in disks if disk.seat_at(machine.id)] == [snapshot_volume]
    return None if fits else Reason.ROOT_NOT_REPLACEABLE
