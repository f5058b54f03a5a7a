"""The strict cloud takes and deletes snapshots as AWS does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of, snapshot_tags, tags_of


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


class TestLives:
    def test_a_snapshot_is_pending_first_and_completed_later(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        made = ec2.create_snapshot(VolumeId=volume, TagSpecifications=snapshot_tags({"a": "b"}))
        assert (made["State"], made["Progress"], tags_of(made)) == ("pending", "0%", {"a": "b"})
        assert made["StartTime"] == cloud.clock.now()

        def now() -> dict[str, Any]:
            found = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"]
            return dict(found[0])

        cloud.clock.advance(59)
        assert (now()["State"], now()["Progress"]) == ("pending", "98%")
        assert "CompletionTime" not in now()
        cloud.clock.advance(1)
        assert (now()["State"], now()["Progress"]) == ("completed", "100%")
        assert now()["CompletionTime"] == made["StartTime"] + timedelta(seconds=60)

    def test_one_failing_member_puts_the_whole_set_in_error_once(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance({}, {})
        cloud.fail_snapshots_of(machine.volume_ids[1])
        wanted = {"InstanceId": machine.id}
        for expected in ("error", "completed"):
            made = ec2.create_snapshots(InstanceSpecification=wanted)["Snapshots"]
            assert {each["State"] for each in made} == {"pending"}
            cloud.clock.advance(60)
            ids = [each["SnapshotId"] for each in made]
            found = ec2.describe_snapshots(SnapshotIds=ids)["Snapshots"]
            assert {each["State"] for each in found} == {expected}
            told = {each.get("StateMessage", "")[:12] for each in found}
            assert told == ({"Given key ID"} if expected == "error" else {""})

    def test_all_can_fail_and_the_delay_can_differ_by_volume(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        quick, slow = account.volume(), account.volume()
        cloud.fail_snapshots_of("*", times=None, message="disk on fire")
        cloud.lives.delays[slow] = 3600
        for volume in (quick, slow):
            ec2.create_snapshot(VolumeId=volume)
        cloud.clock.advance(60)
        states = [each.status for each in account.own_snapshots()]
        assert sorted(states) == ["error", "pending"]
        cloud.complete_pending()
        assert [each.status for each in account.own_snapshots()] == ["error", "error"]

    def test_what_ended_is_told_once_single_or_as_a_set(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        lone, machine = account.volume(), account.instance({}, {})
        cloud.fail_snapshots_of(machine.volume_ids[0])
        ec2.create_snapshot(VolumeId=lone)
        ec2.create_snapshots(InstanceSpecification={"InstanceId": machine.id})
        assert cloud.take_notices() == []
        cloud.clock.advance(60)
        single, several = cloud.take_notices()
        assert single["detail-type"] == "EBS Snapshot Notification"
        assert single["detail"]["result"] == "succeeded"
        assert single["detail"]["source"] == f"arn:aws:ec2::{REGION}:volume/{lone}"
        assert several["detail-type"] == "EBS Multi-Volume Snapshots Completion Status"
        assert several["detail"]["result"] == "failed"
        assert [each["status"] for each in several["detail"]["snapshots"]] == ["error"] * 2
        assert cloud.take_notices() == []

    def test_ageing_moves_everything_into_the_past(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        made = ec2.create_snapshot(VolumeId=account.volume())
        cloud.age(hours=30)
        found = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
        assert found["StartTime"] == cloud.clock.now() - timedelta(hours=30)
        assert found["State"] == "completed"


class TestSets:
    def test_excluded_volumes_are_left_out(self, account: Account, ec2: Any) -> None:
        machine = account.instance({}, {}, {})
        root, first, second = machine.volume_ids

        def taken(**without: Any) -> list[str]:
            asked = {"InstanceId": machine.id, **without}
            made = ec2.create_snapshots(InstanceSpecification=asked)["Snapshots"]
            return [each["VolumeId"] for each in made]

        assert taken(ExcludeDataVolumeIds=[second]) == [root, first]
        assert taken(ExcludeBootVolume=True, ExcludeDataVolumeIds=[first]) == [second]

    def test_wrong_exclusions_are_refused(self, account: Account, ec2: Any) -> None:
        machine = account.instance({}, {})
        others = [account.volume() for _ in range(41)]
        for excluded in ([machine.volume_ids[0]], others[:1], others):
            asked = {"InstanceId": machine.id, "ExcludeDataVolumeIds": excluded}
            assert (
                code_of(lambda asked=asked: ec2.create_snapshots(InstanceSpecification=asked))  # type: ignore[misc]
                == "InvalidParameterValue"
            )

    def test_more_than_128_volumes_do_not_fit(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        cloud.limits.volumes_per_set = 2
        machine = account.instance({}, {}, {})
        asked = {"InstanceId": machine.id}
        assert (
            code_of(lambda: ec2.create_snapshots(InstanceSpecification=asked))
            == "InvalidParameterValue"
        )
        assert account.own_snapshots() == []

    def test_tags_are_copied_from_each_source_when_asked(self, account: Account, ec2: Any) -> None:
        machine = account.instance({"disk": "root", "aws:x": "hidden"}, {"disk": "data"})
        made = ec2.create_snapshots(
            InstanceSpecification={"InstanceId": machine.id},
            CopyTagsFromSource="volume",
            TagSpecifications=snapshot_tags({"ours": "yes"}),
        )["Snapshots"]
        assert [tags_of(each) for each in made] == [
            {"disk": "root", "ours": "yes"},
            {"disk": "data", "ours": "yes"},
        ]

    def test_an_unknown_instance_is_not_found(self, ec2: Any) -> None:
        asked = {"InstanceId": "i-0123456789abcdef0"}
        assert (
            code_of(lambda: ec2.create_snapshots(InstanceSpecification=asked))
            == "InvalidInstanceID.NotFound"
        )


class TestTags:
    @pytest.mark.parametrize(
        ("tags", "code"),
        [
            ({f"k{n}": "v" for n in range(51)}, "TagLimitExceeded"),
            ({"aws:mine": "v"}, "InvalidParameterValue"),
            ({"k" * 129: "v"}, "InvalidParameterValue"),
            ({"k": "v" * 257}, "InvalidParameterValue"),
        ],
    )
    def test_aws_refuses_them_before_anything_is_made(
        self, account: Account, ec2: Any, tags: dict[str, str], code: str
    ) -> None:
        volume = account.volume()
        asked = snapshot_tags(tags)
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume, TagSpecifications=asked)) == code
        )
        assert code_of(lambda: ec2.create_tags(Resources=[volume], Tags=asked[0]["Tags"])) == code
        assert account.own_snapshots() == []

    def test_copied_tags_count_too(self, account: Account, ec2: Any) -> None:
        machine = account.instance({f"k{n}": "v" for n in range(40)})
        code = code_of(
            lambda: ec2.create_snapshots(
                InstanceSpecification={"InstanceId": machine.id},
                CopyTagsFromSource="volume",
                TagSpecifications=snapshot_tags({f"ours{n}": "v" for n in range(11)}),
            )
        )
        assert code == "TagLimitExceeded"

    def test_only_snapshots_are_tagged_by_a_snapshot(self, account: Account, ec2: Any) -> None:
        volume = account.volume()
        asked = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume, TagSpecifications=asked))
            == "InvalidParameterValue"
        )
