"""A fair sample of a list whose length nobody knows: algorithm L, its chance out of a name. Pure.

Li, Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n))), 1994:
https://dl.acm.org/doi/10.1145/198429.198435
"""

from __future__ import annotations

import math
from hashlib import sha256
from typing import Final

_BITS: Final = 53
_BELOW_ONE: Final = 1 - 2**-_BITS
_FARTHEST: Final = 1 << 62


class Reservoir[T]:
    """Keeps `size` of all items that it is offered, each with the same chance.

    The same name and the same items give the same sample.
    """

    def __init__(self, name: str, size: int) -> None:
        self.kept: list[T] = []
        self._name = name
        self._size = size
        self._drawn = 0
        self._offered = 0
        self._next = size
        self._weight = 1.0
        self._skip()

    def offer(self, item: T) -> None:
        """Take the next item, or leave it."""
        if self._offered < self._size:
            self.kept.append(item)
        elif self._offered == self._next:
            self.kept[int(self._draw() * self._size)] = item
            self._next += 1
            self._skip()
        self._offered += 1

    def _skip(self) -> None:
        """Find the next item that is taken."""
        self._weight *= math.exp(math.log(self._draw()) / self._size)
        left = math.log1p(-min(self._weight, _BELOW_ONE))
        self._next += int(min(math.log(self._draw()) / left, _FARTHEST)) if left else _FARTHEST

    def _draw(self) -> float:
        """Return the next number between 0 and 1, neither of them."""
        digest = sha256(f"{self._name}/{self._drawn}".encode()).digest()
        self._drawn += 1
        return ((int.from_bytes(digest[:8]) >> (64 - _BITS)) + 0.5) / (1 << _BITS)
