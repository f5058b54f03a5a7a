"""What begins by one call: all cells of a run."""

from __future__ import annotations

from caretaker.decisions import Decision
from functions.fleet.facts import Action, Reason
from functions.fleet.units import START, plan_units

RUN = Decision("111111111111/eu-west-1", Action.RUN, Reason.SELECTED)
OTHER = Decision("222222222222/eu-west-1", Action.RUN, Reason.SELECTED)
OUT = Decision("123456789012", Action.SKIP, Reason.MANAGEMENT)


def test_all_cells_begin_by_one_call() -> None:
    (unit,) = plan_units([RUN, OUT, OTHER])

    assert (unit.lane, unit.decisions) == (START, (RUN, OTHER))


def test_nothing_begins_without_a_cell() -> None:
    assert plan_units([OUT]) == []
    assert plan_units([]) == []
