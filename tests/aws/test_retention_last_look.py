"""Every snapshot is looked at again right before its change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from tests.cloud import REGION
from tests.support.crashes import at_call
from tests.support.retention_needs import LATE, STRANGER
from tests.support.retention_world import RetentionWorld, a_world, verdict

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    return a_world(cloud, clock, stack)


@pytest.mark.parametrize("need", LATE)
def test_what_changes_after_the_listing_is_unmarked_at_the_last_look(
    world: RetentionWorld, need: str
) -> None:
    close, reason = LATE[need]
    old, other = world.expired(marked_hours_ago=49), world.expired(marked_hours_ago=49)
    world.ledger.needed[old] = need
    at_call(world.cloud, "DescribeLockedSnapshots", lambda: close(world, old))

    answer = world.sweep()

    assert verdict(answer, old) == ("unmark", reason, "done")
    assert world.left.isdisjoint({other})
    assert old in world.left
    assert world.marks == {}


@pytest.mark.parametrize("need", LATE)
def test_what_changes_after_the_listing_is_not_marked(world: RetentionWorld, need: str) -> None:
    close, reason = LATE[need]
    old, other = world.expired(), world.expired()
    world.ledger.needed[old] = need
    at_call(world.cloud, "DescribeLockedSnapshots", lambda: close(world, old))

    answer = world.sweep()

    assert verdict(answer, old) == ("keep", reason, "unchanged")
    assert set(world.marks) == {other}


def test_a_mark_that_somebody_removed_after_the_listing_is_no_mark(world: RetentionWorld) -> None:
    old = world.expired(marked_hours_ago=49)
    tags = world.account.backend.tags[old]
    at_call(
        world.cloud, "DescribeLockedSnapshots", lambda: tags.pop("caretaker:delete-after", None)
    )

    answer = world.sweep()

    assert old in world.left
    assert verdict(answer, old)[0] != "delete"


def test_the_last_good_one_stays_though_the_newer_one_vanished_after_the_listing(
    world: RetentionWorld,
) -> None:
    volume, (new,) = world.volume(2)
    old = world.backup(volume, 40, marked_hours_ago=49)
    at_call(
        world.cloud,
        "DescribeLockedSnapshots",
        lambda: world.account.backend.snapshots.pop(new, None),
    )

    answer = world.sweep()

    assert world.left == {old}
    assert verdict(answer, old) == ("keep", "last_good", "unchanged")


def test_a_shared_one_is_kept_without_being_asked_for_every_day(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    shared = [world.expired() for _ in range(3)]
    for each in shared:
        world.account.share(each, STRANGER)
    world.sweep()
    cloud.calls.clear()

    answer = world.sweep()

    assert {verdict(answer, each) for each in shared} == {("keep", "shared", "unchanged")}
    assert cloud.calls.count("DescribeSnapshotAttribute") == 0


def test_what_came_back_from_the_recycle_bin_has_two_days_again(world: RetentionWorld) -> None:
    world.account.bin_rule(14)
    old = world.expired(marked_hours_ago=49)
    world.sweep()
    assert world.account.binned() == [old]
    boto3.client("ec2", REGION).restore_snapshot_from_recycle_bin(SnapshotId=old)
    world.later(days=1)

    answer = world.sweep()

    assert verdict(answer, old) == ("mark", "expired", "done")
    world.later(hours=47)
    world.sweep()
    assert old in world.left
    world.later(hours=1)
    world.sweep()
    assert old not in world.left
