"""Where it hurts once an instance is touched: it runs in the end, with new volumes or the old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.crashes import at_call
from tests.support.restore_ends import assert_restored, assert_rolled_back, leap, snapshot_of
from tests.support.restore_world import RestoreWorld, a_world

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> RestoreWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack, account, monkeypatch)


def test_a_device_that_somebody_else_took_gives_way_to_the_originals(world: RestoreWorld) -> None:
    web = world.server()
    stranger = world.account.volume()

    def take() -> None:
        world.account.attach(stranger, web.id, "/dev/xvdb")

    def leave() -> None:
        world.account.backend.detach_volume(stranger, web.id, "/dev/xvdb")

    at_call(world.cloud, "AttachVolume", take)
    at_call(world.cloud, "DeleteVolume", leave)
    at_call(world.cloud, "AttachVolume", leave, nth=20)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "InvalidParameterValue")


def test_a_volume_that_is_stuck_attaching_gives_way_after_90_seconds(world: RestoreWorld) -> None:
    web = world.server()
    snapshot = snapshot_of(world, web)

    def hang() -> None:
        made = world.made()
        stuck = [v for v in made if world.account.backend.volumes[v].snapshot_id == snapshot]
        world.account.hang_volumes(stuck[0], "attaching")

    at_call(world.cloud, "StopInstances", hang)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "attaching_stuck")
    attached = world.cloud.calls.of("AttachVolume")[0].at
    away = [c for c in world.cloud.calls.of("DetachVolume") if c.at > attached]
    assert 90 <= (away[0].at - attached).total_seconds() < 120


def test_a_volume_that_is_slow_to_detach_is_waited_for(world: RestoreWorld) -> None:
    web = world.server()
    world.account.hang_volumes(web.volume_ids[1], "detaching", seconds=300)
    leap(world, 4, "DetachVolume")
    world.restore(web.id, how="swap")
    assert_restored(world, web)


def test_a_volume_that_is_stuck_detaching_gives_way_to_the_originals(world: RestoreWorld) -> None:
    web = world.server()
    world.account.hang_volumes(web.volume_ids[1], "detaching", seconds=660)
    leap(world, 9.5, "DetachVolume")
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "detaching_stuck")


def test_an_instance_that_is_terminated_before_it_is_touched_is_left_alone(
    world: RestoreWorld,
) -> None:
    web = world.server()
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.account.terminate(web.id)
    world.play(plan)
    assert world.endings(web.id) == ["rolled_back"]
    assert world.journal(web.id)["problem"] == "changed_meanwhile"
    assert world.account.power_log(web.id) == ["terminate"]


def test_an_instance_that_is_terminated_in_the_middle_is_told_and_its_data_stays(
    world: RestoreWorld,
) -> None:
    web = world.server()
    at_call(world.cloud, "StartInstances", lambda: world.account.terminate(web.id))
    world.restore(web.id, how="swap")
    assert (world.endings(web.id), world.journal(web.id)["problem"]) == (["left"], "instance_gone")
    assert set(world.account.backend.volumes) >= set(web.volume_ids)


def test_an_instance_whose_volumes_changed_meanwhile_is_not_touched(world: RestoreWorld) -> None:
    web = world.server()
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.account.backend.detach_volume(web.volume_ids[1], web.id, "/dev/xvdb")
    world.play(plan)
    assert world.journal(web.id)["problem"] == "changed_meanwhile"
    assert (world.state(web.id), world.made()) == ("running", [])
    assert "StopInstances" not in world.changes()


def test_an_instance_that_may_not_be_stopped_stays_as_it_is(world: RestoreWorld) -> None:
    web = world.server(stop_protected=True)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "OperationNotPermitted")


def test_an_instance_that_does_not_stop_in_time_runs_as_before(world: RestoreWorld) -> None:
    web = world.server()
    world.account.hang(web.id, 22 * 60)
    leap(world, 19, "StopInstances")
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "not_stopped")


def test_a_start_without_capacity_is_asked_for_until_there_is_some(world: RestoreWorld) -> None:
    web = world.server()
    world.account.refuse_start(web.id, times=20)
    world.restore(web.id, how="swap")
    assert_restored(world, web)


def test_an_instance_that_does_not_start_gets_its_originals_back(world: RestoreWorld) -> None:
    web = world.server()
    world.account.start_falls_back(web.id, times=3)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "does_not_start")


def test_an_instance_that_fails_its_checks_gets_its_originals_back(world: RestoreWorld) -> None:
    web = world.server()
    world.account.impair(web.id, until_repaired_by="nothing")
    world.restore(web.id, how="swap", check_minutes=5)
    assert_rolled_back(world, web, "checks_failed")


@pytest.mark.parametrize(
    "operation", ["CreateVolume", "StopInstances", "DetachVolume", "AttachVolume", "StartInstances"]
)
def test_what_is_denied_for_good_leaves_the_data_as_it_was(
    world: RestoreWorld, operation: str
) -> None:
    web = world.server()
    denied = world.cloud.faults.add("denied", operation=operation, times=3)
    world.restore(web.id, how="swap")
    assert denied.fired >= 1
    assert_rolled_back(world, web, "UnauthorizedOperation")


def test_without_the_tag_of_an_original_it_is_restored_all_the_same(world: RestoreWorld) -> None:
    web = world.server()
    world.cloud.faults.add("denied", operation="CreateTags", times=None)
    world.restore(web.id, how="swap")
    assert_restored(world, web)


def test_new_volumes_that_may_not_be_deleted_are_told(world: RestoreWorld) -> None:
    web = world.server()
    world.cloud.faults.add("denied", operation="DeleteVolume", times=None)
    world.cloud.faults.add("denied", operation="StopInstances")
    world.restore(web.id, how="swap")
    assert world.endings(web.id) == ["rolled_back"]
    assert sorted(world.journal(web.id)["left_over"]) == world.made() != []
