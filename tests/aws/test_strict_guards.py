"""The strict cloud guards snapshots: locks, shares, AWS Backup, tiers, and its own buckets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of
from tests.cloud.demo_account import STRANGER

PERMISSION = "createVolumePermission"
MISSING = "snap-0123456789abcdef0"


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def snapshot(account: Account) -> str:
    return account.snapshot(account.volume(), age_hours=48)


class TestLocks:
    def states(self, ec2: Any, **request: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        following: dict[str, Any] = {}
        while True:  # botocore has no paginator for it
            page = ec2.describe_locked_snapshots(**request, **following)
            found |= {each["SnapshotId"]: each["LockState"] for each in page["Snapshots"]}
            if not page.get("NextToken"):
                return found
            following = {"NextToken": page["NextToken"]}

    def test_every_state_is_listed_in_pages(self, account: Account, ec2: Any) -> None:
        ids = [account.snapshot(account.volume()) for _ in range(5)]
        account.lock(ids[0])
        account.lock(ids[1], mode="compliance", days=9)
        account.lock(ids[2], mode="compliance", days=9, cool_off_hours=1)
        account.lock(ids[3], days=2, age_days=3)
        states = ["governance", "compliance", "compliance-cooloff", "expired"]
        assert self.states(ec2) == dict(zip(ids[:4], states, strict=True))
        assert len(ec2.describe_locked_snapshots()["Snapshots"]) == 2
        assert self.states(ec2, SnapshotIds=[ids[0], ids[4]]) == {ids[0]: "governance"}
        wanted = [{"Name": "lock-state", "Values": ["expired"]}]
        assert self.states(ec2, Filters=wanted) == {ids[3]: "expired"}

    def test_a_locked_one_cannot_be_deleted_until_the_lock_has_expired(
        self, cloud: StrictCloud, ec2: Any, snapshot: str
    ) -> None:
        ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1)
        assert code_of(lambda: ec2.delete_snapshot(SnapshotId=snapshot)) == "SnapshotLocked"
        cloud.clock.advance(86_400)
        assert self.states(ec2) == {snapshot: "expired"}
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert self.states(ec2) == {}

    def test_only_a_lock_that_is_not_final_can_be_taken_away(
        self, cloud: StrictCloud, ec2: Any, snapshot: str
    ) -> None:
        asked = {"SnapshotId": snapshot, "LockMode": "compliance", "LockDuration": 9}
        made = ec2.lock_snapshot(**asked, CoolOffPeriod=1)
        assert made["LockState"] == "compliance-cooloff"
        assert made["LockExpiresOn"] == cloud.clock.now() + timedelta(days=9)
        ec2.unlock_snapshot(SnapshotId=snapshot)
        ec2.lock_snapshot(**asked, CoolOffPeriod=1)
        cloud.clock.advance(3600)
        for refused in (
            lambda: ec2.unlock_snapshot(SnapshotId=snapshot),
            lambda: ec2.lock_snapshot(**asked | {"LockDuration": 8}),
            lambda: ec2.lock_snapshot(**asked | {"LockMode": "governance"}),
        ):
            assert code_of(refused) == "SnapshotLocked"
        ec2.lock_snapshot(**asked | {"LockDuration": 10})

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"SnapshotId": MISSING, "LockDuration": 1}, "InvalidSnapshot.NotFound"),
            ({}, "InvalidParameterCombination"),
            ({"LockDuration": 1, "CoolOffPeriod": 1}, "InvalidParameterValue"),
            ({"LockDuration": 36_501}, "InvalidParameterValue"),
        ],
    )
    def test_wrong_locks_are_refused(
        self, ec2: Any, snapshot: str, wrong: dict[str, Any], code: str
    ) -> None:
        asked = {"SnapshotId": snapshot, "LockMode": "governance"} | wrong
        assert code_of(lambda: ec2.lock_snapshot(**asked)) == code


class TestShares:
    def shares(self, ec2: Any, snapshot: str) -> list[dict[str, str]]:
        answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute=PERMISSION)
        return list(answer["CreateVolumePermissions"])

    def test_a_snapshot_is_shared_with_accounts_and_with_all(
        self, account: Account, ec2: Any, snapshot: str
    ) -> None:
        assert self.shares(ec2, snapshot) == []
        account.share(snapshot, STRANGER)
        account.share(snapshot)
        assert self.shares(ec2, snapshot) == [{"Group": "all"}, {"UserId": STRANGER}]
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute=PERMISSION,
            CreateVolumePermission={"Remove": [{"Group": "all"}]},
        )
        assert self.shares(ec2, snapshot) == [{"UserId": STRANGER}]
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, OperationType="add", UserIds=["111122223333"]
        )
        assert {each["UserId"] for each in self.shares(ec2, snapshot)} == {
            STRANGER,
            "111122223333",
        }
        ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute=PERMISSION)
        assert self.shares(ec2, snapshot) == []

    def test_wrong_shares_are_refused_and_change_nothing(self, account: Account, ec2: Any) -> None:
        secret = account.snapshot(account.volume(), encrypted=True)
        both = {"Add": [{"UserId": STRANGER}], "Remove": [{"UserId": "111122223333"}]}
        for wrong, code in (
            ({"Add": [{"Group": "all"}]}, "OperationNotPermitted"),
            (both, "InvalidParameterCombination"),
            ({"Add": [{"UserId": f"{n:012}"} for n in range(501)]}, "InvalidParameterValue"),
        ):
            assert (
                code_of(
                    lambda wrong=wrong: ec2.modify_snapshot_attribute(  # type: ignore[misc]
                        SnapshotId=secret, CreateVolumePermission=wrong
                    )
                )
                == code
            )
        assert self.shares(ec2, secret) == []

    def test_of_one_that_is_gone_nothing_is_told(self, ec2: Any, snapshot: str) -> None:
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert code_of(lambda: self.shares(ec2, snapshot)) == "InvalidSnapshot.NotFound"

    def test_strangers_do_not_tell_theirs(self, account: Account, ec2: Any) -> None:
        alien = account.snapshot(account.volume(), owner=STRANGER, public=True)
        assert code_of(lambda: self.shares(ec2, alien)) == "UnauthorizedOperation"

    def test_asking_draws_from_a_bucket_of_its_own(
        self, cloud: StrictCloud, ec2: Any, snapshot: str
    ) -> None:
        cloud.buckets.use_documented()
        for burst in (100, 20):
            for _ in range(burst):
                self.shares(ec2, snapshot)
            assert code_of(lambda: self.shares(ec2, snapshot)) == "RequestLimitExceeded"
            cloud.clock.advance(1)
        ec2.describe_images(Owners=["self"])


class TestWhatASnapshotShows:
    def test_its_tier_size_and_description(self, account: Account, ec2: Any) -> None:
        volume = account.volume(size=8)
        ids = [
            account.snapshot(volume, description="by hand", full_bytes=123),
            account.snapshot(volume, tier="archive", encrypted=True),
            account.snapshot(volume),
        ]
        account.archive(ids[2])
        found = ec2.describe_snapshots(SnapshotIds=ids)["Snapshots"]
        assert [each["StorageTier"] for each in found] == ["standard", "archive", "archive"]
        assert [each["FullSnapshotSizeInBytes"] for each in found] == [123, 2**33, 2**33]
        assert [each["Description"] for each in found] == ["by hand", "", ""]
        assert [each["Encrypted"] for each in found] == [False, True, False]

    def test_a_volume_tells_what_it_is_being_created_from(
        self, cloud: StrictCloud, account: Account, ec2: Any, snapshot: str
    ) -> None:
        volume = account.volume(state="creating", snapshot_id=snapshot)

        def shown() -> tuple[str, str]:
            found = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
            return found["State"], found["SnapshotId"]

        assert shown() == ("creating", snapshot)
        cloud.extras.states.pop(volume)
        assert shown() == ("available", snapshot)

    def test_one_that_aws_backup_made_is_deleted_there(self, account: Account, ec2: Any) -> None:
        tags = {"aws:backup:source-resource": "i-1"}
        backup = account.snapshot(account.volume(), tags=tags)
        with pytest.raises(ClientError) as caught:
            ec2.delete_snapshot(SnapshotId=backup)
        error = caught.value.response["Error"]
        assert error["Code"] == "InvalidParameterValue"
        assert error["Message"].startswith("This snapshot is managed by the AWS Backup service")
