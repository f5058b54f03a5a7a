"""What a poll costs: calls are counted, for a healthy fleet and for each one in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.health_world import REBOOT, STOP_START, HealthWorld

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

STATUS: Final = "DescribeInstanceStatus"
INSTANCES: Final = "DescribeInstances"
EXPECTED: Final = {"caretaker:expect": "running"}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """An empty account, whose listings come in pages as large as AWS's."""
    cloud.pages.size = None
    return HealthWorld(cloud, clock, stack, account)


def calls_of(world: HealthWorld, **event: Any) -> list[str]:
    """Return the calls of one poll that were made to the account, in order."""
    world.cloud.calls.clear()
    world.poll(**event)
    away = {"dynamodb", "s3", "sns", "sts"}
    return [call.operation for call in world.cloud.calls if call.service not in away]


def test_a_healthy_fleet_of_a_thousand_costs_one_call(world: HealthWorld) -> None:
    world.account.crowd("instance", 1_000, tags={**STOP_START, "team": "web"})

    assert calls_of(world) == [STATUS]
    (call,) = world.cloud.calls.of(STATUS)
    assert call.params == {"IncludeAllInstances": True, "MaxResults": 1000}
    assert calls_of(world, group_by="team") == [STATUS]


def test_a_healthy_fleet_of_five_thousand_costs_its_five_pages(world: HealthWorld) -> None:
    world.account.crowd("instance", 5_000)

    assert calls_of(world) == [STATUS] * 5


def test_an_empty_account_costs_one_call(world: HealthWorld) -> None:
    assert calls_of(world) == [STATUS]


def test_two_hundred_suspects_that_are_not_opted_in_cost_one_more_call(world: HealthWorld) -> None:
    world.account.crowd("instance", 1_000)
    world.account.impaired_crowd(200)

    assert calls_of(world) == [STATUS, STATUS, INSTANCES]
    (call,) = world.cloud.calls.of(INSTANCES)
    (only,) = call.params["Filters"]
    assert (only["Name"], len(only["Values"])) == ("instance-id", 200)


def test_one_suspect_more_than_a_filter_takes_costs_another_call(world: HealthWorld) -> None:
    world.account.impaired_crowd(201)

    assert calls_of(world) == [STATUS, INSTANCES, INSTANCES]


def test_only_one_that_may_be_stopped_is_looked_at_for_what_a_stop_would_lose(
    world: HealthWorld,
) -> None:
    world.account.crowd("instance", 100)
    rebooted = world.account.instance(tags=REBOOT).id
    world.account.impair(rebooted)
    assert calls_of(world) == [STATUS, INSTANCES]

    stopped = world.account.instance({}, tags=STOP_START).id
    world.account.impair(stopped)

    assert calls_of(world) == [STATUS, INSTANCES, "DescribeInstanceTypes", "DescribeVolumes"]
    assert world.cloud.calls.of("DescribeVolumes")[0].params["Filters"][0]["Values"] == [stopped]


def test_a_key_is_asked_for_once_however_many_volumes_it_encrypts(
    world: HealthWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world.account.key()
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", key)
    world.account.crowd("instance", 100)
    ids = [world.account.instance({}, {}, kms_key=key, tags=STOP_START).id for _ in range(3)]
    world.account.impair(ids)

    assert calls_of(world).count("DescribeKey") == 1


def test_one_that_is_well_again_costs_one_last_look(world: HealthWorld) -> None:
    one = world.account.instance().id
    world.account.impair(one)
    world.polls(2)
    world.account.heal(one)

    assert calls_of(world) == [STATUS, INSTANCES]
    assert calls_of(world) == [STATUS]


def test_a_stopped_one_costs_a_look_at_those_that_should_run(world: HealthWorld) -> None:
    world.account.crowd("instance", 100)
    world.account.instance(state="stopped")

    assert calls_of(world) == [STATUS, INSTANCES]
    (call,) = world.cloud.calls.of(INSTANCES)
    assert {each["Name"]: each["Values"] for each in call.params["Filters"]} == {
        "tag:caretaker:expect": ["running"],
        "instance-state-name": ["stopped", "shutting-down", "terminated"],
    }


def test_groups_are_counted_only_where_something_may_be_repaired(world: HealthWorld) -> None:
    world.account.crowd("instance", 50, tags={"team": "web"})
    left = world.account.instance(tags={"team": "web"}).id
    world.account.impair(left)
    assert calls_of(world, group_by="team") == [STATUS, INSTANCES]

    world.account.impair(world.account.instance(tags={**REBOOT, "team": "web"}).id)

    assert calls_of(world, group_by="team") == [STATUS, INSTANCES, INSTANCES]
    names = {each["Name"]: each["Values"] for each in _filters(world)}
    assert names == {"tag:team": ["web"], "instance-state-name": ["running"]}


def _filters(world: HealthWorld) -> list[dict[str, Any]]:
    return list(world.cloud.calls.of(INSTANCES)[-1].params["Filters"])


def test_a_reboot_costs_its_last_look_and_one_call_with_one_id(world: HealthWorld) -> None:
    world.account.crowd("instance", 100)
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one, minutes_ago=60)
    world.poll()

    assert calls_of(world) == [STATUS, INSTANCES, INSTANCES, "RebootInstances"]
    (call,) = world.cloud.calls.of("RebootInstances")
    assert call.params == {"InstanceIds": [one]}


def test_a_stop_is_preceded_by_a_look_at_its_protection(world: HealthWorld) -> None:
    world.account.crowd("instance", 100)
    one = world.account.instance({}, tags=STOP_START).id
    world.account.impair(one, which="system", minutes_ago=60)
    world.poll()

    assert calls_of(world)[-3:] == [INSTANCES, "DescribeInstanceAttribute", "StopInstances"]
    assert world.repairs() == ["StopInstances"]


def test_half_a_thousand_impaired_cost_no_more_than_their_batches(world: HealthWorld) -> None:
    """Too many to be repaired: nothing is looked at that only a repair would need to know."""
    world.account.crowd("instance", 500)
    world.account.impaired_crowd(500, tags=REBOOT, minutes_ago=60)
    world.poll()

    assert calls_of(world) == [STATUS] + [INSTANCES] * 3
    reasons = {each["reason"] for each in world.stack.report(world.poll()) if "target" in each}
    assert reasons == {"fleet_impaired", "healthy"}
