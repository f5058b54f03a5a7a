"""What is done next on the way there, told by what is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caretaker import tags as tag
from functions.restore.facts import How
from functions.restore.journal import Ending, Goal
from functions.restore.moves import next_turn
from functions.restore.turns import Step, Turn
from tests.support.builders import NOW
from tests.support.restoring import (
    DATA,
    NEW,
    OLD,
    ROOT,
    a_disk,
    a_journal,
    a_machine,
    a_part,
    a_sight,
    ago,
    free_originals,
    new_ones,
    new_ones_seated,
    old_ones,
    on_its_way_back,
    under_way,
)

if TYPE_CHECKING:
    from functions.restore.journal import Journal
from tests.unit.functions.restore.moving import SEATED_BY_NOW, steps, waiting


def test_what_is_over_stays_as_it_is() -> None:
    over = under_way().ends(Ending.RESTORED, NOW)

    assert next_turn(over, a_sight("stopped", *old_ones())) == Turn(over)


def test_the_first_look_sets_the_time_it_began() -> None:
    assert next_turn(a_journal(turned=None), a_sight()).journal.turned == NOW
    assert next_turn(a_journal(turned=NOW), a_sight(minutes=1)).journal.turned == NOW


def test_all_new_volumes_are_asked_for_before_anything_else() -> None:
    assert steps(next_turn(a_journal(), a_sight("running", *old_ones()))) == [
        ("create", ROOT, ""),
        ("create", DATA, ""),
    ]


def test_an_instance_is_touched_once_all_new_volumes_are_available() -> None:
    turn = next_turn(a_journal(made=True), a_sight("running", *old_ones(), *new_ones()))

    assert (turn.journal.is_touched, turn.journal.ran, turn.moves) == (True, True, ())
    assert turn.seconds == 0


def test_one_that_does_not_run_is_remembered_as_such() -> None:
    turn = next_turn(a_journal(made=True), a_sight("stopped", *old_ones(), *new_ones()))

    assert (turn.journal.is_touched, turn.journal.ran) == (True, False)


def test_one_new_volume_that_is_not_available_keeps_the_instance_untouched() -> None:
    new = [a_disk(NEW[0]), a_disk(NEW[1], state="creating")]
    turn = next_turn(a_journal(made=True), a_sight("running", *old_ones(), *new))

    assert not turn.journal.is_touched
    assert (turn.journal.waiting_for, turn.seconds) == ("volumes to be made", 5)


@pytest.mark.parametrize("state", ["pending", "stopping", "shutting-down", "terminated"])
def test_an_instance_in_another_state_by_then_is_not_touched(state: str) -> None:
    turn = next_turn(a_journal(made=True), a_sight(state, *old_ones(), *new_ones()))

    assert (turn.journal.goal, turn.journal.problem) == (Goal.BACK, "changed_meanwhile")
    assert not turn.journal.is_touched


@pytest.mark.parametrize(
    "odd",
    [
        [a_disk(OLD[0], ROOT), a_disk(OLD[1], "/dev/sdg")],
        [a_disk(OLD[0], ROOT), a_disk(OLD[1])],
        [a_disk(OLD[0], ROOT)],
        [a_disk(OLD[0], ROOT), a_disk(OLD[1], DATA, instance="i-00000009")],
    ],
)
def test_originals_that_do_not_sit_as_planned_are_not_touched(odd: list[object]) -> None:
    turn = next_turn(a_journal(made=True), a_sight("running", *odd, *new_ones()))  # type: ignore[arg-type]

    assert (turn.journal.goal, turn.journal.problem) == (Goal.BACK, "changed_meanwhile")


def test_an_instance_that_is_not_there_is_not_touched() -> None:
    turn = next_turn(a_journal(made=True), a_sight(None, *old_ones(), *new_ones()))

    assert turn.journal.problem == "changed_meanwhile"


def test_an_instance_that_runs_is_stopped_first() -> None:
    assert steps(next_turn(under_way(), a_sight("running", *old_ones(), *new_ones()))) == [
        ("stop", "", "")
    ]


def test_until_it_has_stopped_nothing_is_detached() -> None:
    turn = next_turn(under_way(), a_sight("stopping", *old_ones(), *new_ones()))

    assert (turn.moves, turn.journal.waiting_for) == ((), "instance to stop")


def test_one_that_does_not_stop_within_twenty_minutes_goes_back() -> None:
    sight = a_sight("stopping", *old_ones(), *new_ones())
    late = next_turn(waiting(under_way(), "instance to stop", 20), sight)
    not_yet = next_turn(waiting(under_way(), "instance to stop", 19.9), sight)

    assert (late.journal.goal, late.journal.problem) == (Goal.BACK, "not_stopped")
    assert not_yet.journal.goal is Goal.FORWARD


def test_the_originals_leave_their_seats() -> None:
    assert steps(next_turn(under_way(), a_sight("stopped", *old_ones(), *new_ones()))) == [
        ("detach", ROOT, OLD[0]),
        ("detach", DATA, OLD[1]),
    ]


def test_the_new_ones_sit_down_where_a_seat_is_free() -> None:
    seen = [a_disk(OLD[0]), a_disk(OLD[1], DATA, seat="detaching"), *new_ones()]

    assert steps(next_turn(under_way(), a_sight("stopped", *seen))) == [("attach", ROOT, NEW[0])]


def test_a_seat_that_does_not_become_free_goes_back_after_ten_minutes() -> None:
    seen = [a_disk(each, at, seat="busy") for each, at in zip(OLD, (ROOT, DATA), strict=True)]
    sight = a_sight("stopped", *seen, *new_ones())

    first = next_turn(under_way(), sight)
    assert (first.moves, first.journal.waiting_for) == ((), "volumes to be detached")
    late = next_turn(waiting(under_way(), "volumes to be detached", 10), sight)
    assert (late.journal.goal, late.journal.problem) == (Goal.BACK, "detaching_stuck")


def test_what_is_stuck_attaching_goes_back_after_ninety_seconds() -> None:
    seen = [a_disk(NEW[0], ROOT), a_disk(NEW[1], DATA, seat="attaching"), *free_originals()]
    sight = a_sight("stopped", *seen)
    what = "volumes to be attached"

    assert next_turn(under_way(), sight).journal.waiting_for == what
    assert next_turn(waiting(under_way(), what, 1.4), sight).journal.goal is Goal.FORWARD
    late = next_turn(waiting(under_way(), what, 1.5), sight)
    assert (late.journal.goal, late.journal.problem) == (Goal.BACK, "attaching_stuck")


def test_a_new_volume_that_is_lost_is_looked_for_and_goes_back_after_two_minutes() -> None:
    sight = a_sight("stopped", *free_originals(), a_disk(NEW[0]))

    first = next_turn(under_way(), sight)
    assert (first.moves, first.journal.waiting_for) == ((), "volumes to be there")
    late = next_turn(waiting(under_way(), "volumes to be there", 2), sight)
    assert (late.journal.goal, late.journal.problem) == (Goal.BACK, "volume_gone")


def test_they_go_with_the_instance_as_those_before_them() -> None:
    seen = [*free_originals(), *new_ones_seated(dies=False)]

    assert steps(next_turn(under_way(), a_sight("stopped", *seen))) == [("protect", "", "")]


def test_what_ran_is_started() -> None:
    assert steps(next_turn(under_way(), a_sight("stopped", *SEATED_BY_NOW))) == [("start", "", "")]


def test_what_did_not_run_stays_stopped() -> None:
    turn = next_turn(under_way(ran=False), a_sight("stopped", *SEATED_BY_NOW))

    assert steps(turn) == [("tag", "", OLD[0]), ("tag", "", OLD[1])]


def test_what_falls_back_to_stopped_three_times_goes_back() -> None:
    sight = a_sight("stopped", *SEATED_BY_NOW)

    assert steps(next_turn(under_way(starts=2), sight)) == [("start", "", "")]
    turn = next_turn(under_way(starts=3), sight)
    assert (turn.journal.goal, turn.journal.problem) == (Goal.BACK, "does_not_start")
    assert turn.journal.starts == 0


@pytest.mark.parametrize("state", ["pending", "stopping"])
def test_a_start_takes_ten_minutes_at_most(state: str) -> None:
    sight = a_sight(state, *SEATED_BY_NOW)

    assert next_turn(under_way(), sight).journal.waiting_for == "instance to run"
    late = next_turn(waiting(under_way(), "instance to run", 10), sight)
    assert (late.journal.goal, late.journal.problem) == (Goal.BACK, "not_started_in_time")


def test_the_status_checks_of_what_ran_are_waited_for() -> None:
    sight = a_sight("running", *SEATED_BY_NOW, health="initializing")
    turn = next_turn(under_way(check_minutes=5), sight)

    assert (turn.journal.waiting_for, turn.seconds) == ("status checks to pass", 15)
    what = "status checks to pass"
    late = next_turn(waiting(under_way(check_minutes=5), what, 5), sight)
    assert (late.journal.goal, late.journal.problem) == (Goal.BACK, "checks_failed")


def test_nobody_waits_for_checks_that_pass_or_that_nobody_wants() -> None:
    tags = [("tag", "", OLD[0]), ("tag", "", OLD[1])]
    ok = a_sight("running", *SEATED_BY_NOW, health="ok")
    unknown = a_sight("running", *SEATED_BY_NOW)

    assert steps(next_turn(under_way(check_minutes=5), ok)) == tags
    assert steps(next_turn(under_way(check_minutes=0), unknown)) == tags
    stopped = a_sight("stopped", *SEATED_BY_NOW)
    assert steps(next_turn(under_way(check_minutes=5, ran=False), stopped)) == tags


def test_an_original_is_tagged_once_and_one_that_is_gone_never() -> None:
    seen = a_sight("running", a_disk(OLD[0]), *new_ones_seated())

    assert steps(next_turn(under_way(), seen)) == [("tag", "", OLD[0])]
    assert next_turn(under_way(tagged=(OLD[0],)), seen).journal.ending is Ending.RESTORED


@pytest.mark.parametrize("how", [How.SWAP, How.VOLUMES])
def test_what_was_made_in_vain_is_deleted_before_it_is_restored(how: How) -> None:
    parts = (a_part(0, made=True, burned=1), a_part(1, made=True))
    is_swap = how is How.SWAP
    journal = under_way(how=how, parts=parts, tagged=OLD, is_touched=is_swap)
    spare = a_disk("vol-f0000009", tags={tag.RUN: journal.run_tag})
    seen = SEATED_BY_NOW if is_swap else [*old_ones(), *new_ones()]

    turn = next_turn(journal, a_sight("running", *seen, spare))
    assert steps(turn) == [("discard", "", spare.id)]


def test_at_last_it_is_restored_and_what_was_in_the_way_is_forgotten() -> None:
    journal = under_way(tagged=OLD, problem="InsufficientInstanceCapacity")
    turn = next_turn(journal, a_sight("running", *SEATED_BY_NOW))

    assert turn.journal.ending is Ending.RESTORED
    assert (turn.journal.problem, turn.journal.ended) == ("", NOW)


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
@pytest.mark.parametrize("journal", [under_way(), on_its_way_back()])
def test_an_instance_that_is_gone_on_the_way_is_left_to_a_person(
    state: str, journal: Journal
) -> None:
    turn = next_turn(journal, a_sight(state, *free_originals(), *new_ones()))

    assert (turn.journal.ending, turn.journal.problem) == (Ending.LEFT, "instance_gone")
    assert turn.moves == ()


@pytest.mark.parametrize("journal", [under_way(), on_its_way_back()])
def test_an_instance_that_a_listing_lacks_is_looked_for_before_it_is_left(journal: Journal) -> None:
    unseen = a_sight(None, *free_originals(), *new_ones())

    first = next_turn(journal, unseen)
    assert (first.moves, first.journal.ending) == ((), None)
    assert first.journal.waiting_for == "instance to be listed"
    late = next_turn(waiting(journal, "instance to be listed", 2), unseen)
    assert (late.journal.ending, late.journal.problem) == (Ending.LEFT, "instance_gone")


def test_one_that_was_started_is_not_stopped_again_for_a_listing_that_comes_late() -> None:
    sight = a_sight("running", *old_ones(), *new_ones())
    started = under_way(starts=1)

    first = next_turn(started, sight)
    assert (first.moves, first.journal.waiting_for) == ((), "volumes to be seen in their seats")
    late = next_turn(waiting(started, "volumes to be seen in their seats", 2), sight)
    assert steps(late) == [("stop", "", "")]


def test_volumes_beside_are_all_that_is_made_where_no_more_is_asked_for() -> None:
    journal = a_journal(made=True, how=How.VOLUMES)

    turn = next_turn(journal, a_sight(None, *new_ones()))
    assert turn.journal.ending is Ending.RESTORED
    assert not turn.journal.is_touched


def test_going_on_ends_the_waiting() -> None:
    journal = waiting(under_way(), "instance to stop", 3)
    turn = next_turn(journal, a_sight("stopped", *old_ones(), *new_ones()))

    assert {move.step for move in turn.moves} == {Step.DETACH}
    assert (turn.journal.waiting_for, turn.journal.since) == ("", None)


def test_what_nobody_looked_at_nobody_waited_for() -> None:
    """An outage of an hour while the status checks were waited for."""
    seen = a_sight("running", *SEATED_BY_NOW, health="initializing")
    journal = waiting(under_way(check_minutes=10, starts=1), "status checks to pass", 60)

    watched = next_turn(replace(journal, moved=ago(29)), seen).journal
    assert (watched.goal, watched.problem) == (Goal.BACK, "checks_failed")
    deserted = next_turn(replace(journal, moved=ago(30)), seen).journal
    assert (deserted.goal, deserted.since) == (Goal.FORWARD, NOW)
    assert deserted.history[-1] == "03:00:00 taken on again"


def test_one_that_nobody_took_on_for_days_is_not_given_up_at_once() -> None:
    sight = a_sight("stopped", *free_originals(), *new_ones())
    journal = replace(under_way(turned=ago(3 * 24 * 60)), moved=ago(3 * 24 * 60))

    assert steps(next_turn(journal, sight)) == [("attach", ROOT, NEW[0]), ("attach", DATA, NEW[1])]
    tried = replace(journal, moved=ago(1))
    assert next_turn(tried, sight).journal.problem == "took_too_long"


@pytest.mark.parametrize(("minutes", "goes"), [(39, True), (40, False)])
def test_a_new_volume_that_people_have_worked_with_is_not_deleted(
    minutes: float, *, goes: bool
) -> None:
    journal = on_its_way_back(check_minutes=10, served=ago(minutes), turned=NOW)
    over = next_turn(journal, a_sight("running", *old_ones(), *new_ones()))

    assert ({move.step for move in over.moves} == {Step.DISCARD}) is goes
    if not goes:
        assert (over.journal.ending, over.journal.left_over) == (Ending.ROLLED_BACK, NEW)


def test_it_serves_since_its_last_start_however_late_that_is_seen() -> None:
    machine = a_machine(launched=ago(500))
    sight = a_sight(machine, *SEATED_BY_NOW, health="initializing")

    turn = next_turn(under_way(check_minutes=10, starts=1), sight)
    assert turn.journal.served == ago(500)


def test_what_may_not_be_set_for_the_instances_end_does_not_keep_it_down() -> None:
    sight = a_sight("stopped", *free_originals(), *new_ones_seated(dies=False))

    assert steps(next_turn(under_way(), sight)) == [("protect", "", "")]
    assert steps(next_turn(under_way(unlike=(ROOT, DATA)), sight)) == [("start", "", "")]
