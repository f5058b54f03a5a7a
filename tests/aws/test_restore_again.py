"""The same restore asked for twice, redriven, by two workers, or beside another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.restore import app
from tests.support.crashes import at_call
from tests.support.restore_world import (
    BAD,
    GOOD,
    TIMEOUT_SECONDS,
    RestoreWorld,
    a_world,
    told,
)
from tests.support.virtual_time import VirtualTime, at_once

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def clock() -> VirtualTime:
    """Workers live by it beside each other."""
    return VirtualTime()


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: VirtualTime,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> RestoreWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack, account, monkeypatch)


def approved(world: RestoreWorld, *ids: str, **event: Any) -> dict[str, Any]:
    """Return the event that starts what a plan says."""
    asked = {"select": {"instances": list(ids)}, "how": "swap", **event}
    return asked | {"approve": str(world.ask(**asked, mode="report")["plan_id"])}


def test_the_same_request_twice_starts_one_machine(world: RestoreWorld) -> None:
    web = world.server()
    event = approved(world, web.id)
    first, again = world.ask(**event), world.ask(**event)
    assert told(first, web.id) == ("restore", "asked", "done")
    assert told(again, web.id) == ("keep", "already_started", "unchanged")
    assert again["summary"]["execution"] == first["outcomes"][0]["detail"]["execution"]
    assert list(world.executions()) == [event["approve"]]


def test_the_same_request_after_its_end_changes_nothing(world: RestoreWorld) -> None:
    web = world.server()
    event = approved(world, web.id)
    world.ask(**event)
    world.play(event["approve"])
    seats, changes = world.seats(web.id), world.changes()
    again = world.ask(**event)
    assert told(again, web.id) == ("keep", "over", "unchanged")
    assert (world.seats(web.id), world.changes()) == (seats, changes)
    assert list(world.executions()) == [event["approve"]]


def test_a_redrive_after_the_end_changes_nothing(world: RestoreWorld) -> None:
    web = world.server()
    plan = world.restore(web.id, how="swap")
    seats, changes, journal = world.seats(web.id), world.changes(), world.journal(web.id)
    world.play(plan)
    assert (world.seats(web.id), world.changes()) == (seats, changes)
    assert world.journal(web.id) == journal


def test_a_start_that_was_refused_is_made_good_by_the_same_event(world: RestoreWorld) -> None:
    web = world.server()
    event = approved(world, web.id)
    world.cloud.faults.add("denied", operation="StartExecution")
    first = world.ask(**event)
    assert told(first, web.id) == ("restore", "asked", "failed")
    again = world.ask(**event)
    assert told(again, web.id) == ("keep", "already_started", "unchanged")
    world.play(event["approve"])
    assert world.contents(web.id) == [GOOD, GOOD]


def test_a_start_whose_answer_is_lost_is_the_same_start(world: RestoreWorld) -> None:
    web = world.server()
    event = approved(world, web.id)
    world.cloud.faults.add("answer_lost", operation="StartExecution")
    assert told(world.ask(**event), web.id) == ("restore", "asked", "done")
    assert list(world.executions()) == [event["approve"]]


def test_what_is_under_way_is_not_planned_again(world: RestoreWorld) -> None:
    web = world.server()
    world.ask(**approved(world, web.id))
    answer = world.plan(web.id, how="swap", at="2026-11-20T04:00:00Z")
    assert told(answer, web.id) == ("skip", "restore_open", "unchanged")


def test_what_was_rolled_back_can_be_tried_again(world: RestoreWorld) -> None:
    web = world.server()
    world.account.impair(web.id, until_repaired_by="nothing")
    first = world.restore(web.id, how="swap", check_minutes=2)
    assert (world.endings(web.id), world.contents(web.id)) == (["rolled_back"], [BAD, BAD])
    world.account.heal(web.id)
    second = world.restore(web.id, how="swap", check_minutes=2)
    assert first != second
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])


def test_two_workers_never_advance_one_target_beside_each_other(world: RestoreWorld) -> None:
    web = world.server()
    event = approved(world, web.id)
    world.ask(**event)
    step: dict[str, Any] = {"step": {"do": "advance", "plan": event["approve"], "target": web.id}}
    meanwhile: list[dict[str, Any]] = []

    def second() -> None:
        meanwhile.append(world.stack.run(app.CHORE, step, seconds=TIMEOUT_SECONDS))

    at_call(world.cloud, "CreateVolume", second)
    world.ask(**step)
    assert [answer["status"] for answer in meanwhile] == ["skipped"]
    assert world.cloud.calls.count("CreateVolume") == 2
    world.play(event["approve"])
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])


@pytest.mark.parametrize("seed", range(3))
def test_two_executions_of_one_plan_bring_it_back_once(
    world: RestoreWorld, clock: VirtualTime, seed: int
) -> None:
    web = world.server()
    event = approved(world, web.id)
    world.ask(**event)
    plan = event["approve"]
    at_once(world.cloud, clock, seed, *[lambda: world.play(plan)] * 2)
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])
    assert world.cloud.calls.count("CreateVolume") == 2
    assert len(world.made()) == 2
    assert world.state(web.id) == "running"


def test_a_worker_that_lost_its_lease_writes_nothing_over_the_next_one(
    world: RestoreWorld,
) -> None:
    """Its lease ran out while it waited for EC2; the version of the journal tells."""
    web = world.server()
    event = approved(world, web.id)
    world.ask(**event)
    step: dict[str, Any] = {"step": {"do": "advance", "plan": event["approve"], "target": web.id}}

    def overtake() -> None:
        world.later(minutes=2)
        world.stack.run(app.CHORE, step, seconds=TIMEOUT_SECONDS)

    at_call(world.cloud, "StopInstances", overtake)
    world.play(event["approve"])
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])
    assert len(world.made()) == 2


def test_a_worker_that_was_overtaken_before_its_turn_came_sends_nothing(
    world: RestoreWorld,
) -> None:
    """It has looked, and waits for its turn to stop the instance; the next one does it all."""
    web = world.server()
    event = approved(world, web.id)
    world.ask(**event)
    step: dict[str, Any] = {"do": "advance", "plan": event["approve"], "target": web.id}
    overtaken: list[bool] = []
    serve = world.cloud.serve

    def served(call: Any, perform: Any) -> Any:
        is_turn = call.operation == "UpdateItem" and call.params["Key"]["sk"]["S"]
        if is_turn == "StopInstances" and not overtaken:
            overtaken.append(True)
            world.later(minutes=2)
            world.play(event["approve"])
        return serve(call, perform)

    world.cloud.serve = served  # type: ignore[method-assign]
    while not overtaken:
        answer = world.ask(step=step)
        world.later(seconds=answer["summary"].get("seconds", 0))
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])
    assert world.state(web.id) == "running"
    assert world.cloud.calls.count("StopInstances") == 1


def test_two_plans_of_two_policies_never_meet_at_one_instance(world: RestoreWorld) -> None:
    web = world.server()
    for volume in web.volume_ids:
        weekly = {"caretaker:policy": "weekly"}
        world.backup(volume, 3, tags=weekly)
    daily, weekly = approved(world, web.id), approved(world, web.id, policy="weekly")
    second: list[dict[str, Any]] = []
    at_call(world.cloud, "BatchWriteItem", lambda: second.append(world.ask(**weekly)))
    first = world.ask(**daily)
    begun = [a for a in (first, *second) if a["status"] == "ok"]
    assert len(begun) == 1
    for plan in list(world.executions()):
        world.play(plan)
    assert world.state(web.id) == "running"
    assert len(world.seats(web.id)) == 2


@pytest.mark.parametrize("is_well", [True, False])
def test_what_people_have_worked_with_since_is_not_deleted_when_it_is_taken_on_again(
    world: RestoreWorld, *, is_well: bool
) -> None:
    """The machine was stopped half-way; a person went on by hand, another sent the event again."""
    web = world.server()
    world.cloud.extras.initializing_seconds = 300
    event = approved(world, web.id)
    world.ask(**event)
    step: dict[str, Any] = {"do": "advance", "plan": event["approve"], "target": web.id}
    for _ in range(60):
        if world.journal(web.id)["waiting_for"] == "status checks to pass":
            break
        world.later(seconds=world.ask(step=step)["summary"]["seconds"])
    for volume in world.made():
        world.account.write_blocks(volume, {0: b"three days of work"})
    world.later(days=3)
    if not is_well:
        world.account.impair(web.id, until_repaired_by="nothing")
    world.play(event["approve"])
    ends = {True: ["restored"], False: ["rolled_back"]}
    assert (world.endings(web.id), world.state(web.id)) == (ends[is_well], "running")
    kept = {world.account.read_blocks(each)[0].rstrip(b"\0") for each in world.made()}
    assert kept == {b"three days of work"}
    assert bool(world.journal(web.id)["left_over"]) is not is_well
