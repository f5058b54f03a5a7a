"""Partition tables, as sfdisk writes them, damaged, and made to lead astray."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from functions.drill.partitions import MAX_PARTITIONS, NO_MBR, SECTOR, Partition, Table, read_table
from tests.support.disk_images import BLOCK, GIB, DiskImage

MIB = 2**20
COPY = "the GPT at the start is damaged, its copy at the end is whole"
TWO = (
    Partition(1, MIB, 8192 * SECTOR),
    Partition(2, 16384 * SECTOR, 16384 * SECTOR),
)


def table_of(disk: DiskImage) -> Table | None:
    return read_table(disk.volume.at, disk.size)


def mbr(*entries: tuple[int, int, int], status: int = 0) -> bytes:
    """Return a boot sector with entries of type, first sector and sectors."""
    packed = b"".join(
        struct.pack("<B3sB3sII", status, b"", kind, b"", start, count)
        for kind, start, count in entries
    )
    return bytes(446) + packed.ljust(64, b"\0") + b"\x55\xaa"


def header(lba: int, entries_lba: int, array: bytes, *, count: int = 4, size: int = 128) -> bytes:
    """Return a header of a GPT with right checksums."""
    head = struct.pack(
        "<8sIIIIQQQQ16sQIII",
        *(b"EFI PART", 0x10000, 92, 0, 0, lba, 1, 34, 2000, b"g" * 16),
        *(entries_lba, count, size, zlib.crc32(array)),
    )
    checksum = zlib.crc32(head)
    return (head[:16] + struct.pack("<I", checksum) + head[20:]).ljust(SECTOR, b"\0")


def test_a_gpt_is_read() -> None:
    assert table_of(DiskImage().put("gpt")) == Table("gpt", TWO)


def test_the_table_at_the_end_stands_in_for_a_damaged_one() -> None:
    disk = DiskImage().put("gpt").write(SECTOR, b"\0" * SECTOR)
    assert table_of(disk) == Table("gpt", TWO, unread=COPY)


def test_damaged_entries_are_taken_from_the_end_too() -> None:
    disk = DiskImage().put("gpt").write(2 * SECTOR, b"x" * SECTOR)
    assert table_of(disk) == Table("gpt", TWO, unread=COPY)


def test_a_damaged_copy_at_the_end_is_none_of_linux_s_business() -> None:
    disk = DiskImage().put("gpt").write(GIB - SECTOR, b"\0" * SECTOR)
    assert table_of(disk) == Table("gpt", TWO)


def test_a_gpt_without_its_mbr_is_not_read_by_linux() -> None:
    disk = DiskImage().put("gpt").write(0, b"\0" * SECTOR)
    assert table_of(disk) == Table("gpt", TWO, unread=NO_MBR)


def test_a_gpt_without_a_whole_table_is_not_sound() -> None:
    disk = DiskImage().put("gpt").write(SECTOR, b"\0" * SECTOR)
    disk.write(GIB - SECTOR, b"\0" * SECTOR)
    assert table_of(disk) == Table("gpt", (), is_sound=False)


def test_headers_with_a_changed_byte_are_not_sound() -> None:
    disk = DiskImage().put("gpt")
    for header_at in (SECTOR, GIB - SECTOR):
        block = disk.blocks[header_at // BLOCK]
        block[header_at % BLOCK + 40] ^= 1
    assert table_of(disk) == Table("gpt", (), is_sound=False)


def test_an_mbr_and_its_logical_partitions_are_read() -> None:
    assert table_of(DiskImage().put("mbr")) == Table(
        "mbr",
        (
            Partition(1, 63 * SECTOR, 8000 * SECTOR),
            Partition(5, 18432 * SECTOR, 4096 * SECTOR),
            Partition(6, 26624 * SECTOR, 4096 * SECTOR),
        ),
    )


def test_an_empty_disk_has_no_table() -> None:
    assert table_of(DiskImage()) is None
    assert table_of(DiskImage().write(0, mbr())) is None


def test_a_boot_sector_with_other_statuses_is_no_table() -> None:
    assert table_of(DiskImage().write(0, mbr((0x83, 63, 100), status=0x33))) is None


def test_extended_partitions_that_lead_in_a_circle_end() -> None:
    disk = DiskImage().write(0, mbr((0x05, 100, 900)))
    disk.write(100 * SECTOR, mbr((0x83, 1, 8), (0x05, 50, 100)))
    disk.write(150 * SECTOR, mbr((0x83, 1, 8), (0x05, 0, 100), (0x05, 50, 1)))
    found = table_of(disk)
    assert found
    assert [each.number for each in found.partitions] == [5, 6]


def test_a_chain_of_extended_partitions_is_followed_for_a_while() -> None:
    disk = DiskImage().write(0, mbr((0x05, 100, 9000)))
    for number in range(200):
        disk.write((100 + number) * SECTOR, mbr((0x83, 1, 8), (0x05, number + 1, 100)))
    found = table_of(disk)
    assert found
    assert len(found.partitions) == MAX_PARTITIONS


def test_a_gpt_with_an_endless_array_is_not_read() -> None:
    disk = DiskImage().write(0, mbr((0xEE, 1, 100)))
    disk.write(SECTOR, header(1, 2, b"", count=2**31, size=128))
    assert table_of(disk) == Table("gpt", (), is_sound=False)


def test_a_gpt_whose_array_lies_beyond_the_volume_is_not_read() -> None:
    disk = DiskImage().write(0, mbr((0xEE, 1, 100)))
    disk.write(SECTOR, header(1, 2**55, b"", count=4))
    assert table_of(disk) == Table("gpt", (), is_sound=False)


def test_a_gpt_of_many_partitions_is_read_as_far_as_it_matters() -> None:
    entry = struct.pack("<16s16sQQ", b"t" * 16, b"u" * 16, 40, 50).ljust(128, b"\0")
    array = entry * 128
    disk = DiskImage().write(0, mbr((0xEE, 1, 100))).write(2 * SECTOR, array)
    disk.write(SECTOR, header(1, 2, array, count=128))
    found = table_of(disk)
    assert found
    assert len(found.partitions) == MAX_PARTITIONS


@given(st.data())
def test_no_bytes_make_it_fail_or_read_too_much(data: st.DataObject) -> None:
    disk = DiskImage(64 * MIB)
    disk.put(data.draw(st.sampled_from(["gpt", "mbr"])))
    for _ in range(data.draw(st.integers(0, 5))):
        disk.write(
            SECTOR * data.draw(st.integers(0, 34)) + data.draw(st.integers(0, 500)),
            data.draw(st.binary(min_size=1, max_size=12)),
        )
    asked = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return disk.volume.at(offset, length)

    found = read_table(read, disk.size)
    assert found is None or len(found.partitions) <= MAX_PARTITIONS
    assert len(asked) <= MAX_PARTITIONS + 5
    assert all(length <= 128 * 1024 for length in asked)
