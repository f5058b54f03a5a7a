"""What a run knows beyond the instance before it: worked out once. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .facts import RUNNING, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .facts import Facts, Status
    from .ladder import Ladder
    from .request import InstanceHealthRequest
    from .sightings import Sighting


@dataclass(frozen=True, slots=True)
class Item:
    """An instance, and what is remembered of it."""

    status: Status
    sighting: Sighting | None
    ladder: Ladder | None


@dataclass(frozen=True, slots=True)
class Case:
    """The facts of one run, seen from any one of its instances.

    `closed` tells of each zone in which too many are impaired, and under "" of the whole fleet.
    """

    facts: Facts
    request: InstanceHealthRequest
    slot: str
    now: datetime
    closed: Mapping[str, Counts]
    zone_sizes: Mapping[str, int]
    in_window: bool

    def breaker(self, zone: str) -> Reason | None:
        """Return why nothing is repaired in a zone."""
        if "" in self.closed:
            return Reason.FLEET_IMPAIRED
        return Reason.ZONE_IMPAIRED if zone in self.closed else None

    def group_of(self, instance_id: str, zone: str) -> str:
        """Return the group whose budget an instance draws on."""
        machine = self.facts.machines.get(instance_id)
        key = self.request.group_by
        value = machine.tags.get(key) if machine and key else None
        return zone if value is None else f"{key}={value}"

    def group_limit(self, group: str) -> int:
        """Return how many of a group may be under repair at once."""
        percent = self.request.repairs.group_percent
        if not percent:
            return 0
        tag_of = f"{self.request.group_by}="
        sizes = self.facts.group_sizes if group.startswith(tag_of) else self.zone_sizes
        return max(1, sizes.get(group.removeprefix(tag_of), 0) * percent // 100)

    def minutes(self, name: str) -> timedelta:
        """Return a span that the event sets."""
        return timedelta(minutes=getattr(self.request.repairs, f"{name}_minutes"))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a zone, or of all, are impaired."""

    impaired: int
    of: int


def open_case(facts: Facts, request: InstanceHealthRequest, *, slot: str, now: datetime) -> Case:
    """Work out what is the same for every instance."""
    impaired: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for status in facts.statuses:
        ladder = facts.ladders.get(status.id)
        in_repair = ladder is not None and ladder.is_open and not status.is_well
        if status.state == RUNNING or in_repair:
            sizes[status.zone] += 1
            impaired[status.zone] += status.cause is not None or in_repair
    counts = {zone: Counts(impaired[zone], size) for zone, size in sizes.items()}
    counts[""] = Counts(impaired.total(), sizes.total())
    repairs = request.repairs
    closed = {
        zone: each
        for zone, each in counts.items()
        if each.impaired >= repairs.breaker_count
        and each.impaired * 100 > repairs.breaker_percent * each.of
    }
    in_window = any(window.is_open(now) for window in request.maintenance_windows)
    return Case(facts, request, slot, now, closed, dict(sizes), in_window)
