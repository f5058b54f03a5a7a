"""A volume as its blocks show it: partition table, and what each partition begins with. Pure.

Blocks that were never written are not in a snapshot, and read as zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from .partitions import GPT, NO_MBR, Table, read_table
from .signatures import BOOT_SECTORS, WINDOW, Signature, identify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHOLE: Final = "whole"
_KEPT_BLOCKS: Final = 2


class Found(NamedTuple):
    """A signature, and where it was: `whole` volume, or `p1` and so on."""

    where: str
    signature: Signature

    @property
    def text(self) -> str:
        """Return it in a word."""
        return f"{self.where}:{self.signature.kind}"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a volume holds, as far as its first bytes tell."""

    table: Table | None = None
    found: tuple[Found, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Return all of it in words, the table first."""
        table = (f"{WHOLE}:{self.table.kind}",) if self.table else ()
        return (*table, *(each.text for each in self.found))


class Bytes:
    """A volume's bytes out of its blocks, of which `read` returns one, or None for one unwritten.

    Nothing is read beyond `size`; the last blocks are kept.
    """

    def __init__(self, read: Callable[[int], bytes | None], size: int, block_size: int) -> None:
        self._read = read
        self._size = size
        self._block_size = block_size
        self._kept: dict[int, bytes] = {}

    def at(self, offset: int, length: int) -> bytes:
        """Return so many bytes from there on, fewer where the volume ends."""
        end = min(offset + length, self._size)
        if not 0 <= offset < end:
            return b""
        first, last = offset // self._block_size, (end - 1) // self._block_size
        joined = b"".join(self._block(index) for index in range(first, last + 1))
        start = offset - first * self._block_size
        return joined[start : start + end - offset]

    def _block(self, index: int) -> bytes:
        if index not in self._kept:
            block = self._read(index)
            while len(self._kept) >= _KEPT_BLOCKS:
                del self._kept[next(iter(self._kept))]
            self._kept[index] = bytes(self._block_size) if block is None else block
        return self._kept[index]


def read_layout(volume: Bytes, volume_bytes: int) -> Layout:
    """Return what a volume holds.

    What lay on the volume before it was partitioned may still be found: partitions come first. So
    may a table that lay there before the volume was formatted as a whole.
    """
    whole = identify(volume.at(0, WINDOW))
    table = read_table(volume.at, volume_bytes)
    if table and whole and _is_of_before(table, whole):
        table = None
    found = tuple(_in_partitions(volume, table)) if table else ()
    if whole and not found and not (table and whole.is_sound is False):
        return Layout(table, (Found(WHOLE, whole),))
    return Layout(table, found)


def _is_of_before(table: Table, whole: Signature) -> bool:
    """Tell whether a table is a rest, or what stands in a boot sector looks like one."""
    is_good_gpt = table.kind == GPT and table.is_sound and not table.unread
    return table.unread == NO_MBR or (whole.kind in BOOT_SECTORS and not is_good_gpt)


def _in_partitions(volume: Bytes, table: Table) -> Iterator[Found]:
    for partition in table.partitions:
        signature = identify(volume.at(partition.start, min(WINDOW, partition.size)))
        if signature:
            yield Found(f"p{partition.number}", signature)
