"""What is asked for by its id and is gone: from its snapshots it can be made again. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.ec2 import COPIED_VOLUME_ID
from caretaker.slots import is_slot, slot_time

from .facts import DELETED, How, Make, Reason
from .journal import Part
from .slots import slot_for
from .wanted import Target, without_slot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from caretaker.decisions import Json

    from .facts import Facts
    from .request import RestoreRequest
    from .slots import Known, Slot

_NEW_TYPE: Final = "gp3"
_EXCLUDED: Final = "excluded"
_STILL_THERE: Final = "still_there"
_NOT_IN_NEWEST_SLOTS: Final = "not_in_newest_slots"
_NEWEST: Final = 2


@dataclass
class _Lost:
    """An instance, or a volume, that is gone: what of it is made again, and what is not and why."""

    name: str
    volumes: set[str] = field(default_factory=set)
    left_out: dict[str, Json] = field(default_factory=dict)


def lost_targets(
    facts: Facts, request: RestoreRequest, known: Known, at: datetime
) -> Iterator[Target]:
    """Yield what is gone, the volumes of one instance together: they are of one moment."""
    for lost in _lost(facts, request, at):
        gated = _why_not(lost, facts, request, known)
        if gated:
            yield Target(lost.name, gated, detail=_told(lost, facts))
        else:
            yield _again(lost, _zone(lost, facts, request), known, at)


def _lost(facts: Facts, request: RestoreRequest, at: datetime) -> Iterator[_Lost]:
    there = {disk.id for disk in facts.disks.values() if disk.state not in DELETED}
    here = {seat.instance for disk in there for seat in facts.disks[disk].seats}
    found = {each: _Lost(each) for each in request.select.instances if each not in here}
    last = {s.volume_id: s for s in sorted(facts.snapshots, key=lambda s: s.started)}
    for volume in request.select.volumes:
        if volume not in there:
            its = last[volume].tags.get(tag.INSTANCE, "") if volume in last else ""
            name = its if its in found else volume
            found.setdefault(name, _Lost(name)).volumes.add(volume)
    for instance in request.select.instances:
        if instance in found:
            _add(found[instance], there, _by_slot(instance, facts, request.policy), at)
    for lost in found.values():
        excluded = lost.volumes.intersection(request.select.exclude_volumes)
        lost.volumes -= excluded
        lost.left_out |= dict.fromkeys(sorted(excluded), _EXCLUDED)
    yield from found.values()


def _add(lost: _Lost, there: AbstractSet[str], slots: dict[str, set[str]], at: datetime) -> None:
    """Add what an instance had by its newest slots: what was taken from it before, is not brought.

    In one slot alone the backup of a volume may have failed.
    """
    in_time = sorted(slot for slot in slots if slot_time(slot) <= at)
    newest = in_time[-_NEWEST:] or sorted(slots)[:1]
    had = set[str]().union(*(slots[slot] for slot in newest))
    lost.volumes |= had - there
    before = set[str]().union(*slots.values()) - there - lost.volumes
    lost.left_out |= dict.fromkeys(sorted(had & there), _STILL_THERE)
    lost.left_out |= dict.fromkeys(sorted(before), _NOT_IN_NEWEST_SLOTS)


def _by_slot(instance: str, facts: Facts, policy: str) -> dict[str, set[str]]:
    """Return the volumes that an instance had, by the slots of a policy."""
    slots: defaultdict[str, set[str]] = defaultdict(set)
    for each in facts.snapshots:
        is_its = each.tags.get(tag.INSTANCE) == instance and each.volume_id != COPIED_VOLUME_ID
        if is_its and each.policy == policy and is_slot(each.slot):
            slots[each.slot].add(each.volume_id)
    return slots


def _zone(lost: _Lost, facts: Facts, request: RestoreRequest) -> str:
    """Return where its volumes are made: where an instance is that is still listed."""
    machine = facts.machines.get(lost.name)
    return request.zone or (machine.zone if machine else "")


def _again(lost: _Lost, zone: str, known: Known, at: datetime) -> Target:
    volumes = sorted(lost.volumes)
    slot = slot_for(volumes, known, at)
    if isinstance(slot, Reason):
        return without_slot(lost.name, slot, volumes, known)
    parts = tuple(_part(volume, slot, zone) for volume in volumes)
    return Target(lost.name, Reason.ASKED, {}, slot, parts, left_out=lost.left_out)


def _why_not(lost: _Lost, facts: Facts, request: RestoreRequest, known: Known) -> Reason | None:
    if lost.name in facts.busy:
        return Reason.RESTORE_OPEN
    if not any(known.backups(volume) for volume in lost.volumes):
        was_there = lost.name in facts.machines or bool(lost.left_out)
        return Reason.NO_VOLUMES if was_there else Reason.NOT_FOUND
    if request.how is not How.VOLUMES:
        return Reason.NOT_ATTACHED
    return None if _zone(lost, facts, request) else Reason.ZONE_NEEDED


def _told(lost: _Lost, facts: Facts) -> dict[str, Json]:
    if lost.name in facts.busy:
        return {"plan": facts.busy[lost.name]}
    return {"left_out": lost.left_out} if lost.left_out else {}


def _part(volume: str, slot: Slot, zone: str) -> Part:
    snapshot = slot.snapshots[volume]
    return Part("", "", snapshot.id, Make(zone, snapshot.volume_gib, _NEW_TYPE))
