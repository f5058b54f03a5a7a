"""The machines of the demo's drills and restores: an order system, and what stands on its disks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from tests.cloud.account import SeededInstance
from tests.cloud.demo_screen import expect
from tests.support.disk_images import BLOCK, DiskImage, partitioned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cloud.demo_world import World
    from tests.cloud.deployment import Json

POLICY = "orders"
APPLICATION = "orders"
TIERS = {"orders-web-1": "web", "orders-web-2": "web", "orders-db": "database"}
DATA_DEVICE = "/dev/sdf"
_TEXT_BLOCK, _TEXT_BYTES = 120, 512

type Place = tuple[str, str]
"""The name of an instance, and one of its devices."""


@dataclass
class Orders:
    """Three instances of two volumes each, and a cache that nobody backs up.

    `written` is what stood on them at each slot.
    """

    world: World
    machines: Sequence[SeededInstance]
    cache: SeededInstance
    written: dict[datetime, dict[Place, str]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    """Where each volume is, or was."""
    _drills: int = 0

    @property
    def names(self) -> Mapping[str, str]:
        """The names of all instances, by id."""
        return {each.id: each.name for each in (*self.machines, self.cache)}

    def hours_ago(self, hours: float) -> datetime:
        """Return a full minute, so many hours before the demo began."""
        return self.world.now.replace(second=0, microsecond=0) - timedelta(hours=hours)

    def write(self, slot: datetime) -> None:
        """Write file systems on all volumes, and a text that says whose it is, and of when."""
        self.written[slot] = {}
        for place, volume in self.seats().items():
            text = f"{place[0]} {place[1]} of {slot:%H:%M}"
            disk = DiskImage().put("xfs") if holds(place) == "whole:xfs" else partitioned(p2="ext4")
            disk.write(_TEXT_BLOCK * BLOCK, text.encode().ljust(_TEXT_BYTES, b"\0"))
            self.world.cloud.ec2.write_blocks(volume, disk.written)
            self.written[slot][place] = text

    def encrypt(self) -> None:
        """Write noise over every block of every volume."""
        ec2, noise = self.world.cloud.ec2, Random(1).randbytes(BLOCK)
        for volume in self.seats().values():
            ec2.write_blocks(volume, dict.fromkeys(ec2.read_blocks(volume), noise))

    def back_up(self, slot: datetime) -> None:
        """Let the snapshot function take a slot, and an hour pass."""
        world = self.world
        event = {"policy": POLICY, "scheduled_time": f"{slot:%Y-%m-%dT%H:%M:%SZ}"}
        answer = world.stack.invoke(world.function, event)
        world.cloud.ec2.complete_pending()
        expect(answer["counts"]["create"] == {"done": 6}, "all six volumes are backed up")
        world.cloud.ec2.age(hours=1)

    def drill(self, sample: Json, **more: object) -> list[Json]:
        """Invoke the drill function, each time for an hour to come; return what was drilled."""
        world, self._drills = self.world, self._drills + 1
        slot = self.hours_ago(-self._drills)
        event = {"policy": POLICY, "sample": sample, "scheduled_time": slot.isoformat(), **more}
        items = world.stack.invoke(world.drill, event)["outcomes"]
        return [each for each in items if each["action"] == "drill"]

    def seats(self) -> dict[Place, str]:
        """Return which volume sits where; those of the cache are left."""
        ids = {each.id: each.name for each in self.machines}
        found = {
            (ids[seat["InstanceId"]], seat["Device"]): volume["VolumeId"]
            for volume in self.world.cloud.ec2.state()["volumes"]
            for seat in volume.get("Attachments", [])
            if seat["InstanceId"] in ids
        }
        self.places |= {volume: place for place, volume in found.items()}
        return found

    def texts(self) -> dict[Place, str]:
        """Return what each instance reads at each of its devices."""
        ec2 = self.world.cloud.ec2
        blocks = {place: ec2.read_blocks(volume) for place, volume in self.seats().items()}
        return {place: _readable(found[_TEXT_BLOCK]) for place, found in blocks.items()}

    def snapshots(self, slot: datetime) -> list[Json]:
        """Return the backups of a slot."""
        return self.world.snapshots(policy=POLICY, slot=f"{slot:%Y-%m-%dT%H:%MZ}")

    def power(self) -> list[tuple[str, str]]:
        """Return what was done to these instances by calls, in order: name and what."""
        acts, names = self.world.cloud.ec2.state()["power"], self.names
        return [(names[e["instance_id"]], e["what"]) for e in acts if e["instance_id"] in names]


def holds(place: Place) -> str:
    """Return the file system that is on a volume, and where."""
    return "whole:xfs" if place[1] == DATA_DEVICE else "p2:ext4"


def seed_orders(world: World) -> Orders:
    """Put the machines there."""
    ec2, tags = world.cloud.ec2, {"Application": APPLICATION}
    made = [
        ec2.seed(
            "machine_with_volumes",
            *({"size": 8}, {"size": 20, "device": DATA_DEVICE}),
            tags={**tags, "caretaker:backup": POLICY, "Tier": tier},
            name=name,
        )
        for name, tier in TIERS.items()
    ]
    machines = [SeededInstance(e["id"], e["name"], tuple(e["volume_ids"])) for e in made]
    return Orders(world, machines, ec2.instance({}, tags=tags, name="orders-cache"))


def _readable(block: bytes) -> str:
    text = block[:_TEXT_BYTES].rstrip(b"\0")
    return text.decode() if text.isascii() else "unreadable"
