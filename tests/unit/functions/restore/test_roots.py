"""A root volume that EC2 itself replaces, while the instance runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker import tags as tag
from functions.restore.facts import How, RootTask
from functions.restore.journal import Ending, Goal
from functions.restore.moves import next_turn
from functions.restore.roots import new_root
from functions.restore.turns import Step
from tests.support.builders import NOW
from tests.support.restore_life import Life
from tests.support.restore_state import LOST, Faults
from tests.support.restoring import DATA, OLD, ROOT, a_disk, a_journal, a_part, a_sight

if TYPE_CHECKING:
    from functions.restore.facts import Disk, Sight
    from functions.restore.journal import Journal
    from functions.restore.turns import Turn

MADE = "vol-f000a001"


def a_root(**odd: Any) -> Journal:
    known: dict[str, Any] = {"how": How.ROOT, "is_touched": True, "ran": True}
    return a_journal(a_part(0), **known | odd)


def seen(state: str = "", *disks: Disk, **odd: Any) -> Sight:
    task = RootTask("replacevol-1", state) if state else None
    return a_sight("running", *(disks or (a_disk(OLD[0], ROOT, dies=True),)), task=task, **odd)


def replaced(**odd: Any) -> Sight:
    return seen("succeeded", a_disk(OLD[0]), a_disk(MADE, ROOT, dies=True), **odd)


def asked(turn: Turn) -> list[tuple[str, str]]:
    return [(move.step.value, move.disk) for move in turn.moves]


def test_the_instance_is_looked_at_once_more_before_it_is_touched() -> None:
    fresh = a_root(is_touched=False, ran=False)

    ready = next_turn(fresh, seen()).journal
    assert (ready.is_touched, ready.ran, ready.goal) == (True, True, Goal.FORWARD)
    moved = next_turn(fresh, seen("", a_disk(OLD[0], DATA))).journal
    assert (moved.is_touched, moved.problem) == (False, "changed_meanwhile")


def test_ec2_is_asked_once() -> None:
    assert [m.step for m in next_turn(a_root(), seen()).moves] == [Step.REPLACE_ROOT]
    turn = next_turn(a_root(task="replacevol-1"), seen())
    assert (turn.moves, turn.journal.waiting_for) == ((), "root volume to be replaced")


@pytest.mark.parametrize("state", ["pending", "in-progress", "failing"])
def test_its_task_is_waited_for_a_day(state: str) -> None:
    journal = a_root(task="replacevol-1")
    turn = next_turn(journal, seen(state))
    assert (turn.moves, turn.journal.goal) == ((), Goal.FORWARD)

    since = NOW - timedelta(hours=24)
    left = next_turn(journal.waits("root volume to be replaced", since), seen(state)).journal
    assert (left.ending, left.problem) == (Ending.LEFT, "took_too_long")


def test_a_task_that_failed_goes_back_and_finds_the_original_in_its_seat() -> None:
    journal = a_root(task="replacevol-1")

    turned = next_turn(journal, seen("failed")).journal
    assert (turned.goal, turned.problem) == (Goal.BACK, "root_task_failed")
    assert next_turn(turned, seen("failed")).journal.ending is Ending.ROLLED_BACK


def test_an_instance_without_its_root_volume_gets_the_original_back() -> None:
    waits = next_turn(a_root(task="replacevol-1"), seen("failing-detached")).journal
    assert (waits.goal, waits.waiting_for) == (Goal.FORWARD, "root volume to be replaced")
    back = next_turn(a_root(task="replacevol-1"), seen("failed-detached")).journal
    assert (back.goal, back.problem) == (Goal.BACK, "root_detached")


def test_old_and_new_are_tagged_then_it_is_restored() -> None:
    journal = a_root(task="replacevol-1")

    turn = next_turn(journal, replaced())
    assert asked(turn) == [("tag", OLD[0]), ("tag", MADE)]
    assert turn.journal.parts[0].new == MADE
    over = next_turn(a_root(task="replacevol-1", tagged=(OLD[0], MADE)), replaced()).journal
    assert (over.ending, over.parts[0].new) == (Ending.RESTORED, MADE)


def test_its_status_checks_are_waited_for() -> None:
    journal = settled(check_minutes=5)

    assert next_turn(journal, replaced(health="impaired", minutes=1)).seconds == 15
    assert asked(next_turn(journal, replaced(health="ok", minutes=1)))


def settled(**odd: Any) -> Journal:
    """Return the journal of one whose new root was first seen at NOW."""
    return next_turn(a_root(task="replacevol-1", **odd), replaced(health="ok")).journal


def test_checks_that_passed_before_the_new_root_was_there_do_not_count() -> None:
    first = next_turn(a_root(task="replacevol-1", check_minutes=5), replaced(health="ok"))

    assert (first.moves, first.seconds, first.journal.parts[0].new) == ((), 60, MADE)
    soon = next_turn(first.journal, replaced(health="ok", minutes=0.9))
    assert (soon.moves, soon.seconds) == ((), 60)
    later = next_turn(first.journal, replaced(health="impaired", minutes=1)).journal
    assert (later.waiting_for, later.since) == (
        "status checks to pass",
        NOW + timedelta(minutes=1),
    )
    late = next_turn(later, replaced(health="impaired", minutes=6)).journal
    assert (late.goal, late.problem) == (Goal.BACK, "checks_failed")


def test_where_nobody_wants_checks_none_are_waited_for() -> None:
    assert asked(next_turn(a_root(task="replacevol-1"), replaced()))


def test_what_is_said_at_the_new_root_is_not_said_again() -> None:
    told = a_disk(MADE, ROOT, dies=True, tags={tag.RESTORED_FROM: "snap-00000001"})
    turn = next_turn(a_root(task="replacevol-1"), seen("succeeded", a_disk(OLD[0]), told))

    assert asked(turn) == [("tag", OLD[0])]


def test_the_new_root_is_what_sits_there_and_was_not_before() -> None:
    journal = a_root()

    assert new_root(journal, seen()) is None
    found = new_root(journal, replaced())
    assert found
    assert found.id == MADE
    for odd in (a_disk(MADE, DATA), a_disk(MADE), a_disk(MADE, ROOT, state="creating")):
        assert new_root(journal, seen("", odd)) is None
    assert new_root(journal, seen("", a_disk(MADE, ROOT, instance="i-00000002"))) is None


def test_until_it_is_listed_it_is_waited_for() -> None:
    turn = next_turn(a_root(task="replacevol-1"), seen("succeeded", a_disk(OLD[0])))

    assert turn.journal.waiting_for == "new root volume to be listed"


@pytest.mark.parametrize(
    ("faults", "ending"),
    [
        (Faults(), Ending.RESTORED),
        (Faults(task="failed"), Ending.ROLLED_BACK),
        (Faults(task="failed-detached"), Ending.ROLLED_BACK),
        (Faults(health="impaired"), Ending.ROLLED_BACK),
    ],
)
def test_a_worker_may_be_killed_anywhere_while_a_root_is_replaced(
    faults: Faults, ending: Ending
) -> None:
    fresh = a_root(is_touched=False, ran=False, check_minutes=5, turned=None)
    whole = Life(faults, journal=fresh)
    whole.live()

    for point in range(1, whole.points + 1, 5):
        life = Life(faults, frozenset({point}), fresh)
        journal = life.live()
        state = life.ec2.state
        assert journal.ending is ending
        assert not life.ec2.deleted
        if ending is Ending.ROLLED_BACK:
            assert (state.vols[OLD[0]].device, state.vols[OLD[0]].dies) == (ROOT, True)
            assert state.machine == "running"
            assert set(journal.left_over) == set(state.vols) - set(OLD)
        if ending is Ending.RESTORED:
            assert state.vols[MADE].device == ROOT
            assert state.vols[OLD[0]].tags["caretaker:replaced-by"] == MADE


@settings(max_examples=40, deadline=None)
@given(
    late=st.sampled_from([0.0, 4.0]),
    refused=st.lists(st.sampled_from(["", LOST, "InternalError", "IncorrectState"]), max_size=5),
    task=st.sampled_from(["succeeded", "failed"]),
    health=st.sampled_from(["ok", "impaired"]),
    kills=st.frozensets(st.integers(1, 60), max_size=5),
)
def test_whatever_passes_while_a_root_is_replaced_ends_well_or_as_it_was(
    late: float, refused: list[str], task: str, health: str, kills: frozenset[int]
) -> None:
    calls = ["create_replace_root_volume_task", "create_tags", "stop_instances", "attach_volume"]
    faults = Faults(
        late=late, refused=dict.fromkeys(calls, tuple(refused)), task=task, health=health
    )
    fresh = a_root(is_touched=False, ran=False, check_minutes=5, turned=None)
    life = Life(faults, kills, fresh)
    journal = life.live()

    is_well = (task, health) == ("succeeded", "ok")
    assert journal.ending is (Ending.RESTORED if is_well else Ending.ROLLED_BACK)
    assert life.ec2.state.machine == "running"
    assert life.ec2.state.vols[MADE if is_well else OLD[0]].device == ROOT
    assert not life.ec2.deleted
    assert not life.ec2.hot
