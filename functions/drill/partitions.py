"""Partition tables: MBR with its chain of extended ones, and GPT. Pure.

GPT: UEFI 2.10, chapter 5, https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html
MBR: the same chapter, 5.2. EBS volumes have sectors of 512 bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final

from .fields import has, little, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECTOR: Final = 512
MBR: Final = "mbr"
GPT: Final = "gpt"
MAX_PARTITIONS: Final = 32
"""That are looked at; a table may name more."""
NO_MBR: Final = "the MBR before the GPT is gone"
_COPY_ALONE: Final = "the GPT at the start is damaged, its copy at the end is whole"
_PROTECTIVE: Final = 0xEE
_FIRST: Final = 1
_FIRST_LOGICAL: Final = 5
_EXTENDED: Final = frozenset({0x05, 0x0F, 0x85})
_STATUSES: Final = frozenset({0x00, 0x80})
_ENTRIES_AT: Final = 446
_LARGEST_ARRAY: Final = 128 * 1024
_HEADER_SIZES: Final = range(92, SECTOR + 1)
_LARGEST_ENTRY: Final = 4096

type Read = Callable[[int, int], bytes]
"""Returns so many bytes from an offset on; fewer where the volume ends."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, in bytes; `number` is what the kernel calls it."""

    number: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """A partition table; a damaged one promises partitions and does not tell them.

    One that is `unread` lies where Linux does not look for it, for this reason, unless it is told
    to: `gpt` in https://docs.kernel.org/admin-guide/kernel-parameters.html
    """

    kind: str
    partitions: tuple[Partition, ...] = ()
    is_sound: bool = True
    unread: str = ""


def read_table(read: Read, volume_bytes: int) -> Table | None:
    """Return the partition table of a volume, None where it has none."""
    entries = _mbr_entries(read(0, SECTOR))
    if not entries:
        bare = _gpt_at(read, _FIRST, volume_bytes)
        return replace(bare, unread=NO_MBR) if bare else None
    if any(kind == _PROTECTIVE for _, kind, _, _ in entries):
        return _gpt(read, volume_bytes) or Table(GPT, is_sound=False)
    partitions = [
        Partition(number, start * SECTOR, sectors * SECTOR)
        for number, kind, start, sectors in entries
        if kind not in _EXTENDED
    ]
    extended = next((start for _, kind, start, _ in entries if kind in _EXTENDED), 0)
    partitions += _logical(read, extended, volume_bytes) if extended else ()
    return Table(MBR, tuple(partitions[:MAX_PARTITIONS]))


def _mbr_entries(sector: bytes) -> list[tuple[int, int, int, int]]:
    """Return number, type, first sector and sectors of each; none where it is no table."""
    if len(sector) != SECTOR or not has(sector, 510, b"\x55\xaa"):
        return []
    found = []
    for number in range(4):
        entry = sector[_ENTRIES_AT + 16 * number :][:16]
        kind, start, sectors = entry[4], little(entry, 8, 4), little(entry, 12, 4)
        if entry[0] not in _STATUSES:
            return []
        if kind and start and sectors:
            found.append((number + 1, kind, start, sectors))
    return found


def _logical(read: Read, extended: int, volume_bytes: int) -> Iterator[Partition]:
    """Yield the partitions in an extended one: each table names one, and where the next lies.

    One that leads back, or out of the volume, ends the chain.
    """
    at, numbers = extended, count(_FIRST_LOGICAL)
    for _ in range(MAX_PARTITIONS):
        following = 0
        for _, kind, start, sectors in _mbr_entries(read(at * SECTOR, SECTOR))[:2]:
            if kind in _EXTENDED:
                following = extended + start
            else:
                yield Partition(next(numbers), (at + start) * SECTOR, sectors * SECTOR)
        if following <= at or following * SECTOR >= volume_bytes:
            return
        at = following


def _gpt(read: Read, volume_bytes: int) -> Table | None:
    """Return the first table, or the one at the end where that is damaged."""
    last = volume_bytes // SECTOR - 1
    first = _gpt_at(read, _FIRST, volume_bytes)
    copy = None if first else _gpt_at(read, last, volume_bytes)
    return replace(copy, unread=_COPY_ALONE) if copy else first


def _gpt_at(read: Read, at: int, volume_bytes: int) -> Table | None:
    header = read(at * SECTOR, SECTOR)
    size, entries, each = (little(header, where, 4) for where in (12, 80, 84))
    if not has(header, 0, b"EFI PART") or size not in _HEADER_SIZES or little(header, 24, 8) != at:
        return None
    if zlib.crc32(without(header[:size], 16, 4)) != little(header, 16, 4):
        return None
    start, length = little(header, 72, 8) * SECTOR, entries * each
    fits = 128 <= each <= _LARGEST_ENTRY and length <= _LARGEST_ARRAY  # noqa: PLR2004 - the least
    if not fits or start + length > volume_bytes:
        return None
    array = read(start, length)
    if len(array) != length or zlib.crc32(array) != little(header, 88, 4):
        return None
    return Table(GPT, tuple(_gpt_partitions(array, each))[:MAX_PARTITIONS])


def _gpt_partitions(array: bytes, each: int) -> Iterator[Partition]:
    for number, at in enumerate(range(0, len(array), each), 1):
        first, last = little(array, at + 32, 8), little(array, at + 40, 8)
        if any(array[at : at + 16]) and 0 < first <= last:
            yield Partition(number, first * SECTOR, (last - first + 1) * SECTOR)
