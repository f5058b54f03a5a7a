"""Disks as real tools make them: the few sectors that tell what they are, from tests/fixtures."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from functions.drill.disks import Bytes
from functions.drill.signatures import WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE: Final = Path(__file__).parents[1] / "fixtures" / "disks.json"
BLOCK: Final = 512 * 1024
GIB: Final = 2**30
FILE_SYSTEMS: Final = {
    "ext2": "ext2",
    "ext3": "ext3",
    "ext4": "ext4",
    "ext4_without_checksum": "ext4",
    "xfs": "xfs",
    "xfs_without_checksum": "xfs",
    "btrfs_crc32c": "btrfs",
    "btrfs_sha256": "btrfs",
    "btrfs_blake2": "btrfs",
    "btrfs_xxhash": "btrfs",
    "swap": "swap",
    "ntfs": "ntfs",
    "fat32": "vfat",
    "fat16": "vfat",
    "luks1": "luks1",
    "luks2": "luks2",
    "lvm2": "lvm2",
}
"""What each image holds."""
CHECKED: Final = ("ext4", "xfs", "btrfs_crc32c", "btrfs_sha256", "btrfs_blake2", "luks2", "lvm2")
"""Those that keep a checksum which is known."""


@cache
def _fixture() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def parts(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield what is written of an image, and where."""
    for offset, packed in _fixture()[name]["parts"]:
        yield offset, zlib.decompress(b64decode(packed))


def window(name: str) -> bytes:
    """Return the first bytes of an image."""
    made = bytearray(WINDOW)
    for offset, data in parts(name):
        if offset + len(data) <= WINDOW:
            made[offset : offset + len(data)] = data
    return bytes(made)


class DiskImage:
    """A disk of one GiB that nothing was written to."""

    def __init__(self, size: int = GIB) -> None:
        self.size = size
        self.blocks: dict[int, bytearray] = {}

    def write(self, offset: int, data: bytes) -> DiskImage:
        """Write bytes anywhere."""
        for position in range(offset, offset + len(data), 512):
            block = self.blocks.setdefault(position // BLOCK, bytearray(BLOCK))
            at = position % BLOCK
            sector = data[position - offset : position - offset + 512]
            block[at : at + len(sector)] = sector
        return self

    def put(self, name: str, offset: int = 0) -> DiskImage:
        """Write what an image holds from there on."""
        for at, data in parts(name):
            self.write(offset + at, data)
        return self

    @property
    def written(self) -> dict[int, bytes]:
        """Return its blocks as a snapshot has them."""
        return {index: bytes(block) for index, block in sorted(self.blocks.items())}

    @property
    def volume(self) -> Bytes:
        """Return its bytes as a drill reads them."""
        return Bytes(self.written.get, self.size, BLOCK)


def partitioned(**by_partition: str) -> DiskImage:
    """Return a disk with a GPT of two partitions, and images in them."""
    disk = DiskImage().put("gpt")
    starts = {"p1": 2048 * 512, "p2": 16384 * 512}
    for partition, name in by_partition.items():
        disk.put(name, starts[partition])
    return disk
