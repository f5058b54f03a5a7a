"""What is wrong with instances by hand, what is planned for them, and what was done to them.

Source: EC2 user guide, "Status checks for your instances", "Scheduled events for your instances".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex

CHECKS = ("system", "ebs", "instance")
IMPAIRED = "impaired"
INSUFFICIENT = "insufficient-data"
REBOOT = "reboot"
STOP_START = "stop-start"
_COUNTING: Mapping[str, frozenset[str]] = {
    "reboot": frozenset({REBOOT, STOP_START}),  # a stopped instance boots anew as well
    "stop-start": frozenset({STOP_START}),
    "itself": frozenset(),
    "nothing": frozenset(),
}
_SETTLED_BY: Mapping[str, frozenset[str]] = {
    REBOOT: frozenset({"instance-reboot", "system-reboot"}),
    STOP_START: frozenset(
        {
            "instance-reboot",
            "system-reboot",
            "system-maintenance",
            "instance-retirement",
            "instance-stop",
        }
    ),
}
_SHOWN_FOR = timedelta(days=7)
LISTED_FOR = timedelta(hours=1)
"""How long a terminated instance is still described."""


@dataclass
class Impairment:
    """A check that does not pass, `since` when, and what ends that.

    `after` so many repairs that count, `seconds` later, it passes again. With `itself` it does so
    `seconds` after it began.
    """

    check: str
    since: datetime
    status: str = IMPAIRED
    repaired_by: str = REBOOT
    after: int = 1
    seconds: float = 0.0
    repairs: int = 0
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what is no check, status or repair."""
        if self.check not in CHECKS or self.status not in {IMPAIRED, INSUFFICIENT}:
            raise ValueError(f"no such check or status: {self.check}, {self.status}")
        if self.repaired_by not in _COUNTING:
            raise ValueError(f"repaired by one of {', '.join(_COUNTING)}, not {self.repaired_by}")

    def take(self, repair: str, moment: datetime) -> None:
        """Count a repair that was done at `moment`, if it is one that counts."""
        if self.ends_at is not None or repair not in _COUNTING[self.repaired_by]:
            return
        self.repairs += 1
        if self.repairs >= self.after:
            self.ends_at = moment + timedelta(seconds=self.seconds)

    def lasts(self, now: datetime) -> bool:
        """Tell whether the check still fails."""
        return self.ends_at is None or now < self.ends_at


@dataclass
class ScheduledEvent:
    """Something AWS is going to do to an instance; `prefix` says how it ended."""

    identifier: str
    instance_id: str
    code: str
    description: str
    not_before: datetime
    not_after: datetime | None = None
    deadline: datetime | None = None
    settles: bool = True
    prefix: str = ""
    settled_at: datetime | None = None

    def settle(self, prefix: str, now: datetime) -> None:
        """End it, once."""
        if self.settled_at is None:
            self.prefix, self.settled_at = prefix, now

    def shown(self, now: datetime) -> bool:
        """Tell whether it is still described."""
        return self.settled_at is None or now - self.settled_at < _SHOWN_FOR


@dataclass(frozen=True, slots=True)
class PowerAct:
    """One thing done to an instance: reboot, stop, start, fell-back or terminate."""

    at: datetime
    instance_id: str
    what: str


@dataclass
class PowerPlan:
    """What the next `times` (None: all) stops or starts of an instance meet."""

    times: int | None = 1
    seconds: float = 0.0
    code: str = ""
    message: str = ""

    def take(self) -> bool:
        """Use one up; False when none is left."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class Health:
    """All of it, by instance id; events by their own."""

    impairments: dict[str, list[Impairment]] = field(default_factory=dict)
    events: dict[str, ScheduledEvent] = field(default_factory=dict)
    power: list[PowerAct] = field(default_factory=list)
    plans: dict[tuple[str, str], PowerPlan] = field(default_factory=dict)
    """By instance and what they are for: refuse-start, fall-back, stopping or pending."""
    running_since: dict[str, datetime] = field(default_factory=dict)
    """Instances that were started, with the time from which on they run."""
    terminated: dict[str, datetime] = field(default_factory=dict)
    auto_recovery: dict[str, str] = field(default_factory=dict)
    """Instances whose MaintenanceOptions.AutoRecovery is not `default`."""
    reboot_migration: dict[str, str] = field(default_factory=dict)
    """Instances whose MaintenanceOptions.RebootMigration is not `default`."""

    def note(self, instance_id: str, what: str, now: datetime) -> None:
        """Write down what was done to an instance."""
        self.power.append(PowerAct(now, instance_id, what))

    def take(self, instance_id: str, what: str) -> PowerPlan | None:
        """Use up one of what is planned for this instance, if anything is."""
        plan = self.plans.get((instance_id, what))
        return plan if plan is not None and plan.take() else None

    def repaired(self, instance_id: str, repair: str, moment: datetime) -> None:
        """Take in a reboot, or a start after a stop; what a start does not end is newborn."""
        for each in self.impairments.get(instance_id, ()):
            each.take(repair, moment)
            if repair == STOP_START and each.lasts(moment):
                each.since = moment
        stays = self.reboot_migration.get(instance_id) == "disabled"
        for event in self.events.values():
            if event.instance_id != instance_id or event.code not in _SETTLED_BY[repair]:
                continue
            if event.settles and not (repair == REBOOT and event.code == "system-reboot" and stays):
                event.settle("[Completed] ", moment)

    def failing(self, instance_id: str, now: datetime) -> dict[str, Impairment]:
        """Return what fails now by its check, of several the oldest.

        Where the system check fails, the instance check does too.
        """
        found: dict[str, Impairment] = {}
        for each in sorted(self.impairments.get(instance_id, ()), key=lambda each: each.since):
            if each.since <= now and each.lasts(now):
                found.setdefault(each.check, each)
        system = found.get("system")
        if system is not None and system.status == IMPAIRED:
            found.setdefault("instance", system)
        return found

    def events_by_instance(self, now: datetime) -> dict[str, list[ScheduledEvent]]:
        """Return what DescribeInstanceStatus shows."""
        found: dict[str, list[ScheduledEvent]] = defaultdict(list)
        for event in self.events.values():
            if event.shown(now):
                found[event.instance_id].append(event)
        return found

    def add_event(self, event: ScheduledEvent) -> str:
        """Plan an event under a new id; return that."""
        event.identifier = f"instance-event-{token_hex(8)}0"
        self.events[event.identifier] = event
        return event.identifier

    def age(self, shift: timedelta) -> None:
        """Move everything into the past."""
        for each in (each for several in self.impairments.values() for each in several):
            each.since -= shift
            each.ends_at = each.ends_at and each.ends_at - shift
        for event in self.events.values():
            event.not_before -= shift
            event.not_after = event.not_after and event.not_after - shift
            event.deadline = event.deadline and event.deadline - shift
            event.settled_at = event.settled_at and event.settled_at - shift
        for times in (self.running_since, self.terminated):
            for instance_id in times:
                times[instance_id] -= shift
        self.power = [PowerAct(act.at - shift, act.instance_id, act.what) for act in self.power]
