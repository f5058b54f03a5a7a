"""At most so many are marked, or stopped, by one run, unless a person lets a plan through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.tagging_world import DAYS, TaggingWorld, a_world, steps

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

TWO: Final = {"count": 2, "percent": 0}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> TaggingWorld:
    """An account with one instance that has an owner, in whole pages."""
    cloud.pages.size = None
    made = a_world(cloud, clock, stack)
    made.machine("ann")
    return made


def actions(answer: list[tuple[str, str, str]], *ids: str) -> set[tuple[str, str]]:
    """Return what happened to these, and why."""
    return {(action, reason) for each, action, reason in answer if each in ids}


def test_ten_are_few_and_eleven_too_many(world: TaggingWorld) -> None:
    bare = [world.machine() for _ in range(11)]
    world.run_once()
    world.later(days=1)
    world.account.resource("rds:db", "late", tags={})

    answer = world.run_once()

    assert (answer["status"], answer["reason"]) == ("refused", "blast_radius")
    assert answer["counts"]["mark"] == {"refused": 11}
    assert not any(map(world.mark, bare))
    world.retag(bare[0], Owner="bob")
    assert actions(world.after(), *bare[1:]) == {("mark", "missing")}


def test_a_refused_run_changes_nothing_at_all(world: TaggingWorld) -> None:
    bare = [world.machine() for _ in range(3)]
    rules = {**world.rules, "Env": {"default": "dev", "applies_to": ["instance"]}}
    world.run_once()
    world.machine()
    world.later(days=1)
    before = world.photograph()

    answer = world.run_once(rules=rules, blast_radius=TWO)

    assert answer["status"] == "refused"
    assert {i["result"] for i in answer["outcomes"]} <= {"refused", "unchanged"}
    assert world.photograph() == before
    assert not any(map(world.mark, bare))


def test_a_plan_that_a_person_lets_through_is_carried_out_to_its_stops(
    world: TaggingWorld,
) -> None:
    bare = [world.machine() for _ in range(3)]
    world.run_once(blast_radius=TWO)
    world.later(days=1)
    plan = world.run_once(blast_radius=TWO)["plan_id"]
    late = world.machine()

    approved = steps(world.run_once(blast_radius=TWO, approve=plan))

    assert actions(approved, *bare) == {("mark", "missing")}
    assert actions(approved, late) == {("tell", "missing")}
    assert actions(world.after(blast_radius=TWO), *bare) == {("report", "waiting")}
    assert actions(world.after(DAYS, blast_radius=TWO), *bare) == {("stop", "missing")}
    assert {world.state(each) for each in bare} == {"stopped"}


def test_an_approval_lets_through_nothing_but_its_plan(world: TaggingWorld) -> None:
    first, second = [world.machine() for _ in range(3)], [world.machine() for _ in range(3)]
    world.run_once()
    for each in second:
        world.retag(each, Owner="bob")
    world.later(days=1)
    plan = world.run_once(blast_radius=TWO)["plan_id"]
    for each in second:
        world.retag(each, Owner=None)
    world.retag(first[0], Owner="bob")
    world.later(days=1)

    approved = steps(world.run_once(blast_radius=TWO, approve=plan))

    assert actions(approved, first[0]) == {("unmark", "compliant")}
    assert actions(approved, *first[1:]) == {("mark", "missing")}
    assert actions(approved, *second) == {("report", "not_approved")}
    assert not any(map(world.mark, second))
    world.later(days=1)
    assert world.run_once(blast_radius=TWO)["reason"] == "blast_radius", "the second are three"


def test_an_approval_of_another_plan_is_refused(world: TaggingWorld) -> None:
    world.machine()

    answer = world.run_once(approve="p-0123456789abcdef")

    assert (answer["status"], answer["reason"]) == ("refused", "plan_unknown")
    assert world.remembered == {}


def test_an_approval_in_a_report_approves_nothing(world: TaggingWorld) -> None:
    bare = [world.machine() for _ in range(3)]
    world.run_once(blast_radius=TWO)
    world.later(days=1)
    plan = world.run_once(blast_radius=TWO)["plan_id"]

    world.run_once(blast_radius=TWO, approve=plan, mode="report")

    assert world.run_once(blast_radius=TWO)["reason"] == "blast_radius"
    assert not any(map(world.mark, bare))


def test_a_plan_can_be_let_through_for_a_week(world: TaggingWorld) -> None:
    for _ in range(3):
        world.machine()
    world.run_once(blast_radius=TWO)
    world.later(days=1)
    plan = world.run_once(blast_radius=TWO)["plan_id"]
    world.later(days=7, hours=1)

    assert world.run_once(blast_radius=TWO, approve=plan)["reason"] == "plan_unknown"


def test_too_many_stops_are_refused_where_the_marks_were_not(world: TaggingWorld) -> None:
    bare = [world.machine() for _ in range(3)]
    world.run_once()
    world.after()
    world.later(days=DAYS, hours=1)

    answer = world.run_once(blast_radius=TWO)

    assert answer["counts"]["stop"] == {"refused": 3}
    assert {world.state(each) for each in bare} == {"running"}
    assert actions(steps(world.run_once(approve=answer["plan_id"])), *bare) == {("stop", "missing")}


def test_what_is_started_and_let_go_of_is_not_bounded(world: TaggingWorld) -> None:
    bare = [world.machine() for _ in range(3)]
    world.run_once()
    world.after()
    world.later(days=DAYS, hours=1)
    world.run_once()
    for each in bare:
        world.retag(each, Owner="bob")

    assert actions(world.after(blast_radius=TWO), *bare) == {("start", "compliant")}
    world.after(blast_radius=TWO)
    assert world.remembered == {}


@pytest.mark.usefixtures("one_at_a_time")
def test_three_stops_that_fail_in_a_row_are_the_last_of_a_run(world: TaggingWorld) -> None:
    bare = [world.machine() for _ in range(6)]
    world.run_once()
    world.after()
    world.later(days=DAYS, hours=1)
    world.cloud.faults.add("denied", operation="StopInstances", times=None)
    world.cloud.calls.clear()

    answer = world.run_once()

    assert answer["counts"]["stop"]["deferred"] >= 1
    assert world.cloud.calls.count("StopInstances") < len(bare)
    assert "tagging_stopped" in {
        incident["kind"] for alert in world.stack.alerts() for incident in alert["incidents"]
    }
