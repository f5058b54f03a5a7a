"""What of an instance is not brought back with it: told, or shown in the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.restore_world import BAD, GOOD, RestoreWorld, a_world, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

SCRATCH = {"tags": {"caretaker:ignore": "true"}}


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


def left_out(answer: dict[str, Any]) -> Any:
    """Return what the only item of a plan leaves out."""
    (item,) = answer["outcomes"]
    return item["detail"].get("left_out")


def test_a_volume_in_error_is_told_before_its_instance_is_swapped_without_it(
    world: RestoreWorld,
) -> None:
    web = world.server()
    world.cloud.extras.states[web.volume_ids[1]] = "error"
    assert told(world.plan(web.id, how="swap"), web.id) == ("skip", "volume_state", "unchanged")
    world.restore(web.volume_ids[1])
    (made,) = world.made()
    assert world.account.read_blocks(made)[0].startswith(GOOD)
    assert world.state(web.id) == "running"


def test_a_lone_volume_in_error_is_made_again_beside(world: RestoreWorld) -> None:
    dead = world.account.volume(size=30)
    world.backup(dead)
    world.cloud.extras.states[dead] = "error"
    world.restore(dead)
    (made,) = world.made()
    assert world.account.backend.volumes[made].size == 30
    assert world.endings(dead) == ["restored"]


def test_an_instance_comes_back_without_its_ignored_scratch_disk(world: RestoreWorld) -> None:
    web = world.server({}, SCRATCH)
    scratch = web.volume_ids[1]
    assert left_out(world.plan(web.id, how="swap")) == {scratch: "ignored"}
    world.restore(web.id, how="swap")
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, BAD])
    assert world.seats(web.id)["/dev/xvdb"][0] == scratch


def test_an_ignored_volume_is_told_where_it_is_asked_for_by_its_id(world: RestoreWorld) -> None:
    web = world.server({}, SCRATCH)
    answer = world.plan(web.volume_ids[1], how="swap")
    assert told(answer, web.id) == ("skip", "ignored", "unchanged")


def test_a_disk_that_is_excluded_stays_in_its_seat(world: RestoreWorld) -> None:
    web = world.server()
    select = {"instances": [web.id], "exclude_volumes": [web.volume_ids[1]]}
    assert left_out(world.plan(how="swap", select=select)) == {web.volume_ids[1]: "excluded"}
    world.restore(how="swap", select=select)
    assert world.contents(web.id) == [GOOD, BAD]


def test_an_approval_does_not_hold_once_another_disk_would_be_left_out(
    world: RestoreWorld,
) -> None:
    web = world.server({})
    read = world.plan(web.id, how="swap")["plan_id"]
    extra = world.account.volume(tags=SCRATCH["tags"])
    world.account.attach(extra, web.id, "/dev/sdg")
    answer = world.ask(select={"instances": [web.id]}, how="swap", approve=read)
    assert (answer["status"], answer["reason"]) == ("refused", "plan_changed")


def test_an_instance_that_a_service_manages_is_not_touched(world: RestoreWorld) -> None:
    web = world.server()
    world.account.manage(web.id)
    for how in ("swap", "root"):
        reason = told(world.plan(web.id, how=how), web.id)[1]
        assert reason == "managed_by_service"
    assert told(world.plan(web.id), web.id)[1] == "asked"


def test_a_disk_taken_away_long_ago_does_not_bring_a_gone_instance_back_old(
    world: RestoreWorld,
) -> None:
    web = world.server({}, days=(1, 2, 30))
    (root,) = web.volume_ids
    away = "vol-0aaaaaaaaaaaaaaaa"
    for days in (30, 31):
        world.backup(away, days, instance=web.id)
    world.account.remove_volume(root)
    world.account.terminate(web.id)
    world.later(hours=2)
    (item,) = world.plan(web.id, zone="eu-west-1a")["outcomes"]
    assert (item["reason"], item["detail"]["lost_hours"]) == ("asked", 26.0)
    assert len(item["detail"]["volumes"]) == 1
    assert item["detail"]["left_out"] == {away: "not_in_newest_slots"}
    world.restore(web.id, zone="eu-west-1a")
    assert world.endings(web.id) == ["restored"]
