"""The order in which instances come back, and what a failed wave stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.restore.journal import Ending, Journal
from functions.restore.request import Order
from functions.restore.waves import never_begun, next_wave, waves_of
from tests.support.builders import NOW
from tests.support.restoring import a_journal, a_machine

if TYPE_CHECKING:
    from functions.restore.facts import Machine

ORDER = Order(tag="tier", values=("db", "app"))


def machines(**tiers: str) -> list[Machine]:
    return [
        a_machine(instance=name, tags={"tier": tier} if tier else {})
        for name, tier in tiers.items()
    ]


def named(waves: list[list[Machine]]) -> list[list[str]]:
    return [[each.id for each in wave] for wave in waves]


def test_without_an_order_ids_decide() -> None:
    fleet = machines(c="", a="", b="")

    assert named(waves_of(fleet, None, 2)) == [["a", "b"], ["c"]]
    assert named(waves_of(fleet, None, 3)) == [["a", "b", "c"]]
    assert waves_of([], None, 3) == []


def test_the_first_value_comes_first_and_those_without_one_last() -> None:
    fleet = machines(a="web", b="app", c="db", d="", e="db")

    assert named(waves_of(fleet, ORDER, 10)) == [["c", "e"], ["b"], ["a", "d"]]


def test_no_wave_holds_two_values_even_if_there_is_room() -> None:
    fleet = machines(a="db", b="db", c="db", d="app")

    assert named(waves_of(fleet, ORDER, 2)) == [["a", "b"], ["c"], ["d"]]


tiers = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.sampled_from(["db", "app", "web", ""])
)


@settings(max_examples=60, deadline=None)
@given(tiers, st.integers(1, 4), st.randoms())
def test_everyone_is_in_one_wave_whatever_the_order_of_input(
    fleet: dict[str, str], size: int, chance: object
) -> None:
    some = machines(**fleet)
    waves = waves_of(some, ORDER, size)
    chance.shuffle(some)  # type: ignore[attr-defined]

    assert waves_of(some, ORDER, size) == waves
    assert sorted(each.id for wave in waves for each in wave) == sorted(fleet)
    assert all(1 <= len(wave) <= size for wave in waves)
    ranks = [{["db", "app"].index(t) if (t := m.tags.get("tier", "")) in {"db", "app"} else 2
              for m in wave} for wave in waves]  # fmt: skip
    assert all(len(rank) == 1 for rank in ranks)
    assert [min(rank) for rank in ranks] == sorted(min(rank) for rank in ranks)


def journal(name: str, wave: int, ending: str = "", *, begun: bool = False) -> Journal:
    one = a_journal(target=name, wave=wave, turned=NOW if begun or ending else None)
    return one.ends(Ending(ending), NOW) if ending else one


def turn_of(*journals: Journal) -> tuple[list[str], list[str]]:
    """Return whose turn it is, and who never gets one."""
    return (
        [each.target for each in next_wave(journals)],
        [each.target for each in never_begun(journals)],
    )


def test_all_of_the_first_wave_come_first() -> None:
    assert turn_of(journal("a", 1), journal("b", 1), journal("c", 2)) == (["a", "b"], [])


def test_the_next_wave_waits_for_all_of_this_one() -> None:
    some = [journal("a", 1, "restored"), journal("b", 1), journal("c", 2)]
    assert turn_of(*some) == (["b"], [])

    over = [journal("a", 1, "restored"), journal("b", 1, "restored"), journal("c", 2)]
    assert turn_of(*over) == (["c"], [])


@pytest.mark.parametrize("ending", ["rolled_back", "left", "not_started"])
def test_one_that_failed_stops_the_waves_after_it(ending: str) -> None:
    some = [journal("a", 1, ending), journal("b", 1, "restored"), journal("c", 2), journal("d", 3)]

    assert turn_of(*some) == ([], ["c", "d"])


def test_the_others_of_its_own_wave_go_on() -> None:
    assert turn_of(journal("a", 1, "rolled_back"), journal("b", 1), journal("c", 2)) == (["b"], [])


def test_a_wave_that_has_begun_is_finished() -> None:
    some = [journal("a", 1, "left"), journal("b", 2, begun=True), journal("c", 2), journal("d", 3)]

    assert turn_of(*some) == (["b", "c"], [])


def test_that_a_later_one_has_begun_lets_none_before_it_begin() -> None:
    some = [journal("a", 1, "left"), journal("b", 2), journal("c", 3, begun=True)]

    assert turn_of(*some)[0] == []


def test_where_all_is_over_it_is_nobodys_turn() -> None:
    assert turn_of(journal("a", 1, "restored"), journal("b", 2, "left")) == ([], [])
    assert turn_of() == ([], [])
