"""EC2's filters: every filter must match by one of its values; `*` and `?` are wildcards."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bench.ec2bed.disks import Volume
from bench.ec2bed.nets import ADDRESS, GROUP, INTERFACE, SUBNET, VPC, Net
from bench.ec2bed.world import Image, Instance, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

type Fields = Callable[[object, str], Collection[str]]


class UnknownFilterError(ValueError):
    """The bed does not know the filter, so it cannot tell what it would match."""


def matcher(filters: Mapping[str, list[str]], now: float) -> Callable[[object], bool]:
    """Return the test whether an item passes all filters."""
    tests = [(name, _value_test(values)) for name, values in filters.items()]

    def matches(item: object) -> bool:
        return all(any(map(test, _fields(item, name, now))) for name, test in tests)

    return matches


def _value_test(values: list[str]) -> Callable[[str], bool]:
    exact = frozenset(values)
    patterns = [value for value in values if "*" in value or "?" in value]
    return lambda found: found in exact or any(fnmatchcase(found, p) for p in patterns)


def _fields(item: object, name: str, now: float) -> Collection[str]:
    """Return the values an item has under a filter's name."""
    if not isinstance(item, Volume | Instance | Snapshot | Image | Net):
        raise TypeError(item)
    if name.startswith("tag:"):
        value = item.tags.get(name.removeprefix("tag:"))
        return () if value is None else (value,)
    if name == "tag-key":
        return item.tags.keys()
    if isinstance(item, Volume):
        return _volume_fields(item, name, now)
    if isinstance(item, Instance):
        return _instance_fields(item, name, now)
    if isinstance(item, Snapshot):
        return _snapshot_fields(item, name, now)
    return _id_alone(item, name)


def _id_alone(item: Image | Net, name: str) -> Collection[str]:
    prefixes = {
        "image-id": "ami",
        "vpc-id": VPC,
        "subnet-id": SUBNET,
        "network-interface-id": INTERFACE,
        "group-id": GROUP,
        "allocation-id": ADDRESS,
    }
    if name not in prefixes:
        raise UnknownFilterError(name)
    return (item.id,) if item.id.startswith(f"{prefixes[name]}-") else ()


def _volume_fields(volume: Volume, name: str, now: float) -> Collection[str]:
    match name:
        case "volume-id":
            return (volume.id,)
        case "status":
            return (volume.state_at(now),)
        case "attachment.instance-id":
            return (volume.instance_id,) if volume.seat_at(now) else ()
        case _:
            raise UnknownFilterError(name)


def _instance_fields(instance: Instance, name: str, now: float) -> Collection[str]:
    match name:
        case "instance-id":
            return (instance.id,)
        case "instance-state-name":
            return (instance.health.state_at(now),)
        case "availability-zone":
            return (instance.zone,)
        case _:
            raise UnknownFilterError(name)


def _snapshot_fields(snapshot: Snapshot, name: str, now: float) -> Collection[str]:
    match name:
        case "snapshot-id":
            return (snapshot.id,)
        case "volume-id":
            return (snapshot.volume_id,)
        case "status":
            return (snapshot.state(now),)
        case _:
            raise UnknownFilterError(name)
