"""The strict cloud tags what exists as AWS does: all resources of a call or none."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of
from tests.cloud.demo_account import STRANGER

MISSING = "snap-0123456789abcdef0"
MARK = {"Key": "caretaker:delete-after", "Value": "2026-11-23T03:00:00Z"}


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def snapshots(account: Account) -> list[str]:
    volume = account.volume()
    return [account.snapshot(volume, tags={"a": "b", "aws:x": "y"}) for _ in range(2)]


def test_tags_are_added_and_overwritten(account: Account, ec2: Any, snapshots: list[str]) -> None:
    ec2.create_tags(Resources=snapshots, Tags=[MARK, {"Key": "a", "Value": "c"}])
    wanted = {"a": "c", "aws:x": "y", MARK["Key"]: MARK["Value"]}
    assert [account.tags_of(each) for each in snapshots] == [wanted, wanted]


@pytest.mark.parametrize("method", ["create_tags", "delete_tags"])
@pytest.mark.parametrize(
    ("stranger", "code"), [(MISSING, "InvalidSnapshot.NotFound"), ("web-1", "InvalidID")]
)
def test_one_unknown_resource_fails_the_whole_call(
    account: Account, ec2: Any, snapshots: list[str], method: str, stranger: str, code: str
) -> None:
    before = [account.tags_of(each) for each in snapshots]
    call = getattr(ec2, method)
    asked = [*snapshots, stranger]
    assert code_of(lambda: call(Resources=asked, Tags=[{"Key": "a", "Value": "b"}])) == code
    assert [account.tags_of(each) for each in snapshots] == before


def test_one_full_resource_fails_the_whole_call(account: Account, ec2: Any) -> None:
    volume = account.volume()
    room, full = (
        account.snapshot(volume, tags={f"k{n}": "v" for n in range(most)}) for most in (49, 50)
    )
    assert (
        code_of(lambda: ec2.create_tags(Resources=[room, full], Tags=[MARK])) == "TagLimitExceeded"
    )
    assert len(account.tags_of(room)) == 49


def test_a_snapshot_in_the_bin_cannot_be_tagged(
    account: Account, ec2: Any, snapshots: list[str]
) -> None:
    account.bin_rule(7)
    ec2.delete_snapshot(SnapshotId=snapshots[0])
    assert (
        code_of(lambda: ec2.create_tags(Resources=snapshots, Tags=[MARK]))
        == "InvalidSnapshot.NotFound"
    )
    assert MARK["Key"] not in account.tags_of(snapshots[1])


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({}, {"aws:x"}),
        ({"Tags": []}, {"aws:x"}),
        ({"Tags": [{"Key": "a"}]}, {"aws:x", "e"}),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, {"aws:x", "e"}),
        ({"Tags": [{"Key": "a", "Value": "other"}]}, {"aws:x", "a", "e"}),
        ({"Tags": [{"Key": "a", "Value": ""}]}, {"aws:x", "a", "e"}),
        ({"Tags": [{"Key": "e", "Value": ""}]}, {"aws:x", "a"}),
        ({"Tags": [{"Key": "never"}]}, {"aws:x", "a", "e"}),
    ],
)
def test_tags_go_by_key_by_key_and_value_or_all_at_once(
    account: Account, ec2: Any, asked: dict[str, Any], left: set[str]
) -> None:
    tags = {"a": "b", "e": "", "aws:x": "y"}
    snapshot = account.snapshot(account.volume(), tags=tags)
    ec2.delete_tags(Resources=[snapshot], **asked)
    assert account.tags_of(snapshot).keys() == left


def test_at_most_a_thousand_resources_fit(account: Account, ec2: Any) -> None:
    volume = account.volume()
    ids = [account.snapshot(volume) for _ in range(1001)]
    for call in (ec2.create_tags, ec2.delete_tags):
        assert (
            code_of(lambda call=call: call(Resources=ids, Tags=[MARK]))  # type: ignore[misc]
            == "InvalidParameterValue"
        )
    ec2.create_tags(Resources=ids[1:], Tags=[MARK])
    assert sum(MARK["Key"] in account.tags_of(each) for each in ids) == 1000


def test_a_public_snapshot_of_a_stranger_is_known(account: Account, ec2: Any) -> None:
    alien = account.snapshot(account.volume(), owner=STRANGER, public=True)
    ec2.create_tags(Resources=[alien], Tags=[MARK])
    assert account.tags_of(alien)
