"""Two runs at once: people hear each thing once, and no state is lost."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.aws import incidents as store
from caretaker.aws.lease import Lease
from caretaker.harness import run_chore
from functions.alerts import aws
from tests.support.alerting import CHANNELS, HOUR, LATER, Desk, bad, desk_of, good
from tests.support.crashes import at_call, killed_at
from tests.support.virtual_time import VirtualTime, at_once

if TYPE_CHECKING:
    from caretaker.decisions import Batch, Outcome
    from caretaker.run import Run
    from functions.alerts.plan import Facts
    from functions.alerts.request import AlertsRequest
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ONCE: Final = {**{channel: ["ALARM vol-1"] for channel in CHANNELS}, "pager": ["ALARM daily"]}
RECOVERED: Final = {**{channel: ["OK vol-1"] for channel in CHANNELS}, "pager": ["OK daily"]}


SEEDS: Final = range(12)
"""Each stands for another order in which the calls of two runs come to AWS."""


@pytest.fixture
def clock() -> VirtualTime:
    """Runs that wait let others go on."""
    return VirtualTime()


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    # Calls of two chores at once cannot be told apart: other tests look at what each may call.
    monkeypatch.setattr("tests.support.stack.run_chore", run_chore)
    return desk_of(stack, monkeypatch)


@pytest.fixture
def without_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave two runs of the alerts chore nothing but the table's own conditions."""
    monkeypatch.setattr("caretaker.harness._Invocation._lease", lambda *_: nullcontext(Lease()))


@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_runs_of_a_chore_that_find_the_same_one_tells(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    at_once(cloud, clock, seed, *[lambda: desk.look(bad("vol-1"))] * 2)

    assert desk.heard_everywhere() == ONCE
    assert desk.open() == ["vol-1"]


@pytest.mark.parametrize("seed", SEEDS)
def test_two_runs_that_find_different_things_both_tell(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    finds = [lambda: desk.look(bad("vol-1")), lambda: desk.look(bad("vol-2"))]
    at_once(cloud, clock, seed, *finds)

    assert sorted(desk.heard()) == ["ALARM vol-1", "ALARM vol-2"]
    assert desk.open() == ["vol-1", "vol-2"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recovery_beside_a_reminder_ends_as_recovered(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    desk.wait(5 * HOUR)

    at_once(cloud, clock, seed, desk.alerts, lambda: desk.look(good("vol-1")))
    desk.next_run()

    assert (desk.open(), desk.unsent()) == ([], [])
    for channel, heard in desk.heard_everywhere().items():
        assert heard in ([*ONCE[channel], *RECOVERED[channel]], RECOVERED[channel]), channel


@pytest.mark.parametrize("seed", SEEDS)
def test_an_opening_beside_a_recovery_loses_neither(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()

    at_once(cloud, clock, seed, lambda: desk.look(bad("vol-2")), lambda: desk.look(good("vol-1")))
    desk.next_run()

    assert desk.open() == ["vol-2"]
    assert sorted(desk.heard()) == ["ALARM vol-2", "OK vol-1"]
    pages = desk.heard("pager")
    assert pages[-1] == "ALARM daily", "what is open is paged for"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("without_leases")
def test_two_runs_at_once_send_what_was_unsent_once(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    cloud.faults.add("denied", operation="Publish", times=8)
    desk.look(bad("vol-1"))
    desk.wait(1)
    desk.look(good("vol-1"))
    desk.wait(LATER)
    cloud.faults.clear()

    at_once(cloud, clock, seed, desk.alerts, desk.alerts)
    desk.next_run()

    assert desk.heard_everywhere() == {
        channel: [*told, *RECOVERED[channel]] for channel, told in ONCE.items()
    }
    assert desk.unsent() == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("without_leases")
def test_two_runs_at_once_remind_once(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    desk.wait(5 * HOUR)

    at_once(cloud, clock, seed, desk.alerts, desk.alerts)
    desk.next_run()

    assert desk.heard_everywhere() == ONCE


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_two_runs_at_once_do_all_of_it_once(
    desk: Desk, cloud: StrictCloud, clock: VirtualTime, seed: int
) -> None:
    """With the lease one of them is skipped, or comes after the other."""
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    desk.wait(5 * HOUR)

    at_once(cloud, clock, seed, desk.alerts, desk.alerts)

    assert desk.heard_everywhere() == ONCE


@pytest.mark.parametrize("hours", [1, 5], ids=["unsent", "reminder"])
def test_facts_that_two_runs_carry_out_are_told_once(
    desk: Desk, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    cloud.faults.add("denied", operation="Publish", times=4 if hours == 1 else 0)
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    seconds: list[Outcome] = []
    apply = aws.apply

    def twice(run: Run[AlertsRequest], facts: Facts, unit: Batch) -> list[Outcome]:
        other = replace(run, scene=replace(run.scene, run_id=f"{run.scene.run_id}-2"))
        first = apply(run, facts, unit)
        seconds.extend(apply(other, facts, unit))
        return first

    monkeypatch.setattr(aws, "apply", twice)
    desk.next_run(hours * HOUR)

    assert {outcome.decision.reason for outcome in seconds} == {"overtaken"}
    assert {outcome.result for outcome in seconds} == {"unchanged"}
    assert desk.heard_everywhere() == ONCE


def test_a_run_beside_one_that_holds_the_lease_is_skipped(desk: Desk, cloud: StrictCloud) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    desk.wait(5 * HOUR)
    seconds: list[dict[str, Any]] = []
    at_call(cloud, "BatchWriteItem", lambda: seconds.append(desk.alerts()))

    desk.alerts()

    assert [(a["status"], a["reason"]) for a in seconds] == [("skipped", "slot_in_progress")]
    assert desk.heard_everywhere() == ONCE


@pytest.mark.parametrize("point", [("PutItem", 3), ("PutItem", 4), ("BatchWriteItem", 1)], ids=str)
def test_a_run_that_was_killed_while_it_wrote_does_not_keep_others_from_telling(
    desk: Desk, cloud: StrictCloud, point: tuple[str, int]
) -> None:
    with killed_at(cloud, *point, effective=False):
        desk.look(bad("vol-1"))
    assert desk.heard() == []

    desk.look(bad("vol-1"))
    assert desk.open() == ["vol-1"]
    desk.next_run()

    assert desk.heard() in (["ALARM vol-1"], ["ALARM vol-1"] * 2)


def test_a_run_waits_for_one_that_writes(desk: Desk, cloud: StrictCloud) -> None:
    began = desk.clock.monotonic()
    with killed_at(cloud, "BatchWriteItem", 1, effective=False):
        desk.look(bad("vol-1"))

    desk.look(bad("vol-1"))

    assert desk.clock.monotonic() - began >= store.WRITING_SECONDS


def test_the_alerts_chore_leaves_a_scope_that_is_being_written(
    desk: Desk, cloud: StrictCloud
) -> None:
    desk.look(bad("vol-1"))
    desk.wait(5 * HOUR)
    desk.heard_everywhere()
    with killed_at(cloud, "BatchWriteItem", 1, effective=False):
        desk.look(good("vol-1"))

    desk.alerts()

    assert desk.heard("pager") == []
    desk.look(good("vol-1"))
    desk.next_run()
    assert desk.heard("pager")[-1] == "OK daily"
    assert desk.open() == []
