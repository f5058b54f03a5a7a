"""Where it hurts before an instance is touched: volumes that EC2 refuses or never finishes."""

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


@pytest.mark.parametrize("code", ["InsufficientVolumeCapacity", "VolumeLimitExceeded"])
def test_no_room_for_volumes_passes_after_a_while(world: RestoreWorld, code: str) -> None:
    web = world.server()
    world.account.refuse_volumes(code, times=6)
    world.restore(web.id, how="swap")
    assert_restored(world, web)


@pytest.mark.parametrize("code", ["InsufficientVolumeCapacity", "VolumeLimitExceeded"])
def test_no_room_for_volumes_that_does_not_pass_leaves_all_as_it_was(
    world: RestoreWorld, code: str
) -> None:
    web = world.server()
    world.account.refuse_volumes(code, snapshot_of(world, web), times=None)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, code)
    assert "StopInstances" not in world.changes()


def test_a_zone_that_is_gone_leaves_all_as_it_was(world: RestoreWorld) -> None:
    web = world.server()
    code = "InvalidZone.NotFound"
    world.cloud.faults.add("error", operation="CreateVolume", times=None, code=code)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, code)
    assert "StopInstances" not in world.changes()


def test_a_new_volume_in_a_wrong_zone_gives_way_to_the_originals(world: RestoreWorld) -> None:
    web = world.server()
    other = world.account.backend.get_zone_by_name("eu-west-1b")

    def move() -> None:
        world.account.backend.volumes[world.made()[0]].zone = other

    at_call(world.cloud, "StopInstances", move)
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "InvalidVolume.ZoneMismatch")


def test_a_key_that_is_disabled_meanwhile_leaves_all_as_it_was(world: RestoreWorld) -> None:
    key = world.key()
    web = world.server({}, {"size": 20, "kms_key": key})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.account.set_key_state(key, "Disabled")
    world.play(plan)
    assert_rolled_back(world, web, "volume_vanished")
    assert "StopInstances" not in world.changes()


@pytest.mark.parametrize("end", ["error", "gone"])
def test_a_volume_that_comes_to_nothing_is_made_again_by_another_token(
    world: RestoreWorld, end: str
) -> None:
    web = world.server()
    world.account.fail_volumes(snapshot_of(world, web), end=end)
    world.restore(web.id, how="swap")
    assert_restored(world, web)


@pytest.mark.parametrize("end", ["error", "gone"])
def test_a_volume_that_comes_to_nothing_thrice_leaves_all_as_it_was(
    world: RestoreWorld, end: str
) -> None:
    web = world.server()
    world.account.fail_volumes(snapshot_of(world, web), end=end, times=None)
    world.restore(web.id, how="swap")
    problem = {"error": "volume_failed", "gone": "volume_vanished"}[end]
    assert_rolled_back(world, web, problem)


def test_a_token_that_is_burned_while_its_answer_gets_lost_is_not_sent_for_ever(
    world: RestoreWorld,
) -> None:
    web = world.server()
    world.account.fail_volumes(snapshot_of(world, web), end="gone", seconds=0.5)
    world.cloud.faults.add("answer_lost", operation="CreateVolume", times=4, seconds=1)
    world.restore(web.id, how="swap")
    assert_restored(world, web)


def test_a_volume_that_is_created_for_ever_leaves_all_as_it_was(world: RestoreWorld) -> None:
    web = world.server()
    world.account.hang_volumes(snapshot_of(world, web), "creating", seconds=32 * 60)
    leap(world, 29, "CreateVolume")
    world.restore(web.id, how="swap")
    assert_rolled_back(world, web, "volumes_not_made")


def test_listings_that_come_late_are_waited_for(world: RestoreWorld) -> None:
    web = world.server()
    world.cloud.extras.volumes.late_seconds = 45
    world.restore(web.id, how="swap")
    assert_restored(world, web)


def test_a_snapshot_that_is_archived_meanwhile_leaves_all_as_it_was(world: RestoreWorld) -> None:
    web = world.server()
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.account.archive(snapshot_of(world, web))
    world.play(plan)
    assert_rolled_back(world, web, "IncorrectState")


def test_a_snapshot_that_is_deleted_meanwhile_leaves_all_as_it_was(world: RestoreWorld) -> None:
    web = world.server()
    plan = str(world.start(web.id, how="swap")["plan_id"])
    del world.account.backend.snapshots[snapshot_of(world, web)]
    world.play(plan)
    assert_rolled_back(world, web, "InvalidSnapshot.NotFound")
