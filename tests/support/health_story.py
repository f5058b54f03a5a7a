"""Stories at the level of the plan: polls in a row, each of which takes the steps that are due."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.slots import slot_of
from functions.instance_health.facts import Facts, Status
from functions.instance_health.plan import plan_health
from tests.support.builders import NOW
from tests.support.health import ID, a_machine, a_status, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.instance_health.facts import Machine
    from functions.instance_health.ladder import Ladder
    from functions.instance_health.plan import Plan
    from functions.instance_health.sightings import Sighting

_STATES: Final = {"stop": "stopped", "start": "running"}


@dataclass
class Story:
    """A place that is polled every minute; what happens is noted as `minute action reason`."""

    event: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    statuses: dict[str, Status] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    sightings: dict[str, Sighting] = field(default_factory=dict)
    ladders: dict[str, Ladder] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    on_step: Callable[[str, str], None] = lambda _id, _action: None

    def add(self, failed: str = "instance", name: str = ID, **how: Any) -> None:
        """Add an instance whose checks fail from now on."""
        status = a_status(name, failed, **how)
        self.statuses[name] = replace(status, since=self.now if failed else None)
        self.machines[name] = a_machine(name)

    def becomes(self, name: str = ID, **fields: Any) -> None:
        """Change the status of an instance."""
        self.statuses[name] = replace(self.statuses[name], **fields)

    def heals(self, name: str = ID) -> None:
        """Let an instance be well."""
        self.becomes(name, system="ok", instance="ok", ebs="ok", since=None, state="running")

    def tag(self, name: str = ID, **tags: str | None) -> None:
        """Set or remove caretaker tags by hand."""
        machine = self.machines[name]
        now = dict(machine.tags)
        for key, value in tags.items():
            if value is None:
                now.pop(f"caretaker:{key}", None)
            else:
                now[f"caretaker:{key}"] = value
        self.machines[name] = replace(machine, tags=now)

    def poll(self) -> Plan:
        """Judge, take the steps, and let a minute pass."""
        facts = Facts(
            tuple(self.statuses.values()),
            self.machines,
            self.sightings,
            self.ladders,
            **self.known,
        )
        plan = plan_health(facts, ask(**self.event), slot=slot_of(self.now), now=self.now)
        self.sightings = dict(plan.sightings)
        self.ladders |= plan.moved
        for verdict in plan.verdicts:
            if verdict.intent:
                known = self.ladders.get(verdict.id)
                version = known.version + 1 if known else 1
                self.ladders[verdict.id] = replace(verdict.intent, at=self.now, version=version)
                self._happens(verdict.id, verdict.decision.action)
        self.now += timedelta(minutes=1)
        return plan

    def _happens(self, name: str, action: str) -> None:
        if action in _STATES:
            self.becomes(name, state=_STATES[action])
        self.on_step(name, action)

    def polls(self, number: int, name: str = ID) -> list[str]:
        """Poll so many times; return what was decided otherwise than the minute before."""
        said: list[str] = []
        start, last = self.now, ""
        for _ in range(number):
            minute = (self.now - start) // timedelta(minutes=1)
            plan = self.poll()
            one = next(verdict for verdict in plan.verdicts if verdict.id == name)
            now = f"{one.decision.action} {one.decision.reason}"
            if now != last or one.intent:
                said.append(f"{minute} {now}")
            last = now
        return said

    def steps(self, number: int, name: str = ID) -> list[str]:
        """Poll so many times; return the steps that were taken, each with its minute."""
        kinds = {"reboot", "stop", "start", "replace"}
        return [
            " ".join(said.split()[:2])
            for said in self.polls(number, name)
            if said.split()[1] in kinds
        ]
