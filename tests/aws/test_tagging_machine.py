"""Whatever people and the chore do to an account, in whatever order, the promises hold."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from tests.support.tagging_ledger import MARK
from tests.support.tagging_life import DAYS, EVENT, GROUP, IGNORE, Life, time_of

READS: Final = ("DescribeInstances", "DescribeVolumes", "DescribeTags", "Query")
CHANGES: Final = ("CreateTags", "DeleteTags", "StopInstances", "StartInstances", "Publish")
OWNERS: Final = ("ann", "bob", "", " ")
ENVIRONMENTS: Final = ("prod", "Dev", "qa")


class Tagging(RuleBasedStateMachine):
    """Instances are made, tagged, forgotten, stopped; and the chore runs, dies, runs again."""

    machines: Bundle[str] = Bundle("machines")

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    def teardown(self) -> None:
        self.life.close()

    @initialize(target=machines)
    def first_machines(self) -> Any:
        self.life.machine("ann", tags={"Env": "prod", "Team": "web"})
        return multiple(*(self.life.machine() for _ in range(2)))

    @rule(target=machines, owner=st.sampled_from(OWNERS), env=st.sampled_from([*ENVIRONMENTS, ""]))
    def launch(self, owner: str, env: str) -> Any:
        if len(self.life.ledger.machines()) > 7:
            return multiple()
        return self.life.machine(owner, tags={"Env": env} if env else {})

    @rule(
        machine=machines,
        key=st.sampled_from(["Owner", "owner", "Env", "ENV", "Team"]),
        value=st.sampled_from(["ann", "bob", *ENVIRONMENTS]),
    )
    def tag(self, machine: str, key: str, value: str) -> None:
        self.life.retag(machine, **{key: value})

    @rule(machine=machines, owner=st.sampled_from(["ann", "bob"]))
    def put_right(self, machine: str, owner: str) -> None:
        self.life.retag(machine, Owner=owner, Env="prod", ENV=None)

    @rule(machine=machines, key=st.sampled_from(["Owner", "Env", "Team"]))
    def untag(self, machine: str, key: str) -> None:
        self.life.retag(machine, **{key: None})

    @rule(machine=machines, value=st.sampled_from(["true", "false", None]))
    def ignore(self, machine: str, value: str | None) -> None:
        self.life.retag(machine, **{IGNORE: value})

    @rule(machine=machines, is_member=st.booleans())
    def join_or_leave_a_group(self, machine: str, *, is_member: bool) -> None:
        self.life.retag(machine, **{GROUP: "web" if is_member else None})

    @rule(machine=machines, hours=st.integers(-500, 500))
    def write_our_mark(self, machine: str, hours: int) -> None:
        """Somebody moves it, or spoofs it: it counts only into the future."""
        self.life.retag(machine, **{MARK: time_of(self.life, hours)})

    @rule(machine=machines, text=st.sampled_from(["soon", "9999-12-31T23:59:59-05:00"]))
    def write_nonsense(self, machine: str, text: str) -> None:
        self.life.retag(machine, **{MARK: text})

    @rule(machine=machines)
    def remove_mark(self, machine: str) -> None:
        self.life.retag(machine, **{MARK: None})
        self.life.ledger.marked.pop(machine, None)

    @rule(machine=machines, key=st.sampled_from(["managed-by", "delete-after", "slot", "backup"]))
    def spoof(self, machine: str, key: str) -> None:
        """Other chores' tags are nobody's business here."""
        self.life.retag(machine, **{f"caretaker:{key}": "mine"})

    @rule(machine=machines)
    def stop(self, machine: str) -> None:
        self.life.stop_by_hand(machine)

    @rule(machine=machines)
    def start(self, machine: str) -> None:
        self.life.start_by_hand(machine)

    @rule(machine=machines)
    def hide_tags(self, machine: str) -> None:
        self.life.account.hide_tags(machine, times=2)

    @rule(hours=st.sampled_from([1, 23, 24, 25, 71, 73, 100, 500]))
    def wait(self, hours: int) -> None:
        self.life.later(hours=hours)

    @rule()
    def sweep(self) -> None:
        self.life.later(hours=0.1)
        self.life.act()

    @rule()
    def sweep_until_marks_are_due(self) -> None:
        for days in (0.1, 0.1, DAYS + 0.1):
            self.life.later(days=days)
            self.life.act()

    @rule()
    def deliver_an_event_twice(self) -> None:
        """The second delivery finds nothing to do."""
        event: dict[str, Any] = {"scheduled_time": f"{self.life.clock.now():%Y-%m-%dT%H:%M:00Z}"}
        first = self.life.act(request="once", **event)
        again = self.life.act(request="once", **event)
        if first["status"] == "ok":
            assert set().union(*self.life.ledger.done.values()) == set()
            assert again["progress"] == 0

    @rule()
    def report(self) -> None:
        before = self.life.photograph()
        self.life.act(mode="report")
        assert self.life.photograph() == before

    @rule(machine=machines)
    def be_born(self, machine: str) -> None:
        """A late event of its birth sets what is derived, and takes no step."""
        born = {"instancesSet": {"items": [{"instanceId": machine}]}}
        birth = {"eventName": "RunInstances", "responseElements": born}
        self.life.act(birth=birth)
        assert not self.life.ledger.done["mark"] | self.life.ledger.done["stop"]

    @precondition(lambda self: self.life.plans)
    @rule()
    def approve(self) -> None:
        self.life.approved += 1
        answer = self.life.act(approve=self.life.plans.pop())
        assert answer["status"] == "ok" or answer["reason"] == "plan_unknown"

    @rule(nth=st.integers(1, 40), effective=st.booleans())
    def die(self, nth: int, *, effective: bool) -> None:
        self.life.killed(nth, effective=effective)
        self.life.deliver()

    @rule(
        kind=st.sampled_from(["throttled", "answer_lost", "denied"]),
        operation=st.sampled_from([*READS, *CHANGES]),
    )
    def sweep_with_trouble(self, kind: str, operation: str) -> None:
        self.life.cloud.faults.add(kind, operation=operation, times=2)
        self.life.later(hours=0.1)
        self.life.run_once(**EVENT)
        self.life.cloud.faults.clear()
        self.life.deliver()

    @invariant()
    def promises_hold(self) -> None:
        self.life.check_promises()


@pytest.mark.usefixtures("one_at_a_time")
def test_promises_hold_after_every_step_of_any_life() -> None:
    Tagging.TestCase.settings = PROFILE
    Tagging.TestCase("runTest").runTest()


PROFILE: Final = settings(
    max_examples=4,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
