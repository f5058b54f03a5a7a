"""Each ladder from its first rung to its last, as it climbs minute by minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import boto3
import pytest

from tests.cloud import ACCOUNT, REGION
from tests.support.health_crash import RepairWorld
from tests.support.health_world import REBOOT, told
from tests.support.stack import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

MINUTE: Final = 60.0


@pytest.fixture
def world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account
) -> Iterator[RepairWorld]:
    """An account whose instances are about to break."""
    cloud.pages.size = None
    made = RepairWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


def minutes_of(world: RepairWorld, broken: str) -> list[tuple[str, int]]:
    """Return what was done to an instance, and in which minute of the test."""
    start = world.clock.now().replace(hour=3, minute=0, second=0, microsecond=0)
    acts = [act for act in world.account.health.power if act.instance_id == broken]
    return [(act.what, round((act.at - start).total_seconds() / MINUTE)) for act in acts]


def test_an_instance_check_is_rebooted_for_twice_then_stopped_and_started_then_left_to_people(
    world: RepairWorld,
) -> None:
    broken = world.broken("instance", "nothing", minutes_ago=0)
    world.polls(36)
    assert minutes_of(world, broken) == [("reboot", 3), ("reboot", 13), ("stop", 23), ("start", 24)]
    assert world.ladder(broken)["ending"] == "not_fixed"
    assert told(world.poll(), broken)[1] == "cooldown"
    heard = world.heard()
    assert [each.split(": ")[0] for each in heard] == ["ALARM"] * len(heard)
    assert "[CRIT]" in heard[-1]
    assert all("[WARN]" in each for each in heard[:-1])


def test_it_is_over_with_the_first_rung_that_helps(world: RepairWorld) -> None:
    broken = world.broken("instance", "reboot", after=2)
    world.polls(20)
    assert world.account.power_log(broken) == ["reboot", "reboot"]
    assert world.ladder(broken)["ending"] == "fixed"
    assert world.open_incidents == []
    assert world.heard()[-1].startswith("OK: ")


def test_a_system_check_is_left_to_ec2_for_ten_minutes_then_stopped_and_started(
    world: RepairWorld,
) -> None:
    broken = world.broken("system", minutes_ago=0)
    reasons = [told(each, broken)[1] for each in world.polls(13)]
    assert reasons[3:10] == ["aws_recovering"] * 7
    assert minutes_of(world, broken) == [("stop", 10), ("start", 11)]
    world.until_quiet()
    assert world.ladder(broken)["ending"] == "fixed"


def test_a_host_that_stays_broken_wakes_people_after_one_stop_and_start(world: RepairWorld) -> None:
    broken = world.broken("system", "nothing")
    world.polls(14)
    assert world.account.power_log(broken) == ["stop", "start"]
    assert world.ladder(broken)["ending"] == "not_fixed"
    assert "[CRIT]" in world.heard()[-1]


@pytest.mark.parametrize(("allowed", "done"), [("reboot", []), ("stop-start", ["stop", "start"])])
def test_a_volumes_check_wakes_people_at_once_and_stops_only_where_the_tag_allows_it(
    world: RepairWorld, allowed: str, done: list[str]
) -> None:
    broken = world.broken("ebs", tags={"caretaker:remediate": allowed})
    world.polls(2)
    assert "[CRIT]" in world.heard()[0]
    world.polls(3)
    assert world.account.power_log(broken) == done


def test_a_failed_host_is_not_rebooted_although_its_instance_check_fails_too(
    world: RepairWorld,
) -> None:
    broken = world.broken("system", tags=REBOOT)
    answers = world.polls(20)
    assert world.account.power_log(broken) == []
    assert {told(each, broken)[1] for each in answers[1:]} == {"step_not_allowed"}


def test_only_reboots_are_done_where_the_tag_allows_no_more(world: RepairWorld) -> None:
    broken = world.broken("instance", "nothing", tags=REBOOT)
    world.polls(40)
    assert world.account.power_log(broken)[:2] == ["reboot", "reboot"]
    assert "stop" not in world.account.power_log(broken)


@pytest.mark.parametrize("which", ["instance", "system", "ebs"])
def test_a_member_of_a_group_is_replaced_by_it_and_never_rebooted_or_stopped(
    world: RepairWorld, which: str
) -> None:
    group = world.account.scaling_group(name="web")
    broken = world.broken(which, "nothing", group=group)
    world.polls(8)
    assert world.repairs() == ["SetInstanceHealth"]
    assert world.account.power_log(broken) in ([], ["terminate"])
    (member,) = world.account.members(group)
    assert (member["InstanceId"] != broken, member["HealthStatus"]) == (True, "Healthy")
    world.polls(2)
    assert world.open_incidents == []


def test_a_member_within_its_grace_period_is_left_to_people(world: RepairWorld) -> None:
    group = world.account.scaling_group(name="web", grace_seconds=60 * 60)
    broken = world.broken("instance", "nothing", group=group, age_hours=0.5)
    answers = world.polls(4)
    assert told(answers[1], broken) == ("replace", "impaired", "failed")
    assert world.account.members(group)[0]["HealthStatus"] == "Healthy"
    assert "[CRIT]" in world.heard()[-1]


@pytest.mark.parametrize(
    ("launch", "reason"),
    [
        ({"spot": "persistent"}, "spot"),
        ({"instance_type": "i3.large"}, "instance_store"),
        ({"address": "amazon"}, "address_would_change"),
        ({"operator": "eks.amazonaws.com"}, "service_managed"),
        ({"tags": {}}, "not_opted_in"),
        ({"tags": {"caretaker:remediate": "none"}}, "opted_out"),
        ({"tags": {"caretaker:remediate": "Reboot"}}, "remediate_unreadable"),
    ],
)
def test_what_speaks_against_a_stop_is_the_reason_in_the_report_and_people_are_woken(
    world: RepairWorld, launch: dict[str, object], reason: str
) -> None:
    broken = world.broken(**launch)  # type: ignore[arg-type]
    answers = world.polls(4)
    assert told(answers[-1], broken) == ("report", reason, "unchanged")
    assert (world.repairs(), world.open_ladders) == ([], [])
    (alert,) = world.heard()
    assert "[CRIT]" in alert


def test_an_instance_that_a_restore_has_in_hand_is_left_to_it(world: RepairWorld) -> None:
    broken = world.broken()
    key = {"pk": {"S": f"restores#{ACCOUNT}/{REGION}"}, "sk": {"S": "p-0123456789abcdef"}}
    table = boto3.client("dynamodb", REGION)
    table.put_item(TableName=TABLE, Item={**key, "targets": {"S": f"i-0a {broken}"}})
    answers = world.polls(4)
    assert told(answers[-1], broken) == ("report", "restore_open", "unchanged")
    assert (world.repairs(), world.open_ladders) == ([], [])
    table.put_item(TableName=TABLE, Item={**key, "targets": {"S": ""}})
    world.polls(4)
    assert world.account.power_log(broken) == ["stop", "start"]


@pytest.mark.parametrize("address", ["none", "elastic"])
def test_an_instance_that_keeps_its_address_is_stopped_and_started(
    world: RepairWorld, address: str
) -> None:
    broken = world.broken(address=address)
    world.polls(4)
    assert world.account.power_log(broken) == ["stop", "start"]


def test_the_event_may_allow_that_the_address_changes(world: RepairWorld) -> None:
    broken = world.broken(address="amazon")
    world.polls(4, repairs={"address_may_change": True})
    assert world.account.power_log(broken) == ["stop", "start"]
