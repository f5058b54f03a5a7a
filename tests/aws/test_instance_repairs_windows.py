"""Maintenance windows, what AWS has planned, and repairs that another chore asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.health_crash import RepairWorld
from tests.support.health_world import REBOOT, STOP_START, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

NIGHT: Final = {"start": "03:30", "duration_minutes": 60}
"""Half an hour after each test begins."""


@pytest.fixture
def world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account
) -> Iterator[RepairWorld]:
    """An account whose instances are about to break."""
    cloud.pages.size = None
    made = RepairWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


def planned(world: RepairWorld, code: str, **event: Any) -> tuple[str, str]:
    """Add a healthy instance for which AWS has planned something."""
    tags = event.pop("tags", STOP_START)
    made = world.account.instance({}, tags=tags).id
    return made, world.account.scheduled_event(made, code, **event)


def into_the_night(world: RepairWorld, **event: Any) -> list[dict[str, Any]]:
    """Poll before the window is open, and some minutes of it; return the answers of these."""
    asked = {"maintenance_windows": [NIGHT], **event}
    world.poll(**asked)
    assert world.repairs() == []
    world.clock.advance(29 * 60)
    return world.polls(5, **asked)


@pytest.mark.parametrize(
    ("code", "done"),
    [
        ("instance-retirement", ["stop", "start"]),
        ("instance-stop", ["stop", "start"]),
        ("system-reboot", ["stop", "start"]),
        ("instance-reboot", ["reboot"]),
        ("system-maintenance", []),
    ],
)
def test_what_aws_has_planned_is_acted_on_once_in_the_window_before_it_begins(
    world: RepairWorld, code: str, done: list[str]
) -> None:
    machine, event = planned(world, code)
    into_the_night(world)
    assert world.account.power_log(machine) == done
    world.polls(10, maintenance_windows=[NIGHT])
    assert world.account.power_log(machine) == done
    assert (f"instance_event/{event}" in world.open_incidents) == (not done)


def test_an_event_that_no_repair_settles_is_acted_on_once(world: RepairWorld) -> None:
    machine, _ = planned(world, "instance-retirement", settles=False)
    into_the_night(world)
    world.polls(30, maintenance_windows=[NIGHT])
    assert world.account.power_log(machine) == ["stop", "start"]


@pytest.mark.parametrize(
    ("tags", "event"),
    [
        ({}, {}),
        ({"caretaker:remediate": "none"}, {}),
        ({**STOP_START, "caretaker:ignore": "true"}, {}),
        (REBOOT, {}),
        (STOP_START, {"in_hours": 0.25}),
    ],
    ids=["not opted in", "opted out", "ignored", "stop not allowed", "begun already"],
)
def test_it_is_left_alone_where_the_tag_does_not_allow_it_or_aws_is_at_work(
    world: RepairWorld, tags: dict[str, str], event: dict[str, Any]
) -> None:
    machine, _ = planned(world, "instance-retirement", tags=tags, **event)
    into_the_night(world)
    assert world.account.power_log(machine) == []


@pytest.mark.parametrize("over", ["complete_event", "cancel_event"])
def test_what_is_completed_or_canceled_is_not_acted_on(world: RepairWorld, over: str) -> None:
    machine, event = planned(world, "instance-retirement")
    getattr(world.account, over)(event)
    into_the_night(world)
    assert (world.account.power_log(machine), world.open_incidents) == ([], [])


def test_people_hear_of_it_at_once_a_day_before_and_an_hour_before(world: RepairWorld) -> None:
    planned(world, "instance-retirement", in_hours=50, tags={})
    begin = world.clock.now()
    heard = []
    for _ in range(100):
        world.run()
        heard += [round((world.clock.now() - begin).total_seconds() / 3600)] * len(world.heard())
        world.clock.advance(1800)
    assert heard[:3] == [0, 26, 49]


def test_no_repair_of_a_fault_begins_while_people_are_at_work(world: RepairWorld) -> None:
    broken = world.broken(minutes_ago=0)
    world.clock.advance(25 * 60)
    asked: dict[str, Any] = {"maintenance_windows": [NIGHT]}
    world.poll(**asked)
    world.clock.advance(4 * 60)
    for answer in world.polls(4, **asked):
        assert told(answer, broken)[1] == "maintenance_window"
    world.clock.advance(timedelta(minutes=57).total_seconds())
    world.polls(3, **asked)
    assert world.account.power_log(broken) == ["stop", "start"]


def test_the_next_rung_waits_for_the_end_of_the_window_but_a_start_does_not(
    world: RepairWorld,
) -> None:
    stopped = world.stopped_by_us(zone="b")
    window = {**NIGHT, "start": "03:00"}
    world.polls(3, maintenance_windows=[window])
    assert world.account.power_log(stopped) == ["stop", "start"]


def test_a_window_is_by_the_clocks_of_its_zone(world: RepairWorld) -> None:
    machine, _ = planned(world, "instance-retirement")
    tokyo = {"start": "12:30", "duration_minutes": 60, "zone": "Asia/Tokyo"}
    into_the_night(world, maintenance_windows=[tokyo])
    assert world.account.power_log(machine) == ["stop", "start"]


def test_a_fault_waits_while_aws_is_at_work_on_the_instance(world: RepairWorld) -> None:
    broken = world.broken()
    world.account.scheduled_event(broken, "system-maintenance", in_hours=-0.1)
    answers = world.polls(3)
    assert told(answers[-1], broken)[1] == "aws_event_under_way"
    assert world.repairs() == []


@pytest.mark.parametrize("which", ["answer_lost", "never_arrived"])
def test_a_planned_stop_whose_answer_is_lost_leaves_nothing_stopped(
    world: RepairWorld, which: str
) -> None:
    machine, _ = planned(world, "instance-retirement")
    world.cloud.faults.add(which, operation="StopInstances")
    into_the_night(world)
    world.polls(20, maintenance_windows=[NIGHT])
    assert world.state(machine) == "running"
    assert world.account.power_log(machine) in (["stop", "start"], [])
    assert world.open_ladders == []
