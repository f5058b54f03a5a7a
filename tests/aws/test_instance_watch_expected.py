"""Instances that should run and do not, and those that hang between two states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from tests.cloud import REGION
from tests.support.health_world import STOP_START, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

EXPECTED: Final = {"caretaker:expect": "running"}
DOWN: Final = ("report", "not_running_expected", "unchanged")


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """A fleet of twenty that is well."""
    cloud.pages.size = None
    account.crowd("instance", 20)
    return HealthWorld(cloud, clock, stack, account)


def incident(world: HealthWorld, kind: str) -> dict[str, Any]:
    """Return what was told of one incident of a kind; forget all that was told."""
    messages = [each for each in world.stack.alerts() if each["state"] == "ALARM"]
    (found,) = [i for each in messages for i in each["incidents"] if i["kind"] == kind]
    return dict(found)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("Client.UserInitiatedShutdown", "User initiated"),
        ("Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown"),
        ("Server.ScheduledStop", "Server.ScheduledStop"),
    ],
)
def test_one_that_somebody_stopped_is_told_once_with_the_reason_and_over_when_it_runs(
    world: HealthWorld, code: str, says: str
) -> None:
    one = world.account.instance(tags=EXPECTED, name="db-1").id
    world.poll()
    message = f"{code}: User initiated shutdown" if "User" in code else f"{code}: gone down"
    world.account.put_down(one, code, message)

    answers = world.polls(5)

    assert {told(answer, one) for answer in answers} == {DOWN}
    said = incident(world, "instance_not_running")
    assert (said["severity"], said["name"], said["resource"]) == ("critical", "db-1", one)
    assert says in said["evidence"]["state"]
    assert world.repairs() == [], "it is not started: people may have meant it"
    world.account.backend.start_instances([one])
    world.poll()
    assert kinds(world.stack.alerts(), "OK") == ["instance_not_running"]


def test_one_that_is_terminated_is_told(world: HealthWorld) -> None:
    one = world.account.instance(tags=EXPECTED).id
    world.account.terminate(one)

    assert told(world.poll(), one) == DOWN
    assert "terminated" in incident(world, "instance_not_running")["what"]


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"caretaker:expect": "stopped"},
        {**EXPECTED, "caretaker:ignore": "true"},
        {**EXPECTED, "caretaker:stop-after": "2026-11-20T03:00:00Z"},
        {**EXPECTED, "aws:autoscaling:groupName": "web"},
    ],
)
def test_one_that_need_not_run_is_not_told(world: HealthWorld, tags: dict[str, str]) -> None:
    """Those that the tagging chore stops carry a tag that tells so; groups replace their own."""
    one = world.account.instance(tags=tags).id
    world.account.put_down(one)

    answer = world.polls(3)[-1]

    assert told(answer, one)[1] in {"not_running", "ignored"}
    assert world.stack.alerts() == []


def test_one_that_this_chore_stops_is_not_called_down(world: HealthWorld) -> None:
    one = world.account.instance({}, tags={**STOP_START, **EXPECTED}).id
    world.account.impair(one, which="system", until_repaired_by="stop-start")
    world.cloud.extras.switching_seconds = 90

    world.polls(30)

    assert world.account.power_log(one) == ["stop", "start"]
    assert kinds(world.stack.alerts()) == ["instance_impaired", "instance_impaired"]


@pytest.mark.parametrize("state", ["stopping", "pending"])
def test_one_that_hangs_is_told_after_a_quarter_of_an_hour_and_over_when_it_moves(
    world: HealthWorld, state: str
) -> None:
    one = world.account.instance().id
    if state == "pending":
        world.account.put_down(one)
    world.account.hang(one, 25 * 60, state)
    ec2 = boto3.client("ec2", REGION)
    (ec2.stop_instances if state == "stopping" else ec2.start_instances)(InstanceIds=[one])

    quiet = world.polls(15)
    assert world.stack.alerts() == []
    answer = world.poll()

    assert told(quiet[-1], one)[0] == "keep"
    assert told(answer, one) == ("report", "stuck", "unchanged")
    said = incident(world, "instance_stuck")
    assert said["what"] == f"{state} for 15m"
    world.polls(10)
    assert kinds(world.stack.alerts(), "OK") == ["instance_stuck"]


def test_many_that_go_down_at_once_are_told_by_one_message(
    world: HealthWorld,
) -> None:
    ids = world.account.crowd("instance", 30, tags=EXPECTED)
    for each in ids:
        world.account.put_down(each)

    answer = world.poll()

    assert {told(answer, each) for each in ids} == {DOWN}
    (message,) = world.stack.alerts()
    assert {each["parent"] for each in message["incidents"]} == {f"instance_not_running/{ids[0]}"}


def test_a_terminated_one_that_is_no_longer_listed_is_gone_and_not_healthy(
    world: HealthWorld,
) -> None:
    lost = world.account.instance(tags=EXPECTED, name="db-1").id
    world.account.instance()
    world.account.terminate(lost)
    world.poll()
    assert len(world.stack.alerts()) == 1

    world.clock.advance(3_700)
    world.poll()

    (over,) = world.stack.alerts()
    assert over["Subject"].startswith("OK: [CRIT] prod db-1")
    assert ": gone after 1h" in over["Subject"]
