"""Calls that are refused, a table out of reach, a lease lost, no time left, two runs at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.aws.lease import Lease
from caretaker.errors import ListingError, OutOfTimeError, StateError
from tests.support.crashes import at_call
from tests.support.health_crash import RepairWorld
from tests.support.health_world import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account
) -> Iterator[RepairWorld]:
    """An account whose instances are about to break."""
    cloud.pages.size = None
    made = RepairWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


def deferred_by(answer: dict[str, Any], target: str) -> str:
    """Return what a step was put off for."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == target]
    return str(item["detail"].get("deferred_by", ""))


@pytest.mark.parametrize(
    ("operation", "which"),
    [("RebootInstances", "instance"), ("StopInstances", "system"), ("SetInstanceHealth", "ebs")],
)
def test_a_step_that_is_denied_is_failed_told_and_never_beyond_the_budget(
    world: RepairWorld, operation: str, which: str
) -> None:
    launch = {"group": world.account.scaling_group(name="web")} if which == "ebs" else {}
    broken = world.broken(which, "nothing", **launch)  # type: ignore[arg-type]
    world.cloud.faults.add("denied", operation=operation, times=None)
    answer = world.polls(2)[-1]
    assert told(answer, broken)[2] == "failed"
    world.polls(70)
    assert world.account.power_log(broken) in ([], ["stop", "start"], ["stop", "start"] * 2)
    limit = {"RebootInstances": 4, "StopInstances": 2, "SetInstanceHealth": 2}
    assert len(world.cloud.calls.of(operation)) == limit[operation]
    assert any("[CRIT]" in each for each in world.heard())


def test_a_start_that_is_denied_is_tried_again_and_told_until_it_is_allowed(
    world: RepairWorld,
) -> None:
    broken = world.stopped_by_us()
    world.cloud.faults.add("denied", operation="StartInstances", times=4)
    answer = world.poll()
    assert told(answer, broken) == ("start", "stopped_by_us", "failed")
    assert f"instance_left_stopped/{broken}" in world.open_incidents
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
    assert world.open_incidents == []


@pytest.mark.parametrize("operation", ["RebootInstances", "StopInstances"])
def test_a_step_that_is_throttled_to_the_end_is_put_off_and_is_as_if_it_had_not_begun(
    world: RepairWorld, operation: str
) -> None:
    broken = world.broken("instance" if operation == "RebootInstances" else "system")
    fault = world.cloud.faults.add("throttled", operation=operation, times=None)
    world.poll()
    answer = world.poll(seconds=120)
    assert (told(answer, broken)[2], deferred_by(answer, broken)) == ("deferred", "out_of_time")
    assert world.ladder(broken) == {}
    assert not any("rebooted" in each or "stopped" in each for each in world.heard())
    fault.times = 1
    world.poll()
    assert world.account.power_log(broken) in (["reboot"], ["stop"])


def test_a_throttled_rung_leaves_the_ladder_where_it_was(world: RepairWorld) -> None:
    broken = world.broken("instance", "nothing")
    world.polls(10)
    before = world.ladder(broken)
    fault = world.cloud.faults.add("throttled", operation="RebootInstances", times=None)
    world.polls(4, seconds=100)
    assert {**world.ladder(broken), "version": 0} == {**before, "version": 0}
    fault.times = 1
    world.polls(2)
    assert world.account.power_log(broken) == ["reboot", "reboot"]


@pytest.mark.parametrize("protected", ["before", "meanwhile"])
def test_a_protected_instance_is_not_stopped_and_people_are_woken(
    world: RepairWorld, protected: str
) -> None:
    broken = world.broken(stop_protected=protected == "before")
    if protected == "meanwhile":
        instance = world.account.backend.get_instance(broken)
        at_call(world.cloud, "StopInstances", lambda: setattr(instance, "disable_api_stop", "true"))
    world.poll()
    answer = world.poll()
    assert told(answer, broken)[:2] == ("skip", "stop_protected")
    world.poll()
    assert world.account.power_log(broken) == []
    assert len(world.cloud.calls.of("StopInstances")) == (protected == "meanwhile")
    assert "[CRIT]" in world.heard()[-1]


def test_a_report_shows_the_protection_too(world: RepairWorld) -> None:
    broken = world.broken(stop_protected=True)
    world.poll()
    answer = world.run(mode="report")
    assert told(answer, broken)[1] in {"stop_protected", "first_seen"}
    world.clock.advance(60)
    world.poll()
    assert world.account.power_log(broken) == []


def test_nothing_is_stopped_while_the_state_table_cannot_be_reached(world: RepairWorld) -> None:
    broken = [world.broken(), world.broken("instance", zone="b")]
    world.poll()
    world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    for _ in range(3):
        with pytest.raises(StateError):
            world.poll()
    assert (world.repairs(), [world.state(each) for each in broken]) == ([], ["running"] * 2)
    world.cloud.faults.clear()
    world.polls(2)
    assert set(world.repairs()[:2]) == {"StopInstances", "RebootInstances"}


