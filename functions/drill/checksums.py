"""Checksums: of a block as EBS tells it, and those that on-disk formats keep of themselves. Pure.

CRC32C is that of RFC 3720, appendix B.4: https://www.rfc-editor.org/rfc/rfc3720
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from hashlib import sha256
from typing import Final

from .facts import Flaw

_CASTAGNOLI: Final = 0x82F63B78
_ALL_ONES: Final = 0xFFFFFFFF
_KNOWN: Final = "SHA256"


def flaw_of_block(data: bytes, size: int, checksum: str, algorithm: str) -> Flaw | None:
    """Return what is wrong with a block of `size` bytes; its checksum is in Base64.

    https://docs.aws.amazon.com/ebs/latest/APIReference/API_GetSnapshotBlock.html
    """
    if len(data) != size:
        return Flaw.BLOCK_SHORT
    if algorithm != _KNOWN or not checksum:
        return Flaw.CHECKSUM_UNKNOWN
    is_right = b64encode(sha256(data).digest()).decode() == checksum
    return None if is_right else Flaw.CHECKSUM_WRONG


def crc32c(data: bytes, start: int = _ALL_ONES) -> int:
    """Return the CRC32C of some KiB, not inverted at its end: formats differ in that."""
    crc, table = start, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def crc32(data: bytes, start: int) -> int:
    """Return the CRC32 of IEEE 802.3 from another start, not inverted."""
    return zlib.crc32(data, start ^ _ALL_ONES) ^ _ALL_ONES


def inverted(crc: int) -> int:
    """Return a checksum inverted, as most formats store it."""
    return crc ^ _ALL_ONES


def _entry(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (_CASTAGNOLI if crc & 1 else 0)
    return crc


_TABLE: Final = tuple(_entry(byte) for byte in range(256))
