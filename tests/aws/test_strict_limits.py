"""The strict cloud has AWS's limits, and protects what AWS protects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
)

from tests.cloud import REGION, Account, Bucket, ManualClock, StrictCloud, strict_moto
from tests.cloud.asking import ONCE, code_of
from tests.cloud.demo_account import STRANGER


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


class RunningClock(ManualClock):
    """No two looks at it see the same time."""

    def now(self) -> datetime:
        self.advance(0.001)
        return super().now()


class TestLimits:
    def test_two_snapshots_of_a_volume_need_fifteen_seconds(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        ec2.create_snapshot(VolumeId=volume)
        cloud.clock.advance(14)
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume))
            == "SnapshotCreationPerVolumeRateExceeded"
        )
        cloud.clock.advance(1)
        ec2.create_snapshot(VolumeId=volume)

    @pytest.mark.parametrize(("volume_type", "most"), [("gp3", 5), ("st1", 1)])
    @pytest.mark.parametrize("state", ["pending", "error"])
    def test_a_volume_has_few_open_snapshots_failed_ones_included(
        self, account: Account, ec2: Any, volume_type: str, most: int, state: str
    ) -> None:
        volume = account.volume(volume_type=volume_type)
        open_ones = [account.snapshot(volume, state=state) for _ in range(most)]
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume))
            == "ConcurrentSnapshotLimitExceeded"
        )
        if state == "error":
            ec2.delete_snapshot(SnapshotId=open_ones[0])
            ec2.create_snapshot(VolumeId=volume)

    def test_a_region_has_settable_limits(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        first, second, third = (account.volume() for _ in range(3))
        cloud.limits.pending = 1
        ec2.create_snapshot(VolumeId=first)
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=second)) == "PendingSnapshotLimitExceeded"
        )
        cloud.clock.advance(60)
        ec2.create_snapshot(VolumeId=second)
        cloud.limits.snapshots = 2
        cloud.clock.advance(60)
        assert code_of(lambda: ec2.create_snapshot(VolumeId=third)) == "SnapshotLimitExceeded"

    def test_a_bucket_runs_empty_and_fills_again(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        cloud.buckets["CreateSnapshot"] = Bucket(2, 1)
        volumes = [account.volume() for _ in range(4)]
        for volume in volumes[:2]:
            ec2.create_snapshot(VolumeId=volume)
        with pytest.raises(ClientError) as caught:
            ec2.create_snapshot(VolumeId=volumes[2])
        answer = caught.value.response
        assert answer["Error"]["Code"] == "RequestLimitExceeded"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
        cloud.clock.advance(1)
        ec2.create_snapshot(VolumeId=volumes[2])
        assert len(account.own_snapshots()) == 3

    def test_documented_buckets_are_smaller_without_pages_and_shared_with_others(
        self, cloud: StrictCloud, ec2: Any
    ) -> None:
        cloud.buckets.use_documented(share=0.8)

        def granted(**request: Any) -> int:
            for count in range(200):
                try:
                    ec2.describe_volumes(**request)
                except ClientError:
                    return count
            return 200

        assert (granted(), granted(MaxResults=500)) == (10, 20)


class TestDeleting:
    @pytest.fixture
    def snapshot(self, account: Account) -> str:
        return account.snapshot(account.volume(), age_hours=1)

    def test_what_is_gone_is_not_found(self, ec2: Any, snapshot: str) -> None:
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert (
            code_of(lambda: ec2.delete_snapshot(SnapshotId=snapshot)) == "InvalidSnapshot.NotFound"
        )

    def test_the_protected_ones_stay(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        volume = account.volume()
        used, locked = account.snapshot(volume), account.snapshot(volume)
        account.lock(locked, days=1)
        alien = account.snapshot(volume, owner=STRANGER, public=True)
        backup = account.snapshot(volume, tags={"aws:backup:source-resource": "x"})
        cloud.extras.used_by_images[used] = "ami-12345678"
        codes = [
            code_of(lambda each=each: ec2.delete_snapshot(SnapshotId=each))  # type: ignore[misc]
            for each in (used, locked, alien, backup)
        ]
        assert codes == [
            "InvalidSnapshot.InUse",
            "SnapshotLocked",
            "UnauthorizedOperation",
            "InvalidParameterValue",
        ]
        cloud.clock.advance(86_400)
        ec2.delete_snapshot(SnapshotId=locked)

    def test_nothing_is_locked_by_a_clock_that_runs(self) -> None:
        with strict_moto(RunningClock()) as cloud:
            account = Account(cloud)
            failed = account.snapshot(account.volume(), state="error")
            boto3.client("ec2", REGION, config=ONCE).delete_snapshot(SnapshotId=failed)
            assert account.own_snapshots() == []

    def test_a_pending_one_goes_when_it_is_done(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        made = ec2.create_snapshot(VolumeId=account.volume())
        ec2.delete_snapshot(SnapshotId=made["SnapshotId"])
        assert len(account.own_snapshots()) == 1
        cloud.clock.advance(60)
        assert account.own_snapshots() == []
