"""The new volumes: made, given up, and deleted where nobody needs them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.restore.journal import Goal, Journal
from functions.restore.making import burned, discard, make
from functions.restore.turns import Look, Step, Turn
from tests.support.builders import NOW
from tests.support.restoring import (
    DATA,
    NEW,
    OLD,
    ROOT,
    a_disk,
    a_journal,
    a_part,
    a_sight,
    new_ones,
    old_ones,
    on_its_way_back,
)

LISTED = "volumes to be listed"
SPARE = "what was made to be listed"
NOTHING: frozenset[str] = frozenset()


def made(journal: Journal, *disks: object, minutes: float = 0, what: str = LISTED) -> Turn:
    """Return the turn of one who has waited so many minutes for what is not listed."""
    if minutes:
        journal = journal.waits(what, NOW - timedelta(minutes=minutes))
    turn = make(Look(journal, a_sight("running", *old_ones(), *disks)))  # type: ignore[arg-type]
    assert turn
    return turn


def discarded(
    journal: Journal, *disks: object, minutes: float = 0, keep: object = ()
) -> Turn | None:
    """Return the turn of one who has nothing left to do but to tidy up."""
    if minutes:
        journal = journal.waits(SPARE, NOW - timedelta(minutes=minutes))
    return discard(Look(journal, a_sight("running", *disks)), keep=frozenset(keep))  # type: ignore[arg-type,call-overload]


def test_only_what_is_not_made_is_asked_for() -> None:
    journal = a_journal(a_part(0, made=True), a_part(1))

    assert [move.key for move in made(journal, a_disk(NEW[0])).moves] == [DATA]


def test_one_whose_answer_was_lost_is_asked_for_again_with_the_same_token() -> None:
    sent = a_part(0, is_sent=True)
    turn = made(a_journal(sent, a_part(1, made=True)), a_disk(NEW[1]))

    assert [move.key for move in turn.moves] == [ROOT]
    assert turn.journal.token(turn.journal.parts[0]) == a_journal().token(a_part(0))


def test_all_available_is_all_that_is_wanted() -> None:
    journal = a_journal(made=True)

    assert make(Look(journal, a_sight("running", *new_ones()))) is None


def test_what_is_not_made_within_half_an_hour_goes_back() -> None:
    slow, what = [a_disk(NEW[0]), a_disk(NEW[1], state="creating")], "volumes to be made"
    journal = a_journal(made=True)

    assert made(journal, *slow).journal.waiting_for == what
    assert made(journal, *slow, minutes=29, what=what).journal.goal is Goal.FORWARD
    late = made(journal, *slow, minutes=30, what=what).journal
    assert (late.goal, late.problem) == (Goal.BACK, "volumes_not_made")


@pytest.mark.parametrize("state", ["error", "deleting", "in-use"])
def test_one_that_fails_is_given_up_for_another(state: str) -> None:
    turn = made(a_journal(made=True), a_disk(NEW[0]), a_disk(NEW[1], state=state))

    part = turn.journal.parts[1]
    assert (part.new, part.is_sent, part.burned) == ("", False, 1)
    assert turn.journal.parts[0].new == NEW[0]
    assert turn.journal.history[-1].endswith(f"volume failed: {NEW[1]}")
    assert turn.journal.token(part) != a_journal().token(a_part(1))


def test_one_that_is_not_listed_after_two_minutes_is_given_up() -> None:
    journal = a_journal(made=True)

    assert made(journal, a_disk(NEW[0])).journal.waiting_for == LISTED
    assert made(journal, a_disk(NEW[0]), minutes=1.9).journal.parts == journal.parts
    gone = made(journal, a_disk(NEW[0]), minutes=2).journal
    assert [part.burned for part in gone.parts] == [0, 1]
    assert (gone.waiting_for, gone.since) == ("", None)


def test_the_third_that_fails_goes_back() -> None:
    journal = a_journal(a_part(0, made=True), a_part(1, made=True, burned=2))
    turn = made(journal, a_disk(NEW[0]), a_disk(NEW[1], state="error"))

    assert (turn.journal.goal, turn.journal.problem) == (Goal.BACK, "volume_failed")
    assert turn.journal.parts[1].new == NEW[1]


def test_each_volume_may_fail_twice() -> None:
    journal = a_journal(a_part(0, burned=1), a_part(1, burned=2))

    assert burned(journal, ROOT, "token_used", NOW).journal.parts[0].burned == 2
    assert burned(journal, DATA, "token_used", NOW).journal.problem == "token_used"


def test_on_the_way_back_what_was_made_is_deleted() -> None:
    turn = discarded(on_its_way_back(), *old_ones(), *new_ones())

    assert turn
    assert [(move.step, move.disk) for move in turn.moves] == [
        (Step.DISCARD, NEW[0]),
        (Step.DISCARD, NEW[1]),
    ]


def test_what_is_kept_is_not() -> None:
    turn = discarded(on_its_way_back(), *old_ones(), *new_ones(), keep=NEW)

    assert turn is None


@pytest.mark.parametrize(
    "other",
    [
        a_disk(NEW[0], tags={}),
        a_disk(NEW[0], tags={"caretaker:run": "p-0123456789abcdef/i-00000002"}),
        a_disk(NEW[0], ROOT),
    ],
)
def test_others_volumes_and_attached_ones_never_are(other: object) -> None:
    assert discarded(on_its_way_back(), *old_ones(), other) is None


def test_an_original_never_is_whatever_it_carries() -> None:
    free = a_disk(OLD[0], tags={"caretaker:run": "p-0123456789abcdef/i-00000001"})

    assert discarded(on_its_way_back(), free, a_disk(OLD[1])) is None


def test_the_last_there_is_of_its_data_stays() -> None:
    turn = discarded(on_its_way_back(), a_disk(OLD[1], DATA), *new_ones())

    assert turn
    assert [move.disk for move in turn.moves] == [NEW[1]]


def test_of_what_was_lost_before_the_new_one_is_deleted_all_the_same() -> None:
    journal = on_its_way_back(parts=(a_part(0, made=True, original=""),))
    turn = discarded(journal, a_disk(NEW[0]))

    assert turn
    assert [move.disk for move in turn.moves] == [NEW[0]]


@pytest.mark.parametrize("state", ["creating", "deleting", "deleted"])
def test_what_is_being_made_or_deleted_is_waited_for(state: str) -> None:
    turn = discarded(on_its_way_back(), *old_ones(), a_disk(NEW[0], state=state))

    assert turn
    assert (turn.moves, turn.journal.waiting_for) == ((), SPARE)
    slow = a_disk(NEW[0], state=state)
    assert discarded(on_its_way_back(), *old_ones(), slow, minutes=29.9)
    assert discarded(on_its_way_back(), *old_ones(), slow, minutes=30) is None


def test_what_ec2_does_not_let_us_delete_is_asked_for_no_more() -> None:
    assert discarded(on_its_way_back(kept=NEW), *old_ones(), *new_ones()) is None


@pytest.mark.parametrize("part", [a_part(0, is_sent=True), a_part(0, made=True, burned=1)])
def test_what_may_still_come_to_be_listed_is_looked_for_two_minutes(part: object) -> None:
    journal = on_its_way_back(parts=(part, a_part(1, made=True)))

    waits = discarded(journal, *old_ones(), minutes=1.9)
    assert waits
    assert waits.journal.waiting_for == SPARE
    assert discarded(journal, *old_ones(), minutes=2) is None


def test_one_whose_answer_was_lost_is_found_by_its_tag_and_deleted() -> None:
    journal = on_its_way_back(parts=(a_part(0, is_sent=True), a_part(1)))
    turn = discarded(journal, *old_ones(), a_disk(NEW[0]), minutes=5)

    assert turn
    assert [move.disk for move in turn.moves] == [NEW[0]]


def test_nothing_was_made_where_nothing_was_asked_for() -> None:
    assert discarded(on_its_way_back(parts=(a_part(0), a_part(1))), *old_ones()) is None
