"""How volumes live between two calls: creating, attaching, detaching, deleting, and how that ends.

Source: EBS user guide, "Amazon EBS volume lifecycle", "Create an Amazon EBS volume", "Attach an
Amazon EBS volume", "Detach an Amazon EBS volume"; EC2 developer guide, "Ensuring idempotency".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

CREATING, ATTACHING, DETACHING, DELETING = "creating", "attaching", "detaching", "deleting"
AVAILABLE, ATTACHED, DETACHED, ERROR = "available", "attached", "detached", "error"
GONE = "gone"
"""A volume that was accepted and that nobody finds afterwards."""
ENDS = frozenset({AVAILABLE, ERROR, GONE})
HANGING = frozenset({CREATING, ATTACHING, DETACHING})


@dataclass
class Way:
    """What a volume or its attachment is now, until when (None: for ever), and what then."""

    state: str
    until: datetime | None
    end: str


@dataclass
class VolumePlan:
    """What the next `times` (None: all) volumes meet that have `match` in their request.

    `what` is creating (of which `end` is the end), attaching, detaching or refused (by `code`).
    `seconds` is how long it lasts; None: for ever, or as long as usual where it is refused.
    """

    what: str
    match: str = "*"
    times: int | None = 1
    seconds: float | None = None
    end: str = ""
    code: str = ""
    status: int = 400

    def take(self, what: str, names: Iterable[str]) -> bool:
        """Use one up for a volume of these names; False when it is about others, or none is left.

        Names are ids, zones and types.
        """
        if what != self.what or self.match not in {"*", *names} or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Request:
    """What a client token was first used for: the parameters, and the id of what came of it."""

    asked: str
    made: str


@dataclass
class Volumes:
    """All of it, by id; times in seconds of the cloud's clock."""

    creating_seconds: float = 5.0
    attaching_seconds: float = 3.0
    detaching_seconds: float = 3.0
    deleting_seconds: float = 2.0
    late_seconds: float = 0.0
    """How long listings do not show a new volume, unless it is asked for by its id."""
    lives: dict[str, Way] = field(default_factory=dict)
    """Volumes that are creating or deleting."""
    seats: dict[tuple[str, str], Way] = field(default_factory=dict)
    """By volume and instance: attachments on their way."""
    born: dict[str, datetime] = field(default_factory=dict)
    """When those made by CreateVolume were."""
    failed: set[str] = field(default_factory=set)
    """Those that came to nothing, so that their client token does as well."""
    requests: dict[tuple[str, ...], Request] = field(default_factory=dict)
    """By account, region, operation and client token."""
    plans: list[VolumePlan] = field(default_factory=list)
    roots: dict[str, set[str]] = field(default_factory=dict)
    """By instance: the volumes that were ever attached as its root."""

    def take(self, what: str, names: Iterable[str]) -> VolumePlan | None:
        """Use up what is planned for a volume of these names, the newest plan first."""
        wanted = set(names)
        return next((each for each in reversed(self.plans) if each.take(what, wanted)), None)

    def way(self, state: str, end: str, now: datetime, names: Collection[str]) -> Way:
        """Set out; what is planned says how long it lasts and how it ends, but for the nameless."""
        plan = self.take(state, names) if names else None
        usual: float = getattr(self, f"{state}_seconds")
        seconds = usual if plan is None or (plan.end and plan.seconds is None) else plan.seconds
        until = None if seconds is None else now + timedelta(seconds=seconds)
        return Way(state, until, (plan.end if plan else "") or end)

    def is_late(self, volume_id: str, now: datetime) -> bool:
        """Tell whether listings do not show a volume yet."""
        born = self.born.get(volume_id)
        return born is not None and now - born < timedelta(seconds=self.late_seconds)

    def note_root(self, instance_id: str, volume_id: str) -> None:
        """Remember a volume as one that has been the root of an instance."""
        self.roots.setdefault(instance_id, set()).add(volume_id)

    def forget(self, volume_id: str) -> None:
        """Drop what ends with a volume."""
        self.lives.pop(volume_id, None)
        for seat in [each for each in self.seats if each[0] == volume_id]:
            del self.seats[seat]

    def settle(self, backend: Any, others: dict[str, list[Any]], now: datetime) -> None:
        """Bring the volumes of one region to where they are at `now`."""
        for volume_id, way in _due(self.lives, now):
            if volume_id in backend.volumes:
                del self.lives[volume_id]
                self._arrive(backend, volume_id, way.end)
        for seat, way in _due(self.seats, now):
            volume = backend.volumes.get(seat[0])
            if volume is not None:
                del self.seats[seat]
                sit(volume, seat[1], others, leaves=way.end == DETACHED)

    def _arrive(self, backend: Any, volume_id: str, end: str) -> None:
        if end in {ERROR, GONE}:
            self.failed.add(volume_id)
        if end == ERROR:
            self.lives[volume_id] = Way(ERROR, None, ERROR)
        elif end != AVAILABLE:
            del backend.volumes[volume_id]
            backend.tags.pop(volume_id, None)

    def age(self, shift: timedelta) -> None:
        """Move everything into the past."""
        for way in (*self.lives.values(), *self.seats.values()):
            way.until = way.until and way.until - shift
        for volume_id in self.born:
            self.born[volume_id] -= shift


def _due[Key](ways: dict[Key, Way], now: datetime) -> list[tuple[Key, Way]]:
    return [(key, way) for key, way in ways.items() if way.until is not None and way.until <= now]


def attachments_of(volume: Any, others: dict[str, list[Any]]) -> list[Any]:
    """Return a volume's attachments, of which moto knows one."""
    return [*others.get(volume.id, ()), *volume.attachments]


def sit(volume: Any, instance_id: str, others: dict[str, list[Any]], *, leaves: bool) -> None:
    """End an attachment's way: it is attached, or gone, and with it its device."""
    left = attachments_of(volume, others)
    for each in left:
        if each.instance.id != instance_id:
            continue
        each.status = DETACHED if leaves else ATTACHED
        if leaves:
            left.remove(each)
            each.instance.block_device_mapping.pop(each.device, None)
        break
    volume.attachment = left.pop() if left else None
    others[volume.id] = left
