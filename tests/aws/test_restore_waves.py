"""Many instances at once: waves, one pace for all, and a table that is out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cloud import Bucket
from tests.support.restore_ends import assert_restored
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


def test_a_failed_wave_keeps_the_next_from_beginning(world: RestoreWorld) -> None:
    db, web = world.server({}, tags={"role": "db"}), world.server({}, tags={"role": "web"})
    world.account.impair(db.id, until_repaired_by="nothing")
    order = {"tag": "role", "values": ["db"]}
    world.restore(db.id, web.id, how="swap", order=order, check_minutes=2)
    assert world.endings(db.id, web.id) == ["rolled_back", "not_started"]
    assert world.account.power_log(web.id) == []
    assert world.open_restores() == []


def test_one_that_fails_keeps_none_of_its_wave(world: RestoreWorld) -> None:
    bad, *good = (world.server({}) for _ in range(3))
    world.account.impair(bad.id, until_repaired_by="nothing")
    world.restore(bad.id, *(each.id for each in good), how="swap", check_minutes=2)
    assert world.endings(bad.id, *(g.id for g in good)) == ["rolled_back", "restored", "restored"]


def test_all_workers_keep_to_one_pace(world: RestoreWorld) -> None:
    world.cloud.buckets["CreateVolume"] = Bucket(20, 1, share=0.5)
    fleet = [world.server({}).id for _ in range(12)]
    world.restore(*fleet, how="volumes", wave=12, pace=1.0)
    assert set(world.endings(*fleet)) == {"restored"}
    made = world.cloud.calls.of("CreateVolume")
    refused = [each for each in made if each.outcome == "RequestLimitExceeded"]
    assert len(refused) < len(made)


def test_while_the_table_is_out_of_reach_nothing_changes_and_then_it_goes_on(
    world: RestoreWorld,
) -> None:
    web = world.server()
    plan = str(world.start(web.id, how="swap")["plan_id"])
    changes = world.changes()
    out = world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    with pytest.raises(Exception, match="does not end"):
        world.play(plan, waits=12)
    assert out.fired
    assert world.changes() == changes
    world.cloud.faults.clear()
    world.play(plan)
    assert_restored(world, web)
