"""Which snapshots bring a volume back: its own, and none from after the moment asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from caretaker.ec2 import description_of
from caretaker.slots import slot_of
from tests.support.restore_world import BAD, GOOD, RestoreWorld, a_world
from tests.support.snapshots import ours

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

HOUR = 1 / 24


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


def retaken(world: RestoreWorld, volume: str, hours: float, content: bytes) -> None:
    """Add a snapshot of yesterday's slot that was started so many hours after it."""
    slot = slot_of(world.clock.now() - timedelta(days=1))
    text = description_of("daily", slot)
    made = world.account.snapshot(
        volume, age_hours=24 - hours, tags=ours(slot=slot), description=text
    )
    world.account.write_blocks(made, {0: content})


def test_a_disk_whose_backup_failed_does_not_come_back_from_the_one_it_replaced(
    world: RestoreWorld,
) -> None:
    """What was replaced is kept, and goes on being backed up: it holds what was destroyed."""
    web = world.server()
    world.restore(web.id, how="swap")
    root, data = (world.seats(web.id)[device][0] for device in sorted(world.seats(web.id)))
    world.later(days=1)
    for original in web.volume_ids:
        world.backup(original, HOUR, content=BAD)
    world.backup(root, HOUR, content=b"tonight", instance=web.id)
    world.backup(data, HOUR, content=b"tonight", instance=web.id, state="error")
    for volume in (root, data):
        world.account.write_blocks(volume, {0: BAD})
    world.restore(web.id, how="swap")
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD, GOOD])


def test_a_disk_does_not_come_back_from_a_copy_that_was_made_beside_it(
    world: RestoreWorld,
) -> None:
    web = world.server({})
    (root,) = web.volume_ids
    world.restore(root)
    (copy,) = world.made()
    world.later(days=2)
    world.backup(root, HOUR, state="error", instance=web.id)
    world.backup(copy, HOUR, content=b"of the copy")
    world.restore(web.id, how="swap")
    assert world.contents(web.id) == [GOOD]


def test_what_was_taken_after_the_moment_is_not_used_whatever_slot_it_is_of(
    world: RestoreWorld,
) -> None:
    web = world.server({}, days=(2,))
    retaken(world, web.volume_ids[0], 5, b"destroyed already")
    moment = world.clock.now() - timedelta(hours=20)
    detail = world.plan(web.id, how="swap", at=moment.isoformat())["outcomes"][0]["detail"]
    assert (detail["slot"], detail["lost_hours"]) == ("2026-11-19T03:00Z", 48.0)
    world.restore(web.id, how="swap", at=moment.isoformat())
    assert world.contents(web.id) == [GOOD]


def test_a_snapshot_of_somebody_else_with_our_tags_is_not_taken_for_ours(
    world: RestoreWorld,
) -> None:
    """Whoever copies the tags of a volume that was restored to its snapshots copies ours."""
    web = world.server({})
    world.restore(web.id, how="swap")
    (new,) = world.made()
    world.later(days=1)
    copied = world.account.snapshot(
        new, age_hours=1, tags=world.account.tags_of(new), description="Created by a backup tool"
    )
    world.account.write_blocks(copied, {0: BAD})
    world.account.write_blocks(new, {0: BAD})
    world.restore(web.id, how="swap")
    assert world.contents(web.id) == [GOOD]


def test_a_plan_tells_when_each_slot_was_really_taken(world: RestoreWorld) -> None:
    web = world.server(days=())
    root, data = web.volume_ids
    retaken(world, root, 1, GOOD)
    retaken(world, data, 3, GOOD)
    detail = world.plan(web.id, how="swap")["outcomes"][0]["detail"]
    assert (detail["slot"], detail["taken"]) == ("2026-11-20T03:00Z", "2026-11-20T04:00:00Z")
    assert (detail["lost_hours"], detail["apart_minutes"]) == (23.0, 120)
