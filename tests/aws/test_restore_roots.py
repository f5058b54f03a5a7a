"""A root volume that EC2 itself replaces: the new one is looked after as the original was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crashes import at_call
from tests.support.restore_world import GOOD, RestoreWorld, a_world, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, SeededInstance, StrictCloud
    from tests.support.stack import Stack

TAGS = {"Name": "web root", "Owner": "ann", "caretaker:backup": "daily"}


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


def new_root(world: RestoreWorld, web: SeededInstance) -> str:
    """Return the volume that sits where the root did."""
    new = world.seats(web.id)["/dev/sda1"][0]
    assert new not in web.volume_ids
    return new


def test_a_new_root_wears_the_tags_of_users_and_goes_on_being_backed_up(
    world: RestoreWorld,
) -> None:
    web = world.server({"tags": TAGS | {"caretaker:delete-after": "never"}})
    (snapshot,) = world.account.own_snapshots(web.volume_ids[0])
    world.restore(web.id, how="root")
    new = world.account.tags_of(new_root(world, web))
    assert new == TAGS | {"caretaker:restored-from": snapshot.id}
    assert world.endings(web.id) == ["restored"]


def test_a_new_root_is_tagged_in_one_call_that_says_what_it_is_made_of(
    world: RestoreWorld,
) -> None:
    """IAM lets nobody else's volume be tagged."""
    web = world.server({"tags": TAGS})
    world.restore(web.id, how="root")
    new = new_root(world, web)
    (call,) = [c for c in world.cloud.calls.of("CreateTags") if c.params["Resources"] == [new]]
    assert {each["Key"] for each in call.params["Tags"]} == {*TAGS, "caretaker:restored-from"}


def test_the_tags_of_users_on_a_root_are_trimmed_to_what_fits(world: RestoreWorld) -> None:
    web = world.server({"tags": {f"key {number:02}": "x" for number in range(50)}})
    world.restore(web.id, how="root")
    tags = world.account.tags_of(new_root(world, web))
    assert (len(tags), "caretaker:restored-from" in tags) == (50, True)


@pytest.mark.parametrize("fault", ["answer_lost", "denied"])
def test_a_tag_that_gets_lost_or_is_refused_keeps_nobody_from_the_end(
    world: RestoreWorld, fault: str
) -> None:
    web = world.server({"tags": TAGS})
    world.cloud.faults.add(fault, operation="CreateTags", times=None if fault == "denied" else 2)
    world.restore(web.id, how="root")
    assert (world.endings(web.id), world.contents(web.id)) == (["restored"], [GOOD])
    is_tagged = "Owner" in world.account.tags_of(new_root(world, web))
    assert is_tagged is (fault != "denied")


def test_checks_that_passed_before_the_root_was_replaced_do_not_count(
    world: RestoreWorld,
) -> None:
    """EC2 tells the last check that it made: for up to a minute that is the old root's."""
    web = world.server()

    def break_down() -> None:
        world.account.impair(
            web.id,
            until_repaired_by="nothing",
            since=world.clock.now() + timedelta(seconds=45),
        )

    at_call(world.cloud, "CreateReplaceRootVolumeTask", break_down)
    world.restore(web.id, how="root", check_minutes=3)
    assert world.endings(web.id) == ["rolled_back"]
    assert world.journal(web.id)["problem"] == "checks_failed"
    sitting = [seat[0] for _, seat in sorted(world.seats(web.id).items())]
    assert (sitting, world.state(web.id)) == (list(web.volume_ids), "running")


@pytest.mark.parametrize("launch", [{"spot": "one-time"}, {"spot": "persistent"}])
def test_what_cannot_be_stopped_is_not_given_a_root_that_may_have_to_go_back(
    world: RestoreWorld, launch: dict[str, Any]
) -> None:
    spot = world.server({}, **launch)
    assert told(world.plan(spot.id, how="root"), spot.id)[1] == "not_stoppable"
    world.restore(spot.id, how="root", check_minutes=0)
    assert (world.endings(spot.id), world.contents(spot.id)) == (["restored"], [GOOD])
    assert "StopInstances" not in world.changes()
