"""Backups proven by making volumes of them, against the strict cloud."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crashes import at_call
from tests.support.disk_images import DiskImage
from tests.support.drill_world import DrillWorld, as_time, ended, outcome

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.cloud.calls import Call
    from tests.support.stack import Stack

HOUR = 3600


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> DrillWorld:
    """An account to put backups into."""
    return DrillWorld(cloud, clock, stack, account)


def by_volume(world: DrillWorld, **fields: Any) -> dict[str, Any]:
    return world.drill(how="volume", **fields)


def made(world: DrillWorld) -> list[Call]:
    return [call for call in world.cloud.calls if call.operation == "CreateVolume"]


def test_a_volume_is_made_waited_for_and_deleted(world: DrillWorld) -> None:
    volume, snapshot = world.backed_up(zone="b")
    world.cloud.extras.volumes.creating_seconds = 40
    item = outcome(by_volume(world), volume)
    assert item["result"] == "done"
    assert 40 <= item["detail"]["seconds"] <= 46
    assert world.proven_at(snapshot)
    (call,) = made(world)
    assert call.params["AvailabilityZone"].endswith("b")
    assert call.params["SnapshotId"] == snapshot
    world.clock.advance(10)
    assert world.volumes_of_drills == {}
    assert volume in world.account.backend.volumes


def test_it_has_its_end_from_the_first_moment_and_nobody_backs_it_up(world: DrillWorld) -> None:
    world.backed_up()
    world.account.hang_volumes(state="creating", seconds=None)
    by_volume(world)
    (tags,) = world.volumes_of_drills.values()
    end = as_time(tags["caretaker:expires-at"])
    assert timedelta(hours=47) < end - world.clock.now() <= timedelta(hours=48)
    assert tags["caretaker:managed-by"] == "caretaker"
    assert tags["caretaker:slot"] == "2026-11-21T03:00Z"
    assert tags["caretaker:ignore"] == "true"
    assert tags["caretaker:run"].startswith("drill/")
    assert "caretaker:policy" in tags
    assert "caretaker:restored-from" not in tags


@pytest.mark.parametrize(("seconds", "rto", "incidents"), [(400, None, 0), (700, 7, 1)])
def test_a_slow_volume_is_judged_by_the_next_run_and_measured(
    world: DrillWorld, seconds: int, rto: int | None, incidents: int
) -> None:
    volume, _ = world.backed_up()
    world.account.hang_volumes(state="creating", seconds=seconds)
    first = by_volume(world, rto_minutes=rto)
    assert ended(first, volume) == ("deferred", "volume_creating")
    world.clock.advance(10)
    item = outcome(by_volume(world, rto_minutes=rto), volume)
    assert item["result"] == "done"
    assert item["detail"]["seconds"] >= seconds
    assert len(made(world)) == 1
    subjects = [each["Subject"] for each in world.stack.alerts()]
    assert len([each for each in subjects if "available after" in each]) == incidents
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


def test_a_slow_volume_is_judged_by_the_next_day_s_run_although_there_is_a_newer_backup(
    world: DrillWorld,
) -> None:
    volume, snapshot = world.backed_up()
    world.account.hang_volumes(state="creating", seconds=700, times=None)
    answer = by_volume(world, rto_minutes=10)
    assert ended(answer, volume) == ("deferred", "volume_creating")
    told = [each["Subject"] for each in world.stack.alerts()]
    assert any("not available after 10." in each for each in told)
    item = outcome(by_volume(world, scheduled_time=world.next_day(backs_up=volume)), volume)
    assert (item["reason"], item["result"]) == ("under_way", "done")
    assert item["detail"]["snapshot_id"] == snapshot
    assert world.proven_at(snapshot)
    world.clock.advance(10)
    assert world.volumes_of_drills == {}
    newer = outcome(by_volume(world, scheduled_time=world.next_day()), volume)
    assert newer["detail"]["snapshot_id"] != snapshot


def test_what_ec2_makes_us_wait_before_it_is_asked_is_no_restore_time(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add(
        "error", operation="CreateVolume", times=30, code="RequestLimitExceeded", status=503
    )
    began = world.clock.now()
    item = outcome(by_volume(world, rto_minutes=1), volume)
    assert item["detail"]["seconds"] < 30 < (world.clock.now() - began).total_seconds()


def test_few_volumes_are_made_at_once(world: DrillWorld) -> None:
    """They count against the account's quota, as a restore's do."""
    for _ in range(8):
        world.backed_up(DiskImage())
    world.account.hang_volumes(state="creating", seconds=30, times=None)
    there: list[int] = []

    def look() -> None:
        called = world.cloud.calls.operations()
        there.append(called["CreateVolume"] - called.get("DeleteVolume", 0))

    for nth in range(2, 30):
        at_call(world.cloud, "DescribeVolumes", look, nth=nth)
    by_volume(world)
    assert 0 < max(there) <= 4


def test_one_that_was_ready_before_anybody_looked_is_not_measured(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.account.hang_volumes(state="creating", seconds=400)
    by_volume(world)
    world.clock.advance(HOUR)
    item = outcome(by_volume(world), volume)
    assert item["result"] == "done"
    assert "seconds" not in item["detail"]


@pytest.mark.parametrize(("end", "flaw"), [("error", "volume_error"), ("gone", "volume_vanished")])
def test_a_backup_that_no_volume_can_be_made_of_fails(
    world: DrillWorld, end: str, flaw: str
) -> None:
    good, bad = world.backed_up(), world.backed_up()
    world.account.fail_volumes(bad[1], end=end)
    answer = by_volume(world)
    assert ended(answer, bad[0]) == ("failed", flaw)
    assert ended(answer, good[0]) == ("done", "")
    world.clock.advance(10)
    assert world.volumes_of_drills == {}
    assert world.proven_at(bad[1]) == ""


def test_a_key_that_cannot_be_used_is_found_out(world: DrillWorld) -> None:
    key = world.account.key()
    volume, _ = world.backed_up(encrypted=True, kms_key=key)
    world.account.set_key_state(key, "Disabled")
    assert ended(by_volume(world), volume) == ("failed", "volume_vanished")


def test_no_room_says_nothing_of_the_backup(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.account.refuse_volumes("InsufficientVolumeCapacity", times=None)
    answer = by_volume(world)
    assert ended(answer, volume) == ("deferred", "InsufficientVolumeCapacity")
    assert world.concluded == {}


def test_a_full_quota_halts_the_rest(world: DrillWorld, one_at_a_time: None) -> None:
    volumes = [world.backed_up()[0] for _ in range(4)]
    world.account.refuse_volumes("VolumeLimitExceeded", times=None)
    answer = by_volume(world)
    assert {ended(answer, each) for each in volumes} == {("deferred", "VolumeLimitExceeded")}
    assert len(made(world)) == 1


@pytest.mark.parametrize("kind", ["answer_lost", "connection_dropped"])
def test_an_answer_that_got_lost_makes_no_second_volume(world: DrillWorld, kind: str) -> None:
    volume, _ = world.backed_up()
    world.cloud.faults.add(kind, operation="CreateVolume", times=4)
    assert ended(by_volume(world), volume) == ("done", "")
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


def test_what_is_made_and_listed_late_is_judged_by_the_next_run(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.cloud.extras.volumes.late_seconds = 30
    world.cloud.faults.add("answer_lost", operation="CreateVolume", times=4)
    assert ended(by_volume(world), volume)[0] == "deferred"
    assert len(world.volumes_of_drills) == 1
    item = outcome(by_volume(world, scheduled_time=world.next_day()), volume)
    assert (item["reason"], item["result"]) == ("under_way", "done")
    assert len(made(world)) == 4  # the same call, sent again
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


@pytest.mark.parametrize("kind", ["answer_lost", "never_arrived", "internal_error", "denied"])
def test_a_volume_that_could_not_be_deleted_is_swept_later(world: DrillWorld, kind: str) -> None:
    volume, _ = world.backed_up()
    fault = world.cloud.faults.add(kind, operation="DeleteVolume", times=4)
    item = outcome(by_volume(world), volume)
    assert item["result"] == "done"
    assert fault.fired
    assert ("not_deleted" in item["detail"]) is (kind != "answer_lost")
    world.cloud.faults.clear()
    world.next_day()
    by_volume(world, scheduled_time=world.next_day())
    world.clock.advance(10)
    assert world.volumes_of_drills == {}


def test_the_same_slot_again_makes_nothing(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    by_volume(world)
    world.clock.advance(600)
    again = by_volume(world)
    assert outcome(again, volume)["reason"] == "slot_drilled"
    assert len(made(world)) == 1


def test_a_volume_that_somebody_deletes_has_not_failed(world: DrillWorld) -> None:
    volume, _ = world.backed_up()
    world.account.hang_volumes(state="creating", seconds=None)
    by_volume(world)
    (drill,) = world.volumes_of_drills
    at_call(
        world.cloud,
        "DescribeVolumes",
        lambda: world.account.backend.volumes.pop(drill, None),
        nth=2,
    )
    world.clock.advance(60)
    assert ended(by_volume(world), volume) == ("deferred", "VolumeDeleted")


def test_a_slot_asks_by_the_same_token_again(world: DrillWorld) -> None:
    world.backed_up()
    world.cloud.faults.add("internal_error", operation="CreateVolume", times=None)
    for _ in range(2):
        by_volume(world)
    assert len({call.params["ClientToken"] for call in made(world)}) == 1
