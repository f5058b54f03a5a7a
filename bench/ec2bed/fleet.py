"""How instances are: their state, their status checks, what mends them; and how they are seeded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.ec2bed.options import ACCOUNT, REGION

if TYPE_CHECKING:
    from bench.ec2bed.options import Options
    from bench.ec2bed.world import Instance, World

KEY_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000001"
"""The customer's key of every second impaired instance's volumes."""
REMEDIATE: Final = "caretaker:remediate"
SERVICE: Final = "service"
SERVICES: Final = 100
INSTANCE: Final = "instance"
SYSTEM: Final = "system"
EBS: Final = "ebs"
REBOOT: Final = "reboot"
STOP_START: Final = "stop-start"

_STOPPING_SECONDS: Final = 30.0
_PENDING_SECONDS: Final = 15.0
_INITIALIZING_SECONDS: Final = 90.0
_IMPAIRED_FOR_SECONDS: Final = 1800.0


class Case(NamedTuple):
    """How an impaired instance is: the check that fails, what mends it, what its users allow."""

    fails: str
    mended_by: str
    allowed: str


CASES: Final = (
    Case(INSTANCE, REBOOT, STOP_START),
    Case(INSTANCE, REBOOT, REBOOT),
    Case(INSTANCE, REBOOT, REBOOT),
    Case(INSTANCE, REBOOT, STOP_START),
    Case(INSTANCE, STOP_START, STOP_START),
    Case(SYSTEM, STOP_START, STOP_START),
    Case(SYSTEM, STOP_START, STOP_START),
    Case(SYSTEM, STOP_START, REBOOT),
    Case(EBS, STOP_START, STOP_START),
    Case(INSTANCE, REBOOT, ""),
)
"""The impaired ones are of these in turn. Of ten, a first step is due to five by a reboot and to

two by a stop; one may only be rebooted and must be stopped, one is told of before it is stopped,
one is not opted in.
"""


@dataclass(slots=True)
class Health:
    """The state of an instance and of its checks; `changed` is when its state was last changed.

    `fails` is the check that fails since `since`, the empty text when none does.
    """

    state: str = "running"
    changed: float = 0.0
    fails: str = ""
    since: float = 0.0
    mended_by: str = ""
    reboots: int = 0
    stops: int = 0
    starts: int = 0

    def state_at(self, now: float) -> str:
        """Return the state: what a stop and a start lead to takes a while."""
        passed = now - self.changed
        if self.state == "stopping" and passed >= _STOPPING_SECONDS:
            return "stopped"
        if self.state == "pending" and passed >= _PENDING_SECONDS:
            return "running"
        return self.state

    def check_at(self, check: str, now: float) -> str:
        """Return what one of the three checks says; a failing host fails the instance's too."""
        if self.state_at(now) != "running":
            return "not-applicable"
        if self.fails == check or (self.fails == SYSTEM and check == INSTANCE):
            return "impaired"
        if self.changed and now - self.changed < _INITIALIZING_SECONDS and check != EBS:
            return "initializing"
        return "ok"

    def reboot(self, now: float) -> None:
        """Reboot; one that does not run takes no notice."""
        if self.state_at(now) == "running":
            self.reboots += 1
            self._restarted(now, "running", REBOOT)

    def stop(self, now: float) -> None:
        """Begin to stop."""
        if self.state_at(now) in {"running", "pending"}:
            self.stops += 1
            self.state, self.changed = "stopping", now

    def start(self, now: float) -> None:
        """Begin to start, on another host."""
        if self.state_at(now) == "stopped":
            self.starts += 1
            self._restarted(now, "pending", STOP_START)

    def _restarted(self, now: float, state: str, how: str) -> None:
        self.state, self.changed = state, now
        if self.mended_by in {how, REBOOT}:
            self.fails = ""


def seed_fleet(world: World, options: Options) -> None:
    """Spread instances over zones and services, and the impaired ones evenly over all of them."""
    instances = list(world.instances.values())
    for number, instance in enumerate(instances):
        instance.zone = REGION + "abcdef"[number % options.zones]
        if options.impaired:
            instance.tags[SERVICE] = f"service-{number % SERVICES}"
    if not options.impaired:
        return
    step = len(instances) / options.impaired
    chosen = [instances[int(number * step)] for number in range(options.impaired)]
    for number, (instance, case) in enumerate(zip(chosen, cycle(CASES), strict=False)):
        _impair(world, instance, case, encrypted=bool(number % 2))


def _impair(world: World, instance: Instance, case: Case, *, encrypted: bool) -> None:
    health = instance.health
    health.fails, health.mended_by = case.fails, case.mended_by
    health.since = world.born - _IMPAIRED_FOR_SECONDS
    world.impaired[instance.id] = case
    if case.allowed:
        instance.tags[REMEDIATE] = case.allowed
    for volume_id in instance.volume_ids if encrypted else ():
        world.volumes[volume_id].key_arn = KEY_ARN


def count_health(world: World, now: float) -> dict[str, int]:
    """Count what was done to the instances.

    `impaired`: those that failed a check at first, `failing` those that do now; `rebooted`,
    `stopped`, `restarted`: those it was done to; `twice`: those to which one of it was done more
    than once; `left_stopped`: those that do not run; `unallowed`: those that were not impaired, or
    whose users allow less.
    """
    every = list(world.instances.values())
    unallowed = 0
    for instance in every:
        health = instance.health
        allowed = instance.tags.get(REMEDIATE, "") if instance.id in world.impaired else ""
        too_far = health.stops and allowed != STOP_START
        unallowed += bool(too_far or (health.reboots and not allowed))
    return {
        "impaired": len(world.impaired),
        "failing": sum(bool(each.health.fails) for each in every),
        "rebooted": sum(bool(each.health.reboots) for each in every),
        "stopped": sum(bool(each.health.stops) for each in every),
        "restarted": sum(bool(each.health.starts) for each in every),
        "twice": sum(max(each.health.reboots, each.health.stops) > 1 for each in every),
        "left_stopped": sum(each.health.state_at(now) in _DOWN for each in every),
        "unallowed": unallowed,
    }


_DOWN: Final = frozenset({"stopping", "stopped"})
