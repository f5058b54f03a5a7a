"""Journals and sights for tests of restore: something ordinary; keywords tell what is odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.ec2 import Snapshot
from caretaker.request import parse_request
from caretaker.slots import slot_of
from functions.restore.facts import Disk, Facts, How, Machine, Make, Quota, Seat, Sight
from functions.restore.journal import Goal, Journal, Part
from functions.restore.plan import Plan, plan_restore
from functions.restore.request import RestoreRequest
from tests.support.builders import ACCOUNT, NOW

if TYPE_CHECKING:
    from datetime import datetime

ID: Final = "i-00000001"
ZONE: Final = "eu-west-1a"
ROOT: Final = "/dev/xvda"
DATA: Final = "/dev/sdf"
OLD: Final = ("vol-00000001", "vol-00000002")
NEW: Final = ("vol-f0000001", "vol-f0000002")
MAKE: Final = Make(ZONE, 8, "gp3", 3000, 125)
PLAN: Final = "p-0123456789abcdef"


def ago(minutes: float) -> datetime:
    """Return the time so many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def a_part(number: int = 0, *, made: bool = False, **odd: Any) -> Part:
    """Return the root volume's part, or that of the data volume, which is kept at the end."""
    known: dict[str, Any] = {
        "original": OLD[number],
        "device": (ROOT, DATA)[number],
        "snapshot": f"snap-0000000{number + 1}",
        "make": MAKE,
        "deletes_on_termination": number == 0,
    }
    if made:
        known |= {"new": NEW[number], "is_sent": True}
    return Part(**known | odd)


def a_journal(*parts: Part, made: bool = False, **odd: Any) -> Journal:
    """Return that of a swap of two volumes that has just begun."""
    known: dict[str, Any] = {
        "plan": PLAN,
        "target": ID,
        "how": How.SWAP,
        "policy": "daily",
        "slot": slot_of(ago(24 * 60)),
        "wave": 1,
        "parts": parts or (a_part(0, made=made), a_part(1, made=made)),
        "turned": NOW,
    }
    return Journal(**known | odd)


def under_way(**odd: Any) -> Journal:
    """Return that of an instance that ran and is touched; all its new volumes are made."""
    return a_journal(made=True, **{"is_touched": True, "ran": True} | odd)


def on_its_way_back(**odd: Any) -> Journal:
    """Return that of an instance that was touched, and gets its originals again."""
    return under_way(**{"goal": Goal.BACK, "problem": "checks_failed"} | odd)


def a_disk(disk: str = OLD[0], at: str = "", **odd: Any) -> Disk:
    """Return a free volume, or one that is attached as this device."""
    seat = {k: odd.pop(k) for k in ("seat", "instance", "dies") if k in odd}
    seats = (
        (Seat(seat.get("instance", ID), at, seat.get("seat", "attached"), seat.get("dies", False)),)
        if at
        else ()
    )
    known: dict[str, Any] = {"state": "in-use" if at else "available", "make": MAKE, "seats": seats}
    if disk in NEW:
        known["tags"] = {tag.RUN: f"{PLAN}/{ID}"}
    return Disk(disk, **known | odd)


def old_ones(**odd: Any) -> list[Disk]:
    """Return the originals in their seats."""
    return [a_disk(OLD[0], ROOT, dies=True, **odd), a_disk(OLD[1], DATA, **odd)]


def new_ones(**odd: Any) -> list[Disk]:
    """Return the new volumes, free."""
    return [a_disk(each, **odd) for each in NEW]


def new_ones_seated(*, dies: bool = True, **odd: Any) -> list[Disk]:
    """Return the new volumes in the seats of the originals."""
    return [a_disk(NEW[0], ROOT, dies=dies, **odd), a_disk(NEW[1], DATA, **odd)]


def free_originals() -> list[Disk]:
    """Return the originals without their seats."""
    return [a_disk(each) for each in OLD]


def a_machine(state: str = "running", instance: str = ID, **odd: Any) -> Machine:
    """Return an instance on EBS."""
    return Machine(**{"id": instance, "state": state, "zone": ZONE, "root_device": ROOT} | odd)


def a_sight(machine: Machine | str | None = "running", *disks: Disk, **odd: Any) -> Sight:
    """Return a look at NOW, or `minutes` after it."""
    seen = a_machine(machine) if isinstance(machine, str) else machine
    at = NOW + timedelta(minutes=odd.pop("minutes", 0))
    return Sight(at, seen, {disk.id: disk for disk in disks}, **odd)


def a_backup(of: str = OLD[0], *, days: int = 1, **odd: Any) -> Snapshot:
    """Return a completed snapshot of the slot so many days ago."""
    started = NOW - timedelta(days=days)
    tags = {
        tag.POLICY: odd.pop("policy", "daily"),
        tag.SLOT: odd.pop("slot", slot_of(started)),
        tag.INSTANCE: odd.pop("instance", ID),
    }
    name = odd.pop("name", f"snap-{of.removeprefix('vol-')}{days}")
    known: dict[str, Any] = {
        "id": name,
        "volume_id": of,
        "state": "completed",
        "started": started,
        "owner_id": ACCOUNT,
        "tags": tags,
        "volume_gib": 8,
    }
    return Snapshot(**known | odd)


def ask(**event: Any) -> RestoreRequest:
    """Return a request for the instance, checked as an event is."""
    return parse_request(RestoreRequest, {"select": {"instances": [ID]}, **event})


def gathered(*things: Any, **known: Any) -> Facts:
    """Return the facts that these instances, volumes, snapshots and quotas make."""
    facts = Facts(
        region="eu-west-1",
        machines={each.id: each for each in things if isinstance(each, Machine)},
        disks={each.id: each for each in things if isinstance(each, Disk)},
        snapshots=[each for each in things if isinstance(each, Snapshot)],
        lines={},
        quotas=[each for each in things if isinstance(each, Quota)],
    )
    return replace(facts, **known)


def planned(*things: Any, event: dict[str, Any] | None = None, **known: Any) -> Plan:
    """Return the plan of a restore that is asked for at NOW."""
    return plan_restore(gathered(*things, **known), ask(**(event or {})), now=NOW)


def a_fleet(how: str = "swap") -> tuple[Any, ...]:
    """Return an instance, its two volumes, and yesterday's backup of both."""
    assert how
    return (a_machine(), *old_ones(), a_backup(OLD[0]), a_backup(OLD[1]))
