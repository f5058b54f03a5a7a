"""What lies at the start of a partition, or of a whole volume. Pure.

Each reader takes the first `WINDOW` bytes, whatever they are, and answers in bounded time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .containers import read_luks, read_lvm, read_swap
from .filesystems import read_btrfs, read_ext, read_fat, read_ntfs, read_xfs

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW: Final = 128 * 1024
"""Bytes that are looked at: btrfs begins its superblock at 64 KiB, LUKS2 a second header at 16."""
BOOT_SECTORS: Final = frozenset({"ntfs", "vfat"})
"""File systems that begin with a boot sector, which looks like that of a partition table."""


class Signature(NamedTuple):
    """A file system, or what else may lie there; None for one that keeps no checksum of itself."""

    kind: str
    is_sound: bool | None


_READERS: Final[tuple[Callable[[bytes], tuple[str, bool | None] | None], ...]] = (
    read_luks,
    read_lvm,
    read_xfs,
    read_btrfs,
    read_ext,
    read_ntfs,
    read_fat,
    read_swap,
)
"""Containers first: what lies in them does not show outside."""


def identify(window: bytes) -> Signature | None:
    """Return the first signature that is found and sound, or else the first one found."""
    found = [Signature(*each) for read in _READERS if (each := read(window[:WINDOW]))]
    return next((each for each in found if each.is_sound is not False), next(iter(found), None))
