"""Which volumes sit where on an instance, and which are to: the new ones, or the old. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from .facts import ATTACHED, ATTACHING, AVAILABLE, IN_USE
from .journal import Goal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Disk, Seat, Sight
    from .journal import Journal

_SITTING: Final = frozenset({ATTACHED, ATTACHING})


class Place(NamedTuple):
    """A volume, and the device that it is, or is to be, attached as."""

    device: str
    disk: str


@dataclass(frozen=True)
class Seating:
    """One look at the seats of an instance."""

    journal: Journal
    sight: Sight

    @cached_property
    def wanted(self) -> dict[str, str]:
        """Return the volume that is to sit at each device."""
        forward = self.journal.goal is Goal.FORWARD
        return {part.device: part.new if forward else part.original for part in self.journal.parts}

    @property
    def is_done(self) -> bool:
        """Tell whether all sit where they are to."""
        return all(self._state(disk, device) == ATTACHED for device, disk in self.wanted.items())

    @property
    def is_lost(self) -> bool:
        """Tell whether one that is to sit is not there any more."""
        found = (self.sight.disks.get(disk) for disk in self.wanted.values())
        return any(disk is None or disk.state not in {AVAILABLE, IN_USE} for disk in found)

    @property
    def to_leave(self) -> list[Place]:
        """Return the volumes of this restore that sit where others are to."""
        return [
            Place(part.device, disk)
            for part in self.journal.parts
            for disk in (part.original, part.new)
            if disk != self.wanted[part.device] and self._state(disk, part.device) in _SITTING
        ]

    @property
    def to_sit(self) -> list[Place]:
        """Return those that may sit down: they are free, and so is their seat."""
        taken = {seat.device for _, seat in self._seats()}
        return [
            Place(device, disk)
            for device, disk in self.wanted.items()
            if device not in taken and self.sight.disks[disk].state == AVAILABLE
        ]

    @property
    def attaching(self) -> list[Place]:
        """Return those that are about to sit down."""
        return [
            Place(device, disk)
            for device, disk in self.wanted.items()
            if self._state(disk, device) == ATTACHING
        ]

    @property
    def unlike(self) -> dict[str, bool]:
        """Return the devices whose volume would not go, or stay, with the instance as before."""
        before = {part.device: part.deletes_on_termination for part in self.journal.parts}
        return {
            seat.device: before[seat.device]
            for disk, seat in self._seats()
            if self.wanted.get(seat.device) == disk.id
            and seat.deletes_on_termination != before[seat.device]
        }

    @property
    def evened(self) -> Sight:
        """Return the sight as it is once EC2 has said that none is unlike any more."""
        disks = {disk.id: disk for disk in self.sight.disks.values()}
        for disk, seat in self._seats():
            if seat.device in self.unlike and self.wanted[seat.device] == disk.id:
                like = replace(seat, deletes_on_termination=self.unlike[seat.device])
                seats = tuple(like if each is seat else each for each in disk.seats)
                disks[disk.id] = replace(disk, seats=seats)
        return replace(self.sight, disks=disks)

    def _seats(self) -> Iterator[tuple[Disk, Seat]]:
        for disk in self.sight.disks.values():
            seat = disk.seat_at(self.journal.target)
            if seat is not None:
                yield disk, seat

    def _state(self, disk: str, device: str) -> str:
        found = self.sight.disks.get(disk)
        seat = found.seat_at(self.journal.target) if found else None
        return seat.state if seat and seat.device == device else ""
