"""Waves over large organizations, of which most cells are empty: what is ill there stops the run.

With all enabled regions asked for, an account has work in a few of them.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from functions.fleet.waves import MOST_CANARIES, next_wave
from tests.support.fleets import EMPTY, REGIONS, answered, ends_of, grid, manifest_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.fleet.ends import End
    from functions.fleet.facts import Cell
    from functions.fleet.manifest import Manifest

HOME = REGIONS[0]
ABROAD = ("us-west-1", "us-west-4", "us-west-9")


def careful(accounts: int, regions: int, **odd: Any) -> Manifest:
    """Return an acting run of retention from the home region."""
    return manifest_of(grid(accounts, regions), chore="retention", home=HOME, **odd)


def play(
    manifest: Manifest, answer: Callable[[Cell], dict[str, Any]]
) -> tuple[list[list[Cell]], str]:
    """Return the waves of a run to its end, and why it stopped."""
    waves: list[list[Cell]] = []
    ends: dict[Cell, End] = {}
    for turn in count():
        assert turn < 20, "a run has a handful of waves"
        wave = next_wave(manifest, ends)
        if not wave.cells:
            return waves, wave.stopped
        waves.append(list(wave.cells))
        ends |= ends_of(*map(answer, wave.cells))
    raise AssertionError


def used_in(regions: tuple[str, ...], status: str) -> Callable[[Cell], dict[str, Any]]:
    """Let all cells of these regions end so, and all others be empty."""
    return lambda cell: (
        answered(cell, status) if cell.region in regions else answered(cell, **EMPTY)
    )


def test_where_every_used_cell_fails_at_home_too_two_canaries_stop_the_run() -> None:
    waves, stopped = play(careful(500, 17), used_in(REGIONS, "failed"))

    assert [len(wave) for wave in waves] == [1, 1]
    assert stopped == "2 canaries ended badly, and none before them well"


@pytest.mark.parametrize("regions", [17, 19, 20, 34, 38])
def test_where_every_used_cell_fails_and_all_at_home_are_empty_the_second_wave_stops_the_run(
    regions: int,
) -> None:
    manifest = careful(500, regions)
    waves, stopped = play(manifest, used_in(ABROAD, "failed"))

    assert [len(wave) for wave in waves[:-1]] == [1] * MOST_CANARIES
    bad = sum(cell.region in ABROAD for cell in waves[-1])
    assert bad > 50
    assert stopped == f"{bad} of {bad} cells of the second wave that had work ended badly"
    assert sum(map(len, waves)) < len(manifest.cells) / 15


@pytest.mark.parametrize("regions", [REGIONS, ABROAD])
def test_where_every_used_cell_ends_well_empty_ones_hold_nothing_back(
    regions: tuple[str, ...],
) -> None:
    manifest = careful(100, 17)
    waves, stopped = play(manifest, used_in(regions, "ok"))

    assert {cell for wave in waves for cell in wave} == set(manifest.cells)
    assert not stopped


def test_an_organization_in_which_all_is_empty_is_gone_through_to_its_end() -> None:
    manifest = careful(100, 17)
    waves, stopped = play(manifest, used_in((), "ok"))

    assert sum(map(len, waves)) == len(manifest.cells)
    assert not stopped


@pytest.mark.parametrize("regions", [1, 2, 5, 10, 17, 19, 20, 34, 38])
def test_the_second_wave_takes_as_many_cells_of_each_region_and_of_each_account(
    regions: int,
) -> None:
    """Every so many of the sorted cells could be one and the same region all along."""
    manifest = careful(500, regions)
    second = next_wave(manifest, ends_of(answered(manifest.cells[0]))).cells

    assert len(second) == len(set(second)) == -(-(len(manifest.cells) - MOST_CANARIES) // 20)
    by_region = Counter(cell.region for cell in second)
    assert len(by_region) == regions
    assert max(by_region.values()) - min(by_region.values()) <= 3
    by_account = Counter(cell.account for cell in second)
    assert max(by_account.values()) == -(-len(second) // 500)


def test_a_small_second_wave_is_spread_from_the_first_account_to_the_last() -> None:
    manifest = careful(100, 1)
    second = next_wave(manifest, ends_of(answered(manifest.cells[0]))).cells

    assert [int(cell.account) for cell in second] == [6, 25, 44, 63, 82]


def test_canaries_are_five_at_most_of_as_many_accounts_and_from_the_home_region() -> None:
    waves, _ = play(careful(30, 3), used_in((), "ok"))

    canaries = [wave[0] for wave in waves if len(wave) == 1]
    assert [cell.region for cell in canaries] == [HOME] * 5
    assert len({cell.account for cell in canaries}) == 5


def test_an_account_without_the_home_region_is_a_canary_after_those_with_it() -> None:
    cells = [cell for cell in grid(4, 2) if cell.region != HOME or int(cell.account) > 2]
    manifest = manifest_of(cells, chore="retention", home=HOME)
    waves, _ = play(manifest, used_in((), "ok"))

    assert [int(wave[0].account) for wave in waves[:4]] == [3, 4, 1, 2]


def test_a_second_wave_whose_cells_refuse_the_event_stops_the_run() -> None:
    """An empty canary may not have come far enough to see what is wrong with it."""
    manifest = careful(100, 2)
    waves, stopped = play(
        manifest, lambda cell: answered(cell) if cell == manifest.cells[0] else refused(cell)
    )

    assert [len(wave) for wave in waves] == [1, 10]
    assert stopped == "10 of 10 cells of the second wave that had work ended badly"


def test_cells_whose_own_gates_hold_them_back_neither_help_nor_harm() -> None:
    """Of the second wave one had work and failed: whoever was held back does not outweigh it."""
    manifest = careful(100, 2)
    ill = next_wave(manifest, ends_of(answered(manifest.cells[0]))).cells[0]

    def answer(cell: Cell) -> dict[str, Any]:
        if cell == manifest.cells[0]:
            return answered(cell)
        return answered(cell, "failed") if cell == ill else refused(cell, "blast_radius")

    waves, stopped = play(manifest, answer)
    assert [len(wave) for wave in waves] == [1, 10]
    assert stopped.startswith("1 of 1 cells")
