"""What a restore is about: instances with their volumes, and volumes that stand alone. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.ec2 import Attachment, Instance, Volume
from caretaker.selectors import reason_to_skip

from .facts import DELETED, Disk, How, Reason, Seat
from .gates import why_not_disks, why_not_machine, why_not_root
from .journal import Part
from .lost import lost_targets
from .slots import Known, Slot, slot_for
from .wanted import Target, without_slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caretaker.decisions import Json
    from caretaker.tags import Tags

    from .facts import Facts, Machine
    from .request import RestoreRequest

_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def targets_of(facts: Facts, request: RestoreRequest, *, at: datetime) -> list[Target]:
    """Return all that is asked for, sorted by id."""
    return sorted(_Selection(facts, request, at).targets(), key=lambda target: target.id)


@dataclass(frozen=True)
class _Selection:
    facts: Facts
    request: RestoreRequest
    at: datetime

    def targets(self) -> Iterator[Target]:
        known = Known.of(self.facts, self.request.policy)
        by_machine: defaultdict[str, list[Disk]] = defaultdict(list)
        left: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        for disk in self._in_question():
            why_left = self._why_left(disk)
            if why_left is None and self._is_replaced(disk):
                yield Target(disk.id, Reason.REPLACED, detail={"by": disk.tags[tag.REPLACED_BY]})
                continue
            if why_left is None:
                by_machine[disk.seats[0].instance if disk.seats else ""].append(disk)
                continue
            for seat in disk.seats:
                left[seat.instance][disk.id] = why_left
        for disk in by_machine.pop("", []):
            yield self._judged(disk.id, None, [disk], known)
        for instance, disks in by_machine.items():
            judged = self._judged(instance, self.facts.machines.get(instance), disks, known)
            yield replace(judged, left_out=left[instance])
        for instance in {*self.request.select.instances} & left.keys() - by_machine.keys():
            yield Target(instance, Reason.NO_VOLUMES, detail={"left_out": left[instance]})
        yield from lost_targets(self.facts, self.request, known, self.at)

    def _in_question(self) -> Iterator[Disk]:
        """Yield the volumes that there are; where a root volume is to be replaced, roots alone."""
        for disk in self.facts.disks.values():
            is_meant = self.request.how is not How.ROOT or self._is_root(disk)
            if is_meant and disk.state not in DELETED:
                yield disk

    def _why_left(self, disk: Disk) -> str | None:
        """Return why a volume is no part of it; of what is asked for by its id the gates tell."""
        select = self.request.select
        why_not = reason_to_skip(_volume(disk), self._instances, select, self.request.policy)
        is_named = disk.id in select.volumes or any(
            seat.instance in select.instances and tag.is_ignored(self._tags_of(seat.instance))
            for seat in disk.seats
        )
        is_told = why_not == Reason.VOLUME_STATE or (why_not == Reason.IGNORED and is_named)
        return None if is_told else why_not

    def _is_replaced(self, disk: Disk) -> bool:
        """Tell whether another has taken its place: it is kept, and has the tags of its time."""
        is_named = disk.id in self.request.select.volumes
        there = self.facts.disks
        return disk.tags.get(tag.REPLACED_BY, "") in there and not disk.seats and not is_named

    @cached_property
    def _instances(self) -> dict[str, Instance]:
        machines = self.facts.machines.values()
        return {m.id: Instance(m.id, m.state, tags=m.tags) for m in machines}

    def _tags_of(self, instance: str) -> Tags:
        machine = self.facts.machines.get(instance)
        return machine.tags if machine else {}

    def _is_root(self, disk: Disk) -> bool:
        machine = self.facts.machines.get(disk.seats[0].instance) if disk.seats else None
        seat = disk.seat_at(machine.id) if machine else None
        return bool(machine and seat and seat.device == machine.root_device)

    def _judged(
        self,
        target: str,
        machine: Machine | None,
        disks: Sequence[Disk],
        known: Known,
    ) -> Target:
        how = self.request.how
        busy = [self.facts.busy.get(each) for each in (target, *(disk.id for disk in disks))]
        if any(busy):
            return Target(target, Reason.RESTORE_OPEN, detail={"plan": next(filter(None, busy))})
        minutes = self.request.check_minutes
        gated = (why_not_machine(machine, how, minutes) if machine else None) or why_not_disks(
            disks, machine, how
        )
        if gated:
            return Target(target, gated)
        volumes = [disk.id for disk in disks]
        slot = slot_for(volumes, known, self.at)
        if isinstance(slot, Reason):
            return without_slot(target, slot, volumes, known)
        return self._fit(target, machine, disks, slot)

    def _fit(
        self, target: str, machine: Machine | None, disks: Sequence[Disk], slot: Slot
    ) -> Target:
        parts = tuple(
            _part(disk, machine, slot) for disk in sorted(disks, key=lambda each: each.id)
        )
        unusable = {part.make.key for part in parts} & set(self.facts.unusable_keys)
        if unusable:
            states: dict[str, Json] = {key: self.facts.unusable_keys[key] for key in unusable}
            return Target(target, Reason.KEY_UNUSABLE, detail={"keys": states})
        if self.request.how is How.ROOT and machine:
            snapshot = slot.snapshots[disks[0].id]
            not_root = why_not_root(machine, disks, snapshot.volume_id)
            if not_root:
                return Target(target, not_root)
        tags = machine.tags if machine else disks[0].tags
        stops = self.request.how is How.SWAP and machine is not None and machine.state == "running"
        loses = self._lost_by_stop(machine) if machine and stops else {}
        return Target(target, Reason.ASKED, tags, slot, parts, stops, loses)

    def _lost_by_stop(self, machine: Machine) -> dict[str, Json]:
        losses: dict[str, Json] = {
            "instance_store": machine.type if machine.type in self.facts.stores else "",
            "public_address": machine.public_address,
        }
        return {name: lost for name, lost in losses.items() if lost}


def _part(disk: Disk, machine: Machine | None, slot: Slot) -> Part:
    seat = disk.seat_at(machine.id) if machine else None
    at = seat or Seat("", "")
    return Part(
        disk.id, at.device, slot.snapshots[disk.id].id, disk.make, at.deletes_on_termination
    )


def _volume(disk: Disk) -> Volume:
    seats = tuple(Attachment(seat.instance, seat.device) for seat in disk.seats)
    make = disk.make
    return Volume(disk.id, disk.state, _ANY_TIME, make.size_gib, make.type, seats, disk.tags)
