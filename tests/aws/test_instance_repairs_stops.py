"""What we stop, we start: whatever becomes of the calls, the instance, its tags and the mode."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

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


def left_stopped(world: RepairWorld, instance_id: str) -> bool:
    """Tell whether people hear that we stopped it and it does not run."""
    return f"instance_left_stopped/{instance_id}" in world.open_incidents


@pytest.mark.parametrize("lost", ["answer_lost", "connection_dropped", "internal_error"])
@pytest.mark.parametrize("operation", ["StopInstances", "StartInstances", "RebootInstances"])
def test_a_call_whose_answer_got_lost_is_not_sent_twice(
    world: RepairWorld, operation: str, lost: str
) -> None:
    is_reboot = operation == "RebootInstances"
    broken = world.broken("instance", "reboot") if is_reboot else world.broken()
    world.cloud.faults.add(lost, operation=operation, effective=True)
    world.until_quiet()
    assert world.account.power_log(broken) == (["reboot"] if is_reboot else ["stop", "start"])
    assert len(world.cloud.calls.of(operation)) == 1
    assert world.open_incidents == []


def test_a_stop_that_never_arrived_is_sent_again_after_two_minutes(world: RepairWorld) -> None:
    broken = world.broken()
    world.cloud.faults.add("never_arrived", operation="StopInstances")
    world.polls(2)
    assert not left_stopped(world, broken), "it runs"
    assert told(world.poll(), broken)[1] == "repair_under_way"
    assert told(world.poll(), broken) == ("stop", "stop_lost", "done")
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]


def test_a_stop_that_never_arrives_is_given_up_and_left_to_people(world: RepairWorld) -> None:
    broken = world.broken(until="nothing")
    world.cloud.faults.add("never_arrived", operation="StopInstances", times=None)
    world.polls(25)
    assert world.account.power_log(broken) == []
    assert 2 <= len(world.cloud.calls.of("StopInstances")) <= 3
    assert world.ladder(broken)["ending"] == "not_fixed"
    assert f"instance_impaired/{broken}" in world.open_incidents
    assert "[CRIT]" in world.heard()[-1]


def test_a_start_that_never_arrived_is_sent_again(world: RepairWorld) -> None:
    broken = world.stopped_by_us()
    world.cloud.faults.add("never_arrived", operation="StartInstances", times=2)
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]


def test_a_stop_that_comes_late_is_followed_by_a_start(world: RepairWorld) -> None:
    broken = world.stopped_by_us()
    world.poll()
    assert world.state(broken) == "running"
    world.account.put_down(broken, "Client.UserInitiatedShutdown")
    world.until_quiet()
    assert world.state(broken) == "running"
    assert world.account.power_log(broken)[-1] == "start"


def test_starts_refused_for_capacity_are_tried_again_and_again_with_growing_waits(
    world: RepairWorld,
) -> None:
    broken = world.stopped_by_us()
    world.heard()
    world.account.refuse_start(broken, times=7)
    waits = []
    for _ in range(70):
        tried = len(world.cloud.calls.of("StartInstances"))
        answer = world.poll()
        waits.append(len(world.cloud.calls.of("StartInstances")) > tried)
        if world.state(broken) == "running":
            break
        assert left_stopped(world, broken), "all the time, until it runs"
        assert told(answer, broken)[2] != "done"
    tries = [minute for minute, is_tried in enumerate(waits) if is_tried]
    gaps = [after - before for before, after in pairwise(tries)]
    assert gaps == [1, 2, 4, 8, 15, 15, 15]
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
    assert world.open_incidents == []
    heard = world.heard()
    assert heard[0].startswith("ALARM: [CRIT]")
    assert len(heard) <= 3, heard


def test_a_start_that_falls_back_is_tried_again_and_told_until_the_instance_runs(
    world: RepairWorld,
) -> None:
    broken = world.stopped_by_us()
    world.account.start_falls_back(broken, times=3)
    turns = []
    for _ in range(12):
        world.poll()
        turns.append(left_stopped(world, broken))
    assert world.account.power_log(broken)[-3:] == ["start", "fell-back", "start"]
    assert world.state(broken) == "running"
    changes = sum(a != b for a, b in pairwise(turns))
    assert (any(turns), turns[-1], changes) == (True, False, 2), "told once, and over once"
    assert world.open_incidents == []


def test_a_stop_that_hangs_wakes_people_after_ten_minutes_and_is_started_all_the_same(
    world: RepairWorld,
) -> None:
    broken = world.broken()
    world.account.hang(broken, 25 * 60)
    world.polls(11)
    assert not left_stopped(world, broken)
    world.polls(3)
    assert (world.state(broken), left_stopped(world, broken)) == ("stopping", True)
    assert told(world.poll(), broken) == ("report", "stuck", "unchanged")
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
    assert world.open_incidents == []


def test_a_start_that_hangs_is_not_sent_again(world: RepairWorld) -> None:
    broken = world.stopped_by_us()
    world.account.hang(broken, 14 * 60, state="pending")
    world.polls(14)
    assert left_stopped(world, broken)
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
    assert len(world.cloud.calls.of("StartInstances")) == 1


@pytest.mark.parametrize(
    "tags", [{"remediate": "none"}, {"remediate": None}, {"ignore": "true"}, {"remediate": "?"}]
)
def test_no_opt_out_leaves_an_instance_stopped_that_we_have_stopped(
    world: RepairWorld, tags: dict[str, str | None]
) -> None:
    broken = world.stopped_by_us()
    world.retag(broken, **tags)
    world.polls(4)
    assert world.account.power_log(broken) == ["stop", "start"]
    assert world.state(broken) == "running"


@pytest.mark.parametrize("tags", [{"remediate": "none"}, {"remediate": None}, {"ignore": "true"}])
@pytest.mark.parametrize("nth", [1, 2], ids=["the next rung", "a lost stop"])
def test_an_opt_out_in_the_middle_of_a_ladder_ends_all_but_a_start(
    world: RepairWorld, tags: dict[str, str | None], nth: int
) -> None:
    broken = world.broken("instance" if nth == 1 else "system", "nothing")
    if nth > 1:
        world.cloud.faults.add("never_arrived", operation="StopInstances")
    world.polls(2)
    before = world.repairs()
    world.retag(broken, **tags)
    world.polls(20)
    assert (len(before), world.repairs()) == (1, before)


def test_a_terminated_instance_ends_its_ladder(world: RepairWorld) -> None:
    broken = world.stopped_by_us()
    world.account.terminate(broken)
    answer = world.poll()
    assert told(answer, broken) == ("skip", "gone", "unchanged")
    assert (world.open_ladders, world.open_incidents) == ([], [])
    assert "StartInstances" not in world.repairs()


@pytest.mark.parametrize("state", ["stopped", "running"])
def test_one_that_is_no_longer_listed_is_looked_for_and_never_started_blindly(
    world: RepairWorld, state: str
) -> None:
    broken = world.stopped_by_us() if state == "stopped" else world.broken("instance", "nothing")
    world.polls(2 if state == "running" else 0)
    world.account.terminate(broken)
    world.clock.advance(61 * 60)
    before = world.repairs()
    world.polls(3)
    assert (world.open_ladders, world.repairs()) == ([], before)


def test_the_mode_lowered_to_report_while_we_have_one_stopped_wakes_people_and_starts_nothing(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = world.stopped_by_us()
    world.heard()
    monkeypatch.setenv("CARETAKER_MODE", "report")
    answers = world.polls(3)
    assert {told(each, broken) for each in answers} == {("start", "stopped_by_us", "planned")}
    assert left_stopped(world, broken)
    (alert,) = world.stack.alerts()
    assert "[CRIT]" in alert["Subject"]
    assert "by hand" in str(alert)
    monkeypatch.setenv("CARETAKER_MODE", "act")
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
    assert world.open_incidents == []


def test_a_state_change_told_by_eventbridge_starts_it_without_waiting_for_the_next_poll(
    world: RepairWorld,
) -> None:
    broken = world.stopped_by_us()
    detail = {"instance-id": broken, "state": "stopped"}
    answer = world.run(event={"source": "aws.ec2", "detail": detail})
    assert told(answer, broken) == ("start", "stopped_by_us", "done")
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
