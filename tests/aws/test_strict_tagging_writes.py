"""The strict cloud tags, stops and starts as AWS does: all of a call's resources or none."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of

MARK = [{"Key": "Owner", "Value": "web"}]
NUMBER = "0123456789abcdef0"


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


class TestTags:
    @pytest.mark.parametrize("method", ["create_tags", "delete_tags"])
    @pytest.mark.parametrize(
        ("prefix", "code"),
        [
            ("i", "InvalidInstanceID.NotFound"),
            ("vol", "InvalidVolume.NotFound"),
            ("ami", "InvalidAMIID.NotFound"),
            ("eni", "InvalidNetworkInterfaceID.NotFound"),
            ("eipalloc", "InvalidAllocationID.NotFound"),
            ("sg", "InvalidGroup.NotFound"),
            ("vpc", "InvalidVpcID.NotFound"),
            ("subnet", "InvalidSubnetID.NotFound"),
            ("lt", "InvalidLaunchTemplateId.NotFound"),
            ("igw", "InvalidID"),
            ("colour", "InvalidID"),
        ],
    )
    def test_one_unknown_resource_fails_the_call_by_the_code_of_its_kind(
        self, account: Account, ec2: Any, method: str, prefix: str, code: str
    ) -> None:
        address = account.elastic_ip(tags={"Owner": "db"})
        asked = {"Resources": [address, f"{prefix}-{NUMBER}"], "Tags": MARK}
        assert code_of(lambda: getattr(ec2, method)(**asked)) == code
        assert account.tags_of(address) == {"Owner": "db"}

    def test_every_kind_can_be_tagged(self, account: Account, ec2: Any) -> None:
        machine = account.instance()
        ids = [machine.id, *account.network_of(machine.id), account.elastic_ip()]
        ids += [account.security_group(), account.image(), account.launch_template()]
        ec2.create_tags(Resources=ids, Tags=MARK)
        assert {account.tags_of(each)["Owner"] for each in ids} == {"web"}

    @pytest.mark.parametrize(
        ("key", "value", "code"),
        [
            ("k" * 128, "v" * 256, ""),
            ("k" * 129, "v", "InvalidParameterValue"),
            ("k", "v" * 257, "InvalidParameterValue"),
            ("aws:k", "v", "InvalidParameterValue"),
            ("AWS:k", "v", "InvalidParameterValue"),
        ],
    )
    def test_keys_and_values_have_their_limits(
        self, account: Account, ec2: Any, key: str, value: str, code: str
    ) -> None:
        group = account.security_group()
        asked = {"Resources": [group], "Tags": [{"Key": key, "Value": value}]}
        if not code:
            ec2.create_tags(**asked)
        else:
            assert code_of(lambda: ec2.create_tags(**asked)) == code
        assert bool(account.tags_of(group)) is not bool(code)

    def test_the_fifty_first_tag_fails_the_call_and_those_of_aws_do_not_count(
        self, account: Account, ec2: Any
    ) -> None:
        machine = account.instance(group="web", template="lt-1")
        account.tag(machine.id, {f"k{number}": "v" for number in range(48)})
        ec2.create_tags(Resources=[machine.id], Tags=MARK)
        group = account.security_group()
        more = [{"Key": "more", "Value": "v"}]

        def call() -> object:
            return ec2.create_tags(Resources=[group, machine.id], Tags=more)

        assert code_of(call) == "TagLimitExceeded"
        assert account.tags_of(group) == {}
        ec2.create_tags(Resources=[machine.id], Tags=[{"Key": "Owner", "Value": "again"}])

    def test_somebody_else_may_tag_the_same_for_some_calls(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        group = account.security_group()
        fault = cloud.faults.concurrent_tags(times=2)

        def call() -> object:
            return ec2.create_tags(Resources=[group], Tags=MARK)

        assert [code_of(call) for _ in range(2)] == ["ConcurrentTagAccess"] * 2
        assert account.tags_of(group) == {}
        call()
        assert (fault.fired, account.tags_of(group)) == (2, {"Owner": "web"})

    @pytest.mark.parametrize("method", ["create_tags", "delete_tags"])
    def test_they_draw_from_the_documented_bucket(
        self, cloud: StrictCloud, account: Account, ec2: Any, method: str
    ) -> None:
        asked = {"Resources": [account.security_group()], "Tags": MARK}
        cloud.buckets.use_documented()
        for _ in range(100):
            getattr(ec2, method)(**asked)
        assert code_of(lambda: getattr(ec2, method)(**asked)) == "RequestLimitExceeded"
        cloud.clock.advance(0.1)
        getattr(ec2, method)(**asked)


def shown(ec2: Any, instance_id: str) -> dict[str, Any]:
    (reservation,) = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return dict(reservation["Instances"][0])


class TestPower:
    @pytest.mark.parametrize(
        ("launch", "code"),
        [
            ({"stop_protected": True}, "OperationNotPermitted"),
            ({"operator": "eks.amazonaws.com"}, "OperationNotPermitted"),
            ({"instance_store": True}, "UnsupportedOperation"),
            ({"spot": "one-time"}, "UnsupportedOperation"),
        ],
    )
    def test_some_cannot_be_stopped_and_then_none_of_the_call_is(
        self, account: Account, ec2: Any, launch: dict[str, Any], code: str
    ) -> None:
        fine, other = account.instance(), account.instance(**launch)
        assert code_of(lambda: ec2.stop_instances(InstanceIds=[fine.id, other.id])) == code
        assert shown(ec2, fine.id)["State"]["Name"] == "running"
        assert account.instance(spot="persistent", state="stopped").id

    def test_unknown_and_terminated_ones_are_refused(self, account: Account, ec2: Any) -> None:
        machine = account.instance()
        ec2.terminate_instances(InstanceIds=[machine.id])
        for call in (ec2.stop_instances, ec2.start_instances):
            assert (
                code_of(lambda call=call: call(InstanceIds=[machine.id]))  # type: ignore[misc]
                == "IncorrectInstanceState"
            )
            assert (
                code_of(lambda call=call: call(InstanceIds=[f"i-{NUMBER}"]))  # type: ignore[misc]
                == "InvalidInstanceID.NotFound"
            )

    def test_a_stop_takes_its_time_and_tells_who_and_when(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        cloud.extras.switching_seconds = 60
        machine = account.instance(spot="persistent")
        (change,) = ec2.stop_instances(InstanceIds=[machine.id])["StoppingInstances"]
        assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == (
            "running",
            "stopping",
        )
        on_its_way = shown(ec2, machine.id)
        assert on_its_way["State"] == {"Code": 64, "Name": "stopping"}
        assert on_its_way["StateTransitionReason"] == "User initiated (2026-11-21 03:00:00 GMT)"
        assert code_of(lambda: ec2.start_instances(InstanceIds=[machine.id])) == (
            "IncorrectInstanceState"
        )
        cloud.clock.advance(60)
        assert shown(ec2, machine.id)["State"] == {"Code": 80, "Name": "stopped"}
        (again,) = ec2.stop_instances(InstanceIds=[machine.id])["StoppingInstances"]
        assert again["CurrentState"]["Name"] == "stopped"

    def test_a_start_is_a_new_launch(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        machine = account.instance(age_hours=100)
        ec2.stop_instances(InstanceIds=[machine.id])
        born = shown(ec2, machine.id)["LaunchTime"]
        assert (cloud.clock.now() - born).total_seconds() == 100 * 3600
        cloud.extras.switching_seconds = 30
        cloud.clock.advance(3600)
        (change,) = ec2.start_instances(InstanceIds=[machine.id])["StartingInstances"]
        assert change["CurrentState"]["Name"] == "pending"
        assert shown(ec2, machine.id)["State"]["Name"] == "pending"
        launched = cloud.clock.now()
        cloud.clock.advance(30)
        running = shown(ec2, machine.id)
        assert (running["State"]["Name"], running["StateTransitionReason"]) == ("running", "")
        assert running["LaunchTime"] == launched
        ec2.start_instances(InstanceIds=[machine.id])
        assert shown(ec2, machine.id)["LaunchTime"] == launched

    @pytest.mark.parametrize(
        ("method", "burst", "refill"), [("stop_instances", 50, 5), ("start_instances", 5, 2)]
    )
    def test_they_draw_from_the_documented_buckets(
        self, cloud: StrictCloud, account: Account, ec2: Any, method: str, burst: int, refill: int
    ) -> None:
        machine = account.instance()
        cloud.buckets.use_documented()

        def call() -> object:
            return getattr(ec2, method)(InstanceIds=[machine.id])

        for _ in range(burst):
            call()
        assert code_of(call) == "RequestLimitExceeded"
        cloud.clock.advance(1)
        for _ in range(refill):
            call()
        assert code_of(call) == "RequestLimitExceeded"
