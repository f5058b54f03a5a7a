"""Superblocks of file systems. Pure.

ext2, ext3, ext4: https://docs.kernel.org/filesystems/ext4/super.html
XFS: https://mirrors.edge.kernel.org/pub/linux/utils/fs/xfs/docs/xfs_filesystem_structure.pdf
btrfs: https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html
NTFS, FAT: https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2003/cc781134(v=ws.10)
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import Final

from .checksums import crc32c, inverted
from .fields import big, has, is_power_of_two, little, without

type Found = tuple[str, bool | None]

_EXT_AT: Final = 1024
_EXT_MAGIC: Final = b"\x53\xef"
_EXT_LARGEST_BLOCK: Final = 6
_HAS_JOURNAL: Final = 0x4
_JOURNAL_DEVICE: Final = 0x8
_INCOMPAT_OF_EXT3: Final = 0x2 | 0x4 | 0x10
"""filetype, recover, meta_bg; with any other it takes ext4 to mount it."""
_RO_COMPAT_OF_EXT3: Final = 0x1 | 0x2 | 0x4
"""sparse_super, large_file, btree_dir."""
_METADATA_CSUM: Final = 0x400
_CSUM_AT: Final = 0x3FC

_BTRFS_AT: Final = 0x10000
_BTRFS_SIZE: Final = 4096
_BTRFS_CRC32C, _BTRFS_SHA256, _BTRFS_BLAKE2B = 0, 2, 3

_XFS_CRC_AT: Final = 224
_XFS_WITH_CRC: Final = 5

_SECTORS: Final = frozenset({512, 1024, 2048, 4096})
_BOOT_SECTOR_END: Final = b"\x55\xaa"


def read_ext(window: bytes) -> Found | None:
    """Return ext2, ext3, ext4 by the features that each of them knows, or jbd for a journal."""
    block = window[_EXT_AT : _EXT_AT + 1024]
    is_there = len(block) == 1024 and has(block, 0x38, _EXT_MAGIC)  # noqa: PLR2004 - its size
    if not (is_there and little(block, 0x18, 4) <= _EXT_LARGEST_BLOCK and little(block, 0x4, 4)):
        return None
    compat, incompat, ro_compat = (little(block, at, 4) for at in (0x5C, 0x60, 0x64))
    sound = None
    if ro_compat & _METADATA_CSUM:
        sound = crc32c(block[:_CSUM_AT]) == little(block, _CSUM_AT, 4)
    if incompat & _JOURNAL_DEVICE:
        return "jbd", sound
    if incompat & ~_INCOMPAT_OF_EXT3 or ro_compat & ~_RO_COMPAT_OF_EXT3:
        return "ext4", sound
    return ("ext3" if compat & _HAS_JOURNAL else "ext2"), sound


def read_xfs(window: bytes) -> Found | None:
    """Return xfs; since its fifth version it keeps a checksum of its first sector."""
    block_size, sector_size = big(window, 4, 4), big(window, 102, 2)
    is_there = has(window, 0, b"XFSB") and sector_size in _SECTORS | {8192, 16384, 32768}
    if not (is_there and is_power_of_two(block_size) and 512 <= block_size <= 65536):  # noqa: PLR2004
        return None
    if big(window, 100, 2) & 0xF < _XFS_WITH_CRC:
        return "xfs", None
    sector = without(window[:sector_size], _XFS_CRC_AT, 4)
    return "xfs", inverted(crc32c(sector)) == little(window, _XFS_CRC_AT, 4)


def read_btrfs(window: bytes) -> Found | None:
    """Return btrfs, which keeps one of four kinds of checksum; one of them is not known here."""
    block = window[_BTRFS_AT : _BTRFS_AT + _BTRFS_SIZE]
    is_there = len(block) == _BTRFS_SIZE and has(block, 0x40, b"_BHRfS_M")
    if not is_there or little(block, 0x30, 8) != _BTRFS_AT:
        return None
    kind, stored, rest = little(block, 0xC4, 2), block[:32], block[32:]
    if kind == _BTRFS_CRC32C:
        return "btrfs", inverted(crc32c(rest)) == little(stored, 0, 4)
    if kind == _BTRFS_SHA256:
        return "btrfs", sha256(rest).digest() == stored
    if kind == _BTRFS_BLAKE2B:
        return "btrfs", blake2b(rest, digest_size=32).digest() == stored
    return "btrfs", None


def read_ntfs(window: bytes) -> Found | None:
    """Return ntfs."""
    is_there = has(window, 3, b"NTFS    ") and has(window, 510, _BOOT_SECTOR_END)
    has_sizes = little(window, 0xB, 2) in _SECTORS and little(window, 0xD, 1)
    return ("ntfs", None) if is_there and has_sizes and little(window, 0x28, 8) else None


def read_fat(window: bytes) -> Found | None:
    """Return vfat: the partition that UEFI starts from holds one."""
    named = has(window, 0x52, b"FAT32   ") or has(window, 0x36, b"FAT1")
    is_there = named and has(window, 510, _BOOT_SECTOR_END)
    return ("vfat", None) if is_there and little(window, 0xB, 2) in _SECTORS else None
