"""How long anything may take, and what comes of it when it takes longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from caretaker import tags as tag
from functions.restore.facts import Disk
from functions.restore.journal import Ending, Goal, Journal
from functions.restore.turns import Look, Move, Step, Turn
from tests.support.builders import NOW
from tests.support.restoring import (
    DATA,
    NEW,
    OLD,
    ROOT,
    a_disk,
    a_sight,
    new_ones_seated,
    old_ones,
    on_its_way_back,
    under_way,
)

WHAT = "instance to stop"
WITHIN = timedelta(minutes=20)


def waited(journal: Journal, minutes: float, problem: str = "not_stopped") -> Turn:
    waits = journal.waits(WHAT, NOW - timedelta(minutes=minutes))
    return Look(waits, a_sight()).wait(WHAT, WITHIN, problem)


def test_the_time_runs_from_the_first_look_that_waited() -> None:
    first = Look(under_way(), a_sight()).wait(WHAT, WITHIN, "x")
    again = Look(first.journal, a_sight(minutes=4)).wait(WHAT, WITHIN, "x")
    other = Look(first.journal, a_sight(minutes=5)).wait("another", WITHIN, "x")

    assert (first.journal.since, again.journal.since) == (NOW, NOW)
    assert other.journal.since == NOW + timedelta(minutes=5)
    assert [turn.seconds for turn in (first, again, other)] == [5, 30, 5]


def test_on_the_way_there_what_takes_too_long_goes_back() -> None:
    assert waited(under_way(), 19.9).journal.goal is Goal.FORWARD
    turn = waited(under_way(), 20)
    assert (turn.journal.goal, turn.journal.problem, turn.seconds) == (Goal.BACK, "not_stopped", 0)


def test_without_a_way_back_it_is_waited_for_a_day_and_then_left() -> None:
    assert waited(under_way(), 21, "").seconds == 60
    assert waited(under_way(), 24 * 60 - 1, "").journal.is_open
    left = waited(under_way(), 24 * 60, "").journal
    assert (left.ending, left.problem) == (Ending.LEFT, "took_too_long")


def test_on_the_way_back_it_is_told_and_waited_for_a_day() -> None:
    late = waited(on_its_way_back(problem=""), 20)
    assert (late.journal.problem, late.journal.ending, late.seconds) == ("not_stopped", None, 60)
    assert waited(on_its_way_back(), 20).journal.problem == "checks_failed"
    left = waited(on_its_way_back(), 24 * 60).journal
    assert (left.ending, left.problem) == (Ending.LEFT, "not_stopped")


def test_two_waits_one_after_the_other_are_not_one() -> None:
    journal = under_way().waits("another", NOW - WITHIN)

    assert not Look(journal, a_sight()).is_late(WHAT, WITHIN)
    assert not Look(under_way(), a_sight()).is_late(WHAT, WITHIN)
    assert Look(journal, a_sight()).is_late("another", WITHIN)


@pytest.mark.parametrize(
    ("disk", "sits"),
    [
        (a_disk(OLD[1], DATA), True),
        (a_disk(OLD[1], DATA, state="error"), False),
        (a_disk(OLD[1], ROOT), False),
        (a_disk(OLD[1], DATA, instance="i-00000002"), False),
        (a_disk(OLD[1]), False),
        (a_disk(OLD[0], DATA), False),
    ],
)
def test_a_volume_sits_where_it_is_in_use_as_that_device(disk: Disk, *, sits: bool) -> None:
    assert Look(under_way(), a_sight("running", disk)).sits(OLD[1], DATA) is sits


def test_a_volume_is_available_only_where_it_is_seen_so() -> None:
    look = Look(under_way(), a_sight("running", a_disk(NEW[0]), a_disk(NEW[1], DATA)))

    assert [look.is_available(each) for each in (*NEW, OLD[0])] == [True, False, False]


SPARE = a_disk("vol-f0000009", tags={tag.RUN: under_way().run_tag})


def test_what_stays_of_the_new_volumes_is_told_at_the_end() -> None:
    seen = a_sight("running", *old_ones(), a_disk(NEW[1]), a_disk("vol-00000009"), SPARE)

    back = Look(on_its_way_back(), seen).rolled_back().journal
    assert (back.ending, back.left_over) == (Ending.ROLLED_BACK, (NEW[1], SPARE.id))
    assert back.problem == "checks_failed"


def test_what_was_restored_is_not_left_over() -> None:
    well = Look(under_way(), a_sight("running", *new_ones_seated(), SPARE)).restored().journal

    assert (well.ending, well.left_over) == (Ending.RESTORED, (SPARE.id,))


def test_of_what_is_left_to_a_person_the_new_volumes_without_a_seat_are_told() -> None:
    seen = a_sight("stopped", *new_ones_seated()[:1], a_disk(NEW[1]))
    left = Look(under_way(), seen).left("instance_gone").journal

    assert (left.ending, left.problem) == (Ending.LEFT, "instance_gone")
    assert left.left_over == (NEW[1],)


@pytest.mark.parametrize("state", ["creating", "error"])
def test_one_that_is_still_being_made_stays_too_but_none_that_is_being_deleted(
    state: str,
) -> None:
    seen = a_sight("running", a_disk(NEW[0], state=state), a_disk(NEW[1], state="deleting"))

    assert Look(on_its_way_back(), seen).rolled_back().journal.left_over == (NEW[0],)


def test_from_the_last_moves_nothing_leads_back_however_late() -> None:
    journal = under_way(turned=NOW - timedelta(days=2))
    move = Move(Step.TAG, disk=OLD[0])

    turn = Look(journal, a_sight()).last([move])
    assert (turn.moves, turn.journal.goal) == ((move,), Goal.FORWARD)
    assert Look(journal, a_sight()).moves([move]).journal.goal is Goal.BACK
