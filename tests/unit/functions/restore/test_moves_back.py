"""What is done next on the way back, told by what is seen."""

from __future__ import annotations

from datetime import timedelta

from functions.restore.journal import Ending, Goal
from functions.restore.moves import next_turn
from tests.support.builders import NOW
from tests.support.restoring import (
    DATA,
    NEW,
    OLD,
    ROOT,
    a_disk,
    a_sight,
    free_originals,
    new_ones,
    old_ones,
    on_its_way_back,
    under_way,
)
from tests.unit.functions.restore.moving import SEATED_BY_NOW, steps, waiting


def test_on_the_way_back_what_is_stuck_attaching_is_detached_and_tried_again() -> None:
    seen = [a_disk(OLD[0], ROOT), a_disk(OLD[1], DATA, seat="attaching"), *new_ones()]
    sight = a_sight("stopped", *seen)
    what = "volumes to be attached"

    assert next_turn(waiting(on_its_way_back(), what, 1.4), sight).moves == ()
    late = next_turn(waiting(on_its_way_back(), what, 1.5), sight)
    assert steps(late) == [("detach", DATA, OLD[1])]


def test_on_the_way_back_it_is_started_however_often_that_takes() -> None:
    sight = a_sight("stopped", *old_ones(), *new_ones())

    assert steps(next_turn(on_its_way_back(starts=30), sight)) == [("start", "", "")]


def test_on_the_way_back_the_new_ones_leave_and_the_originals_sit_down_again() -> None:
    seated = a_sight("stopped", *SEATED_BY_NOW)
    assert steps(next_turn(on_its_way_back(), seated)) == [
        ("detach", ROOT, NEW[0]),
        ("detach", DATA, NEW[1]),
    ]
    free = a_sight("stopped", *free_originals(), *new_ones())
    assert steps(next_turn(on_its_way_back(), free)) == [
        ("attach", ROOT, OLD[0]),
        ("attach", DATA, OLD[1]),
    ]


def test_on_the_way_back_a_running_instance_is_stopped_again_first() -> None:
    running = a_sight("running", *SEATED_BY_NOW)

    assert steps(next_turn(on_its_way_back(), running)) == [("stop", "", "")]


def test_on_the_way_back_they_go_with_the_instance_as_they_did() -> None:
    seen = [a_disk(OLD[0], ROOT), a_disk(OLD[1], DATA), *new_ones()]

    assert steps(next_turn(on_its_way_back(), a_sight("stopped", *seen))) == [("protect", "", "")]


def test_it_runs_again_before_the_new_volumes_are_deleted() -> None:
    stopped = a_sight("stopped", *old_ones(), *new_ones())
    assert steps(next_turn(on_its_way_back(), stopped)) == [("start", "", "")]

    running = a_sight("running", *old_ones(), *new_ones())
    assert steps(next_turn(on_its_way_back(), running)) == [
        ("discard", "", NEW[0]),
        ("discard", "", NEW[1]),
    ]


def test_it_is_rolled_back_once_nothing_new_is_left() -> None:
    turn = next_turn(on_its_way_back(), a_sight("running", *old_ones()))

    assert (turn.journal.ending, turn.journal.problem) == (Ending.ROLLED_BACK, "checks_failed")


def test_what_was_never_touched_is_only_tidied_up() -> None:
    journal = on_its_way_back(is_touched=False)

    stopping = a_sight("stopping", *free_originals(), *new_ones())
    assert {step for step, _, _ in steps(next_turn(journal, stopping))} == {"discard"}
    gone = next_turn(journal, a_sight("terminated"))
    assert gone.journal.ending is Ending.ROLLED_BACK


def test_an_original_that_is_lost_on_the_way_back_is_waited_for_a_day() -> None:
    sight = a_sight("stopped", a_disk(OLD[0]), *new_ones())
    what = "volumes to be there"

    late = next_turn(waiting(on_its_way_back(), what, 60), sight)
    assert (late.journal.ending, late.seconds) == (None, 60)
    over = next_turn(waiting(on_its_way_back(), what, 24 * 60), sight)
    assert (over.journal.ending, over.journal.problem) == (Ending.LEFT, "volume_gone")


def test_after_a_day_of_trying_it_goes_back_and_after_another_it_is_left() -> None:
    stopped = a_sight("stopped", *SEATED_BY_NOW)
    day, less = NOW - timedelta(hours=24), NOW - timedelta(hours=23.9)

    assert steps(next_turn(under_way(turned=less), stopped)) == [("start", "", "")]
    turn = next_turn(under_way(turned=day), stopped)
    assert (turn.journal.goal, turn.journal.problem) == (Goal.BACK, "took_too_long")
    assert turn.journal.turned == NOW
    back = a_sight("stopped", *old_ones(), *new_ones())
    left = next_turn(on_its_way_back(turned=day), back)
    assert (left.journal.ending, left.journal.problem) == (Ending.LEFT, "checks_failed")
