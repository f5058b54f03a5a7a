"""Whose turn it is from day to day, what is refused, and what people hear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.drill_world import DrillWorld, ended, outcome

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

SMALL = {"blocks": 1}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> DrillWorld:
    """An account to put backups into."""
    cloud.pages.size = None
    return DrillWorld(cloud, clock, stack, account)


def drilled(answer: dict[str, Any]) -> set[str]:
    return {each["target"] for each in answer["outcomes"] if each["action"] == "drill"}


def test_every_backup_has_its_turn(world: DrillWorld) -> None:
    volumes = {world.backed_up()[0] for _ in range(5)}
    turns = []
    for _ in range(3):
        slot = world.next_day()
        turns.append(drilled(world.drill(sample={"count": 2}, scheduled_time=slot, **SMALL)))
    assert [len(each) for each in turns] == [2, 2, 2]
    assert set.union(*turns) == volumes
    assert turns[0].isdisjoint(turns[1])


def test_a_backup_that_fails_is_drilled_every_day_and_keeps_nobody_out(
    world: DrillWorld,
) -> None:
    bad, snapshot = world.backed_up()
    world.account.corrupt_block(snapshot, 0)
    world.drill(sample={"count": 1}, **SMALL)
    others = {world.backed_up()[0] for _ in range(2)}
    seen: set[str] = set()
    for _ in range(2):
        slot = world.next_day()
        turn = drilled(world.drill(sample={"count": 1}, scheduled_time=slot, **SMALL))
        assert bad in turn
        seen |= turn
    assert others <= seen


def test_a_proof_ends_the_incident(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.account.corrupt_block(snapshot, 0)
    world.drill(**SMALL)
    (alarm,) = world.stack.alerts()
    assert alarm["Subject"].startswith("ALARM: [CRIT]")
    slot = world.next_day()
    world.backup(volume, age_hours=1)
    assert ended(world.drill(scheduled_time=slot, **SMALL), volume) == ("done", "")
    (over,) = world.stack.alerts()
    assert over["Subject"].startswith("OK: [CRIT]")


def test_a_backup_that_is_never_drilled_is_told_in_time(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add("internal_error", operation="ListSnapshotBlocks", times=None)
    for _ in range(3):
        slot = world.next_day()
        world.drill(scheduled_time=slot, max_proof_age_days=1, **SMALL)
    told = [each["Subject"] for each in world.stack.alerts()]
    assert any("never proven" in each for each in told)
    world.cloud.faults.clear()
    slot = world.next_day()
    answer = world.drill(scheduled_time=slot, max_proof_age_days=1, **SMALL)
    assert ended(answer, volume) == ("done", "")
    assert any(each["Subject"].startswith("OK") for each in world.stack.alerts())


def test_a_table_that_forgot_all_is_helped_by_the_tags(world: DrillWorld) -> None:
    world.backed_up()
    world.drill(**SMALL)
    late = world.backed_up()[0]
    world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    slot = world.next_day()
    answer = world.drill(sample={"count": 1}, scheduled_time=slot, **SMALL)
    assert drilled(answer) == {late}


def test_a_run_that_has_no_time_drills_what_it_can(
    world: DrillWorld, lambda_knows_the_function: None, one_at_a_time: None
) -> None:
    volumes = [world.backed_up()[0] for _ in range(3)]
    world.account.hang_volumes(state="creating", seconds=100, times=None)
    event = {**world.event, "how": "volume"}
    answer = world.stack.run(world.chore, event, seconds=200)
    results = sorted(ended(answer, each)[0] for each in volumes)
    assert results == ["deferred", "deferred", "done"]
    (call,) = [each for each in world.cloud.calls if each.operation == "Invoke"]
    assert b'"round": 1' in bytes(call.params["Payload"])
    world.cloud.extras.volumes.plans.clear()
    following = world.stack.run(world.chore, {**event, "round": 1})
    assert sorted(ended(following, each)[0] for each in volumes) == ["done", "done", "unchanged"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample": {"percent": 10, "count": 2}},
        {"how": "both"},
        {"rto_minutes": 5},
        {"blocks": 0},
        {"approve": "yes"},
    ],
)
def test_a_wrong_event_reads_and_changes_nothing(world: DrillWorld, wrong: dict[str, Any]) -> None:
    _, snapshot = world.backed_up()
    left = world.leftover()
    answer = world.drill(**wrong)
    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert world.proven_at(snapshot) == ""
    assert left in world.account.backend.volumes


@pytest.mark.parametrize("operation", ["DescribeSnapshots", "DescribeVolumes", "DescribeInstances"])
def test_a_listing_that_is_denied_decides_nothing(world: DrillWorld, operation: str) -> None:
    _, snapshot = world.backed_up()
    left = world.leftover()
    world.cloud.faults.add("denied", operation=operation, times=None)
    answer = world.drill()
    assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
    assert (world.proven_at(snapshot), left in world.account.backend.volumes) == ("", True)


def test_a_look_by_hand_at_one_volume_ends_nobody_else_s_incident(world: DrillWorld) -> None:
    _, bad = world.backed_up()
    good, _ = world.backed_up()
    world.account.corrupt_block(bad, 0)
    world.drill(**SMALL)
    world.stack.alerts()
    world.clock.advance(600)
    answer = world.drill(
        select={"volumes": [good]}, scheduled_time=world.next_day(), mode="act", **SMALL
    )
    assert outcome(answer, good)["result"] == "done"
    assert world.stack.alerts() == []
