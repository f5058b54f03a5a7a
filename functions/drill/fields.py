"""Numbers out of raw bytes; what lies beyond them reads as nothing. Pure."""

from __future__ import annotations


def little(data: bytes, offset: int, size: int) -> int:
    """Return an unsigned little-endian number; bytes beyond the end read as zeros."""
    return int.from_bytes(data[offset : offset + size], "little")


def big(data: bytes, offset: int, size: int) -> int:
    """Return an unsigned big-endian number; 0 where it is not all there."""
    part = data[offset : offset + size]
    return int.from_bytes(part, "big") if len(part) == size else 0


def has(data: bytes, offset: int, magic: bytes) -> bool:
    """Tell whether these bytes stand there."""
    return data[offset : offset + len(magic)] == magic


def is_power_of_two(number: int) -> bool:
    """Tell whether a number is a power of two."""
    return number > 0 and number & (number - 1) == 0


def without(data: bytes, offset: int, size: int) -> bytes:
    """Return the bytes with some of them zeroed: how a checksum counts its own field."""
    return data[:offset] + bytes(size) + data[offset + size :]
