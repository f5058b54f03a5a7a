"""The owner of an instance hears of it before it is marked; without that it is not marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import KilledError, killed_at
from tests.support.tagging_world import TaggingWorld, a_world, step, steps

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

ENV: Final[dict[str, Any]] = {
    "Env": {"values": ["prod", "dev"], "escalate": True, "applies_to": ["instance"]}
}
"""A rule that one can break and still have an owner."""


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> TaggingWorld:
    """An account whose instances need an environment; ann has a topic."""
    cloud.pages.size = None
    made = a_world(cloud, clock, stack)
    made.rules = ENV
    made.ledger.exempt = lambda _, tags: "it is right" if tags.get("Env") == "dev" else ""
    made.owner("ann")
    made.machine("bob", tags={"Env": "dev"})
    return made


def incidents(world: TaggingWorld, kind: str) -> list[dict[str, Any]]:
    """Return the incidents of a kind that people were told of since."""
    told = world.stack.alerts()
    return [i for alert in told for i in alert["incidents"] if i["kind"] == kind]


def test_one_letter_names_all_instances_of_an_owner_and_no_other(world: TaggingWorld) -> None:
    mine = [world.machine("ann") for _ in range(3)]
    others = [world.machine("bob"), world.machine("Ann"), world.machine()]

    answer = world.run_once()

    ((subject, text),) = world.letters("ann")
    assert "3 instance(s) of ann" in subject
    assert all(each in text for each in mine)
    assert not any(each in text for each in others)
    assert {i["detail"]["told_at"] for i in answer["outcomes"] if i["target"] in mine} == {
        world.owners["ann"]
    }


def test_who_has_no_topic_hears_by_the_alert(world: TaggingWorld) -> None:
    bare = [world.machine("bob"), world.machine()]

    world.run_once()

    assert {i["resource"] for i in incidents(world, "instance_escalated")} == set(bare)
    assert world.letters("ann") == []


def test_an_owner_named_by_a_tag_is_no_topic_of_somebody_else(world: TaggingWorld) -> None:
    """A tag chooses among the event's topics; it never is one."""
    foreign = "arn:aws:sns:eu-west-1:999999999999:theirs"
    bare = world.machine(foreign)

    answer = world.run_once()

    assert [i["detail"]["told_at"] for i in answer["outcomes"] if i["target"] == bare] == [
        "the alerts topic"
    ]


def test_two_owners_who_share_a_topic_are_told_which_is_whose(world: TaggingWorld) -> None:
    world.owners["bob"] = world.owners["ann"]
    by_owner = {name: world.machine(name) for name in ("ann", "bob")}

    world.run_once()

    told = " ".join(f"{subject} {text}" for subject, text in world.letters("ann"))
    for name, instance in by_owner.items():
        assert instance in told
        assert f"of {name} " in told or f"owner {name}" in told.lower()


def test_the_letter_of_a_person_with_a_strange_name_stays_a_letter(world: TaggingWorld) -> None:
    strange = "ann\nSubject: won & <b>more</b> \N{GREEK SMALL LETTER ALPHA}"
    world.owners[strange] = world.owners["ann"]
    bare = world.machine(strange)

    world.run_once()

    ((subject, text),) = world.letters("ann")
    assert bare in text
    assert subject.isascii()
    assert "\n" not in subject
    assert len(subject) <= 99
    assert "\nSubject:" not in text


@pytest.mark.parametrize("kind", ["denied", "never_arrived"])
def test_who_cannot_be_told_is_not_marked(world: TaggingWorld, kind: str) -> None:
    bare, other = world.machine("ann"), world.machine("bob")
    topic = world.owners["ann"]
    world.cloud.faults.add(kind, service="sns", operation="Publish", match=topic, times=None)

    for _ in range(2):
        assert (bare, "tell", "missing") in world.after()
        assert bare not in world.remembered
    assert (world.mark(bare), bool(world.mark(other))) == ("", True)
    assert {i["resource"] for i in incidents(world, "owner_unreachable")} == {topic}
    world.cloud.faults.clear()
    assert (bare, "tell", "missing") in world.after()
    assert (bare, "mark", "missing") in world.after()


