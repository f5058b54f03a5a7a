"""The strict cloud makes and deletes volumes as AWS does: not at once, not always, once only."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import (
    ONCE,
    code_of,
    make_volume,
    tags_of,
    volume_shown,
    volume_states,
)

NUMBER = "0123456789abcdef0"
ZONE = f"{REGION}a"
TAGS = {"ResourceType": "volume", "Tags": [{"Key": "caretaker:run", "Value": "r-1"}]}


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def snapshot(account: Account) -> str:
    return account.snapshot(account.volume(size=20), age_hours=5)


class TestBirths:
    def test_a_volume_is_creating_first_and_has_what_was_asked(
        self, cloud: StrictCloud, ec2: Any, snapshot: str
    ) -> None:
        asked = {"Size": 30, "Iops": 4000, "Throughput": 200, "TagSpecifications": [TAGS]}
        made = ec2.create_volume(
            AvailabilityZone=ZONE, SnapshotId=snapshot, VolumeType="gp3", **asked
        )
        assert made["State"] == "creating"
        cloud.clock.advance(4)
        assert volume_shown(ec2, made["VolumeId"])["State"] == "creating"
        cloud.clock.advance(1)
        found = volume_shown(ec2, made["VolumeId"])
        assert found["State"] == "available"
        assert {key: found[key] for key in asked if key in found} == {
            key: asked[key] for key in asked if key in found
        }
        assert found["SnapshotId"] == snapshot
        assert tags_of(found) == {"caretaker:run": "r-1"}

    def test_without_more_it_is_a_gp2_of_its_snapshots_size(self, ec2: Any, snapshot: str) -> None:
        made = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)
        assert (made["VolumeType"], made["Size"]) == ("gp2", 20)

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"SnapshotId": f"snap-{NUMBER}"}, "InvalidSnapshot.NotFound"),
            ({"SnapshotId": "snapshot"}, "InvalidParameterValue"),
            ({"Size": 19}, "InvalidParameterValue"),
            ({"Size": 20, "VolumeType": "st1"}, "InvalidParameterValue"),
            ({"VolumeType": "gp9"}, "InvalidParameterValue"),
            ({"AvailabilityZone": "eu-west-1x"}, "InvalidZone.NotFound"),
            ({"KmsKeyId": "some"}, "InvalidParameterDependency"),
            ({"ClientToken": "t" * 65}, "InvalidParameterValue"),
            ({"DryRun": True}, "DryRunOperation"),
        ],
    )
    def test_a_wrong_one_is_refused(
        self, ec2: Any, snapshot: str, asked: dict[str, Any], code: str
    ) -> None:
        before = volume_states(ec2)
        assert code_of(lambda: make_volume(ec2, **({"SnapshotId": snapshot} | asked))) == code
        assert volume_states(ec2) == before

    def test_an_empty_one_needs_a_size(self, ec2: Any) -> None:
        assert code_of(lambda: make_volume(ec2)) == "MissingParameter"

    @pytest.mark.parametrize("state", ["pending", "error"])
    def test_a_snapshot_that_is_not_completed_is_refused(
        self, account: Account, ec2: Any, state: str
    ) -> None:
        unfit = account.snapshot(account.volume(), state=state)
        assert code_of(lambda: make_volume(ec2, unfit)) == "IncorrectState"

    def test_an_archived_or_deleted_or_foreign_snapshot_is_refused(
        self, account: Account, ec2: Any, snapshot: str
    ) -> None:
        foreign = account.snapshot(account.volume(), owner="999999999999")
        assert code_of(lambda: make_volume(ec2, foreign)) == "InvalidSnapshot.NotFound"
        account.share(foreign, account.account)
        assert make_volume(ec2, foreign)
        account.archive(snapshot)
        assert code_of(lambda: make_volume(ec2, snapshot)) == "IncorrectState"
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert code_of(lambda: make_volume(ec2, snapshot)) == "InvalidSnapshot.NotFound"


class TestEnds:
    @pytest.mark.parametrize("end", ["error", "gone"])
    def test_some_are_accepted_and_fail(
        self, cloud: StrictCloud, account: Account, ec2: Any, snapshot: str, end: str
    ) -> None:
        account.fail_volumes(snapshot, end=end)
        bad, good = make_volume(ec2, snapshot), make_volume(ec2, snapshot)
        assert volume_states(ec2)[bad] == "creating"
        cloud.clock.advance(5)
        found = volume_states(ec2)
        assert found[good] == "available"
        assert found.get(bad, "gone") == end

    def test_some_are_creating_for_ever(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        account.hang_volumes(ZONE, "creating")
        stuck, other = make_volume(ec2, Size=8), make_volume(ec2, Size=8)
        cloud.clock.advance(3600)
        assert volume_states(ec2) == {stuck: "creating", other: "available"}

    @pytest.mark.parametrize("wrong", [{"end": "stolen"}])
    def test_what_is_no_end_is_refused(self, account: Account, wrong: Any) -> None:
        with pytest.raises(ValueError, match="a volume ends"):
            account.fail_volumes(**wrong)
        with pytest.raises(ValueError, match="a volume hangs"):
            account.hang_volumes(state="gone")

    def test_a_key_that_can_not_be_used_is_accepted_and_the_volume_vanishes(
        self, cloud: StrictCloud, account: Account, ec2: Any, snapshot: str
    ) -> None:
        key = account.key()
        fine = make_volume(ec2, snapshot, Encrypted=True, KmsKeyId=key)
        account.set_key_state(key, "Disabled")
        bad = make_volume(ec2, snapshot, Encrypted=True, KmsKeyId=key)
        none = make_volume(ec2, snapshot, Encrypted=True, KmsKeyId=f"{key[:-1]}x")
        cloud.clock.advance(5)
        assert volume_shown(ec2, fine)["KmsKeyId"] == key
        assert code_of(lambda: volume_shown(ec2, bad)) == "InvalidVolume.NotFound"
        assert code_of(lambda: volume_shown(ec2, none)) == "InvalidVolume.NotFound"

    def test_a_key_may_be_named_by_its_alias(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        key = account.key(manager="AWS")
        made = make_volume(ec2, Size=8, Encrypted=True, KmsKeyId="alias/aws/ebs")
        cloud.clock.advance(5)
        found = volume_shown(ec2, made)
        assert (found["State"], found["KmsKeyId"]) == ("available", key)

    def test_one_of_a_snapshot_whose_key_can_not_be_used_vanishes_too(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        key, own = account.key(), account.key()
        encrypted = account.snapshot(account.volume(kms_key=key))
        inherits = make_volume(ec2, encrypted)
        assert volume_shown(ec2, inherits)["KmsKeyId"] == key
        account.deny_key(key)
        assert code_of(lambda: make_volume(ec2, encrypted, Encrypted=False)) == (
            "InvalidParameterCombination"
        )
        bad = make_volume(ec2, encrypted, Encrypted=True, KmsKeyId=own)
        cloud.clock.advance(5)
        assert bad not in volume_states(ec2)


class TestDeletions:
    def test_a_volume_is_deleting_and_then_gone(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        volume = account.volume(tags={"a": "b"})
        ec2.delete_volume(VolumeId=volume)
        assert volume_shown(ec2, volume)["State"] == "deleting"
        assert code_of(lambda: ec2.delete_volume(VolumeId=volume)) == "IncorrectState"
        cloud.clock.advance(2)
        assert code_of(lambda: volume_shown(ec2, volume)) == "InvalidVolume.NotFound"
        assert code_of(lambda: ec2.delete_volume(VolumeId=volume)) == "InvalidVolume.NotFound"
        assert account.tags_of(volume) == {}

    def test_one_that_is_attached_or_not_ready_stays(self, account: Account, ec2: Any) -> None:
        machine = account.instance()
        (root,) = machine.volume_ids
        assert code_of(lambda: ec2.delete_volume(VolumeId=root)) == "VolumeInUse"
        fresh = make_volume(ec2, Size=8)
        assert code_of(lambda: ec2.delete_volume(VolumeId=fresh)) == "IncorrectState"
        missing = f"vol-{NUMBER}"
        assert code_of(lambda: ec2.delete_volume(VolumeId=missing)) == "InvalidVolume.NotFound"
        kept = account.volume()
        dry = code_of(lambda: ec2.delete_volume(VolumeId=kept, DryRun=True))
        assert (dry, volume_states(ec2)[kept]) == ("DryRunOperation", "available")

    def test_one_in_error_may_go(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        account.fail_volumes()
        failed, broken = make_volume(ec2, Size=8), account.volume(state="error")
        cloud.clock.advance(5)
        for each in (failed, broken):
            ec2.delete_volume(VolumeId=each)
        cloud.clock.advance(2)
        assert volume_states(ec2) == {}


def test_ways_move_into_the_past_with_everything_else(cloud: StrictCloud, ec2: Any) -> None:
    made = make_volume(ec2, Size=8)
    cloud.extras.volumes.late_seconds = 60
    cloud.age(hours=1)
    assert volume_states(ec2) == {made: "available"}
