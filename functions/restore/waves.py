"""The order in which instances come back, and whether the next wave may begin. Pure."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Protocol

from .journal import Ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caretaker.tags import Tags

    from .journal import Journal
    from .request import Order


class Tagged(Protocol):
    """Whatever has a name and tags."""

    @property
    def id(self) -> str:
        """Return its id."""

    @property
    def tags(self) -> Tags:
        """Return its tags."""


def waves_of[T: Tagged](targets: Iterable[T], order: Order | None, size: int) -> list[list[T]]:
    """Return the waves, each of one rank and of so many targets at most."""
    ranks: dict[int, list[T]] = {}
    for target in sorted(targets, key=lambda each: each.id):
        ranks.setdefault(_rank(target, order), []).append(target)
    return [
        list(wave)
        for _, rank in sorted(ranks.items())
        for wave in batched(rank, size, strict=False)
    ]


def _rank(target: Tagged, order: Order | None) -> int:
    """Return the place of a target's value in the order, the last where it has none of them."""
    if order is None:
        return 0
    value = target.tags.get(order.tag)
    return order.values.index(value) if value in order.values else len(order.values)


def next_wave(journals: Sequence[Journal]) -> list[Journal]:
    """Return whose turn it is: all of the first wave that is not over, unless one before failed."""
    left = [journal for journal in journals if journal.is_open]
    if not left:
        return []
    number = min(journal.wave for journal in left)
    before = (journal for journal in journals if journal.wave < number)
    failed = any(journal.ending is not Ending.RESTORED for journal in before)
    begun = any(journal.turned for journal in left if journal.wave == number)
    return [] if failed and not begun else [each for each in left if each.wave == number]


def never_begun(journals: Sequence[Journal]) -> list[Journal]:
    """Return those that a wave before theirs keeps from beginning."""
    return [] if next_wave(journals) else [journal for journal in journals if journal.is_open]
