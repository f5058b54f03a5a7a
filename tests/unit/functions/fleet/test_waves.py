"""Which cells run next, replayed to the end over all that may become of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.settings import Mode
from functions.fleet.ends import End, read_ends, unanswered
from functions.fleet.facts import Cell, Reason
from functions.fleet.manifest import Manifest
from functions.fleet.waves import CAREFUL, MOST_CANARIES, next_wave
from tests.support.fleets import EMPTY, UNDONE, answered, child, grid, manifest_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

quick = settings(max_examples=300, deadline=None)
GOOD: Final = frozenset({"ok", "partial"})
SAYS_NOTHING: Final = frozenset({"empty", "unreachable", "refused"})
BAD: Final = frozenset({"failed", "undone", "unfinished", "lost", "wrong"})
FATES: Final = sorted(GOOD | SAYS_NOTHING | BAD)


def end_of(manifest: Manifest, cell: Cell, fate: str) -> End:
    if fate == "lost":
        return unanswered(cell)
    answer = {
        "refused": refused(cell, "blast_radius"),
        "wrong": refused(cell),
        "empty": answered(cell, **EMPTY),
        "undone": answered(cell, "partial", **UNDONE),
        "unfinished": answered(cell, "partial", complete=False),
    }.get(fate) or answered(cell, fate)
    return read_ends([child(manifest, answer)], [cell])[cell]


@dataclass
class Replay:
    """A run to its end: its waves in their order, how each cell ended, and why it stopped."""

    waves: list[list[Cell]] = field(default_factory=list)
    ends: dict[Cell, End] = field(default_factory=dict)
    stopped: str = ""

    @property
    def ran(self) -> list[Cell]:
        return [cell for wave in self.waves for cell in wave]


def replay(manifest: Manifest, fate: Callable[[Cell], str]) -> Replay:
    played = Replay()
    for turn in count():
        assert turn < 10, "a run has a handful of waves"
        wave = next_wave(manifest, played.ends)
        if not wave.cells:
            played.stopped = wave.stopped
            return played
        assert not wave.stopped
        played.waves.append(list(wave.cells))
        played.ends |= {cell: end_of(manifest, cell, fate(cell)) for cell in wave.cells}
    raise AssertionError


@st.composite
def manifests(draw: st.DrawFn, *, careful: bool | None = None) -> Manifest:
    cells = list(grid(draw(st.integers(1, 12)), draw(st.integers(1, 6))))
    Random(draw(st.integers(0, 99))).shuffle(cells)
    kept = cells[: draw(st.integers(1, len(cells)))]
    acts: dict[str, Any] = {"chore": "retention", "mode": Mode.ACT}
    calm = [{"chore": "snapshot", "mode": Mode.ACT}, {"chore": "tagging", "mode": Mode.REPORT}]
    how = {True: [acts], False: calm, None: [acts, *calm]}[careful]
    canary = draw(st.none() | st.sampled_from(kept))
    home = draw(st.sampled_from(["eu-west-1", "us-west-1"]))
    return manifest_of(sorted(kept), canary=canary, home=home, **draw(st.sampled_from(how)))


runs = st.tuples(manifests(), st.integers(0, 9_999), st.sets(st.sampled_from(FATES), min_size=1))
careful_runs = st.tuples(
    manifests(careful=True), st.integers(0, 9_999), st.sets(st.sampled_from(FATES), min_size=1)
)


def play(manifest: Manifest, seed: int, possible: set[str]) -> tuple[Replay, Mapping[Cell, str]]:
    chance = Random(seed)
    fates = {cell: chance.choice(sorted(possible)) for cell in manifest.cells}
    return replay(manifest, fates.__getitem__), fates


@quick
@given(runs)
def test_no_cell_runs_twice_and_every_one_runs_unless_the_run_was_stopped(
    run: tuple[Manifest, int, set[str]],
) -> None:
    manifest = run[0]
    played, _ = play(*run)

    assert len(played.ran) == len(set(played.ran))
    assert set(played.ran) <= set(manifest.cells)
    assert bool(played.stopped) is (set(played.ran) != set(manifest.cells))


@quick
@given(runs)
def test_the_same_ends_make_the_same_wave_in_any_order(
    run: tuple[Manifest, int, set[str]],
) -> None:
    """A step that is sent twice writes what it wrote."""
    manifest = run[0]
    played, _ = play(*run)
    ends: dict[Cell, End] = {}
    for wave in played.waves:
        backwards = dict(reversed(ends.items()))
        assert list(next_wave(manifest, backwards).cells) == wave
        ends |= {cell: played.ends[cell] for cell in wave}


@quick
@given(careful_runs)
def test_a_careful_run_whose_canaries_ended_badly_never_begins_the_rest(
    run: tuple[Manifest, int, set[str]],
) -> None:
    manifest = run[0]
    played, fates = play(*run)
    canaries, further = parted(manifest, played)
    bad = [cell for cell in canaries if fates[cell] in BAD]

    if fates[canaries[0]] == "wrong" or len(bad) == 2:
        assert not further
    if bad and not further:
        assert bool(played.stopped) is (len(canaries) < len(manifest.cells))


@quick
@given(careful_runs)
def test_a_careful_run_never_begins_the_rest_after_a_bad_second_wave(
    run: tuple[Manifest, int, set[str]],
) -> None:
    manifest = run[0]
    played, fates = play(*run)
    _, further = parted(manifest, played)
    if not further or set(manifest.cells) <= set(candidates(manifest)):
        return
    second = further[0]
    bad = sum(fates[cell] in BAD for cell in second)
    share = bad / max(1, bad + sum(fates[cell] in GOOD for cell in second))

    assert len(second) <= math.ceil(len(manifest.cells) / 20)
    if share > 0.2:
        assert len(further) == 1
    else:
        assert set(played.ran) == set(manifest.cells)


@quick
@given(careful_runs)
def test_at_most_five_canaries_of_as_many_accounts_run_one_after_the_other(
    run: tuple[Manifest, int, set[str]],
) -> None:
    manifest = run[0]
    played, fates = play(*run)
    canaries, _ = parted(manifest, played)

    assert 1 <= len({cell.account for cell in canaries}) == len(canaries) <= MOST_CANARIES
    assert canaries[0] == candidates(manifest)[0]
    well = [cell for cell in canaries if fates[cell] in GOOD]
    assert well in ([], canaries[-1:]), "one that ended well is the last"


@quick
@given(careful_runs)
def test_a_careful_run_that_saw_no_canary_end_badly_goes_on(
    run: tuple[Manifest, int, set[str]],
) -> None:
    played, fates = play(*run)

    if not set(fates.values()) & BAD:
        assert not played.stopped


@quick
@given(st.tuples(manifests(careful=False), st.integers(0, 9_999), st.just(set(FATES) - {"wrong"})))
def test_a_run_that_only_adds_or_reports_is_stopped_by_no_place_s_own_trouble(
    run: tuple[Manifest, int, set[str]],
) -> None:
    manifest = run[0]
    played, _ = play(*run)

    assert set(played.ran) == set(manifest.cells)
    assert [len(wave) for wave in played.waves][:1] == [1]
    assert len(played.waves) <= 2
    assert not played.stopped


@quick
@given(manifests(careful=False), st.sets(st.integers(1, 12)))
def test_whole_accounts_that_let_nobody_in_stop_no_other(
    manifest: Manifest, shut: set[int]
) -> None:
    played = replay(manifest, lambda cell: "unreachable" if int(cell.account) in shut else "ok")

    assert not played.stopped
    assert set(played.ran) == set(manifest.cells)
    assert {cell for cell, end in played.ends.items() if end.reason is Reason.UNREACHABLE} == {
        cell for cell in manifest.cells if int(cell.account) in shut
    }


@quick
@given(manifests(careful=True), st.sets(st.integers(1, 12)))
def test_accounts_that_let_nobody_in_do_not_stop_a_careful_run_either(
    manifest: Manifest, shut: set[int]
) -> None:
    played = replay(manifest, lambda cell: "unreachable" if int(cell.account) in shut else "ok")

    assert not played.stopped
    assert set(played.ran) == set(manifest.cells)


@quick
@given(manifests(careful=True), st.integers(0, 9_999))
def test_empty_cells_hide_no_bad_ones(manifest: Manifest, seed: int) -> None:
    """Of many regions most are empty: where all that had work failed, the rest never begins."""
    chance = Random(seed)
    fates = {cell: chance.choice(["empty", "empty", "failed"]) for cell in manifest.cells}
    played = replay(manifest, fates.__getitem__)
    canaries, further = parted(manifest, played)
    seen = [*canaries, *(further[0] if further else ())]

    if any(fates[cell] == "failed" for cell in seen) and set(seen) != set(manifest.cells):
        assert played.stopped


def test_the_careful_chores_are_those_that_delete_stop_or_overwrite() -> None:
    assert {"retention", "tagging"} == CAREFUL


def candidates(manifest: Manifest) -> list[Cell]:
    """Return the cells that may be canaries: the named one, and one of each further account."""
    found: list[Cell] = []
    at_home = [cell for cell in manifest.cells if cell.region == manifest.home]
    for cell in (*filter(None, [manifest.canary]), *at_home, *manifest.cells):
        if cell.account not in {each.account for each in found}:
            found.append(cell)
    return found[:MOST_CANARIES]


def parted(manifest: Manifest, played: Replay) -> tuple[list[Cell], list[list[Cell]]]:
    """Return the canaries of a careful run, and the waves after them."""
    canaries: list[Cell] = []
    for cell, wave in zip(candidates(manifest), played.waves, strict=False):
        if wave != [cell]:
            break
        canaries.append(cell)
        if played.ends[cell].is_good:
            break
    return canaries, played.waves[len(canaries) :]