@pytest.mark.parametrize("operation", ["StopInstances", "RebootInstances"])
def test_an_intent_that_cannot_be_written_is_not_carried_out(
    world: RepairWorld, operation: str
) -> None:
    broken = world.broken("system" if operation == "StopInstances" else "instance")
    world.poll()
    at_call(
        world.cloud,
        "DescribeInstances",
        lambda: world.cloud.faults.add("unavailable", operation="PutItem", match=broken, times=3),
        nth=2,
    )
    answer = world.poll()
    assert told(answer, broken)[2] == "failed"
    assert world.repairs() == []
    world.polls(2)
    assert world.repairs()[0] == operation


@pytest.mark.parametrize("lost_at", [1, 2])
@pytest.mark.usefixtures("one_at_a_time")
def test_a_run_that_lost_its_lease_begins_no_further_step(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch, lost_at: int
) -> None:
    for zone in "ab":
        world.broken("instance", zone=zone)
    world.poll()
    asked: list[int] = []

    def is_held(_: Lease) -> bool:
        asked.append(1)
        return len(asked) < lost_at

    with monkeypatch.context() as lost:
        lost.setattr(Lease, "is_held", is_held)
        answer = world.poll()
    assert answer["counts"]["reboot"] == {
        **({"done": lost_at - 1} if lost_at > 1 else {}),
        "deferred": 3 - lost_at,
    }
    assert len(world.account.power_log()) == lost_at - 1
    world.polls(2)
    assert world.account.power_log() == ["reboot", "reboot"]


@pytest.mark.usefixtures("one_at_a_time")
@pytest.mark.parametrize("seconds", [20, 59, 61, 66, 71, 76])
def test_no_step_is_begun_in_the_last_minute(world: RepairWorld, seconds: int) -> None:
    for zone in "ab":
        world.broken("instance", zone=zone)
    world.poll()
    began = world.clock.monotonic()
    world.cloud.seconds_per_call = 1
    sent: list[float] = []
    for nth in (1, 2):
        note = lambda: sent.append(seconds - (world.clock.monotonic() - began))  # noqa: E731
        at_call(world.cloud, "RebootInstances", note, nth)
    with suppress(OutOfTimeError):
        world.poll(seconds=seconds)
    assert all(left > 60 - 1.5 for left in sent), sent
    world.cloud.seconds_per_call = 0
    world.polls(2)
    assert sorted(world.repairs()) == ["RebootInstances"] * 2


def test_without_time_a_start_is_left_for_the_next_run(world: RepairWorld) -> None:
    broken = world.stopped_by_us()
    with pytest.raises(OutOfTimeError):
        world.poll(seconds=50)
    assert (world.state(broken), world.repairs()) == ("stopped", ["StopInstances"])
    assert f"instance_left_stopped/{broken}" not in world.open_incidents
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]


@pytest.mark.parametrize("which", ["instance", "system"])
@pytest.mark.parametrize(
    ("operation", "nth"),
    [("DescribeInstances", 1), ("DescribeInstances", 2), ("DescribeInstanceStatus", 1)],
)
def test_of_two_runs_at_once_one_takes_the_step_and_the_other_leaves_it(
    world: RepairWorld, which: str, operation: str, nth: int
) -> None:
    broken = world.broken(which, "reboot" if which == "instance" else "stop-start")
    world.poll()
    inner: list[dict[str, Any]] = []
    at_call(world.cloud, operation, lambda: inner.append(world.run(policy="other")), nth)
    outer = world.poll()
    assert len(world.repairs()) == 1
    results = sorted(told(each, broken)[2] for each in (outer, *inner))
    assert results == ["done", "unchanged"]
    assert not any("failed," in each or "reboot failed" in each for each in world.heard())
    world.until_quiet()
    assert len(world.account.power_log(broken)) == (1 if which == "instance" else 2)


def test_of_two_starts_at_once_one_is_sent(world: RepairWorld) -> None:
    broken = world.stopped_by_us()
    detail = {"source": "aws.ec2", "detail": {"instance-id": broken, "state": "stopped"}}
    at_call(world.cloud, "DescribeInstances", lambda: world.run(event=detail), nth=1)
    world.poll()
    assert world.repairs() == ["StopInstances", "StartInstances"]
    world.until_quiet()
    assert world.open_incidents == []


@pytest.mark.parametrize(
    "operation",
    ["DescribeKey", "DescribeInstanceTypes", "DescribeVolumes", "DescribeInstanceStatus"],
)
def test_what_cannot_be_read_of_one_instance_does_not_keep_another_stopped(
    world: RepairWorld, operation: str
) -> None:
    stopped = world.stopped_by_us()
    other = world.broken(zone="b", encrypted=True)
    world.cloud.faults.add("unavailable", operation=operation, times=None)
    for _ in range(4):
        with suppress(ListingError):
            world.poll()
    assert world.account.power_log(stopped) == ["stop", "start"]
    assert world.account.power_log(other) == []


@pytest.mark.parametrize("kind", ["unavailable", "denied"])
def test_a_start_that_is_refused_is_told_even_while_nothing_can_be_listed(
    world: RepairWorld, kind: str
) -> None:
    stopped = world.stopped_by_us()
    world.account.refuse_start(stopped, times=9)
    world.cloud.faults.add(kind, operation="DescribeInstanceStatus", times=None)
    answer = world.poll()
    assert told(answer, stopped) == ("start", "stopped_by_us", "failed")
    assert {f"instance_left_stopped/{stopped}", "run_failed/run"} <= set(world.open_incidents)
    assert any("stopped for a repair and not running again" in each for each in world.heard())
