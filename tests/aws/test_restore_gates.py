"""Which slot brings things back, and what cannot be brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.restore_ends import nothing_is_begun
from tests.support.restore_world import RestoreWorld, a_world, told

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
    return a_world(cloud, clock, stack, account, monkeypatch)


def test_a_time_picks_the_newest_slot_that_is_not_after_it(world: RestoreWorld) -> None:
    web = world.server(days=(1, 2, 3))
    detail = world.plan(web.id, at="2026-11-19T12:00:00Z")["outcomes"][0]["detail"]
    assert (detail["slot"], detail["lost_hours"]) == ("2026-11-19T03:00Z", 48.0)
    exact = world.plan(web.id, at="2026-11-18T03:00:00Z")["outcomes"][0]["detail"]
    assert exact["slot"] == "2026-11-18T03:00Z"


def test_a_time_before_the_first_backup_is_told_with_the_first_there_is(
    world: RestoreWorld,
) -> None:
    web = world.server(days=(1, 2))
    answer = world.plan(web.id, how="swap", at="2026-11-19T02:59:00Z")
    assert (answer["status"], answer["reason"]) == ("refused", "nothing_to_restore")
    (item,) = answer["outcomes"]
    assert (item["action"], item["reason"]) == ("skip", "no_complete_slot")
    assert item["detail"]["first_complete_slot"] == "2026-11-19T03:00Z"
    assert nothing_is_begun(world)


def test_an_instance_without_a_backup_is_told_and_the_others_come_back(
    world: RestoreWorld,
) -> None:
    web, bare = world.server(), world.server(days=())
    answer = world.plan(web.id, bare.id, how="swap")
    assert told(answer, web.id) == ("restore", "asked", "planned")
    assert told(answer, bare.id) == ("skip", "no_backup", "unchanged")
    (item,) = [each for each in answer["outcomes"] if each["target"] == bare.id]
    assert item["detail"]["volumes_without_backup"] == sorted(bare.volume_ids)


def test_all_volumes_of_an_instance_come_from_one_slot(world: RestoreWorld) -> None:
    web = world.server(days=(2,))
    world.backup(web.volume_ids[0], 1)
    (item,) = world.plan(web.id, how="swap")["outcomes"]
    assert item["detail"]["slot"] == "2026-11-19T03:00Z"


@pytest.mark.parametrize("state", ["pending", "error"])
def test_a_backup_that_is_not_completed_counts_for_nothing(world: RestoreWorld, state: str) -> None:
    web = world.server({}, days=(2,))
    world.backup(web.volume_ids[0], 1, state=state)
    (item,) = world.plan(web.id, how="swap")["outcomes"]
    assert item["detail"]["slot"] == "2026-11-19T03:00Z"


def test_a_slot_in_the_archive_is_told(world: RestoreWorld) -> None:
    web = world.server({})
    world.account.archive(world.account.own_snapshots(web.volume_ids[0])[0].id)
    assert told(world.plan(web.id, how="swap"), web.id) == ("skip", "archived", "unchanged")


def test_backups_of_another_policy_count_for_nothing(world: RestoreWorld) -> None:
    web = world.server({})
    answer = world.plan(web.id, how="swap", policy="weekly")
    assert told(answer, web.id) == ("skip", "no_backup", "unchanged")


def test_snapshots_that_others_made_count_for_nothing(world: RestoreWorld) -> None:
    web = world.server({}, days=())
    theirs = {"caretaker:managed-by": "another"}
    world.backup(web.volume_ids[0], 1, tags=theirs)
    world.backup(web.volume_ids[0], 2, owner="999988887777")
    assert told(world.plan(web.id, how="swap"), web.id) == ("skip", "no_backup", "unchanged")


def test_a_member_of_a_group_is_swapped_in_standby_only(world: RestoreWorld) -> None:
    group = world.account.scaling_group(name="web")
    web = world.server(group=group)
    answer = world.plan(web.id, how="swap")
    assert told(answer, web.id) == ("skip", "in_scaling_group", "unchanged")
    assert told(world.plan(web.id, how="volumes"), web.id)[1] == "asked"
    world.account.lifecycle(web.id, "Standby")
    assert told(world.plan(web.id, how="swap"), web.id) == ("restore", "asked", "planned")


def test_what_cannot_be_stopped_is_not_swapped(world: RestoreWorld) -> None:
    spot, rootless = world.server(spot="one-time"), world.server({}, instance_store=True)
    answer = world.plan(spot.id, rootless.id, how="swap")
    assert {each["reason"] for each in answer["outcomes"]} == {"not_stoppable"}


def test_what_users_have_opted_out_is_told(world: RestoreWorld) -> None:
    web = world.server(tags={"caretaker:ignore": "true"})
    assert told(world.plan(web.id, how="swap"), web.id) == ("skip", "ignored", "unchanged")


def test_a_volume_that_several_instances_share_is_not_swapped(world: RestoreWorld) -> None:
    web, other = world.server(), world.server({})
    shared = world.account.volume(multi_attach=True)
    world.backup(shared)
    world.account.attach(shared, web.id, "/dev/sdg")
    world.account.attach(shared, other.id, "/dev/sdg")
    assert told(world.plan(web.id, how="swap"), web.id) == ("skip", "multi_attach", "unchanged")


def test_a_key_that_cannot_be_used_is_told_before_anything_begins(world: RestoreWorld) -> None:
    key = world.key()
    web = world.server({"kms_key": key})
    world.account.set_key_state(key, "Disabled")
    answer = world.plan(web.id, how="swap")
    assert told(answer, web.id) == ("skip", "key_unusable", "unchanged")
    assert key in answer["outcomes"][0]["detail"]["keys"]
