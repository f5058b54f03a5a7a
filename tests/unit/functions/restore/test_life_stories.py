"""Lives of one target in which one thing goes wrong for long."""

from __future__ import annotations

import pytest

from functions.restore.facts import How
from functions.restore.journal import Ending
from tests.support.restore_life import Life
from tests.support.restore_state import Faults
from tests.support.restoring import OLD, a_journal
from tests.unit.functions.restore.living import is_as_before, is_over, ours


def test_volumes_that_take_too_long_are_deleted_once_they_are_made() -> None:
    life = Life(Faults(making=45 * 60))

    assert is_over(life) is Ending.ROLLED_BACK
    assert (life.ec2.ready_at_first_touch, len(life.ec2.deleted)) == (None, 2)


def test_volumes_that_are_never_made_are_told_as_left_over() -> None:
    life = Life(Faults(making=9 * 60 * 60))
    journal = life.live()

    assert (journal.ending, journal.problem) == (Ending.ROLLED_BACK, "volumes_not_made")
    assert set(journal.left_over) == ours(life)
    assert len(journal.left_over) == 2


def test_a_start_without_capacity_is_waited_for_hours() -> None:
    life = Life(Faults(refused={"start_instances": ("InsufficientInstanceCapacity",) * 90}))

    assert is_over(life) is Ending.RESTORED
    assert life.ec2.calls["start_instances"] == 91


def test_a_start_that_never_has_capacity_is_left_with_the_originals_in_their_seats() -> None:
    life = Life(Faults(refused={"start_instances": ("InsufficientInstanceCapacity",) * 9999}))
    journal = life.live()

    assert (journal.ending, journal.problem) == (Ending.LEFT, "took_too_long")
    assert is_as_before(life)
    assert life.ec2.state.machine == "stopped"


def test_volumes_for_which_there_is_no_room_leave_the_instance_alone() -> None:
    life = Life(Faults(refused={"create_volume": ("InsufficientVolumeCapacity",) * 99}))

    assert is_over(life) is Ending.ROLLED_BACK
    assert life.journal.problem == "InsufficientVolumeCapacity"
    assert (life.ec2.made, life.ec2.ready_at_first_touch) == (0, None)
    assert life.clock.monotonic() < 60 * 60


def test_attachments_that_are_stuck_again_and_again_come_to_be_in_the_end() -> None:
    life = Life(Faults(stuck=frozenset(range(1, 60))))

    assert is_over(life) is Ending.ROLLED_BACK
    assert life.journal.problem == "attaching_stuck"
    assert life.clock.monotonic() > 45 * 60


@pytest.mark.parametrize("when", [5, 30, 45, 60, 75, 90])
def test_an_instance_that_is_terminated_meanwhile_loses_nothing_by_it(when: float) -> None:
    life = Life(Faults(outside=((when, "terminate"),)))
    journal = life.live()

    assert journal.ending in {Ending.LEFT, Ending.ROLLED_BACK}
    there = set(life.ec2.state.vols)
    assert OLD[1] in there
    assert OLD[0] in there or {part.new for part in journal.parts} & there
    assert not life.ec2.hot


def test_volumes_beside_come_into_being_and_nothing_else() -> None:
    beside = a_journal(turned=None, how=How.VOLUMES)
    life = Life(Faults(fates=("error", "available", "")), frozenset({4, 9, 30}), beside)
    journal = life.live()

    assert journal.ending is Ending.RESTORED
    assert ours(life) == {part.new for part in journal.parts}
    assert is_as_before(life)
    assert life.ec2.ready_at_first_touch is None
