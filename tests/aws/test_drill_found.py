"""What drills find on disks, and what was there before, against the strict cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.disk_images import DiskImage, partitioned
from tests.support.drill_world import EXT4, DrillWorld, ended, outcome, some_disk

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> DrillWorld:
    """An account to put backups into."""
    cloud.pages.size = 7
    return DrillWorld(cloud, clock, stack, account)


def test_a_backup_without_its_file_systems_fails_where_they_were(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    assert ended(world.drill(), volume) == ("done", "")
    world.account.wipe_blocks(volume)
    world.account.write_blocks(volume, {7: b"x" * 512 * 1024})
    slot = world.next_day()
    world.backup(volume, age_hours=1)
    assert ended(world.drill(scheduled_time=slot), volume) == ("failed", "signature_lost")
    assert world.proofs[volume]["found"] == EXT4


def test_a_partition_that_is_lost_fails_though_others_are_there(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    assert ended(world.drill(), volume) == ("done", "")
    world.rewrite(volume, partitioned(p1="fat32"))
    item = outcome(world.drill(scheduled_time=world.next_day(backs_up=volume)), volume)
    assert item["error"]["code"] == "signature_lost"
    assert item["error"]["message"] == "gone: p2:ext4; there: whole:gpt, p1:vfat"
    (alarm,) = world.stack.alerts()
    assert "accept-found.json" in alarm["incidents"][0]["next"]


def test_what_is_meant_to_be_so_is_accepted_once_and_holds_from_then_on(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.drill()
    world.rewrite(volume, partitioned(p1="fat32"))
    lost = world.drill(scheduled_time=world.next_day(backs_up=volume))
    assert ended(lost, volume) == ("failed", "signature_lost")
    world.clock.advance(600)
    by_hand = {"select": {"volumes": [volume]}, "scheduled_time": None}
    assert ended(world.drill(accept_found=True, **by_hand), volume) == ("done", "")
    assert world.proofs[volume]["found"] == ["whole:gpt", "p1:vfat"]
    again = world.drill(scheduled_time=world.next_day(backs_up=volume))
    assert ended(again, volume) == ("done", "")
    told = [each["Subject"][:3] for each in world.stack.alerts()]
    assert told == ["ALA", "OK:"]


def test_a_table_that_linux_does_not_read_is_not_proven(world: DrillWorld) -> None:
    disk = some_disk()
    disk.blocks[0][512 + 60] ^= 1
    volume, snapshot = world.backed_up(disk)
    answer = world.drill()
    assert ended(answer, volume) == ("failed", "first_partition_table_damaged")
    assert outcome(answer, volume)["detail"]["found"] == EXT4
    assert world.proven_at(snapshot) == ""
    (alarm,) = world.stack.alerts()
    assert alarm["Subject"].startswith("ALARM: [WARN]")


def test_an_empty_volume_s_backup_is_proven(world: DrillWorld) -> None:
    volume, _ = world.backed_up(DiskImage())
    detail = outcome(world.drill(), volume)["detail"]
    assert (detail["found"], detail["blocks"], detail["sampled"]) == ([], 0, 0)


def test_what_begins_far_out_is_found_by_its_index(world: DrillWorld) -> None:
    """The tokens of the first blocks are kept, those of all are not."""
    world.cloud.pages.size = None
    disk = DiskImage().put("mbr").put("xfs", 63 * 512)
    for index in range(1, 1500):
        disk.blocks[index] = bytearray(512 * 1024)
    table = bytearray(bytes(disk.blocks[0][:512]))
    table[446 + 16 + 4 : 446 + 16 + 16] = (
        bytes([0x83, 0, 0, 0]) + (1600 * 1024).to_bytes(4, "little") + (2048).to_bytes(4, "little")
    )
    disk.write(0, bytes(table)).put("ext4", 1600 * 512 * 1024)
    volume, _ = world.backed_up(disk)
    item = outcome(world.drill(blocks=1), volume)
    assert item["detail"]["found"] == ["whole:mbr", "p1:xfs", "p2:ext4"]
    assert world.cloud.calls.operations()["ListSnapshotBlocks"] == 3  # two are the list's pages
