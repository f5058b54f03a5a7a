"""How much is repaired at once, in a day and in a row; what a run that only reports shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.health_crash import RepairWorld
from tests.support.health_world import REBOOT, STOP_START, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

HOUR = 60


@pytest.fixture
def world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account
) -> Iterator[RepairWorld]:
    """An account whose instances are about to break."""
    cloud.pages.size = None
    made = RepairWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


def every(world: RepairWorld, minutes: int, hours: float) -> None:
    """Poll every so many minutes for so many hours, to be quicker than the schedule."""
    for _ in range(round(hours * HOUR / minutes)):
        world.run()
        world.clock.advance(minutes * 60)


def begun(world: RepairWorld, broken: str) -> list[float]:
    """Return how many hours after the first reboot each reboot was."""
    times = [act.at for act in world.account.health.power if act.instance_id == broken]
    return [round((at - times[0]).total_seconds() / 3600, 1) for at in times]


def test_two_ladders_a_day_at_most_and_the_wait_between_them_doubles(world: RepairWorld) -> None:
    broken = world.broken("instance", "nothing", tags=REBOOT)
    rungs = {"ladders": {"instance": ["reboot"]}, "cooldown_minutes": 120}
    for _ in range(24 * 4 * 3):
        world.run(repairs=rungs)
        world.clock.advance(15 * 60)
    times = begun(world, broken)
    days = [sum(at < each <= at + 24 for each in times) for at in range(-1, 72)]
    assert max(days) == 2
    # Judged after a quarter of an hour; then 2 h, then 4, 8 and 16, or until the day is over.
    assert times[:2] == [0, 2.2]
    assert times[2] >= 24
    assert times[3] - times[2] >= 8
    assert times[4] - times[3] >= 16


def test_a_day_in_health_ends_the_doubling(world: RepairWorld) -> None:
    broken = world.broken("instance", "reboot", tags=REBOOT)
    world.until_quiet()
    every(world, 15, 25)
    world.account.impair(broken, until_repaired_by="reboot", minutes_ago=20)
    world.until_quiet()
    assert world.account.power_log(broken) == ["reboot", "reboot"]
    assert world.ladder(broken)["streak"] == 1


def test_no_rung_waits_for_the_cooldown(world: RepairWorld) -> None:
    broken = world.broken("instance", "stop-start")
    repairs = {"cooldown_minutes": 1440}
    world.polls(26, repairs=repairs)
    assert world.account.power_log(broken) == ["reboot", "reboot", "stop", "start"]


def test_of_a_zone_one_in_ten_is_under_repair_at_once_and_the_longest_broken_is_first(
    world: RepairWorld,
) -> None:
    world.account.crowd("instance", 28, zone="a")
    ages = {world.broken("instance", "nothing", minutes_ago=age): age for age in (25, 45, 35)}
    oldest = sorted(ages, key=lambda each: -ages[each])
    world.poll()
    answer = world.poll()
    rebooted = [each for each in ages if world.account.power_log(each)]
    assert len(rebooted) == 3, "a tenth of 31"
    late = world.broken("instance", "nothing", minutes_ago=90)
    answer = world.polls(2)[-1]
    assert told(answer, late)[1] == "group_budget"
    for each in oldest:
        world.account.heal(each)
    world.polls(2)
    assert world.account.power_log(late) == ["reboot"]


def test_a_small_zone_has_one_under_repair_at_once_and_the_next_when_that_is_over(
    world: RepairWorld,
) -> None:
    first = world.broken("instance", "nothing", minutes_ago=40)
    second = world.broken("instance", "reboot", minutes_ago=30)
    elsewhere = world.broken("instance", "reboot", zone="b")
    answers = world.polls(2, repairs={"breaker_percent": 20, "breaker_count": 3, "polls": 2})
    assert {each for each in (first, second, elsewhere) if world.account.power_log(each)} == set()
    assert told(answers[1], first)[1] == "fleet_impaired"
    world.account.crowd("instance", 15, zone="b")
    answers = world.polls(2)
    assert told(answers[1], second)[1] == "group_budget"
    assert world.account.power_log(first) == world.account.power_log(elsewhere) == ["reboot"]
    world.account.heal(first)
    world.polls(2)
    assert world.account.power_log(second) == ["reboot"]


def test_with_group_by_those_with_one_value_of_the_tag_are_a_group_whatever_their_zone(
    world: RepairWorld,
) -> None:
    world.account.crowd("instance", 12, zone="c")
    web = [world.broken("instance", "nothing", zone=z, tags={**REBOOT, "App": "web"}) for z in "ab"]
    other = world.broken("instance", "nothing", zone="a", tags={**REBOOT, "App": "db"})
    world.polls(3, group_by="App")
    assert sorted(len(world.account.power_log(each)) for each in web) == [0, 1]
    assert world.account.power_log(other) == ["reboot"]


def test_the_size_of_a_group_is_that_of_its_running_instances(world: RepairWorld) -> None:
    tags = {**REBOOT, "App": "web"}
    world.account.crowd("instance", 18, zone="c", tags={"App": "web"})
    world.account.instance({}, tags={"App": "web"}, state="stopped")
    broken = [world.broken("instance", "nothing", zone=zone, tags=tags) for zone in "ab"]
    world.polls(3, group_by="App")
    assert [world.account.power_log(each) for each in broken] == [["reboot"], ["reboot"]]


def test_no_budget_means_no_repair(world: RepairWorld) -> None:
    broken = world.broken()
    for none in ({"group_percent": 0}, {"ladders_per_day": 0}):
        answers = world.polls(3, repairs=none)
        assert told(answers[-1], broken)[1] in {"group_budget", "daily_budget"}
    assert world.repairs() == []


def test_when_too_much_of_a_zone_is_impaired_nothing_of_it_is_repaired_and_one_alert_goes_out(
    world: RepairWorld,
) -> None:
    world.account.crowd("instance", 20, zone="a")
    world.account.impaired_crowd(4, "system", zone="b", tags=STOP_START, minutes_ago=30)
    world.account.crowd("instance", 8, zone="b")
    world.polls(8)
    assert world.repairs() == []
    (alert,) = world.heard()
    assert "4 of 12 instances impaired" in alert


def test_a_zone_that_fails_while_one_is_stopped_by_us_does_not_leave_it_stopped(
    world: RepairWorld,
) -> None:
    world.account.crowd("instance", 8, zone="a")
    broken = world.stopped_by_us()
    world.account.impaired_crowd(6, "system", tags=STOP_START, minutes_ago=30)
    world.polls(5)
    assert world.account.power_log() == ["stop", "start"]
    assert world.state(broken) == "running"


def test_a_rung_that_is_due_waits_while_the_zone_fails(world: RepairWorld) -> None:
    broken = world.broken("instance", "nothing")
    world.polls(2)
    crowd = world.account.impaired_crowd(4, "system", minutes_ago=30)
    answers = world.polls(18)
    assert world.account.power_log(broken) == ["reboot"]
    assert told(answers[-1], broken)[1] in {"fleet_impaired", "zone_impaired", "outcome_unknown"}
    for each in crowd:
        world.account.heal(each)
    world.polls(20)
    assert len(world.account.power_log(broken)) > 1


@pytest.mark.parametrize(
    ("which", "group", "planned"),
    [("instance", "", "reboot"), ("system", "", "stop"), ("instance", "web", "replace")],
)
def test_a_run_that_reports_changes_nothing_and_shows_what_one_that_acts_would_do(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch, which: str, group: str, planned: str
) -> None:
    launch: dict[str, Any] = {"group": world.account.scaling_group(name=group)} if group else {}
    broken = world.broken(which, "nothing", **launch)
    monkeypatch.setenv("CARETAKER_MODE", "report")
    reported = world.polls(30)
    assert told(reported[0], broken)[1] == "first_seen"
    assert {told(each, broken) for each in reported[1:]} == {(planned, "impaired", "planned")}
    assert (world.repairs(), world.open_ladders) == ([], [])
    assert [("ALARM: [CRIT]" in each) for each in world.heard()] == [True]
    monkeypatch.setenv("CARETAKER_MODE", "act")
    assert told(world.poll(), broken) == (planned, "impaired", "done")


def test_a_report_by_hand_where_the_stack_acts_is_no_poll(world: RepairWorld) -> None:
    broken = world.broken()
    for _ in range(3):
        assert told(world.poll(mode="report"), broken)[1] == "first_seen"
    assert world.repairs() == []


def test_the_same_slot_run_again_changes_nothing(world: RepairWorld) -> None:
    broken = [world.broken("instance", "nothing", zone="a"), world.broken(zone="b")]
    world.account.crowd("instance", 10, zone="c")
    for _ in range(14):
        for _ in range(3):
            world.run()
        world.clock.advance(60)
    assert [world.account.power_log(each) for each in broken] == [
        ["reboot", "reboot"],
        ["stop", "start"],
    ]
