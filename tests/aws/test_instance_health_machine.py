"""Whatever breaks, whoever meddles and wherever the chore dies, its repairs keep their promises."""

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
    rule,
)

from tests.support.health_life import Life

CHANGES: Final = ("RebootInstances", "StopInstances", "StartInstances")
CALLS: Final = (*CHANGES, "DescribeInstanceStatus", "DescribeInstances", "PutItem", "Query")
FAULTS: Final = ("answer_lost", "never_arrived", "throttled", "internal_error", "denied")
CHECKS: Final = ("instance", "system", "ebs", "insufficient-data")
CURES: Final = ("reboot", "stop-start", "itself", "nothing")
REMEDIES: Final = ("reboot", "stop-start", "none", "Reboot", None)
MOST: Final = 14
ZONE_OF: Final = 6


class InstanceHealth(RuleBasedStateMachine):
    """Instances fail, are stopped and retagged; and the chore polls, dies, polls again."""

    machines: Bundle[str] = Bundle("machines")

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    def teardown(self) -> None:
        try:
            self.life.recover()
            self.life.check_promises()
        finally:
            self.life.close()

    @initialize(target=machines)
    def first_machines(self) -> Any:
        return multiple(*(self.life.machine(zone=zone) for zone in "aaaaaabbbbbb"))

    @rule(target=machines, remediate=st.sampled_from(REMEDIES), zone=st.sampled_from("ab"))
    def launch(self, remediate: str | None, zone: str) -> Any:
        if len(self.life.alive) >= MOST:
            return multiple()
        return self.life.machine(remediate, zone)

    @rule(
        machine=machines,
        which=st.sampled_from(CHECKS),
        until=st.sampled_from(CURES),
        after=st.integers(1, 2),
        seconds=st.sampled_from([0, 45, 400]),
        polls=st.sampled_from([0, 5, 15]),
    )
    def fail(
        self, machine: str, which: str, until: str, after: int, seconds: int, polls: int
    ) -> None:
        self.life.account.impair(
            machine, which, minutes_ago=15, until_repaired_by=until, after=after, seconds=seconds
        )
        self._polls(polls)

    @rule(zone=st.sampled_from("ab"), polls=st.sampled_from([1, 4]))
    def fail_a_zone(self, zone: str, polls: int) -> None:
        """For as long as it fails nothing is repaired in it."""
        there = self.life.alive_in(zone)
        self.life.account.impair(
            there, "system", minutes_ago=12, until_repaired_by="itself", seconds=60 * (polls + 3)
        )
        self._polls(polls)

    @rule(machine=machines)
    def heal(self, machine: str) -> None:
        self.life.account.heal(machine)

    @rule(machine=machines, remediate=st.sampled_from(REMEDIES))
    def retag(self, machine: str, remediate: str | None) -> None:
        self.life.retag(machine, remediate=remediate)

    @rule(machine=machines, value=st.sampled_from(["yes", "no", None]))
    def ignore(self, machine: str, value: str | None) -> None:
        self.life.retag(machine, ignore=value)

    @rule(machine=machines)
    def stop(self, machine: str) -> None:
        self.life.stop_by_hand(machine)

    @rule(machine=machines)
    def start(self, machine: str) -> None:
        self.life.start_by_hand(machine)

    @rule(machine=machines)
    def terminate(self, machine: str) -> None:
        if len(self.life.alive) > ZONE_OF:
            self.life.terminate_by_hand(machine)

    @rule(machine=machines, times=st.integers(1, 4), falls_back=st.booleans())
    def lack_capacity(self, machine: str, times: int, *, falls_back: bool) -> None:
        if falls_back:
            self.life.account.start_falls_back(machine, times)
        else:
            self.life.account.refuse_start(machine, times)

    @rule(machine=machines, state=st.sampled_from(["stopping", "pending"]))
    def hang(self, machine: str, state: str) -> None:
        self.life.account.hang(machine, 700, state)

    @rule(minutes=st.sampled_from([2, 10, 14, 16, 60, 1441]))
    def let_time_jump(self, minutes: int) -> None:
        self.life.clock.advance(60 * minutes)

    @rule(polls=st.sampled_from([1, 4, 12]))
    def poll(self, polls: int) -> None:
        self._polls(polls)

    @rule()
    def poll_twice_in_a_slot(self) -> None:
        """The second delivery takes no step, unless a start is owed."""
        self.life.watch(minutes=0, request="once")
        before = len(self.life.repairs())
        self.life.watch(request="once")
        assert set(self.life.repairs()[before:]) <= {"StartInstances"}

    @rule()
    def poll_late(self) -> None:
        """An event that Lambda had kept back for a while."""
        slot = self.life.slot(minutes_ago=4)
        self.life.watch(scheduled_time=slot)

    @rule()
    def look_by_hand(self) -> None:
        before = len(self.life.repairs())
        self.life.watch(mode="report")
        assert self.life.repairs()[before:] == []

    @rule(machine=machines, nth=st.integers(1, 40), effective=st.booleans())
    def die(self, machine: str, nth: int, *, effective: bool) -> None:
        self._break(machine)
        self.life.killed(nth, effective=effective)

    @rule(
        machine=machines,
        operation=st.sampled_from([*CHANGES, "PutItem", "UpdateItem"]),
        nth=st.integers(1, 3),
        effective=st.booleans(),
        before=st.integers(0, 2),
    )
    def die_in_a_repair(
        self, machine: str, operation: str, nth: int, before: int, *, effective: bool
    ) -> None:
        self._break(machine)
        self._polls(before)
        self.life.killed(nth, effective=effective, operation=operation)

    @rule(
        machine=machines,
        kind=st.sampled_from(FAULTS),
        operation=st.sampled_from(CALLS),
        nth=st.integers(1, 3),
        polls=st.integers(1, 4),
    )
    def have_trouble_with_calls(
        self, machine: str, kind: str, operation: str, nth: int, polls: int
    ) -> None:
        self._break(machine)
        self.life.books.is_disturbed = True
        self.life.cloud.faults.add(kind, operation=operation, nth=nth, times=2)
        self._polls(polls)
        self.life.cloud.faults.clear()

    @rule()
    def settle(self) -> None:
        self.life.settle()

    @invariant()
    def promises_hold(self) -> None:
        self.life.check_promises()

    def _break(self, machine: str) -> None:
        """Let a machine be ill for so long that the poll after the next begins to repair it."""
        self.life.account.impair(
            machine, "system", minutes_ago=30, until_repaired_by="stop-start", seconds=30
        )
        self._polls(1)

    def _polls(self, number: int) -> None:
        for _ in range(number):
            self.life.watch_through()


@pytest.mark.usefixtures("one_at_a_time")
def test_promises_hold_after_every_step_of_any_life() -> None:
    InstanceHealth.TestCase.settings = PROFILE
    InstanceHealth.TestCase("runTest").runTest()


PROFILE: Final = settings(
    max_examples=10,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
