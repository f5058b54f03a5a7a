"""Which cells run next: a canary, then a few, then the rest, each judged before the next. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

from caretaker.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .ends import End
    from .facts import Cell
    from .manifest import Manifest

CAREFUL: Final = frozenset({"retention", "tagging"})
"""Chores that delete, stop or overwrite: what went wrong in a few places must not in all."""
MOST_CANARIES: Final = 5
"""Where a cell is empty, or lets nobody in, the next one is asked."""
_BAD_CANARIES: Final = 2
"""One account's own trouble stops no other; that of two is nobody's own."""
_SHARE: Final = 20
"""The second wave is one in so many cells: 5 %."""
_MAX_BAD: Final = 5
"""More than one bad end in so many of those that had work stop the rest: 20 %."""


@dataclass(frozen=True, slots=True)
class Next:
    """The cells that run next, none at the end; `stopped` says why the rest never does."""

    cells: Sequence[Cell] = ()
    stopped: str = ""


def next_wave(manifest: Manifest, ends: Mapping[Cell, End]) -> Next:
    """Return what runs next, by how those ended that have run; nothing stops what is over."""
    if not _rest(manifest, ends):
        return Next()
    if not _is_careful(manifest):
        return _by_canary(manifest, ends) or Next(_rest(manifest, ends))
    said = _by_canaries(manifest, ends)
    if said:
        return said
    second = _second(manifest)
    if any(cell not in ends for cell in second):
        return Next([cell for cell in second if cell not in ends])
    bad = sum(ends[cell].is_bad for cell in second)
    good = sum(ends[cell].is_good for cell in second)
    if bad * _MAX_BAD > bad + good:
        why = f"{bad} of {bad + good} cells of the second wave that had work ended badly"
        return Next(stopped=why)
    return Next(_rest(manifest, ends))


def _rest(manifest: Manifest, ends: Mapping[Cell, End]) -> list[Cell]:
    return [cell for cell in manifest.cells if cell not in ends]


def _is_careful(manifest: Manifest) -> bool:
    return manifest.mode is Mode.ACT and manifest.chore in CAREFUL


def _by_canary(manifest: Manifest, ends: Mapping[Cell, End]) -> Next | None:
    """Return the first canary, or that every cell would refuse the event; None otherwise.

    What only adds, or reports, goes on where one place is ill.
    """
    canary = next(_canaries(manifest))
    end = ends.get(canary)
    if end is None:
        return Next([canary])
    return _refused_by(end) if end.is_fault_of_the_event else None


def _by_canaries(manifest: Manifest, ends: Mapping[Cell, End]) -> Next | None:
    """Return the next canary, or that they end the run; None once one has ended well."""
    bad = 0
    for canary in _canaries(manifest):
        end = ends.get(canary)
        if end is None:
            return Next([canary])
        if end.is_fault_of_the_event:
            return _refused_by(end)
        if end.is_good:
            return None
        bad += end.is_bad
        if bad == _BAD_CANARIES:
            break
    return Next(stopped=f"{bad} canaries ended badly, and none before them well") if bad else None


def _refused_by(end: End) -> Next:
    return Next(stopped=f"{end.cell.name} refused the event: {end.error.get('message', '')}")


def _canaries(manifest: Manifest) -> Iterator[Cell]:
    """Yield the cell that was named, and one of each further account.

    That of the stack's own region first, where most have something.
    """
    at_home = [cell for cell in manifest.cells if cell.region == manifest.home]
    accounts: set[str] = set()
    for cell in (*filter(None, [manifest.canary]), *at_home, *manifest.cells):
        if len(accounts) < MOST_CANARIES and cell.account not in accounts:
            accounts.add(cell.account)
            yield cell


def _second(manifest: Manifest) -> list[Cell]:
    """Return the cells of the second wave: spread over all accounts, and over their regions.

    Each account gives one before any gives two, and each next one that of another region.
    """
    canaries = set(_canaries(manifest))
    others: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in manifest.cells:
        if cell not in canaries:
            others[cell.account].append(cell)
    number = -(-sum(map(len, others.values())) // _SHARE)
    step = max(1, len(others) // max(1, number))
    accounts = [each for first in range(step) for each in list(others.values())[first::step]]
    turned = [
        cells[at % len(cells) :] + cells[: at % len(cells)] for at, cells in enumerate(accounts)
    ]
    rounds = chain.from_iterable(zip_longest(*turned))
    return [cell for cell in rounds if cell][:number]
