"""What a walk costs: how often it looks, and where it waits for its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.restore.aws.walk import Walk
from functions.restore.journal import Booked, Ending
from functions.restore.memory import Memory
from tests.support.builders import ACCOUNT, NOW
from tests.support.restore_life import Life
from tests.support.restore_state import Faults
from tests.support.restoring import a_journal, under_way

if TYPE_CHECKING:
    from functions.restore.journal import Journal

PLACE = f"pace#{ACCOUNT}/eu-west-1"
CHANGES = {"create_volume": 2, "stop_instances": 1, "detach_volume": 2, "attach_volume": 2}
CHANGES |= {"modify_instance_attribute": 1, "start_instances": 1, "create_tags": 2}


def begun(life: Life) -> Journal:
    Memory(life.run()).begin(life.journal.plan, "daily", [life.journal])
    return life.journal


def visit(life: Life, journal: Journal) -> tuple[int, Journal]:
    """Let the next worker come; return what it says, and the journal as it is stored."""
    life.workers += 1
    seconds = Walk(life.run(), journal).go()
    stored = Memory(life.run()).journal(journal.plan, journal.target)
    assert stored
    return seconds, stored


def use_up(life: Life, action: str, seconds: float) -> None:
    """Have all tokens of an action be used for so long."""
    room = {"CreateVolume": 98 / 5, "DescribeInstances": 98 / 20, "StopInstances": 48 / 5}[action]
    at = NOW.timestamp() + life.clock.monotonic() + seconds + room
    life.table.shelf.items[PLACE, action] = int(at * 1000)


@pytest.mark.parametrize(("minutes", "looks", "statuses"), [(0, 10, 0), (10, 7, 1)])
def test_one_that_goes_well_is_looked_at_a_few_times_and_changed_once(
    minutes: int, looks: int, statuses: int
) -> None:
    life = Life(Faults(making=3), journal=a_journal(turned=None, check_minutes=minutes))

    assert life.live().ending is Ending.RESTORED
    calls = dict(life.ec2.calls)
    assert calls.pop("describe_instances") == calls.pop("describe_volumes") == looks
    assert calls.pop("describe_status", 0) == statuses
    assert calls == CHANGES


def test_a_far_turn_is_waited_for_by_the_machine_before_anything_is_looked_at() -> None:
    life = Life()
    use_up(life, "CreateVolume", 100)

    seconds, stored = visit(life, begun(life))
    assert (seconds, life.ec2.calls, life.clock.monotonic()) == (101, {}, 0)
    (turn,) = stored.booked
    assert (turn.action, turn.count) == ("CreateVolume", 2)
    assert turn.at == pytest.approx(NOW.timestamp() + 100.4, abs=0.01)
    assert stored.turned == NOW


def test_who_comes_before_his_turn_waits_on_and_takes_no_other_token() -> None:
    life = Life()
    use_up(life, "CreateVolume", 1000)
    seconds, stored = visit(life, begun(life))
    assert seconds == 600
    taken = life.table.shelf.taken
    life.clock.sleep(seconds)

    again, later = visit(life, stored)
    assert (again, later.booked, life.ec2.calls) == (401, stored.booked, {})
    assert life.table.shelf.taken == taken
    assert later.moved == life.clock.now()


def test_when_his_turn_has_come_he_looks_and_sends_by_the_tokens_he_has() -> None:
    life = Life()
    use_up(life, "CreateVolume", 100)
    seconds, stored = visit(life, begun(life))
    life.clock.sleep(seconds)
    use_up(life, "CreateVolume", 500)

    _, done = visit(life, stored)
    assert life.ec2.calls == {"describe_instances": 1, "describe_volumes": 1, "create_volume": 2}
    assert done.booked == ()
    assert all(part.new for part in done.parts)


def test_a_look_has_its_turn_too_and_what_is_booked_waits_for_it() -> None:
    life = Life()
    use_up(life, "CreateVolume", 100)
    seconds, stored = visit(life, begun(life))
    life.clock.sleep(seconds)
    use_up(life, "DescribeInstances", 200)

    seconds, waits = visit(life, stored)
    assert (seconds, life.ec2.calls) == (201, {})
    at = {each.action: each.at - NOW.timestamp() - 101 for each in waits.booked}
    assert at["CreateVolume"] == at["DescribeInstances"] == pytest.approx(200.05, abs=0.01)
    life.clock.sleep(seconds)

    _, done = visit(life, waits)
    assert life.ec2.calls == {"describe_instances": 1, "describe_volumes": 1, "create_volume": 2}
    assert done.booked == ()


def test_tokens_of_what_is_not_done_after_all_are_given_back() -> None:
    """It was to be stopped, and somebody has: it is on its way already."""
    outside = ((0.0, "stop"),)
    tokens = Booked("StopInstances", 1, NOW.timestamp() + 1)
    life = Life(Faults(outside=outside), journal=under_way(booked=(tokens,)))

    seconds, stored = visit(life, begun(life))
    assert (seconds, stored.waiting_for, stored.booked) == (10, "instance to stop", ())
    assert life.table.shelf.items[PLACE, "StopInstances"] == -200


def test_refused_by_rate_the_rest_queues_again_and_nothing_is_sent_twice() -> None:
    life = Life(Faults(refused={"create_volume": ("", "RequestLimitExceeded")}))

    seconds, stored = visit(life, begun(life))
    assert seconds == 5
    assert [bool(part.new) for part in stored.parts] == [True, False]
    assert [(each.action, each.count) for each in stored.booked] == [("CreateVolume", 1)]
    assert (life.ec2.calls["create_volume"], stored.about_to) == (2, "")
    life.clock.sleep(seconds)

    _, done = visit(life, stored)
    assert all(part.new for part in done.parts)
    assert (life.ec2.calls["create_volume"], life.ec2.made) == (3, 2)


@pytest.mark.parametrize(("pace", "made"), [(0.04, 2), (0.02, 1)])
def test_no_more_are_sent_at_once_than_the_burst_of_a_small_pace_holds(
    pace: float, made: int
) -> None:
    life = Life(pace=pace)

    _, stored = visit(life, begun(life))
    assert sum(bool(part.new) for part in stored.parts) == made
