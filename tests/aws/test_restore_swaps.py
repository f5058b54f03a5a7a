"""Instances get their data back: stopped, their volumes exchanged, started, and looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.retention import app as retention
from tests.support.restore_world import BAD, GOOD, RestoreWorld, a_world
from tests.support.stack import SLOT

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


def test_an_instance_runs_with_the_data_of_its_backup(world: RestoreWorld) -> None:
    web = world.server()
    assert world.contents(web.id) == [BAD, BAD]
    world.restore(web.id, how="swap")
    assert world.contents(web.id) == [GOOD, GOOD]
    assert (world.state(web.id), world.endings(web.id)) == ("running", ["restored"])
    assert world.open_restores() == []


def test_the_slot_that_was_asked_for_comes_back(world: RestoreWorld) -> None:
    web = world.server({}, days=())
    (root,) = web.volume_ids
    world.backup(root, 2, content=b"two days ago")
    world.backup(root, 1, content=b"yesterday")
    world.restore(web.id, how="swap", at="2026-11-19T23:00:00Z")
    assert world.contents(web.id) == [b"two days ago"]


def test_new_volumes_are_like_the_originals(world: RestoreWorld) -> None:
    key = world.key()
    web = world.server(
        {"size": 30, "iops": 4000, "throughput": 250, "kms_key": key},
        {"size": 20, "volume_type": "io2", "iops": 5000},
        {"size": 10, "volume_type": "gp2"},
        zone="b",
    )
    before = [_like(world, each) for each in web.volume_ids]
    world.restore(web.id, how="swap")
    devices = ("/dev/sda1", "/dev/xvdb", "/dev/xvdc")
    after = [_like(world, world.seats(web.id)[device][0]) for device in devices]
    assert after == before


def _like(world: RestoreWorld, volume_id: str) -> tuple[Any, ...]:
    volume = world.account.backend.volumes[volume_id]
    own = volume.volume_type in {"gp3", "io2"}
    return (
        volume.size,
        volume.volume_type,
        volume.iops if own else 0,
        volume.throughput,
        volume.kms_key_id,
        volume.zone.name,
    )


def test_what_goes_with_the_instance_and_what_stays_is_as_before(world: RestoreWorld) -> None:
    web = world.server({"deletes_on_termination": False}, {"deletes_on_termination": True}, {})
    world.restore(web.id, how="swap")
    goes = {device: seat[2] for device, seat in world.seats(web.id).items()}
    assert goes == {"/dev/sda1": False, "/dev/xvdb": True, "/dev/xvdc": False}


def test_only_what_ran_is_started(world: RestoreWorld) -> None:
    on, off = world.server(), world.server(state="stopped")
    world.restore(on.id, off.id, how="swap")
    assert world.contents(off.id) == world.contents(on.id) == [GOOD, GOOD]
    assert (world.state(on.id), world.state(off.id)) == ("running", "stopped")
    assert world.account.power_log(off.id) == []


def test_originals_stay_and_say_what_took_their_place(world: RestoreWorld) -> None:
    web = world.server()
    world.restore(web.id, how="swap")
    now = {seat[0] for seat in world.seats(web.id).values()}
    for original in web.volume_ids:
        assert world.account.backend.volumes[original].status == "available"
        assert world.account.read_blocks(original)[0].startswith(BAD)
        assert world.account.tags_of(original)["caretaker:replaced-by"] in now
    assert "DeleteVolume" not in world.changes()


def test_new_volumes_continue_the_lineage_and_wear_the_tags_of_users(world: RestoreWorld) -> None:
    tags = {"Name": "db data", "Owner": "ann", "caretaker:backup": "daily"}
    web = world.server({"tags": tags | {"caretaker:delete-after": "never"}})
    (snapshot,) = world.account.own_snapshots(web.volume_ids[0])
    plan = world.restore(web.id, how="swap")
    (new,) = [seat[0] for seat in world.seats(web.id).values()]
    assert world.account.tags_of(new) == tags | {
        "caretaker:managed-by": "caretaker",
        "caretaker:policy": "daily",
        "caretaker:slot": "2026-11-20T03:00Z",
        "caretaker:restored-from": snapshot.id,
        "caretaker:run": f"{plan}/{web.id}",
        "caretaker:attempt": "1",
    }


def test_the_tags_of_users_are_trimmed_to_what_fits(world: RestoreWorld) -> None:
    web = world.server({"tags": {f"key {number:02}": "x" for number in range(50)}})
    world.restore(web.id, how="swap")
    (new,) = [seat[0] for seat in world.seats(web.id).values()]
    tags = world.account.tags_of(new)
    assert len(tags) == 50
    assert "caretaker:restored-from" in tags
    assert world.endings(web.id) == ["restored"]


def test_what_was_restored_can_be_restored_again_from_its_own_and_older_backups(
    world: RestoreWorld,
) -> None:
    web = world.server({}, days=())
    (root,) = web.volume_ids
    world.backup(root, 1, content=b"first")
    world.restore(web.id, how="swap")
    (new,) = [seat[0] for seat in world.seats(web.id).values()]
    world.later(days=1)
    world.backup(new, 0.25, content=b"second")
    world.restore(web.id, how="swap")
    assert world.contents(web.id) == [b"second"]
    world.restore(web.id, how="swap", at="2026-11-20T12:00:00Z")
    assert world.contents(web.id) == [b"first"]
    assert set(world.account.backend.volumes) >= {root, new}


def test_no_instance_is_touched_before_all_its_volumes_are_available(world: RestoreWorld) -> None:
    web = world.server()
    snapshot = world.account.own_snapshots(web.volume_ids[1])[0].id
    world.account.hang_volumes(snapshot, "creating", seconds=600)
    world.restore(web.id, how="swap")
    (stopped,) = world.cloud.calls.of("StopInstances")
    made = world.cloud.calls.of("CreateVolume")[-1]
    assert (stopped.at - made.at).total_seconds() >= 600
    assert world.endings(web.id) == ["restored"]


def test_waves_go_by_the_order_of_a_tag(world: RestoreWorld) -> None:
    fleet = {
        role: world.server({}, tags={"role": role.rstrip("12")})
        for role in ("web1", "db1", "cache1", "db2", "web2")
    }
    ids = [each.id for each in fleet.values()]
    order = {"tag": "role", "values": ["db", "cache"]}
    plan = world.plan(*ids, how="swap", order=order, wave=1)
    waves = {each["target"]: each["detail"]["wave"] for each in plan["outcomes"]}
    assert sorted(waves[fleet[role].id] for role in ("db1", "db2")) == [1, 2]
    assert waves[fleet["cache1"].id] == 3
    assert plan["summary"]["waves"] == 5
    world.restore(*ids, how="swap", order=order, wave=1)
    stops = [call.params["InstanceIds"][0] for call in world.cloud.calls.of("StopInstances")]
    assert stops == sorted(ids, key=lambda each: waves[each])
    assert set(world.endings(*ids)) == {"restored"}


def test_a_wave_begins_when_the_one_before_runs_again(world: RestoreWorld) -> None:
    db, web = world.server({}, tags={"role": "db"}), world.server({}, tags={"role": "web"})
    order = {"tag": "role", "values": ["db"]}
    world.restore(db.id, web.id, how="swap", order=order)
    made = [call.at for call in world.cloud.calls.of("CreateVolume")]
    assert world.journal(db.id)["ended"] <= made[1].isoformat()


def test_instances_of_one_wave_come_back_beside_each_other(world: RestoreWorld) -> None:
    fleet = [world.server({}).id for _ in range(3)]
    world.restore(*fleet, how="swap")
    begun = [call.at for call in world.cloud.calls.of("StopInstances")]
    ended = [world.journal(each)["ended"] for each in fleet]
    assert max(begun).isoformat() < min(ended)
    assert [world.contents(each) for each in fleet] == [[GOOD]] * 3


def test_an_instance_in_standby_comes_back(world: RestoreWorld) -> None:
    web = world.server({}, group=world.account.scaling_group(name="web"))
    world.account.lifecycle(web.id, "Standby")
    world.restore(web.id, how="swap")
    assert world.contents(web.id) == [GOOD]


def test_nobody_waits_for_status_checks_that_are_not_wanted(world: RestoreWorld) -> None:
    web = world.server({})
    world.account.impair(web.id, until_repaired_by="nothing")
    world.restore(web.id, how="swap", check_minutes=0)
    assert world.endings(web.id) == ["restored"]


@pytest.mark.parametrize("is_open", [True, False])
def test_retention_keeps_the_snapshots_of_a_restore_that_is_open(
    world: RestoreWorld,
    is_open: bool,  # noqa: FBT001 - a case
) -> None:
    web = world.server({}, days=(2, 40))
    old, _ = world.account.own_snapshots(web.volume_ids[0])
    plan = str(world.start(web.id, how="swap", at="2026-10-20T00:00:00Z")["plan_id"])
    if not is_open:
        world.play(plan)
    sweep = {"keep": {"last": 1}, "scheduled_time": SLOT}
    answer = world.stack.run(retention.CHORE, sweep)
    (item,) = [each for each in answer["outcomes"] if each["target"] == old.id]
    kept = ("keep", "restore_open")
    assert ((item["action"], item["reason"]) == kept) is is_open, item
