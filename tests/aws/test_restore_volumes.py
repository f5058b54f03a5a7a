"""Volumes made beside what there is, volumes that are gone, and root volumes that EC2 replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.restore_world import BAD, GOOD, RestoreWorld, a_world, told

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


def test_volumes_are_made_beside_and_the_instance_is_not_touched(world: RestoreWorld) -> None:
    web = world.server()
    before = world.seats(web.id)
    world.restore(web.id)
    assert [world.account.read_blocks(new)[0].rstrip(b"\0") for new in world.made()] == [GOOD] * 2
    assert {world.account.backend.volumes[new].status for new in world.made()} == {"available"}
    assert (world.seats(web.id), world.contents(web.id)) == (before, [BAD, BAD])
    assert set(world.changes()) == {"CreateVolume"}
    assert world.endings(web.id) == ["restored"]


def test_the_answer_of_a_step_names_each_new_volume_by_its_original(world: RestoreWorld) -> None:
    web = world.server({})
    world.restore(web.id)
    (advanced,) = [a for a in world.answers if a["summary"].get("over")]
    (item,) = advanced["outcomes"]
    assert item["detail"]["volumes"] == {web.volume_ids[0]: world.made()[0]}


def test_a_volume_that_stands_alone_is_made_again(world: RestoreWorld) -> None:
    lone = world.account.volume(zone="b")
    world.backup(lone)
    world.restore(lone)
    (new,) = world.made()
    assert world.account.backend.volumes[new].zone.name == "eu-west-1b"
    assert world.account.read_blocks(new)[0].startswith(GOOD)


def test_a_volume_that_is_gone_is_made_in_the_zone_that_is_named(world: RestoreWorld) -> None:
    lost = world.account.volume(size=30)
    world.backup(lost)
    world.account.remove_volume(lost)
    assert told(world.plan(lost), lost) == ("skip", "zone_needed", "unchanged")
    world.restore(lost, zone="eu-west-1c")
    (new,) = world.made()
    volume = world.account.backend.volumes[new]
    assert (volume.zone.name, volume.size, volume.volume_type) == ("eu-west-1c", 30, "gp3")
    assert world.account.read_blocks(new)[0].startswith(GOOD)


def test_the_volumes_of_an_instance_that_is_gone_come_from_one_slot(world: RestoreWorld) -> None:
    web = world.server({}, {"size": 20}, days=())
    root, data = web.volume_ids
    for volume, days in ((root, 2), (data, 2), (root, 1)):
        world.backup(volume, days, instance=web.id, content=f"{days}".encode())
    for volume in web.volume_ids:
        world.account.remove_volume(volume)
    world.account.terminate(web.id)
    world.later(hours=2)
    world.restore(web.id, zone="eu-west-1a")
    made = [world.account.read_blocks(new)[0].rstrip(b"\0") for new in world.made()]
    assert made == [b"2", b"2"]
    assert world.endings(web.id) == ["restored"]


def test_what_never_was_is_told(world: RestoreWorld) -> None:
    never = "vol-0123456789abcdef0"
    answer = world.plan(never, zone="eu-west-1a")
    assert told(answer, never) == ("skip", "not_found", "unchanged")
    assert answer["status"] == "refused"


def test_a_gone_volume_whose_backup_is_encrypted_is_made_with_its_key(world: RestoreWorld) -> None:
    key = world.key()
    lost = world.account.volume(kms_key=key)
    world.backup(lost)
    world.account.remove_volume(lost)
    world.restore(lost, zone="eu-west-1a")
    (new,) = world.made()
    assert world.account.backend.volumes[new].kms_key_id == key
    assert world.endings(lost) == ["restored"]


def test_a_root_volume_is_replaced_while_the_instance_runs(world: RestoreWorld) -> None:
    web = world.server()
    root, data = web.volume_ids
    world.restore(web.id, how="root")
    assert world.contents(web.id) == [GOOD, BAD]
    assert world.seats(web.id)["/dev/xvdb"][0] == data
    new, _, goes = world.seats(web.id)["/dev/sda1"]
    assert (world.endings(web.id), world.state(web.id)) == (["restored"], "running")
    assert world.account.tags_of(root)["caretaker:replaced-by"] == new
    assert "caretaker:restored-from" in world.account.tags_of(new)
    assert goes is True
    assert "StopInstances" not in world.changes()
    assert root in world.account.backend.volumes


@pytest.mark.parametrize("odd", ["stopped", "of another volume"])
def test_a_root_volume_that_ec2_would_not_replace_is_told(world: RestoreWorld, odd: str) -> None:
    web = world.server({}, state="stopped" if odd == "stopped" else "running", days=())
    (root,) = web.volume_ids
    if odd == "stopped":
        world.backup(root)
    else:
        before = world.account.volume()
        snapshot = world.backup(before, 60)
        world.account.tag(root, {"caretaker:restored-from": snapshot})
    reason = {"stopped": "instance_state", "of another volume": "root_not_replaceable"}[odd]
    assert told(world.plan(web.id, how="root"), web.id) == ("skip", reason, "unchanged")


def test_a_root_task_that_fails_leaves_the_original_in_its_seat(world: RestoreWorld) -> None:
    web = world.server()
    world.account.fail_root_tasks(web.id, "failed")
    world.restore(web.id, how="root")
    assert world.endings(web.id) == ["rolled_back"]
    assert world.seats(web.id)["/dev/sda1"][0] == web.volume_ids[0]
    assert world.journal(web.id)["problem"] == "root_task_failed"
    assert set(world.account.backend.volumes) == set(web.volume_ids)


def test_where_ec2_leaves_no_root_volume_the_original_is_put_back(world: RestoreWorld) -> None:
    web = world.server()
    world.account.fail_root_tasks(web.id, "failed-detached")
    world.restore(web.id, how="root")
    journal = world.journal(web.id)
    assert (world.endings(web.id), journal["problem"]) == (["rolled_back"], "root_detached")
    assert world.seats(web.id)["/dev/sda1"][0] == web.volume_ids[0]
    assert world.state(web.id) == "running"


def test_a_new_root_that_fails_its_checks_goes_and_the_original_comes_back(
    world: RestoreWorld,
) -> None:
    web = world.server()
    world.account.impair(web.id, until_repaired_by="nothing")
    world.restore(web.id, how="root", check_minutes=3)
    assert world.endings(web.id) == ["rolled_back"]
    sitting = [seat[0] for _, seat in sorted(world.seats(web.id).items())]
    assert sitting == list(web.volume_ids)
    assert world.state(web.id) == "running"
    beside = set(world.account.backend.volumes) - set(web.volume_ids)
    assert beside == set(world.journal(web.id)["left_over"])
