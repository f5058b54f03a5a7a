"""Backups proven by their blocks, against the strict cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.crashes import at_call
from tests.support.drill_world import EXT4, DrillWorld, as_time, ended, outcome, some_disk

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> DrillWorld:
    """An account to put backups into."""
    cloud.pages.size = 7
    return DrillWorld(cloud, clock, stack, account)


def test_a_whole_backup_is_proven_and_that_is_written_down(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    answer = world.drill()
    item = outcome(answer, volume)
    assert (answer["status"], item["result"]) == ("ok", "done")
    assert item["detail"]["found"] == EXT4
    assert (item["detail"]["blocks"], item["detail"]["slot"]) == (
        len(some_disk().written),
        "2026-11-20T03:00Z",
    )
    assert as_time(world.proven_at(snapshot)) == world.clock.now().replace(microsecond=0)
    proof = world.proofs[volume]
    assert (proof["snapshot"], proof["found"], proof["problem"]) == (snapshot, EXT4, "")
    assert world.volumes_of_drills == {}
    assert answer["summary"]["OldestProofAgeDays"] == 0


def test_as_many_blocks_are_read_as_asked_for_beside_what_tells_the_disk(
    world: DrillWorld,
) -> None:
    volume, snapshot = world.backed_up()
    found = {}
    for blocks in (1, 1000):
        slot = world.next_day()
        answer = world.drill(blocks=blocks, scheduled_time=slot)
        found[blocks] = outcome(answer, volume)["detail"]["sampled"]
    assert found[1] < found[1000] == len(some_disk().written)
    assert world.proven_at(snapshot)


def test_a_block_whose_data_is_not_what_it_was_fails_the_backup(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.account.corrupt_block(snapshot, 100)
    answer = world.drill(blocks=1000)
    item = outcome(answer, volume)
    assert ended(answer, volume) == ("failed", "checksum_wrong")
    assert item["error"]["message"] == "block 100, read 3 times"
    assert world.proven_at(snapshot) == ""
    assert world.proofs[volume]["proven"] is None
    (alarm,) = world.stack.alerts()
    assert alarm["Subject"].startswith("ALARM: [CRIT]")


def test_a_block_that_arrived_wrong_is_read_again(world: DrillWorld, one_at_a_time: None) -> None:
    volume, snapshot = world.backed_up()
    world.account.corrupt_block(snapshot, 0)
    heal = world.cloud.extras.blocks.corrupt.clear
    at_call(world.cloud, "GetSnapshotBlock", heal, nth=3)
    assert ended(world.drill(), volume) == ("done", "")


def test_a_block_that_is_not_whole_fails_the_backup(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.account.corrupt_block(snapshot, 0, cut_to=1000)
    assert ended(world.drill(), volume) == ("failed", "block_short")
    assert world.proven_at(snapshot) == ""


@pytest.mark.parametrize(
    ("how", "flaw"),
    [
        ("beyond", "list_beyond_volume"),
        ("doubled", "list_not_ascending"),
        ("unordered", "list_not_ascending"),
        ("resized", "list_wrong_size"),
    ],
)
def test_a_list_that_cannot_be_whole_fails_the_backup(
    world: DrillWorld, how: str, flaw: str
) -> None:
    volume, snapshot = world.backed_up()
    world.account.bend_block_list(snapshot, how)
    assert ended(world.drill(), volume) == ("failed", flaw)


def test_one_bad_backup_never_stops_the_others(world: DrillWorld) -> None:
    good, bad, other = (world.backed_up() for _ in range(3))
    world.account.corrupt_block(bad[1], 0)
    answer = world.drill()
    assert [ended(answer, each)[0] for each, _ in (good, bad, other)] == ["done", "failed", "done"]
    assert answer["status"] == "partial"


def test_empty_pages_are_no_end(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.pages.size, world.cloud.pages.empty = 2, frozenset({1, 3})
    answer = world.drill(blocks=1000)
    assert outcome(answer, volume)["detail"]["sampled"] == len(some_disk().written)


def test_a_backup_whose_key_is_gone_fails(world: DrillWorld) -> None:
    key = world.account.key()
    volume, snapshot = world.backed_up(encrypted=True, kms_key=key)
    world.account.set_key_state(key, "Disabled")
    answer = world.drill()
    assert ended(answer, volume) == ("failed", "ValidationException")
    assert world.proven_at(snapshot) == ""


@pytest.mark.parametrize("operation", ["ListSnapshotBlocks", "GetSnapshotBlock"])
@pytest.mark.parametrize("kind", ["internal_error", "never_arrived", "answer_lost", "unavailable"])
def test_what_nobody_answers_is_neither_proven_nor_failed(
    world: DrillWorld, operation: str, kind: str
) -> None:
    volume, snapshot = world.backed_up()
    world.cloud.faults.add(kind, operation=operation, times=None)
    answer = world.drill()
    assert ended(answer, volume)[0] == "deferred"
    assert (world.proven_at(snapshot), world.concluded) == ("", {})
    world.cloud.faults.clear()
    assert ended(world.drill(), volume) == ("done", "")


@pytest.mark.parametrize("operation", ["ListSnapshotBlocks", "GetSnapshotBlock"])
def test_what_is_throttled_is_asked_again(world: DrillWorld, operation: str) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add(
        "error", operation=operation, times=5, code="RequestThrottledException", status=400
    )
    assert ended(world.drill(), volume) == ("done", "")


@pytest.mark.parametrize("operation", ["ListSnapshotBlocks", "GetSnapshotBlock"])
def test_what_is_denied_fails_and_is_told(world: DrillWorld, operation: str) -> None:
    (first, _), (second, _) = world.backed_up(), world.backed_up()
    world.cloud.faults.add("denied", operation=operation, times=None)
    answer = world.drill()
    assert {ended(answer, each)[0] for each in (first, second)} == {"failed"}
    (alarm,) = world.stack.alerts()
    assert "2 backups not proven" in alarm["Subject"]
    world.drill(scheduled_time=world.next_day())
    assert world.stack.alerts() == []
    world.cloud.faults.clear()
    world.drill(scheduled_time=world.next_day())
    (over,) = world.stack.alerts()
    assert over["Subject"].startswith("OK: [WARN]")


def test_a_backup_that_is_deleted_meanwhile_has_not_failed(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    at_call(world.cloud, "GetSnapshotBlock", lambda: world.account.backend.snapshots.pop(snapshot))
    assert ended(world.drill(), volume) == ("deferred", "snapshot_gone")
    assert world.concluded == {}


def test_a_backup_that_is_archived_meanwhile_has_not_failed(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    at_call(world.cloud, "ListSnapshotBlocks", lambda: world.account.archive(snapshot))
    assert ended(world.drill(), volume) == ("deferred", "snapshot_gone")


def test_a_backup_that_ebs_denies_and_ec2_lists_fails(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add(
        "error", operation="ListSnapshotBlocks", code="ResourceNotFoundException", status=404
    )
    assert ended(world.drill(), volume) == ("failed", "ResourceNotFoundException")


def test_a_report_reads_nothing_and_writes_nothing(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.leftover()
    answer = world.drill(mode="report")
    assert ended(answer, volume) == ("planned", "")
    assert (world.proven_at(snapshot), world.proofs) == ("", {})
    assert len(world.volumes_of_drills) == 1
    assert "ListSnapshotBlocks" not in world.cloud.calls.operations()


def test_without_the_table_the_tag_alone_is_a_proof(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    answer = world.drill()
    assert ended(answer, volume) == ("done", "")
    assert outcome(answer, volume)["detail"]["not_remembered"]
    assert world.proven_at(snapshot)


def test_without_the_tag_the_table_alone_is_a_proof(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.cloud.faults.add("denied", operation="CreateTags", times=None)
    answer = world.drill()
    assert ended(answer, volume) == ("done", "")
    assert "not_tagged" in outcome(answer, volume)["detail"]
    assert (world.proven_at(snapshot), bool(world.proofs[volume]["proven"])) == ("", True)


def test_a_proof_that_is_written_down_nowhere_is_none(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    world.cloud.faults.add("denied", operation="CreateTags", times=None)
    assert ended(world.drill(), volume)[0] == "failed"


def test_the_same_event_and_slot_twice_changes_nothing_the_second_time(
    world: DrillWorld,
) -> None:
    volume, snapshot = world.backed_up()
    world.drill()
    before = (world.proven_at(snapshot), world.proofs)
    world.clock.advance(600)
    again = world.drill()
    assert outcome(again, volume)["reason"] == "slot_drilled"
    assert (world.proven_at(snapshot), world.proofs) == before


def test_most_disks_are_told_by_one_listing(world: DrillWorld) -> None:
    world.cloud.pages.size = None
    world.backed_up()
    world.drill(blocks=1)
    assert world.cloud.calls.operations()["ListSnapshotBlocks"] == 1


def test_no_block_is_read_twice(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    sampled = outcome(world.drill(blocks=1000), volume)["detail"]["sampled"]
    assert world.cloud.calls.operations()["GetSnapshotBlock"] == sampled
