"""Scheduled events: told in time, each once; acted on by tag, in a window, and only once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.health_world import REBOOT, STOP_START, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

HOUR: Final = 3_600
NIGHT: Final = {"start": "02:00", "duration_minutes": 120}
"""Open at the time when every test begins, 03:00 UTC."""
LATER: Final = {"start": "22:00", "duration_minutes": 60}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """A fleet of twenty that is well."""
    cloud.pages.size = None
    account.crowd("instance", 20)
    return HealthWorld(cloud, clock, stack, account)


def heard(world: HealthWorld) -> list[tuple[str, str]]:
    """Return and forget what was told of scheduled events: the turn and the severity."""
    return [
        (each["state"], incident["severity"])
        for each in world.stack.alerts()
        for incident in each["incidents"]
        if incident["kind"] == "instance_event"
    ]


def hours(world: HealthWorld, number: float, step: int = 10) -> None:
    """Let hours pass, with a poll every few minutes."""
    end = world.clock.now() + timedelta(hours=number)
    while world.clock.now() < end:
        world.run()
        world.clock.advance(step * 60)


def test_an_event_is_told_at_once_a_day_before_and_an_hour_before(world: HealthWorld) -> None:
    one = world.account.instance(name="web-1").id
    event = world.account.scheduled_event(one, in_hours=30)
    world.polls(3)
    (message,) = world.stack.alerts()
    (said,) = message["incidents"]
    assert (said["resource"], said["name"], said["severity"]) == (event, "web-1", "notice")
    assert said["what"] == "instance-retirement from 2026-11-22 09:00 UTC"
    assert said["evidence"]["instance"] == one

    hours(world, 5)
    assert heard(world) == []
    hours(world, 2)
    assert heard(world) == [("ALARM", "warning")]
    hours(world, 21, step=30)
    assert heard(world) == []
    hours(world, 1.5)
    assert heard(world) == [("ALARM", "warning")]


def test_one_that_is_near_when_it_is_announced_is_told_once_and_again_an_hour_before(
    world: HealthWorld,
) -> None:
    world.account.scheduled_event(world.account.instance().id, in_hours=3)
    hours(world, 1.5)
    assert heard(world) == [("ALARM", "warning")]
    hours(world, 1.25)
    assert heard(world) == [("ALARM", "warning")]


def test_one_that_is_moved_is_told_with_its_new_time(world: HealthWorld) -> None:
    event = world.account.scheduled_event(world.account.instance().id, in_hours=300)
    world.polls(2)
    assert heard(world) == [("ALARM", "notice")]
    found = world.account.health.events[event]
    found.not_before = world.clock.now() + timedelta(hours=600)
    world.polls(2)

    (message,) = world.stack.alerts()
    assert "2026-12-16" in message["incidents"][0]["what"]


@pytest.mark.parametrize("end", ["complete_event", "cancel_event", "drop_event"])
def test_one_that_is_over_is_over_though_ec2_lists_it_for_a_week(
    world: HealthWorld, end: str
) -> None:
    event = world.account.scheduled_event(world.account.instance().id)
    world.poll()
    getattr(world.account, end)(event)
    world.polls(5)

    assert heard(world) == [("ALARM", "notice"), ("OK", "notice")]


@pytest.mark.parametrize("word", ["[Completed] ", "[Canceled] ", "[completed] ", "[Cancelled] "])
def test_one_that_is_over_when_it_is_first_seen_is_nothing(world: HealthWorld, word: str) -> None:
    one = world.account.instance(tags=STOP_START).id
    world.account.scheduled_event(one, description=f"{word}The instance is degraded")
    world.cloud.calls.clear()

    world.poll(maintenance_windows=[NIGHT])

    assert heard(world) == []
    assert world.repairs() == []
    assert world.cloud.calls.count("DescribeInstances") == 0


def test_many_instances_with_one_kind_of_event_are_told_by_one_message(world: HealthWorld) -> None:
    ids = world.account.crowd("instance", 300)
    for each in ids:
        world.account.scheduled_event(each, "system-maintenance")
    world.cloud.calls.clear()

    world.poll()

    (message,) = world.stack.alerts()
    assert message["subject"].startswith("ALARM: [NOTE] prod 300 x instance_event")
    assert world.cloud.calls.count("DescribeInstances") == 2


def test_an_ignored_one_is_not_told_of_its_event(world: HealthWorld) -> None:
    one = world.account.instance(tags={"caretaker:ignore": "true"}).id
    world.account.scheduled_event(one, in_hours=1)
    world.polls(2)

    assert heard(world) == []


def acted(world: HealthWorld, tags: dict[str, str], code: str, **event: Any) -> list[str]:
    """Let an instance have an event, poll for half an hour, and return the repairs."""
    one = world.account.instance({}, tags=tags).id
    world.account.scheduled_event(one, code, settles=False)
    world.polls(30, **event)
    return world.repairs()


@pytest.mark.parametrize(
    ("code", "repairs"),
    [
        ("instance-retirement", ["StopInstances", "StartInstances"]),
        ("instance-stop", ["StopInstances", "StartInstances"]),
        ("system-reboot", ["StopInstances", "StartInstances"]),
        ("instance-reboot", ["RebootInstances"]),
        ("system-maintenance", []),
    ],
)
def test_an_opted_in_one_is_dealt_with_in_the_window_once(
    world: HealthWorld, code: str, repairs: list[str]
) -> None:
    assert acted(world, STOP_START, code, maintenance_windows=[NIGHT]) == repairs
    assert "instance_impaired" not in kinds(world.stack.alerts()), "nothing was wrong with it"


@pytest.mark.parametrize(
    ("tags", "windows"),
    [
        ({}, [NIGHT]),
        ({"caretaker:remediate": "none"}, [NIGHT]),
        (REBOOT, [NIGHT]),
        ({**STOP_START, "caretaker:ignore": "true"}, [NIGHT]),
        (STOP_START, [LATER]),
        (STOP_START, []),
    ],
)
def test_without_the_tag_or_outside_of_a_window_nothing_is_done(
    world: HealthWorld, tags: dict[str, str], windows: list[dict[str, Any]]
) -> None:
    assert acted(world, tags, "instance-retirement", maintenance_windows=windows) == []


def test_the_people_who_are_told_hear_that_it_is_under_way_and_over(world: HealthWorld) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.scheduled_event(one)
    world.run()
    assert heard(world) == [("ALARM", "notice")]

    world.polls(30, maintenance_windows=[NIGHT])

    assert world.account.power_log(one) == ["stop", "start"]
    assert heard(world)[-1] == ("OK", "notice")


def test_in_the_next_window_it_is_not_done_again_while_it_is_listed(world: HealthWorld) -> None:
    acted(world, STOP_START, "instance-retirement", maintenance_windows=[NIGHT])
    world.clock.advance(23.5 * HOUR)
    world.polls(10, maintenance_windows=[NIGHT])

    assert world.repairs() == ["StopInstances", "StartInstances"]


def test_two_events_of_one_instance_are_dealt_with_by_one_stop(world: HealthWorld) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    for code in ("instance-retirement", "system-reboot"):
        world.account.scheduled_event(one, code, settles=False)
    for _ in range(3):
        world.polls(20, maintenance_windows=[NIGHT])
        world.clock.advance(24 * HOUR - 20 * 60)

    assert world.repairs() == ["StopInstances", "StartInstances"]


def test_one_whose_time_has_come_is_left_to_aws(world: HealthWorld) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.scheduled_event(one, in_hours=-0.1)
    world.polls(10, maintenance_windows=[NIGHT])

    assert world.repairs() == []


def test_an_impaired_one_is_not_repaired_while_aws_is_at_work_on_it(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    start = world.clock.now()
    world.account.scheduled_event(
        one, "system-maintenance", start, not_after=start + timedelta(minutes=20)
    )
    world.account.impair(one)

    assert told(world.polls(10)[-1], one)[1] == "aws_event_under_way"
    assert told(world.polls(12)[-1], one)[:2] != ("report", "aws_event_under_way")
    assert world.repairs() == ["RebootInstances"]


def test_the_budget_of_a_group_holds_for_events_as_well(world: HealthWorld) -> None:
    """Twenty and five in the zone: two at once."""
    for _ in range(5):
        world.account.scheduled_event(world.account.instance({}, tags=STOP_START).id)

    answer = world.poll(maintenance_windows=[NIGHT])

    assert answer["counts"]["stop"] == {"done": 2}
    assert world.repairs() == ["StopInstances"] * 2