def test_a_topic_that_is_not_there_keeps_its_owners_instances_running(world: TaggingWorld) -> None:
    world.owners["ann"] = world.owners["ann"] + "-gone"
    bare = world.machine("ann")

    answer = world.run_once()

    assert step(answer, bare)[0] != "mark"
    assert (bare, "mark", "missing") not in world.after()
    assert [i["resource"] for i in incidents(world, "owner_unreachable")] == [world.owners["ann"]]


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["Publish", "PutItem"])
def test_killed_while_telling_an_owner_is_told_again_and_not_marked_at_once(
    world: TaggingWorld, operation: str, *, effective: bool
) -> None:
    bare = world.machine("ann")
    nth = _place_of_the_step(world) if operation == "PutItem" else 1
    slot = f"{world.clock.now():%Y-%m-%dT%H:%M:00Z}"

    with (
        killed_at(world.cloud, operation, nth, effective=effective),
        pytest.raises(KilledError),
    ):
        world.run_once(scheduled_time=slot)
    world.clock.advance(61)
    again = world.run_once(scheduled_time=slot)

    assert step(again, bare)[0] in {"tell", "report"}
    letters = world.letters("ann")
    assert 1 <= len(letters) <= 2
    assert all(bare in text for _, text in letters)
    assert (bare, "mark", "missing") in world.after()


def _place_of_the_step(world: TaggingWorld) -> int:
    """Return which PutItem of a run writes the step: the one after the letter."""
    writes = 0
    for call in _calls_of_a_run_elsewhere(world):
        writes += call == "PutItem"
        if call == "Publish":
            return writes + 1
    raise AssertionError


def _calls_of_a_run_elsewhere(world: TaggingWorld) -> list[str]:
    """Return the calls of such a run of another policy, in their order."""
    world.cloud.calls.clear()
    world.run_once(policy="elsewhere")
    world.letters("ann")
    return [call.operation for call in world.cloud.calls]


def test_a_state_table_that_refuses_the_step_marks_nobody(world: TaggingWorld) -> None:
    bare = world.machine("ann")
    partition = "escalations#tagging/default/123456789012/eu-west-1"
    world.cloud.faults.add("denied", operation="PutItem", match=partition, times=None)

    assert step(world.run_once(), bare) == ("tell", "missing", "failed")
    assert (bare, "tell", "missing") in world.after()
    world.cloud.faults.clear()
    assert (bare, "tell", "missing") in world.after()
    assert (bare, "mark", "missing") in world.after()


def test_a_report_sends_no_letter(world: TaggingWorld) -> None:
    bare = world.machine("ann")

    answer = world.run_once(mode="report")

    assert step(answer, bare) == ("tell", "missing", "planned")
    assert (world.letters("ann"), world.remembered) == ([], {})
    assert incidents(world, "instance_escalated") == []


def test_people_hear_of_each_step_once(world: TaggingWorld) -> None:
    bare = world.machine("ann")
    heard = []
    for days in (0, 1, 1, 8, 1, 1):
        world.after(days)
        heard.append(len(incidents(world, "instance_escalated")))

    assert heard == [1, 1, 0, 1, 0, 0]
    assert world.state(bare) == "stopped"
    assert len(world.letters("ann")) == 1


@pytest.mark.parametrize("operation", ["CreateTags", "StopInstances"])
def test_people_hear_of_a_step_whose_run_died_before_it_could_tell(
    world: TaggingWorld, operation: str
) -> None:
    bare = world.bring("told" if operation == "CreateTags" else "due", owner="ann")
    world.later(days=1)
    slot = f"{world.clock.now():%Y-%m-%dT%H:%M:00Z}"
    world.stack.alerts()

    with killed_at(world.cloud, operation, 1, effective=True), pytest.raises(KilledError):
        world.run_once(scheduled_time=slot)
    world.clock.advance(61)
    world.run_once(scheduled_time=slot)

    assert [i["resource"] for i in incidents(world, "instance_escalated")] == [bare]


def test_who_hears_by_the_alert_is_not_marked_before_there_was_one(world: TaggingWorld) -> None:
    """Killed between the step and the alert, with Lambda's retry lost as well."""
    bare = world.machine()

    with killed_at(world.cloud, "PutObject", 1, effective=True), pytest.raises(KilledError):
        world.run_once()
    later = world.after()

    assert (bare, "tell", "missing") in later
    assert [i["resource"] for i in incidents(world, "instance_escalated")] == [bare]
    assert (bare, "mark", "missing") in world.after()


def test_a_large_owner_is_told_in_letters_of_a_hundred(world: TaggingWorld) -> None:
    mine = world.account.crowd("instance", 230, tags={"Owner": "ann"})

    answer = world.run_once()

    letters = world.letters("ann")
    assert len(letters) == 3
    assert all(len(text.encode()) < 256 * 1024 for _, text in letters)
    assert {each for each, action, _ in steps(answer) if action == "tell"} == set(mine)
    assert set(world.remembered) == set(mine)
