"""What is written on disks: blocks of 512 KiB, carried from volumes to snapshots and back.

Source: EBS user guide, "Concepts for EBS direct APIs".
"""

from __future__ import annotations

from dataclasses import dataclass, field

BLOCK_BYTES = 524_288
BLOCKS_PER_GIB = 2**30 // BLOCK_BYTES


@dataclass
class Blocks:
    """By the id of a snapshot or volume: its blocks that were ever written, by their index.

    Nothing is written on in place, so that what is carried on is shared.
    """

    written: dict[str, dict[int, bytes]] = field(default_factory=dict)
    corrupt: set[tuple[str, int]] = field(default_factory=set)
    """Blocks whose data is no longer what its checksum is of."""
    cut: dict[tuple[str, int], int] = field(default_factory=dict)
    """Blocks of which only so many bytes arrive."""
    bent: dict[str, str] = field(default_factory=dict)
    """Snapshots whose list of blocks is wrong, and how: see `Account.bend_block_list`."""

    def write(self, resource_id: str, blocks: dict[int, bytes]) -> None:
        """Write whole blocks; what is shorter is filled up with zeros."""
        if any(index < 0 or len(data) > BLOCK_BYTES for index, data in blocks.items()):
            raise ValueError(f"a block has an index from 0 and at most {BLOCK_BYTES} bytes")
        before = self.written.get(resource_id, {})
        new = {index: data.ljust(BLOCK_BYTES, b"\0") for index, data in blocks.items()}
        self.written[resource_id] = before | new

    def read(self, resource_id: str) -> dict[int, bytes]:
        """Return what is written, in the order of its indexes."""
        return dict(sorted(self.written.get(resource_id, {}).items()))

    def copy(self, source_id: str | None, target_id: str) -> None:
        """Carry all blocks from a snapshot to a volume, or the other way."""
        if source_id in self.written:
            self.written[target_id] = self.written[source_id]
