"""The user's function judges what a drill has restored; anything but a clear yes proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crashes import at_call
from tests.support.disk_images import DiskImage
from tests.support.drill_world import JUDGE, DrillWorld, ended, outcome

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.cloud.calls import Call
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> DrillWorld:
    """An account to put backups into, and a stack that names a judge."""
    monkeypatch.setenv("CARETAKER_DRILL_JUDGE", JUDGE)
    return DrillWorld(cloud, clock, stack, account)


def by_volume(world: DrillWorld, **fields: Any) -> dict[str, Any]:
    return world.drill(how="volume", **fields)


def made(world: DrillWorld) -> list[Call]:
    return [call for call in world.cloud.calls if call.operation == "CreateVolume"]


def test_a_judge_says_yes(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up()
    world.judgement = {"proven": True, "message": "12 tables, 3 million rows"}
    item = outcome(by_volume(world, judge=True), volume)
    assert item["result"] == "done"
    assert item["detail"]["message"] == "12 tables, 3 million rows"
    (asked,) = world.asked
    assert asked == {
        "volume_id": item["detail"]["volume"],
        "snapshot_id": snapshot,
        "instance": "i-00000001",
        "slot": "2026-11-20T03:00Z",
        "account": "123456789012",
        "region": "eu-west-1",
        "zone": "eu-west-1a",
    }
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


@pytest.mark.parametrize(
    ("judgement", "error", "flaw"),
    [
        ({"proven": False, "message": "no rows"}, "", "judged_not_proven"),
        ({"errorMessage": "boom"}, "Unhandled", "judge_failed"),
        ({"proven": "yes"}, "", "judge_unclear"),
    ],
)
def test_a_judge_that_does_not_say_yes_proves_nothing(
    world: DrillWorld, judgement: Any, error: str, flaw: str
) -> None:
    volume, snapshot = world.backed_up()
    world.judgement, world.judge_error = judgement, error
    assert ended(by_volume(world, judge=True), volume) == ("failed", flaw)
    assert world.proven_at(snapshot) == ""
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


def test_a_judge_that_takes_too_long_proves_nothing(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add("answer_lost", operation="Invoke")
    item = outcome(by_volume(world, judge=True), volume)
    assert item["error"]["code"] == "judge_failed"
    assert item["error"]["message"] == "no answer within 240 seconds"


@pytest.mark.parametrize(
    ("code", "status", "how"),
    [
        ("AccessDeniedException", 403, ("failed", "judge_failed")),
        ("ResourceNotFoundException", 404, ("failed", "judge_failed")),
        ("ResourceConflictException", 409, ("deferred", "ResourceConflictException")),
        ("TooManyRequestsException", 429, ("deferred", "TooManyRequestsException")),
        ("ServiceException", 500, ("deferred", "ServiceException")),
    ],
)
def test_a_judge_that_cannot_be_asked_is_no_fault_of_the_backup(
    world: DrillWorld, code: str, status: int, how: tuple[str, str]
) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add("error", operation="Invoke", times=None, code=code, status=status)
    answer = by_volume(world, judge=True)
    assert ended(answer, volume) == how
    if how[0] == "failed":
        assert outcome(answer, volume)["error"]["message"].startswith(code)


def test_no_volume_is_made_that_there_is_no_time_to_judge(
    world: DrillWorld, one_at_a_time: None, lambda_knows_the_function: None
) -> None:
    for _ in range(6):
        world.backed_up(DiskImage())
    world.judgement = {"proven": True}
    for nth in range(1, 7):
        at_call(world.cloud, "Invoke", lambda: world.clock.advance(200), nth=nth)
    event = {**world.event, "how": "volume", "judge": True}
    world.stack.run(world.chore, event, seconds=900)
    assert len(made(world)) == len(world.asked) < 6


def test_a_judge_whose_connection_breaks_is_asked_again_about_a_new_volume(
    world: DrillWorld,
) -> None:
    volume, _ = world.backed_up()
    world.judgement = {"proven": True}
    fault = world.cloud.faults.add("connection_dropped", operation="Invoke")
    assert ended(by_volume(world, judge=True), volume)[0] == "deferred"
    assert fault.fired == 1
    world.clock.advance(60)
    assert ended(by_volume(world, judge=True), volume) == ("done", "")
    assert len({call.params["ClientToken"] for call in made(world)}) == 2
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


def test_a_judge_is_not_asked_where_the_run_would_not_last(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    answer = world.stack.run(
        world.chore,
        {**world.event, "how": "volume", "judge": True},
        seconds=200,
    )
    assert ended(answer, volume) == ("deferred", "out_of_time")
    assert (world.asked, made(world), world.proofs) == ([], [], {})


def test_a_stack_without_a_judge_refuses_to_have_one_asked(
    world: DrillWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARETAKER_DRILL_JUDGE")
    world.backed_up()
    answer = by_volume(world, judge=True)
    assert (answer["status"], answer["reason"]) == ("refused", "judge_missing")
    assert made(world) == []
