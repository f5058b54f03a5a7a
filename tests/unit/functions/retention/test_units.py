from __future__ import annotations

from functions.retention.units import TAGGED_AT_ONCE, plan_units
from tests.support.retention import a_change, ids


def a_row(action: str, number: int, *, first: int = 1) -> list[str]:
    return [f"snap-{action}-{n:04}" for n in range(first, first + number)]


def test_deletes_one_by_one() -> None:
    units = plan_units([a_change(each, "delete") for each in a_row("delete", 3)])

    assert [unit.lane for unit in units] == ["DeleteSnapshot"] * 3
    assert [ids(unit.decisions) for unit in units] == [[each] for each in a_row("delete", 3)]


def test_marks_and_unmarks_in_batches() -> None:
    marks, unmarks = a_row("mark", 101), a_row("unmark", 51)

    units = plan_units(
        [*(a_change(each, "unmark") for each in unmarks), *(a_change(e, "mark") for e in marks)]
    )

    assert [(unit.lane, len(unit.decisions)) for unit in units] == [
        ("CreateTags", 50),
        ("CreateTags", 50),
        ("CreateTags", 1),
        ("DeleteTags", 50),
        ("DeleteTags", 1),
    ]
    assert [each for unit in units for each in ids(unit.decisions)] == [*marks, *unmarks]


def test_a_full_batch_is_one_batch() -> None:
    assert TAGGED_AT_ONCE == 50
    assert len(plan_units([a_change(each) for each in a_row("mark", 50)])) == 1


def test_what_stays_is_in_no_unit() -> None:
    assert plan_units([a_change(action="keep"), a_change(action="skip")]) == []


def test_the_oldest_go_first() -> None:
    young = a_change("snap-1", "delete", started="2026-10-12T03:00:01Z")
    old = a_change("snap-3", "delete", started="2025-12-31T03:00:00Z")
    as_old = a_change("snap-2", "delete", started="2025-12-31T03:00:00Z")

    units = plan_units([young, old, as_old])

    assert [ids(unit.decisions) for unit in units] == [["snap-2"], ["snap-3"], ["snap-1"]]


def test_a_unit_says_nothing_of_its_own() -> None:
    (unit,) = plan_units([a_change()])

    assert unit.notes == {}
    assert unit.decisions == (a_change(),)
