"""Whole disks: what is read of them, and what is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.drill.disks import Bytes, Layout, read_layout
from functions.drill.facts import Flaw
from functions.drill.verdict import judge_layout
from tests.support.disk_images import BLOCK, FILE_SYSTEMS, GIB, DiskImage, partitioned


def layout_of(disk: DiskImage) -> Layout:
    return read_layout(disk.volume, disk.size)


def told(disk: DiskImage) -> list[str]:
    return [each.text for each in layout_of(disk).found]


@pytest.mark.parametrize("name", FILE_SYSTEMS)
def test_a_file_system_without_a_partition_is_told(name: str) -> None:
    assert told(DiskImage().put(name)) == [f"whole:{FILE_SYSTEMS[name]}"]


@pytest.mark.parametrize("name", FILE_SYSTEMS)
def test_a_file_system_in_a_partition_is_told(name: str) -> None:
    assert told(partitioned(p1="fat32", p2=name)) == ["p1:vfat", f"p2:{FILE_SYSTEMS[name]}"]


def test_a_file_system_that_begins_across_two_blocks_is_told() -> None:
    disk = DiskImage().put("mbr").put("btrfs_crc32c", 63 * 512)
    assert told(disk) == ["p1:btrfs"]
    assert told(DiskImage().put("mbr").put("xfs", 18432 * 512)) == ["p5:xfs"]


def test_what_a_disk_held_before_it_was_partitioned_is_not_told() -> None:
    disk = DiskImage().put("ext4").put("mbr").put("xfs", 63 * 512)
    assert told(disk) == ["p1:xfs"]


def test_the_rest_of_it_is_no_damage_either() -> None:
    disk = DiskImage().put("mbr").put("ext4").write(1024 + 512, b"\xff" * 512)
    assert judge_layout(layout_of(disk), ()).is_proven


def test_a_boot_sector_is_no_partition_table() -> None:
    found = layout_of(DiskImage().put("ntfs"))
    assert (found.table, [each.text for each in found.found]) == (None, ["whole:ntfs"])


def test_nor_is_one_whose_code_happens_to_look_like_a_table() -> None:
    disk = DiskImage().put("fat32")
    entry = bytes([0x80, 0, 0, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little") * 2
    disk.blocks[0][446:510] = entry.ljust(64, b"\0")
    disk.put("xfs", 2048 * 512)
    assert layout_of(disk).table is None
    assert told(disk) == ["whole:vfat"]


def test_an_empty_disk_proves_where_nothing_was_before() -> None:
    assert judge_layout(layout_of(DiskImage()), ()).is_proven
    lost = judge_layout(layout_of(DiskImage()), ("whole:xfs",))
    assert (lost.problem, lost.message) == (
        Flaw.SIGNATURE_LOST,
        "gone: whole:xfs; there: nothing",
    )


@pytest.mark.parametrize(
    ("disk", "before", "gone"),
    [
        (partitioned(p1="fat32"), ("whole:gpt", "p1:vfat", "p2:ext4"), "p2:ext4"),
        (partitioned(p2="ext4"), ("whole:gpt", "p1:lvm2", "p2:ext4"), "p1:lvm2"),
        (partitioned(p2="swap"), ("whole:gpt", "p2:luks2"), "p2:luks2"),
        (DiskImage().put("xfs"), ("whole:ext4",), "whole:ext4"),
        (DiskImage(), ("whole:gpt",), "whole:gpt"),
        (DiskImage().put("ext4").put("mbr"), ("whole:mbr", "p1:xfs"), "p1:xfs"),
    ],
    ids=["file system", "LVM", "LUKS", "formatted", "table alone", "what lay there before"],
)
def test_what_was_there_before_and_is_gone_is_lost_whatever_else_is_there(
    disk: DiskImage, before: tuple[str, ...], gone: str
) -> None:
    verdict = judge_layout(layout_of(disk), before)
    assert verdict.problem == Flaw.SIGNATURE_LOST
    assert verdict.message.startswith(f"gone: {gone}; there: ")
    assert judge_layout(layout_of(disk), verdict.found).is_proven


@pytest.mark.parametrize(("image", "before"), [("ext4", "ext3"), ("luks2", "luks1")])
def test_what_was_converted_where_it_lies_is_not_lost(image: str, before: str) -> None:
    assert judge_layout(layout_of(DiskImage().put(image)), (f"whole:{before}",)).is_proven


def test_more_than_before_is_no_failure() -> None:
    verdict = judge_layout(layout_of(partitioned(p1="fat32", p2="xfs")), ("whole:gpt", "p1:vfat"))
    assert (verdict.problem, verdict.found) == ("", ("whole:gpt", "p1:vfat", "p2:xfs"))


def test_a_table_that_linux_does_not_read_fails() -> None:
    for at, size, why in ((512, 512, "copy at the end"), (0, 512, "MBR before the GPT is gone")):
        disk = partitioned(p2="xfs").write(at, bytes(size))
        verdict = judge_layout(layout_of(disk), ("whole:gpt", "p2:xfs"))
        assert verdict.problem == Flaw.FIRST_TABLE_DAMAGED
        assert why in verdict.message
        assert verdict.found == ("whole:gpt", "p2:xfs")


def test_a_table_that_lay_there_before_the_whole_volume_was_formatted_is_not_told() -> None:
    disk = DiskImage().put("gpt").put("btrfs_crc32c").write(0, bytes(512))
    assert layout_of(disk).texts == ("whole:btrfs",)


@pytest.mark.parametrize("name", ["fat32", "ntfs"])
def test_a_boot_sector_that_was_left_hides_no_gpt(name: str) -> None:
    """As `sfdisk` leaves it: the entries of the table are written into it."""
    disk, boot = partitioned(p2="xfs"), DiskImage().put(name)
    disk.blocks[0][:446] = boot.blocks[0][:446]
    assert layout_of(disk).texts == ("whole:gpt", "p2:xfs")


def test_a_damaged_superblock_fails() -> None:
    disk = partitioned(p1="fat32", p2="xfs")
    assert judge_layout(layout_of(disk), ()).is_proven
    block = disk.blocks[16384 * 512 // BLOCK]
    block[40] ^= 1
    verdict = judge_layout(layout_of(disk), ())
    assert (verdict.problem, verdict.message) == (
        Flaw.SIGNATURE_DAMAGED,
        "checksum wrong: p2:xfs",
    )


def test_a_damaged_table_fails() -> None:
    disk = partitioned(p2="xfs").write(512, bytes(512)).write(GIB - 512, bytes(512))
    assert judge_layout(layout_of(disk), ()).problem == Flaw.TABLE_DAMAGED


@given(st.integers(0, 4 * BLOCK), st.integers(0, 2 * BLOCK), st.integers(1, 3 * BLOCK))
def test_nothing_is_read_beyond_the_volume(offset: int, length: int, size: int) -> None:
    asked: list[int] = []

    def read(index: int) -> bytes | None:
        asked.append(index)
        return bytes([index % 256]) * BLOCK if index % 2 else None

    found = Bytes(read, size, BLOCK).at(offset, length)
    assert len(found) == max(0, min(offset + length, size) - offset)
    assert all(0 <= index * BLOCK < size for index in asked)
    at = range(offset, offset + len(found))
    wanted = bytes((p // BLOCK) % 256 if (p // BLOCK) % 2 else 0 for p in at[:64])
    assert found[:64] == wanted


@given(st.dictionaries(st.integers(0, 40), st.binary(min_size=1, max_size=600), max_size=6))
def test_no_disk_makes_it_fail_or_read_without_an_end(junk: dict[int, bytes]) -> None:
    disk = partitioned(p2="ext4")
    for sector, data in junk.items():
        disk.write(sector * 512, data)
    blocks, asked = disk.written, []

    def read(index: int) -> bytes | None:
        asked.append(index)
        return blocks.get(index)

    read_layout(Bytes(read, disk.size, BLOCK), disk.size)
    assert len(asked) <= 150
