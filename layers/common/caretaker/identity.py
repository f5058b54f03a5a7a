"""Names of runs: ULIDs, which sort by time. https://github.com/ulid/spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS: Final = 80
_LETTERS: Final = 26


def run_id(now: datetime, entropy: bytes) -> str:
    """Return the ULID of a moment; `entropy` is ten random bytes."""
    number = int(now.timestamp() * 1000) << _RANDOM_BITS | int.from_bytes(entropy)
    letters = [_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LETTERS))]
    return "".join(letters)
