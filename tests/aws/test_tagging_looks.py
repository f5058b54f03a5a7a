"""What is stopped was judged a moment before; what is memory's or a person's word counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import at_call
from tests.support.tagging_world import TaggingWorld, a_world, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

DEFAULTS: Final[dict[str, Any]] = {
    "rules": {"Owner": {"default": "nobody", "applies_to": ["instance"]}}
}
LATER: Final = "2027-06-01T00:00:00Z"
BY_A_PERSON: Final[dict[str, Callable[[TaggingWorld, str], object]]] = {
    "sets the tag": lambda world, it: world.retag(it, Owner="bob"),
    "sets caretaker:ignore": lambda world, it: world.retag(it, caretaker__ignore=""),
    "moves the mark": lambda world, it: world.retag(it, caretaker__stop_after=LATER),
    "takes the mark away": lambda world, it: world.retag(it, caretaker__stop_after=None),
    "stops it": lambda world, it: world.account.backend.get_instance(it).stop(),
    "adds it to a group": lambda world, it: world.account.tag(
        it, {"aws:autoscaling:groupName": "web"}
    ),
}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> TaggingWorld:
    """An account with one instance that has an owner, in whole pages."""
    cloud.pages.size = None
    made = a_world(cloud, clock, stack)
    made.machine("ann")
    return made


@pytest.mark.parametrize("what", BY_A_PERSON)
def test_what_a_person_does_while_the_run_is_under_way_holds_off_the_stop(
    world: TaggingWorld, cloud: StrictCloud, what: str
) -> None:
    bare = world.bring("due")
    before = world.remembered
    at_call(cloud, "DescribeInstances", lambda: BY_A_PERSON[what](world, bare), nth=2)

    action, reason, result = step(world.run_once(), bare)

    assert (action in {"skip", "report"}, reason, result) == (
        True,
        "changed_meanwhile",
        "unchanged",
    )
    assert world.ledger.done["stop"] == set()
    assert world.remembered == before


def test_what_is_terminated_while_the_run_is_under_way_is_gone(
    world: TaggingWorld, cloud: StrictCloud
) -> None:
    bare = world.bring("due")
    instance = world.account.backend.get_instance(bare)
    at_call(cloud, "StopInstances", lambda: _forgotten(world, instance))

    action, reason, result = step(world.run_once(), bare)

    assert (action, reason, result) == ("skip", "gone", "unchanged")


def _forgotten(world: TaggingWorld, instance: Any) -> None:
    for reservation in world.account.backend.reservations.values():
        reservation.instances = [i for i in reservation.instances if i.id != instance.id]


def test_one_whose_tags_do_not_come_with_the_answer_is_neither_told_nor_tagged(
    world: TaggingWorld,
) -> None:
    """Of a running instance a tagless answer is read a second time."""
    (owned,) = world.ledger.machines()
    world.account.hide_tags(owned, times=9)

    answer = world.run_once(rules={"Owner": {"default": "nobody", "escalate": True}})

    assert step(answer, owned) == ("keep", "compliant", "unchanged")


def test_one_that_is_stopped_keeps_its_values_when_an_answer_comes_without_them(
    world: TaggingWorld,
) -> None:
    off = world.machine("ann", state="stopped")
    world.account.hide_tags(off)

    assert step(world.run_once(**DEFAULTS), off) == ("keep", "compliant", "unchanged")


def test_the_last_look_reads_a_second_time_too(world: TaggingWorld, cloud: StrictCloud) -> None:
    bare = world.bring("due")
    at_call(cloud, "DescribeInstances", lambda: _tag_and_hide(world, bare), nth=2)

    assert step(world.run_once(), bare)[1:] == ("changed_meanwhile", "unchanged")


def _tag_and_hide(world: TaggingWorld, instance_id: str) -> None:
    world.retag(instance_id, Owner="bob")
    world.account.hide_tags(instance_id)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_value_that_a_person_writes_between_failing_calls_stays(
    world: TaggingWorld, cloud: StrictCloud, nth: int
) -> None:
    """After each call that failed everything is read again."""
    bare = world.machine()
    cloud.faults.add("never_arrived", operation="CreateTags", times=3)
    at_call(cloud, "CreateTags", lambda: world.retag(bare, Owner="bob"), nth=nth)

    assert step(world.run_once(**DEFAULTS), bare) == ("skip", "changed_meanwhile", "unchanged")


def test_a_value_that_a_person_writes_before_the_only_call_of_a_slow_run_stays(
    world: TaggingWorld, cloud: StrictCloud
) -> None:
    """Listings took more than a minute: what they showed is read again."""
    bare = world.machine()
    cloud.seconds_per_call = 40
    at_call(cloud, "DescribeTags", lambda: world.retag(bare, Owner="bob"))

    assert step(world.run_once(**DEFAULTS), bare) == ("skip", "changed_meanwhile", "unchanged")


@pytest.mark.parametrize("minutes_before", [0, 1, 24 * 60])
def test_nobody_is_marked_in_the_slot_in_which_they_were_told_or_an_older_one(
    world: TaggingWorld, minutes_before: int
) -> None:
    world.later(days=2)
    told = world.clock.now()
    bare = world.bring("told")
    world.later(hours=-minutes_before / 60)
    slot = f"{world.clock.now():%Y-%m-%dT%H:%M:00Z}"
    world.later(hours=minutes_before / 60)

    assert world.clock.now() >= told
    assert step(world.run_once(scheduled_time=slot), bare) == ("report", "told", "unchanged")
    assert (bare, "mark", "missing") in world.after()


def test_what_nobody_could_say_whether_it_was_stopped_is_started_when_its_tags_come(
    world: TaggingWorld, cloud: StrictCloud
) -> None:
    bare = world.bring("due")
    cloud.faults.add("answer_lost", operation="StopInstances", times=None)
    assert step(world.run_once(), bare) == ("stop", "missing", "failed")
    cloud.faults.clear()
    world.retag(bare, Owner="bob")
    world.after()
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("running", "", {})


def test_one_that_was_refused_to_be_stopped_is_not_started_after_a_person_stops_it(
    world: TaggingWorld, cloud: StrictCloud
) -> None:
    bare = world.bring("due")
    cloud.faults.add("denied", operation="StopInstances")
    assert step(world.run_once(), bare) == ("stop", "missing", "failed")
    world.stop_by_hand(bare)
    world.retag(bare, Owner="bob")
    world.after()
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("stopped", "", {})


@pytest.mark.parametrize("stage", ["new", "told", "marked", "due"])
def test_without_the_state_table_nothing_is_changed(world: TaggingWorld, stage: str) -> None:
    bare = world.bring(stage)
    before = world.photograph()
    world.later(days=1)
    world.cloud.faults.add("denied", service="dynamodb", operation="Query", times=None)

    assert world.run_once()["status"] == "failed"
    assert world.photograph() == before
    assert world.mark(bare) == before[0].get(bare, {}).get("caretaker:stop-after", "")


@pytest.mark.parametrize("trouble", ["gone", "denied"])
def test_one_that_cannot_be_marked_costs_no_other_its_mark(
    world: TaggingWorld, cloud: StrictCloud, trouble: str
) -> None:
    """EC2 takes a call as a whole or not at all."""
    bare = [world.machine() for _ in range(5)]
    world.run_once()
    bad = bare[2]
    if trouble == "gone":
        instance = world.account.backend.get_instance(bad)
        at_call(cloud, "CreateTags", lambda: _forgotten(world, instance))
    else:
        cloud.faults.add("denied", operation="CreateTags", match=bad, times=None)

    world.after()

    assert {each for each in bare if world.mark(each)} == {*bare} - {bad}
    marked = {each for each, step in world.remembered.items() if int(step["marked_until"])}
    assert marked == {*bare} - {bad}
