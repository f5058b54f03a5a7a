"""The journal, and what is written into it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from functions.restore.facts import How
from functions.restore.journal import Ending, Goal
from tests.support.builders import NOW
from tests.support.restoring import DATA, ID, PLAN, ROOT, a_journal, a_part, under_way

LATER = NOW + timedelta(minutes=5)


def test_the_token_of_a_creation_is_the_same_until_it_is_burned() -> None:
    journal, part = a_journal(), a_part(1)

    assert journal.token(part) == replace(journal, version=9, starts=2).token(a_part(1, made=True))
    assert len(journal.token(part)) == 64


def test_each_creation_has_a_token_of_its_own() -> None:
    one = a_journal()
    tokens = {
        journal.token(part)
        for journal in (one, replace(one, target="i-2"), replace(one, plan="p-2"))
        for part in (a_part(0), a_part(1), a_part(0, burned=1), a_part(0, snapshot="snap-9"))
    }

    assert len(tokens) == 12


def test_a_part_is_known_by_its_device_or_else_by_its_snapshot() -> None:
    assert a_part(0).key == ROOT
    assert a_part(0, device="").key == "snap-00000001"


def test_new_volumes_carry_the_plan_and_the_target() -> None:
    assert a_journal().run_tag == f"{PLAN}/{ID}"


def test_one_part_changes_and_the_others_do_not() -> None:
    journal = a_journal().with_part(DATA, lambda part: replace(part, burned=1))

    assert [part.burned for part in journal.parts] == [0, 1]


def test_it_waits_from_when_it_began_to() -> None:
    first = a_journal().waits("a", NOW)

    assert first.waits("a", LATER) == first
    assert first.waits("b", LATER).since == LATER
    assert (first.waits("", LATER).waiting_for, first.waits("", LATER).since) == ("", None)


def test_on_its_way_back_it_begins_anew() -> None:
    there = under_way(starts=3).waits("a", NOW)
    back = there.goes_back("does_not_start", LATER)

    assert (back.goal, back.problem, back.turned) == (Goal.BACK, "does_not_start", LATER)
    assert (back.starts, back.waiting_for, back.since) == (0, "", None)
    assert back.history == ("03:05:00 goes back: does not start",)
    assert (back.ran, back.is_touched, back.parts) == (True, True, there.parts)


def test_at_its_end_it_waits_for_nothing() -> None:
    over = under_way().waits("a", NOW).ends(Ending.ROLLED_BACK, LATER)

    assert (over.is_open, over.ended, over.waiting_for, over.since) == (False, LATER, "", None)
    assert over.history[-1] == "03:05:00 rolled back"
    assert under_way().is_open


def test_the_last_sixty_lines_are_kept() -> None:
    journal = a_journal()
    for number in range(65):
        journal = journal.noted(str(number), NOW)

    assert [line.split()[1] for line in journal.history] == [str(n) for n in range(5, 65)]


def test_volumes_beside_touch_no_instance() -> None:
    assert not a_journal(how=How.VOLUMES).is_instance
    assert a_journal(how=How.SWAP).is_instance
    assert a_journal(how=How.ROOT).is_instance
