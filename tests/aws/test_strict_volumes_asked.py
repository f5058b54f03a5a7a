"""The strict cloud makes volumes once for a token, within limits, and lists them late."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import (
    ONCE,
    code_of,
    make_volume,
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


class TestTokens:
    def test_the_same_request_makes_one_volume(
        self, cloud: StrictCloud, ec2: Any, snapshot: str
    ) -> None:
        first = make_volume(ec2, snapshot, ClientToken="t-1", TagSpecifications=[TAGS])
        cloud.clock.advance(5)
        again = ec2.create_volume(
            AvailabilityZone=ZONE,
            VolumeType="gp3",
            SnapshotId=snapshot,
            ClientToken="t-1",
            TagSpecifications=[TAGS],
        )
        assert (again["VolumeId"], again["State"]) == (first, "available")
        assert make_volume(ec2, snapshot, ClientToken="t-2") != first

    @pytest.mark.parametrize("other", [{"Size": 21}, {"TagSpecifications": [TAGS]}])
    def test_another_request_with_its_token_is_refused(
        self, ec2: Any, snapshot: str, other: dict[str, Any]
    ) -> None:
        make_volume(ec2, snapshot, ClientToken="t-1")
        code = code_of(lambda: make_volume(ec2, snapshot, ClientToken="t-1", **other))
        assert code == "IdempotentParameterMismatch"

    @pytest.mark.parametrize("end", ["error", "gone", "deleted"])
    def test_the_token_of_what_is_no_more_stays_used_up(
        self, cloud: StrictCloud, account: Account, ec2: Any, snapshot: str, end: str
    ) -> None:
        if end != "deleted":
            account.fail_volumes(end=end)
        made = make_volume(ec2, snapshot, ClientToken="t-1")
        assert make_volume(ec2, snapshot, ClientToken="t-1") == made
        cloud.clock.advance(5)
        if end == "deleted":
            ec2.delete_volume(VolumeId=made)
            cloud.clock.advance(5)
        again = code_of(lambda: make_volume(ec2, snapshot, ClientToken="t-1"))
        assert again == "IdempotentParameterMismatch"
        assert make_volume(ec2, snapshot, ClientToken="t-2")

    def test_a_refused_request_uses_none_up(
        self, account: Account, ec2: Any, snapshot: str
    ) -> None:
        account.refuse_volumes()
        code = code_of(lambda: make_volume(ec2, snapshot, ClientToken="t-1"))
        assert code == "InsufficientVolumeCapacity"
        assert make_volume(ec2, snapshot, ClientToken="t-1")


class TestLimits:
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("InsufficientVolumeCapacity", 500),
            ("VolumeLimitExceeded", 400),
            ("MaxIOPSLimitExceeded", 400),
        ],
    )
    def test_volumes_are_refused_by_a_switch(
        self, account: Account, ec2: Any, snapshot: str, code: str, status: int
    ) -> None:
        account.refuse_volumes(code, "io2", times=2)
        assert make_volume(ec2, snapshot)
        for _ in range(2):
            with pytest.raises(ec2.exceptions.ClientError) as caught:
                make_volume(ec2, snapshot, VolumeType="io2", Iops=100)
            assert caught.value.response["Error"]["Code"] == code
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert make_volume(ec2, snapshot, VolumeType="io2", Iops=100)

    def test_the_quota_of_a_type_holds(self, account: Account, ec2: Any) -> None:
        account.quota("gp3", 1)
        account.volume(size=1000)
        assert make_volume(ec2, Size=24)
        assert code_of(lambda: make_volume(ec2, Size=1)) == "VolumeLimitExceeded"
        assert make_volume(ec2, Size=1, VolumeType="gp2")

    def test_so_does_that_of_iops(self, account: Account, ec2: Any) -> None:
        account.quota("L-8D977E7E", 5000)
        asked: dict[str, Any] = {"Size": 10, "VolumeType": "io2"}
        assert make_volume(ec2, Iops=3000, **asked)
        assert code_of(lambda: make_volume(ec2, Iops=2001, **asked)) == "MaxIOPSLimitExceeded"
        assert make_volume(ec2, Iops=2000, **asked)
        with pytest.raises(ValueError, match="no quota"):
            account.quota("floppy", 1)

    def test_its_tags_are_checked_first(self, ec2: Any) -> None:
        many = {"ResourceType": "volume", "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]}
        wrong = {"ResourceType": "snapshot", "Tags": []}
        codes = {
            code_of(lambda: make_volume(ec2, Size=8, TagSpecifications=[many])),
            code_of(lambda: make_volume(ec2, Size=8, TagSpecifications=[wrong])),
        }
        assert codes == {"TagLimitExceeded", "InvalidParameterValue"}
        assert volume_states(ec2) == {}


class TestListings:
    def test_a_new_volume_is_listed_late_unless_its_id_is_asked_for(
        self, cloud: StrictCloud, ec2: Any
    ) -> None:
        cloud.extras.volumes.late_seconds = 30
        made = make_volume(ec2, Size=8, TagSpecifications=[TAGS])
        by_tag = {"Filters": [{"Name": "tag:caretaker:run", "Values": ["r-1"]}]}
        by_id = {"Filters": [{"Name": "volume-id", "Values": [made]}]}
        cloud.clock.advance(29)
        assert ec2.describe_volumes(**by_tag)["Volumes"] == []
        assert made not in volume_states(ec2)
        assert len(ec2.describe_volumes(**by_id)["Volumes"]) == 1
        assert volume_shown(ec2, made)["State"] == "available"
        cloud.clock.advance(1)
        assert len(ec2.describe_volumes(**by_tag)["Volumes"]) == 1
