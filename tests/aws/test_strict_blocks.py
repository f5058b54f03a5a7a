"""The strict cloud lets snapshots be read block by block, as the EBS direct APIs do."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, Bucket, StrictCloud
from tests.cloud.asking import ONCE, code_of, make_volume
from tests.cloud.block_store import BLOCK_BYTES, BLOCKS_PER_GIB

NUMBER = "0123456789abcdef0"
WRITTEN = {7: b"seven", 0: b"boot", 16383: b"last"}


@pytest.fixture
def ebs(cloud: StrictCloud) -> Any:
    return boto3.client("ebs", REGION, config=ONCE)


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def snapshot(account: Account) -> str:
    """Of a volume of 8 GiB, with three blocks."""
    made = account.snapshot(account.volume(size=8), age_hours=5)
    account.write_blocks(made, WRITTEN)
    return made


def pages(ebs: Any, snapshot: str, **more: Any) -> list[dict[str, Any]]:
    """Read all pages of a list of blocks."""
    token, found = "", list[dict[str, Any]]()
    while not found or token:
        asked = more | ({"NextToken": token} if token else {})
        found.append(ebs.list_snapshot_blocks(SnapshotId=snapshot, **asked))
        token = found[-1].get("NextToken", "")
    return found


def indexes(ebs: Any, snapshot: str, **more: Any) -> list[int]:
    return [b["BlockIndex"] for page in pages(ebs, snapshot, **more) for b in page["Blocks"]]


def tokens(ebs: Any, snapshot: str) -> dict[int, str]:
    return {b["BlockIndex"]: b["BlockToken"] for p in pages(ebs, snapshot) for b in p["Blocks"]}


def read(ebs: Any, snapshot: str, index: int, token: str = "") -> dict[str, Any]:
    """Read one block; `Data` is its bytes."""
    found = ebs.get_snapshot_block(
        SnapshotId=snapshot,
        BlockIndex=index,
        BlockToken=token or tokens(ebs, snapshot)[index],
    )
    return dict(found) | {"Data": found["BlockData"].read()}


def reason(ebs: Any, call: Any) -> tuple[str, str]:
    """Return code and reason of a refusal."""
    with pytest.raises(ebs.exceptions.ClientError) as caught:
        call()
    answer: dict[str, Any] = dict(caught.value.response)
    return answer["Error"]["Code"], answer["Reason"]


class TestLists:
    def test_what_was_written_is_listed_in_order_over_pages(self, ebs: Any, snapshot: str) -> None:
        found = pages(ebs, snapshot)
        assert [len(each["Blocks"]) for each in found] == [2, 1]
        assert indexes(ebs, snapshot) == sorted(WRITTEN)
        assert {(each["VolumeSize"], each["BlockSize"]) for each in found} == {(8, BLOCK_BYTES)}

    def test_a_page_may_be_empty_and_yet_not_the_last(
        self, cloud: StrictCloud, ebs: Any, snapshot: str
    ) -> None:
        cloud.pages.empty = frozenset({2})
        assert [len(each["Blocks"]) for each in pages(ebs, snapshot)] == [2, 0, 1]

    def test_it_begins_where_one_likes(self, ebs: Any, snapshot: str) -> None:
        assert indexes(ebs, snapshot, StartingBlockIndex=1) == [7, 16383]

    def test_an_untouched_volume_has_none(self, account: Account, ebs: Any) -> None:
        assert indexes(ebs, account.snapshot(account.volume())) == []

    def test_a_page_holds_as_many_as_are_asked_for(
        self, cloud: StrictCloud, account: Account, ebs: Any, snapshot: str
    ) -> None:
        cloud.pages.size = None
        account.write_blocks(snapshot, dict.fromkeys(range(150), b"x"))
        assert [len(each["Blocks"]) for each in pages(ebs, snapshot, MaxResults=100)] == [100, 51]

    def test_a_wrong_page_token_is_refused(self, ebs: Any, snapshot: str) -> None:
        def ask() -> Any:
            return ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken="bm9uZQ==")

        assert reason(ebs, ask) == ("ValidationException", "INVALID_PAGE_TOKEN")

    @pytest.mark.parametrize(
        ("how", "wanted"),
        [
            ("beyond", [0, 7, 16383, 8 * BLOCKS_PER_GIB]),
            ("doubled", [0, 0, 7, 16383]),
            ("unordered", [7, 0, 16383]),
        ],
    )
    def test_a_list_may_be_wrong(
        self, account: Account, ebs: Any, snapshot: str, how: str, wanted: list[int]
    ) -> None:
        account.bend_block_list(snapshot, how)
        assert len(tokens(ebs, snapshot)) >= len(WRITTEN)
        assert sorted(indexes(ebs, snapshot)) == sorted(wanted)
        assert indexes(ebs, snapshot) == wanted

    def test_or_change_its_size_between_pages(
        self, account: Account, ebs: Any, snapshot: str
    ) -> None:
        account.bend_block_list(snapshot, "resized")
        assert [each["VolumeSize"] for each in pages(ebs, snapshot)] == [8, 9]
        with pytest.raises(ValueError, match="a list is bent"):
            account.bend_block_list(snapshot, "folded")


class TestBlocks:
    def test_a_block_comes_whole_with_its_checksum(self, ebs: Any, snapshot: str) -> None:
        found = read(ebs, snapshot, 7)
        whole = b"seven".ljust(BLOCK_BYTES, b"\0")
        assert found["Data"] == whole
        assert found["DataLength"] == BLOCK_BYTES
        assert found["ChecksumAlgorithm"] == "SHA256"
        assert found["Checksum"] == b64encode(sha256(whole).digest()).decode()

    def test_it_may_be_corrupt_or_cut_and_keeps_its_checksum(
        self, account: Account, ebs: Any, snapshot: str
    ) -> None:
        account.corrupt_block(snapshot, 7)
        account.corrupt_block(snapshot, 0, cut_to=1000)
        bad, cut = read(ebs, snapshot, 7), read(ebs, snapshot, 0)
        assert len(bad["Data"]) == BLOCK_BYTES
        assert b64encode(sha256(bad["Data"]).digest()).decode() != bad["Checksum"]
        assert len(cut["Data"]) == 1000
        assert account.read_blocks(snapshot)[7].startswith(b"seven")

    def test_its_token_is_its_own_and_holds_for_seven_days(
        self, cloud: StrictCloud, account: Account, ebs: Any, snapshot: str
    ) -> None:
        known = tokens(ebs, snapshot)
        other = account.snapshot(account.volume())
        account.write_blocks(other, WRITTEN)
        invalid = ("ValidationException", "INVALID_BLOCK_TOKEN")
        assert reason(ebs, lambda: read(ebs, snapshot, 0, known[7])) == invalid
        assert reason(ebs, lambda: read(ebs, other, 7, known[7])) == invalid
        assert reason(ebs, lambda: read(ebs, snapshot, 5, known[7])) == invalid
        assert reason(ebs, lambda: read(ebs, snapshot, 7, "bm9uZQ==")) == invalid
        cloud.clock.advance(7 * 24 * 3600 - 1)
        assert read(ebs, snapshot, 7, known[7])["Data"].startswith(b"seven")
        assert tokens(ebs, snapshot)[7] != known[7]
        cloud.clock.advance(1)
        assert reason(ebs, lambda: read(ebs, snapshot, 7, known[7])) == invalid


class TestRefusals:
    @pytest.mark.parametrize("state", ["pending", "error"])
    def test_what_is_not_completed_can_not_be_read(
        self, account: Account, ebs: Any, state: str
    ) -> None:
        unfit = account.snapshot(account.volume(), state=state)
        refused = reason(ebs, lambda: pages(ebs, unfit))
        assert refused == ("ValidationException", "INVALID_SNAPSHOT_ID")

    def test_neither_can_what_is_archived_or_gone(
        self, account: Account, ebs: Any, snapshot: str
    ) -> None:
        token = tokens(ebs, snapshot)[7]
        account.archive(snapshot)
        refused = reason(ebs, lambda: read(ebs, snapshot, 7, token))
        assert refused == ("ValidationException", "INVALID_SNAPSHOT_ID")
        missing = ("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND")
        assert reason(ebs, lambda: pages(ebs, f"snap-{NUMBER}")) == missing
        stranger = account.snapshot(account.volume(), owner="999999999999", public=True)
        assert reason(ebs, lambda: pages(ebs, stranger)) == missing

    def test_neither_can_what_has_a_key_that_can_not_be_used(
        self, account: Account, ebs: Any
    ) -> None:
        key = account.key()
        locked = account.snapshot(account.volume(kms_key=key))
        account.write_blocks(locked, WRITTEN)
        assert indexes(ebs, locked) == sorted(WRITTEN)
        account.set_key_state(key, "Disabled")
        refused = reason(ebs, lambda: pages(ebs, locked))
        assert refused == ("ValidationException", "INVALID_CUSTOMER_KEY")
        account.deny_key(key)
        refused = reason(ebs, lambda: pages(ebs, locked))
        assert refused == ("AccessDeniedException", "DEPENDENCY_ACCESS_DENIED")

    def test_it_throttles_by_account_and_by_snapshot(
        self, cloud: StrictCloud, account: Account, ebs: Any, snapshot: str
    ) -> None:
        other = account.snapshot(account.volume())
        account.write_blocks(other, WRITTEN)
        one, two = tokens(ebs, snapshot)[7], tokens(ebs, other)[7]
        cloud.buckets["GetSnapshotBlock:snapshot"] = Bucket(1, 1)
        read(ebs, snapshot, 7, one)
        refused = reason(ebs, lambda: read(ebs, snapshot, 7, one))
        assert refused == ("RequestThrottledException", "RESOURCE_LEVEL_THROTTLE")
        read(ebs, other, 7, two)
        cloud.clock.advance(1)
        cloud.buckets["GetSnapshotBlock"] = Bucket(1, 1)
        read(ebs, snapshot, 7, one)
        refused = reason(ebs, lambda: read(ebs, other, 7, two))
        assert refused == ("RequestThrottledException", "ACCOUNT_THROTTLED")

    def test_at_the_documented_rates_too(self, cloud: StrictCloud, ebs: Any, snapshot: str) -> None:
        cloud.buckets.use_documented()
        for _ in range(50):
            ebs.list_snapshot_blocks(SnapshotId=snapshot)
        code = code_of(lambda: ebs.list_snapshot_blocks(SnapshotId=snapshot))
        assert code == "RequestThrottledException"

    def test_faults_speak_its_language(self, cloud: StrictCloud, ebs: Any, snapshot: str) -> None:
        cloud.faults.add("internal_error", service="ebs")
        with pytest.raises(ebs.exceptions.InternalServerException):
            pages(ebs, snapshot)
        pages(ebs, snapshot)
        assert cloud.calls.actions() == {"ebs:ListSnapshotBlocks"}


class TestCarrying:
    def test_blocks_go_from_a_volume_to_its_snapshot_and_on_to_a_new_volume(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        account.write_blocks(volume, {0: b"then"})
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        account.write_blocks(volume, {0: b"now", 1: b"more"})
        cloud.clock.advance(60)
        new = make_volume(ec2, snapshot)
        assert account.read_blocks(new) == {0: b"then".ljust(BLOCK_BYTES, b"\0")}
        account.wipe_blocks(volume)
        assert account.read_blocks(volume) == {}
        assert account.read_blocks(account.volume(snapshot_id=snapshot)).keys() == {0}

    @pytest.mark.parametrize("wrong", [{-1: b""}, {0: bytes(BLOCK_BYTES + 1)}])
    def test_what_is_no_block_is_refused(self, account: Account, wrong: dict[int, bytes]) -> None:
        with pytest.raises(ValueError, match="a block has"):
            account.write_blocks(account.volume(), wrong)
