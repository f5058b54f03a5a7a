"""The list of a snapshot's blocks, page by page: is it whole, and which are read. Pure.

https://docs.aws.amazon.com/ebs/latest/APIReference/API_ListSnapshotBlocks.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from .facts import Flaw
from .reservoir import Reservoir

if TYPE_CHECKING:
    from collections.abc import Sequence

GIB: Final = 2**30
_SECTOR: Final = 512
_LARGEST_BLOCK: Final = 8 * 2**20
_MOST_EMPTY_PAGES: Final = 100
"""In a row: a page may be empty although others follow, but not for ever."""


_HEAD: Final = 1024
"""Blocks whose tokens are kept: the first half GiB, where most partitions begin."""


class Block(NamedTuple):
    """A block that was written: its index, and the token that it is read with."""

    number: int
    token: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; sizes are of the volume in GiB and of a block in bytes."""

    blocks: Sequence[Block]
    volume_gib: int
    block_bytes: int


class BlockList:
    """What the pages so far say; `flaw` is the first thing that is wrong with them.

    Indexes ascend without an end in the volume of `volume_gib`, which every page names alike.
    """

    def __init__(self, snapshot_id: str, volume_gib: int, sample: int) -> None:
        self.flaw: Flaw | None = None
        self.count = 0
        self.block_bytes = 0
        self._volume_gib = volume_gib
        self._last = -1
        self._empty = 0
        self._head: dict[int, Block] = {}
        self._sample = Reservoir[Block](snapshot_id, sample)

    @property
    def volume_bytes(self) -> int:
        """Return the size of the volume."""
        return self._volume_gib * GIB

    @property
    def sample(self) -> list[Block]:
        """Return the blocks to read, in their order."""
        return sorted(self._sample.kept)

    def holds(self, number: int) -> bool:
        """Tell whether `find` knows of a block, written or not."""
        return self.count <= _HEAD or number <= max(self._head)

    def find(self, number: int) -> Block | None:
        """Return one of the first blocks, None where it was never written."""
        return self._head.get(number)

    def add(self, page: Page) -> None:
        """Judge the next page, unless one before was flawed."""
        self.flaw = self.flaw or self._flaw_of(page)
        if self.flaw:
            return
        for block in page.blocks:
            if block.number <= self._last:
                self.flaw = Flaw.LIST_NOT_ASCENDING
                return
            self._last = block.number
            if len(self._head) < _HEAD:
                self._head[block.number] = block
            self._sample.offer(block)
        self.count += len(page.blocks)
        if (self._last + 1) * self.block_bytes > self.volume_bytes:
            self.flaw = Flaw.LIST_BEYOND_VOLUME

    def _flaw_of(self, page: Page) -> Flaw | None:
        if page.volume_gib != self._volume_gib:
            return Flaw.LIST_WRONG_SIZE
        if not self.block_bytes:
            size = page.block_bytes
            if not 0 < size <= _LARGEST_BLOCK or size % _SECTOR:
                return Flaw.LIST_WRONG_SIZE
            self.block_bytes = size
        self._empty = 0 if page.blocks else self._empty + 1
        if self._empty > _MOST_EMPTY_PAGES:
            return Flaw.LIST_ENDLESS
        return Flaw.LIST_CHANGED if page.block_bytes != self.block_bytes else None
