"""The strict cloud itself: faults of every kind, the log, and what moto lacks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from tests.cloud import REGION, Account, FaultKind, ManualClock, StrictCloud, strict_moto
from tests.cloud.asking import ONCE, code_of
from tests.cloud.demo_account import DemoAccount, seed_demo


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def sns(cloud: StrictCloud) -> Any:
    return boto3.client("sns", REGION, config=ONCE)


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("answer_lost", (ReadTimeoutError, 1)),
            ("connection_dropped", (ConnectionClosedError, 1)),
            ("never_arrived", (ConnectTimeoutError, 0)),
        ],
    )
    def test_without_an_answer_the_caller_cannot_tell(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        kind: str,
        expected: tuple[type[Exception], int],
    ) -> None:
        seen, happens = expected
        volume = account.volume()
        fault = cloud.faults.add(kind, operation="CreateSnapshot", seconds=20)
        start = cloud.clock.now()
        with pytest.raises(seen):
            ec2.create_snapshot(VolumeId=volume)
        assert (len(account.own_snapshots()), fault.fired) == (happens, 1)
        assert cloud.clock.now() - start == timedelta(seconds=20)
        assert cloud.calls[-1].outcome == kind

    @pytest.mark.parametrize(
        ("kind", "code", "status"),
        [
            ("throttled", "RequestLimitExceeded", 503),
            ("internal_error", "InternalError", 500),
            ("unavailable", "Unavailable", 503),
            ("denied", "UnauthorizedOperation", 403),
        ],
    )
    def test_an_error_answer_has_ec2s_own_code(
        self, cloud: StrictCloud, ec2: Any, kind: str, code: str, status: int
    ) -> None:
        cloud.faults.add(kind, service="ec2")
        with pytest.raises(ClientError) as caught:
            ec2.describe_volumes()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    @pytest.mark.parametrize("kind", list(FaultKind))
    @pytest.mark.parametrize("service", ["dynamodb", "s3", "sns", "sts", "lambda"])
    def test_every_service_can_fail_in_every_way(
        self, cloud: StrictCloud, service: str, kind: FaultKind
    ) -> None:
        client: Any = boto3.client(service, REGION, config=ONCE)  # type: ignore[call-overload]
        operation = {
            "dynamodb": "list_tables",
            "s3": "list_buckets",
            "sns": "list_topics",
            "sts": "get_caller_identity",
            "lambda": "list_functions",
        }[service]
        fault = cloud.faults.add(kind, code="Custom" if kind is FaultKind.ERROR else "")
        lost = (ReadTimeoutError, ConnectionClosedError, ConnectTimeoutError)
        with pytest.raises((ClientError, *lost)):
            getattr(client, operation)()
        assert fault.fired == 1
        getattr(client, operation)()
        assert [each.outcome == "ok" for each in cloud.calls] == [False, True]

    def test_a_fault_strikes_the_nth_call_that_matches(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        good, bad = account.volume(), account.volume()
        cloud.faults.add("denied", operation="CreateSnapshot", match=bad, times=None)
        cloud.faults.add("error", operation="DescribeVolumes", nth=2, code="Own", times=2)
        ec2.create_snapshot(VolumeId=good)
        assert code_of(lambda: ec2.create_snapshot(VolumeId=bad)) == "UnauthorizedOperation"
        assert code_of(lambda: ec2.create_snapshot(VolumeId=bad)) == "UnauthorizedOperation"
        ec2.describe_volumes()
        assert [code_of(ec2.describe_volumes) for _ in range(2)] == ["Own", "Own"]
        ec2.describe_volumes()

    def test_the_sdks_retries_are_calls_and_cost_no_time(self, cloud: StrictCloud) -> None:
        patient = Config(retries={"mode": "standard", "total_max_attempts": 4})
        ec2 = boto3.client("ec2", REGION, config=patient)
        cloud.faults.add("throttled", times=3)
        ec2.describe_volumes()
        assert [each.outcome for each in cloud.calls] == ["RequestLimitExceeded"] * 3 + ["ok"]
        assert cloud.clock.now() > cloud.calls[0].at

    def test_the_log_knows_what_was_asked(
        self, cloud: StrictCloud, account: Account, ec2: Any, sns: Any
    ) -> None:
        volume = account.volume()
        ec2.create_snapshot(VolumeId=volume, Description="mine")
        sns.create_topic(Name="alerts")
        assert cloud.calls.actions() == {"ec2:CreateSnapshot", "sns:CreateTopic"}
        assert cloud.calls.of("CreateSnapshot")[0].params == {
            "VolumeId": volume,
            "Description": "mine",
        }
        assert cloud.calls.of("CreateTopic")[0].params == {"Name": "alerts"}
        assert {each.region for each in cloud.calls} == {REGION}

    def test_one_client_may_serve_many_clouds(self, clock: ManualClock) -> None:
        with strict_moto(clock):
            ec2 = boto3.client("ec2", REGION)
        for _ in range(2):
            with strict_moto(clock) as cloud:
                cloud.install(ec2)
                ec2.describe_volumes()
                assert cloud.calls.count("DescribeVolumes") == 1

    def test_a_function_can_be_invoked_and_sees_its_payload_in_the_log(
        self, cloud: StrictCloud, account: Account
    ) -> None:
        arn = account.function("chore")
        client = boto3.client("lambda", REGION)
        answer = client.invoke(FunctionName=arn, InvocationType="Event", Payload=b"{}")
        assert answer["StatusCode"] == 202
        assert cloud.calls.of("Invoke")[0].params["Payload"] == b"{}"


class TestThingsMotoLacks:
    def test_a_multi_attach_volume_shows_all_its_instances(
        self, account: Account, ec2: Any
    ) -> None:
        one, other = account.instance(), account.instance()
        shared, plain = account.volume(multi_attach=True), account.volume()
        for machine in (one, other):
            ec2.attach_volume(VolumeId=shared, InstanceId=machine.id, Device="/dev/xvdm")
        shown = ec2.describe_volumes(VolumeIds=[shared])["Volumes"][0]
        assert shown["MultiAttachEnabled"] is True
        assert {each["InstanceId"] for each in shown["Attachments"]} == {one.id, other.id}
        for machine in (one, other):
            made = ec2.create_snapshots(InstanceSpecification={"InstanceId": machine.id})
            assert shared in {each["VolumeId"] for each in made["Snapshots"]}
            account.cloud.clock.advance(60)
        ec2.attach_volume(VolumeId=plain, InstanceId=one.id, Device="/dev/xvdn")
        assert (
            code_of(
                lambda: ec2.attach_volume(VolumeId=plain, InstanceId=other.id, Device="/dev/xvdn")
            )
            == "VolumeInUse"
        )
        ec2.detach_volume(VolumeId=shared, InstanceId=one.id)
        account.cloud.clock.advance(60)
        shown = ec2.describe_volumes(VolumeIds=[shared])["Volumes"][0]
        assert [each["InstanceId"] for each in shown["Attachments"]] == [other.id]

    def test_operators_states_and_impaired_checks_can_be_set(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine, broken = account.instance(), account.volume(state="error")
        account.manage(machine.id)
        cloud.extras.impaired |= {machine.id: "impaired", broken: "impaired"}
        instance = ec2.describe_instances(InstanceIds=[machine.id])["Reservations"][0]
        assert instance["Instances"][0]["Operator"] == {
            "Managed": True,
            "Principal": "eks.amazonaws.com",
        }
        assert ec2.describe_volumes(VolumeIds=[broken])["Volumes"][0]["State"] == "error"
        status = ec2.describe_instance_status(InstanceIds=[machine.id])["InstanceStatuses"][0]
        assert status["InstanceStatus"]["Status"] == "impaired"
        status = ec2.describe_volume_status(VolumeIds=[broken])["VolumeStatuses"][0]
        assert status["VolumeStatus"]["Status"] == "impaired"

    def test_a_copy_is_pending_and_names_no_real_volume(self, account: Account, ec2: Any) -> None:
        source = account.snapshot(account.volume())
        copied = ec2.copy_snapshot(SourceSnapshotId=source, SourceRegion=REGION)["SnapshotId"]
        found = ec2.describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]
        assert (found["State"], found["VolumeId"]) == ("pending", "vol-ffffffff")


class TestDemoAccount:
    def test_it_is_as_described(self, account: Account) -> None:
        demo = seed_demo(account)
        assert (len(demo.instances), len(demo.volumes)) == (30, 70)
        backend = account.backend
        assert len(backend.volumes) == 70
        assert len(demo.selected("daily")) == 40
        assert demo.selected("hourly") < demo.selected("daily")
        assert (len(demo.unattached()), len(demo.instances_of())) == (3, 19)
        assert len(demo.members_of_failing_set()) == 2
        assert not demo.selected() & set(demo.ignored_volume_ids)
        assert set(demo.foreign_snapshots.values()) == set(backend.snapshots)
        assert DemoAccount.from_json(demo.to_json()) == demo
