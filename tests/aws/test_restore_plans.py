"""A restore is read before it is begun: the plan, its approval, and what cannot be brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.cloud import REGION
from tests.cloud.asking import instance_shown
from tests.support.restore_ends import nothing_is_begun
from tests.support.restore_world import RestoreWorld, a_world, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> RestoreWorld:
    """An empty account."""
    return a_world(cloud, clock, stack, account, monkeypatch)


def problems(answer: dict[str, Any]) -> list[str]:
    """Return the fields that an answer says are wrong."""
    return [each["path"] for each in answer["errors"]]


def test_a_plan_says_for_each_volume_what_it_is_made_of_and_like(world: RestoreWorld) -> None:
    key = world.key()
    web = world.server(
        {"size": 8, "iops": 4000, "throughput": 250},
        {"size": 20, "volume_type": "io2", "iops": 5000, "kms_key": key, "device": "/dev/sdf"},
        zone="b",
    )
    root, data = web.volume_ids
    (item,) = world.plan(web.id, how="swap")["outcomes"]
    shown = {each["volume"]: each for each in item["detail"]["volumes"]}
    assert shown[root] == {
        "volume": root,
        "device": "/dev/sda1",
        "snapshot": world.account.own_snapshots(root)[0].id,
        "gib": 8,
        "type": "gp3",
        "iops": 4000,
        "throughput": 250,
        "zone": "eu-west-1b",
        "deletes_on_termination": True,
    }
    assert shown[data] == {
        "volume": data,
        "device": "/dev/sdf",
        "snapshot": world.account.own_snapshots(data)[0].id,
        "gib": 20,
        "type": "io2",
        "iops": 5000,
        "zone": "eu-west-1b",
        "key": key,
        "deletes_on_termination": False,
    }


def test_a_plan_says_what_is_lost_what_stops_and_what_it_costs(world: RestoreWorld) -> None:
    on = world.server(days=(1, 2))
    off = world.server(days=(1.5,), state="stopped")
    answer = world.plan(on.id, off.id, how="swap", price_per_gib_month=0.1)
    detail = {each["target"]: each["detail"] for each in answer["outcomes"]}
    assert [detail[each.id]["lost_hours"] for each in (on, off)] == [24.0, 36.0]
    assert [detail[each.id]["stops"] for each in (on, off)] == [True, False]
    assert answer["summary"] == {
        "targets": 2,
        "volumes": 4,
        "gib": 56,
        "waves": 1,
        "stops": 1,
        "stopped_minutes_at_least": 2,
        "stops_that_lose": 0,
        "kept_originals_per_month": 5.6,
        "quotas_too_small": [],
    }


def test_a_plan_says_what_a_stop_loses_that_no_volume_brings_back(world: RestoreWorld) -> None:
    fixed, named, stored = (
        world.server(address="elastic"),
        world.server(address="amazon"),
        world.server(instance_type="i3.large"),
    )
    answer = world.plan(fixed.id, named.id, stored.id, how="swap")
    lost = {each["target"]: each["detail"].get("stop_loses") for each in answer["outcomes"]}
    assert lost == {
        fixed.id: None,
        named.id: {
            "public_address": instance_shown(boto3.client("ec2", REGION), named.id)[
                "PublicIpAddress"
            ]
        },
        stored.id: {"instance_store": "i3.large"},
    }
    assert answer["summary"]["stops_that_lose"] == 2


def test_to_report_changes_nothing(world: RestoreWorld) -> None:
    web = world.server()
    answer = world.plan(web.id, how="swap")
    assert told(answer, web.id) == ("restore", "asked", "planned")
    assert nothing_is_begun(world)


def test_a_stack_that_reports_only_lets_nobody_begin(
    world: RestoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = world.server()
    approve = world.plan(web.id, how="swap")["plan_id"]
    monkeypatch.setenv("CARETAKER_MODE", "report")
    asked = {"select": {"instances": [web.id]}, "how": "swap", "approve": approve}
    for refused in (world.ask(**asked), world.ask(**asked, mode="act")):
        assert (refused["status"], refused["reason"]) == ("refused", "mode_not_allowed")
        assert problems(refused) == ["mode"]
    assert nothing_is_begun(world)


def test_what_nobody_has_read_is_not_begun(world: RestoreWorld) -> None:
    web = world.server()
    answer = world.ask(select={"instances": [web.id]}, how="swap")
    assert (answer["status"], answer["reason"]) == ("refused", "plan_needed")
    assert problems(answer) == ["approve"]
    assert answer["plan_id"] in answer["errors"][0]["expected"]
    assert nothing_is_begun(world)


def test_another_plans_id_begins_nothing(world: RestoreWorld) -> None:
    web, other = world.server(), world.server()
    read = world.plan(other.id, how="swap")["plan_id"]
    answer = world.ask(select={"instances": [web.id]}, how="swap", approve=read)
    assert (answer["status"], answer["reason"]) == ("refused", "plan_changed")
    assert nothing_is_begun(world)


@pytest.mark.parametrize(
    "change",
    ["newer backup", "volume attached", "volume resized", "stopped", "other wave", "goes with it"],
)
def test_a_plan_that_changed_since_it_was_read_is_not_begun(
    world: RestoreWorld, change: str
) -> None:
    web, account = world.server(), world.account
    event: dict[str, Any] = {"select": {"instances": [web.id]}, "how": "swap"}
    read = world.plan(web.id, how="swap")["plan_id"]
    match change:
        case "newer backup":
            for volume in web.volume_ids:
                world.backup(volume, 0.5)
        case "volume attached":
            extra = account.volume()
            world.backup(extra)
            account.attach(extra, web.id, "/dev/sdg")
        case "volume resized":
            account.backend.volumes[web.volume_ids[1]].size = 50
        case "stopped":
            account.put_down(web.id)
        case "other wave":
            event["check_minutes"] = 5
        case _:
            mapping = account.backend.get_instance(web.id).block_device_mapping
            mapping["/dev/xvdb"].delete_on_termination = True
    answer = world.ask(**event, approve=read)
    assert (answer["status"], answer["reason"]) == ("refused", "plan_changed")
    assert nothing_is_begun(world)


def test_time_that_passes_does_not_change_a_plan(world: RestoreWorld) -> None:
    web = world.server()
    read = world.plan(web.id, how="swap")["plan_id"]
    world.later(hours=2)
    answer = world.ask(select={"instances": [web.id]}, how="swap", approve=read)
    assert told(answer, web.id) == ("restore", "asked", "done")
    assert list(world.executions()) == [read]


def test_quotas_that_would_not_hold_refuse_the_whole_plan(world: RestoreWorld) -> None:
    web = world.server({"size": 600})
    world.account.quota("gp3", 1)
    answer = world.start(web.id, how="swap")
    assert (answer["status"], answer["reason"]) == ("refused", "quota_too_small")
    assert problems(answer) == ["quota.gp3"]
    assert answer["summary"]["quotas_too_small"] == ["gp3"]
    assert nothing_is_begun(world)


def test_quotas_that_aws_does_not_tell_stop_nobody(world: RestoreWorld) -> None:
    web = world.server({})
    world.cloud.faults.add("denied", operation="GetServiceQuota", times=None)
    assert told(world.plan(web.id, how="swap"), web.id) == ("restore", "asked", "planned")


def test_a_listing_that_fails_refuses_the_plan(world: RestoreWorld) -> None:
    web = world.server({})
    world.cloud.faults.add("denied", operation="DescribeSnapshots", times=None)
    assert world.plan(web.id, how="swap")["status"] == "failed"
    assert nothing_is_begun(world)


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"how": "clone"}, "how"),
        ({"at": "yesterday"}, "at"),
        ({"wave": 0}, "wave"),
        ({"order": {"tag": "role", "values": []}}, "order.values"),
        ({"step": {"do": "advance", "plan": "p-0123456789abcdef"}}, "step"),
        ({"step": {"do": "wave", "plan": "mine"}}, "step.plan"),
        ({"target": {"account": "999988887777"}}, "target"),
        ({"snapshot": "snap-1"}, "snapshot"),
    ],
)
def test_a_wrong_event_changes_nothing(
    world: RestoreWorld, event: dict[str, Any], path: str
) -> None:
    answer = world.ask(**{"select": {"everything": True}, **event})
    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert problems(answer) == [path]
    assert nothing_is_begun(world)
