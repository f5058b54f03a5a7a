"""The waves of runs, told as stories: what began, what ended it, and what it said."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.settings import Mode
from functions.fleet.ends import unanswered
from functions.fleet.waves import next_wave
from tests.support.fleets import EMPTY, answered, ends_of, grid, manifest_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.fleet.facts import Cell
    from functions.fleet.manifest import Manifest

CELLS = grid(20, 5)


def careful(cells: Iterable[Cell] = CELLS, **odd: Any) -> Manifest:
    return manifest_of(tuple(cells), **{"chore": "retention", **odd})


def well(*cells: Cell) -> list[dict[str, Any]]:
    return [answered(cell) for cell in cells]


def badly(*cells: Cell) -> list[dict[str, Any]]:
    return [answered(cell, "failed") for cell in cells]


def empty(*cells: Cell) -> list[dict[str, Any]]:
    return [answered(cell, **EMPTY) for cell in cells]


def shut(*cells: Cell) -> list[dict[str, Any]]:
    return [answered(cell, "unreachable") for cell in cells]


FIRST, SECOND, THIRD, FOURTH, FIFTH = CELLS[:25:5]
"""The first cells of five accounts."""


SECOND_WAVE = "cells of the second wave that had work ended badly"


def test_the_first_cell_is_the_canary_unless_another_is_named() -> None:
    assert next_wave(manifest_of(CELLS), {}).cells == [FIRST]
    assert next_wave(manifest_of(CELLS, canary=CELLS[42]), {}).cells == [CELLS[42]]


def test_the_canary_is_in_the_region_of_the_stack_where_most_have_something() -> None:
    manifest = manifest_of(CELLS, home="ap-south-1")

    assert next_wave(manifest, {}).cells == [CELLS[2]]


def test_snapshots_are_taken_everywhere_once_the_canary_is_over() -> None:
    manifest = manifest_of(CELLS)

    assert next_wave(manifest, ends_of(*well(FIRST))).cells == list(CELLS[1:])


@pytest.mark.parametrize("chore", ["snapshot", "drill"])
@pytest.mark.parametrize("make", [badly, shut])
def test_one_account_s_own_trouble_stops_no_chore_that_only_adds(chore: str, make: Any) -> None:
    manifest = manifest_of(CELLS, chore=chore)

    rest = next_wave(manifest, ends_of(*make(FIRST)))
    assert (rest.cells, rest.stopped) == (list(CELLS[1:]), "")


def test_a_canary_without_an_answer_stops_no_snapshot() -> None:
    manifest = manifest_of(CELLS)

    assert next_wave(manifest, {FIRST: unanswered(FIRST)}).cells == list(CELLS[1:])


@pytest.mark.parametrize("chore", ["snapshot", "retention"])
def test_an_event_that_the_canary_refused_is_sent_to_nobody_else(chore: str) -> None:
    manifest = manifest_of(CELLS, chore=chore)

    stopped = next_wave(manifest, ends_of(refused(FIRST)))
    assert stopped.cells == ()
    assert stopped.stopped.startswith(f"{FIRST.name} refused the event: keep: missing")


def test_a_plan_that_a_canary_s_gates_refused_is_its_own() -> None:
    manifest = careful()

    second = next_wave(manifest, ends_of(refused(FIRST, "blast_radius")))
    assert second.cells == [SECOND], "another account shows whether it is"


@pytest.mark.parametrize("chore", ["retention", "tagging"])
def test_a_careful_chore_runs_in_one_cell_then_in_a_twentieth_then_everywhere(chore: str) -> None:
    manifest = careful(chore=chore)
    begun = ends_of(*well(FIRST))
    second = next_wave(manifest, begun).cells

    assert len(second) == 5
    assert Counter(cell.account for cell in second).most_common(1)[0][1] == 1, "spread"
    begun |= ends_of(*well(*second))
    rest = next_wave(manifest, begun).cells
    assert set(rest) == set(CELLS) - {FIRST, *second}
    begun |= ends_of(*well(*rest))
    assert not next_wave(manifest, begun).cells


def test_a_careful_chore_that_reports_needs_no_care() -> None:
    manifest = careful(mode=Mode.REPORT)

    assert len(next_wave(manifest, ends_of(*badly(FIRST))).cells) == 99


def test_two_bad_canaries_of_two_accounts_end_a_careful_run() -> None:
    manifest = careful()

    stopped = next_wave(manifest, ends_of(*badly(FIRST, SECOND)))
    assert (stopped.cells, stopped.stopped) == (
        (),
        "2 canaries ended badly, and none before them well",
    )


def test_a_second_canary_that_ended_well_lets_a_careful_run_go_on() -> None:
    manifest = careful()

    second = next_wave(manifest, ends_of(*badly(FIRST), *well(SECOND)))
    assert len(second.cells) == 5


def test_a_canary_in_which_there_is_nothing_says_nothing_and_another_is_asked() -> None:
    manifest = careful()

    assert next_wave(manifest, ends_of(*empty(FIRST))).cells == [SECOND]
    assert len(next_wave(manifest, ends_of(*empty(FIRST), *well(SECOND))).cells) == 5


def test_a_canary_that_lets_nobody_in_says_nothing_and_another_is_asked() -> None:
    manifest = careful()

    assert next_wave(manifest, ends_of(*shut(FIRST))).cells == [SECOND]
    assert next_wave(manifest, ends_of(*shut(FIRST, SECOND))).cells == [THIRD]
    mixed = ends_of(*shut(FIRST), *badly(SECOND))
    assert next_wave(manifest, mixed).cells == [THIRD]


def test_a_bad_canary_among_those_that_let_nobody_in_ends_a_careful_run() -> None:
    manifest = careful()

    stopped = next_wave(manifest, ends_of(*shut(FIRST, SECOND, THIRD, FOURTH), *badly(FIFTH)))
    assert stopped.stopped == "1 canaries ended badly, and none before them well"


@pytest.mark.parametrize("make", [shut, empty], ids=["shut", "empty"])
def test_five_canaries_that_say_nothing_stop_no_other(make: Any) -> None:
    manifest = careful()

    begun = ends_of(*make(FIRST, SECOND, THIRD, FOURTH, FIFTH))
    assert len(next_wave(manifest, begun).cells) == 5


def test_a_careful_run_of_one_account_whose_canary_ended_badly_goes_no_further() -> None:
    manifest = careful(grid(1, 5))

    assert next_wave(manifest, ends_of(*badly(FIRST))).stopped


@pytest.mark.parametrize("make", [well, badly, shut, lambda cell: [refused(cell)]])
def test_a_run_of_one_cell_is_over_after_it_and_not_stopped(make: Any) -> None:
    manifest = careful(grid(1))

    over = next_wave(manifest, ends_of(*make(FIRST)))
    assert (list(over.cells), over.stopped) == ([], "")


@pytest.mark.parametrize(("bad", "goes_on"), [(0, True), (1, True), (2, False), (5, False)])
def test_more_than_a_fifth_of_the_second_wave_ending_badly_stops_a_careful_run(
    bad: int, *, goes_on: bool
) -> None:
    manifest = careful()
    begun = ends_of(*well(FIRST))
    second = next_wave(manifest, begun).cells
    begun |= ends_of(*badly(*second[:bad]), *well(*second[bad:]))

    rest = next_wave(manifest, begun)
    assert bool(rest.cells) is goes_on
    assert rest.stopped == ("" if goes_on else f"{bad} of 5 {SECOND_WAVE}")


def test_empty_cells_of_the_second_wave_do_not_hide_that_the_others_ended_badly() -> None:
    manifest = careful()
    begun = ends_of(*well(FIRST))
    second = next_wave(manifest, begun).cells
    begun |= ends_of(*empty(*second[:4]), *badly(*second[4:]))

    assert next_wave(manifest, begun).stopped == f"1 of 1 {SECOND_WAVE}"


def test_accounts_whose_own_gates_hold_a_first_run_back_do_not_stop_the_others() -> None:
    """The first acting retention meets years of old backups: account by account a person looks."""
    manifest = careful()
    held = [refused(cell, "blast_radius") for cell in (FIRST, SECOND, THIRD, FOURTH, FIFTH)]
    begun = ends_of(*held)
    second = next_wave(manifest, begun).cells
    begun |= ends_of(*(refused(cell, "blast_radius") for cell in second))

    assert next_wave(manifest, begun).cells


def test_places_that_let_nobody_in_are_no_bad_ends_of_a_wave() -> None:
    manifest = careful()
    begun = ends_of(*well(FIRST))
    begun |= ends_of(*shut(*next_wave(manifest, begun).cells))

    assert next_wave(manifest, begun).cells


def test_a_wave_that_began_only_partly_is_gone_on_with_first() -> None:
    manifest = careful()
    begun = ends_of(*well(FIRST))
    second = list(next_wave(manifest, begun).cells)
    begun |= ends_of(*well(*second[:2]))

    assert list(next_wave(manifest, begun).cells) == second[2:]


def test_eight_thousand_five_hundred_cells_have_a_second_wave_of_a_twentieth() -> None:
    manifest = careful(grid(500, 17))
    second = next_wave(manifest, ends_of(*well(manifest.cells[0]))).cells

    assert len(second) == 425
    assert len({cell.account for cell in second}) > 350
