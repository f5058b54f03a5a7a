"""The strict cloud lists as AWS does: in pages, by filters and owners."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, ManualClock, StrictCloud, strict_moto
from tests.cloud.asking import ONCE, code_of
from tests.cloud.demo_account import STRANGER


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


DAILY = {"caretaker:backup": "daily"}


def listed(ec2: Any, **request: Any) -> list[str]:
    pages = ec2.get_paginator("describe_volumes").paginate(**request)
    return [volume["VolumeId"] for page in pages for volume in page["Volumes"]]


class TestPages:
    @pytest.fixture
    def ids(self, account: Account) -> list[str]:
        return [account.volume(tags={"n": str(number)}) for number in range(5)]

    def test_a_listing_comes_in_pages_even_when_none_were_asked_for(
        self, ec2: Any, ids: list[str]
    ) -> None:
        first = ec2.describe_volumes()
        assert [len(first["Volumes"]), "NextToken" in first] == [2, True]
        assert listed(ec2) == ids
        assert listed(ec2, MaxResults=500) == ids

    def test_max_results_is_honoured_and_bounded(
        self, cloud: StrictCloud, account: Account, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.size = None
        account.volume()
        assert len(ec2.describe_volumes(MaxResults=5)["Volumes"]) == 5
        assert code_of(lambda: ec2.describe_volumes(MaxResults=4)) == "InvalidParameterValue"
        assert code_of(lambda: ec2.describe_snapshots(MaxResults=1001)) == "InvalidParameterValue"
        assert (
            code_of(lambda: ec2.describe_volumes(MaxResults=5, VolumeIds=ids[:1]))
            == "InvalidParameterCombination"
        )

    def test_an_empty_page_may_have_a_token(
        self, cloud: StrictCloud, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.empty = frozenset({1, 2})
        assert ec2.describe_volumes()["Volumes"] == []
        assert listed(ec2) == ids

    def test_the_same_item_may_be_on_two_pages(
        self, cloud: StrictCloud, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.repeat_last = True
        seen = listed(ec2)
        assert len(seen) > len(ids)
        assert list(dict.fromkeys(seen)) == ids

    def test_a_token_may_expire_and_must_belong_to_the_listing(
        self, cloud: StrictCloud, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.expire = {2}
        assert code_of(lambda: listed(ec2)) == "InvalidNextToken"
        assert listed(ec2) == ids
        token = ec2.describe_volumes()["NextToken"]
        assert code_of(lambda: ec2.describe_snapshots(NextToken=token)) == "InvalidNextToken"

    def test_instances_and_snapshots_have_pages_too(self, account: Account, ec2: Any) -> None:
        machines = [account.instance() for _ in range(3)]
        made = [account.snapshot(machine.volume_ids[0]) for machine in machines]
        pages = list(ec2.get_paginator("describe_instances").paginate())
        assert [
            instance["InstanceId"]
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        ] == [machine.id for machine in machines]
        assert len(pages) == 2
        pages = list(ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"]))
        assert [[s["SnapshotId"] for s in page["Snapshots"]] for page in pages] == [
            made[:2],
            made[2:],
        ]


class TestFilters:
    @pytest.mark.parametrize(
        ("name", "values", "expected"),
        [
            ("tag:caretaker:backup", ["daily"], [0]),
            ("tag:caretaker:backup", ["*daily*"], [0, 1]),
            ("tag:caretaker:backup", ["daily", "week?y"], [0, 2]),
            ("tag:caretaker:backup", ["Daily"], []),
            ("tag:caretaker:backup", [r"\*"], []),
            ("tag:Caretaker:Backup", ["daily"], []),
            ("tag-key", ["caretaker:*"], [0, 1, 2]),
            ("status", ["available"], [0, 1, 2, 3]),
            ("status", ["in-use"], []),
        ],
    )
    def test_volumes_match_as_in_aws(
        self, account: Account, ec2: Any, name: str, values: list[str], expected: list[int]
    ) -> None:
        tags: list[dict[str, str]] = [DAILY, {"caretaker:backup": "daily hourly"}]
        tags += [{"caretaker:backup": "weekly"}, {}]
        ids = [account.volume(tags=each) for each in tags]
        found = listed(ec2, Filters=[{"Name": name, "Values": values}])
        assert found == [ids[place] for place in expected]

    def test_snapshots_match_by_owner_volume_status_and_id(
        self, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        done = account.snapshot(volume)
        failed = account.snapshot(volume, state="error", message="no key")
        alien = account.snapshot(volume, owner=STRANGER, public=True)
        account.snapshot(volume, owner=STRANGER)

        def found(**request: Any) -> list[str]:
            return [s["SnapshotId"] for s in ec2.describe_snapshots(**request)["Snapshots"]]

        assert found(OwnerIds=["self"]) == [done, failed]
        assert found(OwnerIds=[STRANGER]) == [alien]
        assert found(Filters=[{"Name": "status", "Values": ["error"]}]) == [failed]
        assert found(Filters=[{"Name": "owner-id", "Values": [STRANGER]}]) == [alien]
        assert found(Filters=[{"Name": "snapshot-id", "Values": [done]}]) == [done]
        assert found(Filters=[{"Name": "volume-id", "Values": [volume]}], OwnerIds=["self"]) == [
            done,
            failed,
        ]
        assert ec2.describe_snapshots(SnapshotIds=[failed])["Snapshots"][0]["StateMessage"] == (
            "no key"
        )

    def test_unknown_filters_and_too_many_values_are_refused(self, ec2: Any) -> None:
        wrong = [{"Name": "colour", "Values": ["red"]}]
        many = [{"Name": "volume-id", "Values": [f"vol-{n:08x}" for n in range(201)]}]
        assert code_of(lambda: ec2.describe_volumes(Filters=wrong)) == "InvalidParameterValue"
        assert code_of(lambda: ec2.describe_volumes(Filters=many)) == "FilterLimitExceeded"

    def test_missing_ids_are_not_found_and_malformed_ones_invalid(self, ec2: Any) -> None:
        assert (
            code_of(lambda: ec2.describe_volumes(VolumeIds=["vol-0123456789abcdef0"]))
            == "InvalidVolume.NotFound"
        )
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId="vol-0123456789abcdef0"))
            == "InvalidVolume.NotFound"
        )
        assert code_of(lambda: ec2.create_snapshot(VolumeId="disk-1")) == "InvalidParameterValue"

    def test_amazons_own_snapshots_are_not_ours(self, clock: ManualClock) -> None:
        with strict_moto(clock, default_amis=True) as cloud:
            assert len(cloud.backend().snapshots) > 1000
            ec2 = boto3.client("ec2", REGION, config=ONCE)
            mine = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
            assert all(each["OwnerId"] == "123456789012" for each in mine)
