"""What holds other things: physical volumes of LVM, LUKS, swap. Pure.

LVM2: lib/format_text/layout.h and lib/label/label.c of https://sourceware.org/lvm2/
LUKS 1: https://gitlab.com/cryptsetup/cryptsetup/-/wikis/Specification
LUKS 2: https://gitlab.com/cryptsetup/LUKS2-docs
swap: `union swap_header` of https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/include/linux/swap.h
"""

from __future__ import annotations

from hashlib import sha256, sha512
from typing import Final

from .checksums import crc32
from .fields import big, has, little, without

type Found = tuple[str, bool | None]

_SECTOR: Final = 512
_LABELLED: Final = 4
_LVM_START: Final = 0xF597A6CF

_LUKS: Final = b"LUKS\xba\xbe"
_LUKS_SECOND: Final = b"SKUL\xba\xbe"
_LUKS_HEADERS: Final = tuple(0x4000 << power for power in range(9))
"""Sizes that a header of LUKS2 may have; the second one begins where the first one ends."""
_HASHES: Final = {b"sha256": sha256, b"sha512": sha512}
_LUKS_CSUM_AT, _LUKS_CSUM_SIZE = 448, 64

_PAGES: Final = (4096, 8192, 16384, 32768, 65536)
_SWAPS: Final = (
    b"SWAPSPACE2",
    b"SWAP-SPACE",
    b"S1SUSPEND\0",
    b"S2SUSPEND\0",
    b"ULSUSPEND\0",
    b"LINHIB0001",
)
"""The last four are of an instance that hibernates in its swap."""


def read_lvm(window: bytes) -> Found | None:
    """Return lvm2: its label lies in one of the first four sectors."""
    for number in range(_LABELLED):
        sector = window[number * _SECTOR : (number + 1) * _SECTOR]
        is_there = len(sector) == _SECTOR and has(sector, 0, b"LABELONE")
        if is_there and has(sector, 24, b"LVM2 001") and little(sector, 8, 8) == number:
            return "lvm2", crc32(sector[20:], _LVM_START) == little(sector, 16, 4)
    return None


def read_luks(window: bytes) -> Found | None:
    """Return luks1 or luks2; of two headers of LUKS2 one is enough."""
    if has(window, 0, _LUKS) and big(window, 6, 2) == 1:
        return "luks1", None
    second = [(_LUKS_SECOND, at) for at in _LUKS_HEADERS if has(window, at, _LUKS_SECOND)]
    headers = (_luks2(window[at:], magic, at) for magic, at in [(_LUKS, 0), *second])
    told = [is_sound for is_there, is_sound in headers if is_there]
    if not told:
        return None
    return "luks2", True if True in told else (None if None in told else False)


def _luks2(header: bytes, magic: bytes, at: int) -> tuple[bool, bool | None]:
    """Tell whether a header is there, and whether it is sound: None where that cannot be told."""
    size, named = big(header, 8, 8), header[72:104].rstrip(b"\0")
    is_second_version = big(header, 6, 2) == 2  # noqa: PLR2004
    is_here = has(header, 0, magic) and big(header, 256, 8) == at
    if not (is_here and is_second_version and size in _LUKS_HEADERS):
        return False, None
    if named not in _HASHES or len(header) < size:
        return True, None
    counted = without(header[:size], _LUKS_CSUM_AT, _LUKS_CSUM_SIZE)
    return True, has(header, _LUKS_CSUM_AT, _HASHES[named](counted).digest())


def read_swap(window: bytes) -> Found | None:
    """Return swap: its signature ends the first page, whose size depends on the machine."""
    is_there = any(has(window, page - 10, magic) for page in _PAGES for magic in _SWAPS)
    return ("swap", None) if is_there else None
