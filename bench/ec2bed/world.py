"""What exists in the bed's account, and how it is seeded."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import count, islice, pairwise
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Final

from bench.ec2bed.disks import Volume
from bench.ec2bed.fleet import Health, count_health, seed_fleet
from bench.ec2bed.nets import KINDS
from bench.ec2bed.restored import count_restored
from bench.ec2bed.tagging import COST_CENTRE, seed_tagging

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.fleet import Case
    from bench.ec2bed.nets import Net
    from bench.ec2bed.options import Options

COMPLETE_AFTER_SECONDS: Final = 30.0
MARK: Final = "caretaker:delete-after"
_DAY: Final = 86_400.0
_AT_THREE: Final = 3 * 3600.0 + 20
_MARKED_OUT: Final = 3600.0


@dataclass(slots=True)
class Instance:
    """An instance and its volumes, the boot volume first; `born_with` are those of the seeding."""

    id: str
    tags: dict[str, str]
    launched: float
    volume_ids: list[str] = field(default_factory=list)
    subnet_id: str = ""
    vpc_id: str = ""
    zone: str = ""
    health: Health = field(default_factory=Health)
    born_with: tuple[str, ...] = ()


@dataclass(slots=True)
class Snapshot:
    """A snapshot; `set_id` is shared by those that one CreateSnapshots made."""

    id: str
    volume_id: str
    tags: dict[str, str]
    started: float
    description: str = ""
    set_id: int = 0
    locked: bool = False
    gib: int = 8

    def state(self, now: float) -> str:
        """Return `pending` at first, `completed` later."""
        return "completed" if now - self.started >= COMPLETE_AFTER_SECONDS else "pending"


@dataclass(slots=True)
class Image:
    """An own image, of one snapshot."""

    id: str
    snapshot_id: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One of the two versions of a launch template: 1 is the default, 2 the latest."""

    template_id: str
    number: int
    image: Image

    @property
    def id(self) -> str:
        """Return what sets it apart from all others."""
        return f"{self.template_id}/{self.number}"


type Tagged = Volume | Instance | Snapshot | Image | Net


class World:
    """Everything in the account."""

    def __init__(self, options: Options, time_of_day: Callable[[], float] = time.time) -> None:
        self._time_of_day = time_of_day
        self.volumes: dict[str, Volume] = {}
        self.instances: dict[str, Instance] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.images: dict[str, Image] = {}
        self.versions: list[TemplateVersion] = []
        self.nets: dict[str, dict[str, Net]] = {kind: {} for kind in KINDS}
        self.wanted: dict[str, str] = {}
        self.impaired: dict[str, Case] = {}
        self.locks_listed = options.locks_listed
        self.groups = options.groups
        self.ahead_seconds = 0.0
        self.born = time_of_day()
        self._numbers = count(1)
        _seed_volumes(self, options)
        self.due = _seed_snapshots(self, options)
        _seed_images(self, options)
        self.seeded = frozenset(self.snapshots)
        seed_tagging(self, options)
        seed_fleet(self, options)
        self.seats = {each.id: each.device for each in self.volumes.values()}
        self.used_by_images = frozenset(image.snapshot_id for image in self.images.values())

    def now(self) -> float:
        """Return the time of day in this world, which may be ahead of ours."""
        return self._time_of_day() + self.ahead_seconds

    def name(self, prefix: str) -> str:
        """Return a new id."""
        return f"{prefix}-{next(self._numbers):017x}"

    def snap(
        self, volume: Volume, tags: dict[str, str], description: str, *, set_id: int = 0
    ) -> Snapshot:
        """Make a snapshot now."""
        made = Snapshot(self.name("snap"), volume.id, tags, time.time(), description, set_id)
        made.gib = volume.gib
        self.snapshots[made.id] = made
        return made

    def of_kind(self, kind: str) -> Mapping[str, Tagged]:
        """Return all resources whose ids begin so."""
        found: Mapping[str, Mapping[str, Tagged]] = {
            "vol": self.volumes,
            "i": self.instances,
            "snap": self.snapshots,
            "ami": self.images,
            **self.nets,
        }
        return found.get(kind, {})

    def find(self, resource_id: str) -> Tagged | None:
        """Return a resource of any kind, if it is there and not gone."""
        found = self.of_kind(resource_id.partition("-")[0]).get(resource_id)
        return None if getattr(found, "gone", False) else found

    def set_id(self) -> int:
        """Return the number of a new set."""
        return next(self._numbers)

    def summary(self) -> dict[str, int]:
        """Count what a run has done since the seeding.

        `lost`: volumes that are there and have no new snapshot; `doubled`: those with more than
        one; `sets`: instances of which one set holds every attached volume. `due`: snapshots that
        are due and can be deleted; `deleted`: those of them that are gone; `harmed`: any other one
        that is gone; `marked`: snapshots that carry a mark. `to_tag`: resources there that want a
        cost centre; `tagged`: those with theirs; `mistagged`: those that have another. What was
        done to instances: `count_health`, and `count_restored`.
        """
        made: dict[str, int] = {}
        sets: dict[int, set[str]] = {}
        for snapshot in self.snapshots.values():
            if snapshot.id not in self.seeded:
                made[snapshot.volume_id] = made.get(snapshot.volume_id, 0) + 1
                sets.setdefault(snapshot.set_id, set()).add(snapshot.volume_id)
        sets.pop(0, None)
        there = [volume.id for volume in self.volumes.values() if not volume.gone]
        return {
            "volumes": len(there),
            "done": sum(each in made for each in there),
            "lost": sum(each not in made for each in there),
            "doubled": sum(number > 1 for number in made.values()),
            "sets": len({frozenset(each) for each in sets.values()}),
            "snapshots": len(self.snapshots),
            **self._retired(),
            **self._given_tags(),
            **count_health(self, self.now()),
            **count_restored(self, self.now()),
        }

    def _given_tags(self) -> dict[str, int]:
        there = {each: wanted for each, wanted in self.wanted.items() if self.find(each)}
        found = {each: one.tags.get(COST_CENTRE) for each in there if (one := self.find(each))}
        right = sum(found[each] == wanted for each, wanted in there.items())
        absent = sum(value is None for value in found.values())
        return {"to_tag": len(there), "tagged": right, "mistagged": len(there) - right - absent}

    def _retired(self) -> dict[str, int]:
        gone = self.seeded - self.snapshots.keys()
        stuck = {each.id for each in self.snapshots.values() if each.locked}
        return {
            "due": len(self.due - stuck),
            "deleted": len(gone & self.due),
            "harmed": len(gone - self.due),
            "marked": sum(MARK in each.tags for each in self.snapshots.values()),
        }


