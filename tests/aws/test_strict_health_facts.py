"""The strict cloud tells what a repair has to know: kinds, keys, groups and limits, as AWS does."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import ACCOUNT, REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of

NUMBER = "0123456789abcdef0"


def client(service: Any) -> Any:
    return boto3.client(service, REGION, config=ONCE)


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return client("ec2")


def filtered(ec2: Any, name: str, *values: str) -> list[dict[str, Any]]:
    answer = ec2.describe_instances(Filters=[{"Name": name, "Values": list(values)}])
    return [one for each in answer["Reservations"] for one in each["Instances"]]


class TestInstances:
    def test_an_instance_says_how_it_recovers_and_where_it_is(
        self, account: Account, ec2: Any
    ) -> None:
        machine = account.instance(auto_recovery="disabled", zone="c", instance_type="i3.large")
        (found,) = filtered(ec2, "instance-id", machine.id)
        assert found["MaintenanceOptions"] == {
            "AutoRecovery": "disabled",
            "RebootMigration": "default",
        }
        assert found["Placement"]["AvailabilityZone"] == f"{REGION}c"
        assert (found["InstanceType"], found["RootDeviceType"]) == ("i3.large", "ebs")
        (volume,) = ec2.describe_volumes(VolumeIds=machine.volume_ids)["Volumes"]
        assert volume["AvailabilityZone"] == f"{REGION}c"

    @pytest.mark.parametrize(
        ("name", "value", "number"),
        [
            ("tag:expect", "running", 1),
            ("tag:expect", "run*", 1),
            ("tag:expect", "stopped", 0),
            ("tag-key", "expect", 1),
            ("tag-key", "none", 0),
            ("instance-state-name", "stopped", 1),
            ("instance-id", f"i-{NUMBER}", 0),
        ],
    )
    def test_filters_choose_among_many(
        self, cloud: StrictCloud, account: Account, ec2: Any, name: str, value: str, number: int
    ) -> None:
        cloud.pages.size = None
        account.crowd("instance", 50)
        account.instance(state="stopped", tags={"expect": "running"})
        assert len(filtered(ec2, name, value)) == number

    def test_two_hundred_values_are_the_most(self, account: Account, ec2: Any) -> None:
        ids = account.crowd("instance", 201)
        assert filtered(ec2, "instance-id", *ids[:200])
        assert code_of(lambda: filtered(ec2, "instance-id", *ids)) == "FilterLimitExceeded"

    def test_stop_protection_is_told(self, account: Account, ec2: Any) -> None:
        machine, other = account.instance(stop_protected=True), account.instance()

        def protected(instance_id: str) -> bool:
            asked = {"InstanceId": instance_id, "Attribute": "disableApiStop"}
            return bool(ec2.describe_instance_attribute(**asked)["DisableApiStop"]["Value"])

        assert (protected(machine.id), protected(other.id)) == (True, False)
        ec2.modify_instance_attribute(InstanceId=other.id, DisableApiStop={"Value": True})
        assert protected(other.id)
        assert code_of(lambda: protected(f"i-{NUMBER}")) == "InvalidInstanceID.NotFound"


class TestTypes:
    def test_types_tell_of_storage_and_recovery(self, ec2: Any) -> None:
        found = ec2.describe_instance_types(InstanceTypes=["t3.small", "i3.large"])
        told = {
            each["InstanceType"]: (each["InstanceStorageSupported"], each["AutoRecoverySupported"])
            for each in found["InstanceTypes"]
        }
        assert told == {"t3.small": (False, True), "i3.large": (True, False)}

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"InstanceTypes": ["t3.gigantic"]}, "InvalidInstanceType"),
            ({"InstanceTypes": ["t3.small"] * 101}, "InvalidParameterValue"),
            ({"MaxResults": 101}, "InvalidParameterValue"),
        ],
    )
    def test_wrong_questions_are_refused(self, ec2: Any, asked: Any, code: str) -> None:
        assert code_of(lambda: ec2.describe_instance_types(**asked)) == code

    def test_all_come_in_pages(self, cloud: StrictCloud, ec2: Any) -> None:
        cloud.pages.size = None
        first = ec2.describe_instance_types()
        assert len(first["InstanceTypes"]) == 100
        assert ec2.describe_instance_types(NextToken=first["NextToken"], MaxResults=5)["NextToken"]


class TestKeys:
    @pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
    def test_a_key_has_its_state_and_a_volume_its_key(
        self, account: Account, ec2: Any, state: str
    ) -> None:
        key = account.key(state)
        machine = account.instance(kms_key=key)
        (volume,) = ec2.describe_volumes(VolumeIds=machine.volume_ids)["Volumes"]
        assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, key)
        told = client("kms").describe_key(KeyId=key)["KeyMetadata"]
        assert (told["Arn"], told["KeyState"], told["KeyManager"]) == (key, state, "CUSTOMER")
        assert told["Enabled"] is (state == "Enabled")

    def test_the_usual_key_is_awss(self, account: Account, ec2: Any) -> None:
        machine = account.instance(encrypted=True)
        (volume,) = ec2.describe_volumes(VolumeIds=machine.volume_ids)["Volumes"]
        told = client("kms").describe_key(KeyId=volume["KmsKeyId"])["KeyMetadata"]
        assert told["KeyManager"] == "AWS"
        assert account.key(manager="AWS") == told["Arn"] == volume["KmsKeyId"]

    def test_some_are_denied_and_some_are_not_there(
        self, cloud: StrictCloud, account: Account
    ) -> None:
        kms, key = client("kms"), account.key(denied=True)
        assert code_of(lambda: kms.describe_key(KeyId=key)) == "AccessDeniedException"
        assert code_of(lambda: kms.describe_key(KeyId="alias/nobody")) == "NotFoundException"
        account.deny_key(key, denied=False)
        cloud.faults.add("throttled", service="kms", operation="DescribeKey", match=key)
        assert code_of(lambda: kms.describe_key(KeyId=key)) == "ThrottlingException"
        assert kms.describe_key(KeyId=key)
        assert cloud.calls.actions() == {"kms:DescribeKey"}

    @pytest.mark.parametrize("trouble", ["Disabled", "PendingDeletion", "denied"])
    def test_a_start_without_a_usable_key_falls_back_in_silence(
        self, account: Account, ec2: Any, trouble: str
    ) -> None:
        key = account.key()
        machine = account.instance(kms_key=key, state="stopped")
        if trouble == "denied":
            account.deny_key(key)
        else:
            account.set_key_state(key, trouble)
        ec2.start_instances(InstanceIds=[machine.id])
        (found,) = filtered(ec2, "instance-id", machine.id)
        assert (found["State"]["Name"], found["StateReason"]["Code"]) == (
            "stopped",
            "Client.InternalError",
        )
        account.deny_key(key, denied=False)
        account.set_key_state(key, "Enabled")
        ec2.start_instances(InstanceIds=[machine.id])
        assert filtered(ec2, "instance-id", machine.id)[0]["State"]["Name"] == "running"
        assert account.power_log(machine.id) == ["start", "fell-back", "start"]


class TestGroups:
    def test_an_unhealthy_member_is_replaced(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        group = account.scaling_group(tags={"team": "web"})
        machine = account.instance(group=group, zone="b")
        scaling = client("autoscaling")
        scaling.set_instance_health(InstanceId=machine.id, HealthStatus="Unhealthy")
        (member,) = account.members(group)
        assert (member["InstanceId"], member["HealthStatus"]) == (machine.id, "Unhealthy")
        cloud.clock.advance(60)
        (old,) = filtered(ec2, "instance-id", machine.id)
        assert old["State"]["Name"] == "terminated"
        (member,) = account.members(group)
        assert (member["HealthStatus"], member["LifecycleState"]) == ("Healthy", "InService")
        (new,) = filtered(ec2, "instance-id", member["InstanceId"])
        assert new["Placement"]["AvailabilityZone"] == f"{REGION}b"
        assert account.tags_of(new["InstanceId"]) == {
            "team": "web",
            "aws:autoscaling:groupName": group,
        }
        listed = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        assert listed[0]["Instances"][0]["InstanceId"] == new["InstanceId"]

    def test_only_members_have_a_health_and_only_two_of_them(self, account: Account) -> None:
        scaling, member = client("autoscaling"), account.instance(group=account.scaling_group())
        stranger = account.instance(group="gone")
        for instance_id, status in ((stranger.id, "Unhealthy"), (member.id, "Poorly")):
            asked = {"InstanceId": instance_id, "HealthStatus": status}
            assert code_of(lambda asked=asked: scaling.set_instance_health(**asked)) == (  # type: ignore[misc]
                "ValidationError"
            )

    def test_a_young_member_has_its_grace_unless_that_is_not_respected(
        self, account: Account
    ) -> None:
        group = account.scaling_group(grace_seconds=300)
        young = account.instance(group=group, age_hours=0)
        scaling = client("autoscaling")
        asked: dict[str, Any] = {"InstanceId": young.id, "HealthStatus": "Unhealthy"}
        assert code_of(lambda: scaling.set_instance_health(**asked)) == "ValidationError"
        scaling.set_instance_health(**asked, ShouldRespectGracePeriod=False)
        assert account.members(group)[0]["HealthStatus"] == "Unhealthy"


@pytest.mark.parametrize(
    ("method", "asked", "burst", "refill"),
    [
        ("describe_instance_status", {"MaxResults": 5}, 100, 20),
        ("describe_instance_status", {"IncludeAllInstances": True}, 50, 10),
        ("describe_instance_types", {"InstanceTypes": ["t3.small"]}, 100, 20),
        ("describe_instance_attribute", {"Attribute": "disableApiStop"}, 100, 20),
        ("reboot_instances", {}, 50, 5),
    ],
)
def test_they_draw_from_the_documented_buckets(
    cloud: StrictCloud, account: Account, ec2: Any, method: str, asked: Any, burst: int, refill: int
) -> None:
    machine = account.instance().id
    more = {"describe_instance_attribute": {"InstanceId": machine}}
    more["reboot_instances"] = {"InstanceIds": [machine]}  # type: ignore[dict-item]
    cloud.buckets.use_documented()

    def call() -> object:
        return getattr(ec2, method)(**asked, **more.get(method, {}))

    for number in (burst, refill):
        for _ in range(number):
            call()
        assert code_of(call) == "RequestLimitExceeded"
        cloud.clock.advance(1)
    assert ACCOUNT in {each.account for each in cloud.calls}
