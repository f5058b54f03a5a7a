"""What is seen once more before an instance is touched: the gates of the plan may have closed."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker import tags as tag
from functions.restore.facts import How, Seat
from functions.restore.journal import Goal, Journal
from functions.restore.moves import next_turn
from tests.support.restoring import (
    DATA,
    ID,
    OLD,
    ROOT,
    a_disk,
    a_journal,
    a_machine,
    a_part,
    a_sight,
    new_ones,
    old_ones,
)

IGNORED = {tag.IGNORE: "true"}
GROUPED = {"group": "web", "group_state": "Standby"}


def touched(journal: Journal, machine: dict[str, Any], *disks: Any) -> Journal:
    """Return the journal after the look at which all is ready."""
    seen = a_sight(a_machine(**machine), *(disks or (*old_ones(), *new_ones())))
    return next_turn(journal, seen).journal


def a_swap() -> Journal:
    return a_journal(made=True)


def a_root(**odd: Any) -> Journal:
    return a_journal(a_part(0), how=How.ROOT, **odd)


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (GROUPED | {"group_state": "InService"}, "in scaling group"),
        (GROUPED | {"group_state": "EnteringStandby"}, "in scaling group"),
        (GROUPED | {"group_state": ""}, "in scaling group"),
        ({"tags": IGNORED}, "ignored"),
        ({"is_managed": True}, "managed by service"),
        ({"is_spot": True}, "not stoppable"),
        ({"state": "stopping"}, "instance state"),
    ],
)
@pytest.mark.parametrize("journal", [a_swap(), a_root(check_minutes=5)])
def test_what_would_not_be_planned_any_more_is_not_touched(
    machine: dict[str, Any], said: str, journal: Journal
) -> None:
    back = touched(journal, machine)

    assert (back.goal, back.problem, back.is_touched) == (Goal.BACK, "changed_meanwhile", False)
    assert [line[9:] for line in back.history] == [said, "goes back: changed meanwhile"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (a_disk(OLD[1], DATA, tags=IGNORED), "ignored"),
        (a_disk(OLD[1], DATA, is_managed=True), "managed by service"),
        (a_disk(OLD[1], seats=(Seat(ID, DATA), Seat("i-2", DATA)), state="in-use"), "multi attach"),
        (a_disk(OLD[1], DATA, seat="detaching"), "volume state"),
    ],
)
def test_an_original_that_would_not_be_planned_any_more_keeps_it_untouched(
    data: Any, said: str
) -> None:
    back = touched(a_swap(), {}, a_disk(OLD[0], ROOT), data, *new_ones())

    assert (back.goal, back.problem) == (Goal.BACK, "changed_meanwhile")
    assert back.history[0].endswith(said)


@pytest.mark.parametrize("journal", [a_swap(), a_root()])
def test_a_member_in_standby_is_touched(journal: Journal) -> None:
    assert touched(journal, GROUPED).is_touched


def test_a_root_is_replaced_of_what_runs_alone() -> None:
    assert touched(a_swap(), {"state": "stopped"}).is_touched
    assert not touched(a_root(), {"state": "stopped"}).is_touched
    assert touched(a_root(), {"is_spot": True}).is_touched