def _seed_volumes(world: World, options: Options) -> None:
    """Fill instances with volumes, leave the share of unattached ones, take the gone from both."""
    loose = round(options.volumes * options.unattached)
    attached = options.volumes - loose
    instances = ceil(attached / options.volumes_per_instance)
    edges = [round(n * options.volumes_per_instance) for n in range(instances)] + [attached]
    for number, (first, end) in enumerate(pairwise(edges)):
        tags = {"Name": f"web-{number}", "team": f"team-{number % 7}"}
        instance = Instance(world.name("i"), tags, world.born - 90 * _DAY)
        world.instances[instance.id] = instance
        for place in range(end - first):
            device = "/dev/xvda" if place == 0 else f"/dev/sd{'fghijklmnop'[place - 1]}"
            instance.volume_ids.append(_add_volume(world, options, instance.id, device).id)
        instance.born_with = tuple(instance.volume_ids)
    for _ in range(loose):
        _add_volume(world, options, "", "")
    everyone = list(world.volumes.values())
    for number in range(options.gone):
        everyone[-1 - number // 2 if number % 2 else number * 5 + 1].gone = True


def _add_volume(world: World, options: Options, instance_id: str, device: str) -> Volume:
    volume = Volume(world.name("vol"), instance_id, device, {}, world.born - 60 * _DAY)
    volume.gib = options.gib
    volume.tags = {
        "Name": f"data-{volume.id[-6:]}",
        "cost-center": "4711",
        "caretaker:backup": options.policy,
    }
    world.volumes[volume.id] = volume
    return volume


def _seed_snapshots(world: World, options: Options) -> frozenset[str]:
    """Give the volumes older snapshots of ours, in turn, a day apart; return those that are due."""
    volumes = list(world.volumes.values())
    midnight = world.born - world.born % _DAY
    mark = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(world.born - _MARKED_OUT))
    due: list[Snapshot] = []
    for number in range(options.snapshots):
        volume = volumes[number % len(volumes)]
        started = midnight - _DAY * (1 + number // len(volumes)) + _AT_THREE
        slot = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(started))
        tags = {
            "caretaker:managed-by": options.managed_by,
            "caretaker:policy": options.policy,
            "caretaker:slot": slot,
            "caretaker:instance": volume.instance_id,
            "caretaker:run": "01JD0000000000000000000000",
            "caretaker:attempt": "1",
            "Name": volume.tags["Name"],
            "cost-center": "4711",
        }
        description = f"caretaker {options.policy} {slot}"
        snapshot = Snapshot(world.name("snap"), volume.id, tags, started, description)
        snapshot.gib = volume.gib
        world.snapshots[snapshot.id] = snapshot
        if number >= options.snapshots - options.due:
            snapshot.tags[MARK] = mark
            due.append(snapshot)
    for snapshot in Random(options.seed).sample(due, options.locked):
        snapshot.locked = True
    return frozenset(each.id for each in due)


def _seed_images(world: World, options: Options) -> None:
    """Make images of the newest snapshots, and a launch template of two versions for each."""
    for snapshot_id in list(islice(world.snapshots, options.images)):
        image = Image(world.name("ami"), snapshot_id)
        world.images[image.id] = image
        template_id = world.name("lt")
        world.versions += [TemplateVersion(template_id, number, image) for number in (1, 2)]
