"""What AWS answers to a mark, an unmark or a deletion, and what becomes of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.retention.units import TAGGED_AT_ONCE
from tests.support.crashes import at_call
from tests.support.retention_world import RetentionWorld, a_world, verdict

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

WIDE: Final[dict[str, Any]] = {"count": 200, "percent": 50}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack)


PROTECTED: Final = {
    "image nobody lists": ("InvalidSnapshot.InUse", "is currently in use by ami-0", "in_use"),
    "lock": ("SnapshotLocked", "The snapshot is locked and cannot be deleted.", "locked"),
    "lock, other code": ("OperationNotPermitted", "snap-0 is locked in governance mode", "locked"),
    "AWS Backup": (
        "InvalidParameterValue",
        "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs.",
        "owned_by_service",
    ),
}


@pytest.mark.parametrize("kind", PROTECTED)
def test_what_aws_protects_stays_as_it_is_and_the_others_go(
    world: RetentionWorld, cloud: StrictCloud, kind: str
) -> None:
    code, message, reason = PROTECTED[kind]
    due = [world.expired(marked_hours_ago=49) for _ in range(8)]
    for each in due[:4]:
        cloud.faults.add(
            "error", operation="DeleteSnapshot", match=each, code=code, message=message, times=None
        )

    answer = world.sweep()

    assert answer["status"] == "ok"
    assert {verdict(answer, each) for each in due[:4]} == {("keep", reason, "unchanged")}
    assert world.ledger.done["delete"] == set(due[4:])
    assert set(due[:4]) <= world.left
    assert world.stack.alerts() == []


def test_what_is_gone_already_is_done(world: RetentionWorld, cloud: StrictCloud) -> None:
    due = [world.expired(marked_hours_ago=49) for _ in range(3)]
    snapshots = world.account.backend.snapshots
    at_call(cloud, "DescribeLockedSnapshots", lambda: snapshots.pop(due[0], None))
    at_call(cloud, "DeleteSnapshot", lambda: snapshots.pop(due[1], None))

    answer = world.sweep()

    assert answer["counts"]["delete"] == {"done": 3}
    assert world.left.isdisjoint(due)


@pytest.mark.parametrize("when", ["before the look", "after the look"])
def test_one_that_vanished_does_not_cost_the_others_of_its_batch_their_mark(
    world: RetentionWorld, cloud: StrictCloud, when: str
) -> None:
    due = [world.expired() for _ in range(6)]
    snapshots = world.account.backend.snapshots
    moment = "CreateTags" if when == "after the look" else "DescribeLockedSnapshots"
    at_call(cloud, moment, lambda: snapshots.pop(due[2], None))

    answer = world.sweep()

    assert set(world.marks) == {*due[:2], *due[3:]}
    assert verdict(answer, due[2]) == ("skip", "gone", "unchanged")
    assert answer["status"] == "ok"


def test_one_that_has_no_room_for_a_mark_does_not_cost_the_others_theirs(
    world: RetentionWorld,
) -> None:
    due = [world.expired() for _ in range(6)]
    world.account.tag(due[2], {f"mine-{n}": "x" for n in range(45)})

    answer = world.sweep()

    assert set(world.marks) == {*due[:2], *due[3:]}
    assert verdict(answer, due[2]) == ("mark", "expired", "failed")
    assert answer["status"] == "partial"


def test_one_whose_tags_are_denied_does_not_cost_the_others_theirs(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    due = [world.expired() for _ in range(6)]
    cloud.faults.add("denied", operation="CreateTags", match=due[2], times=None)

    answer = world.sweep()

    assert set(world.marks) == {*due[:2], *due[3:]}
    assert verdict(answer, due[2]) == ("mark", "expired", "failed")


def test_marks_and_unmarks_are_sent_in_batches(world: RetentionWorld, cloud: StrictCloud) -> None:
    _, (_, *old) = world.volume(*range(2, 123))
    kept = [world.expired(marked_hours_ago=1, tags={"caretaker:keep": ""}) for _ in range(60)]

    world.sweep(blast_radius=WIDE)

    assert set(world.marks) == set(old)
    assert world.ledger.done["unmark"] == set(kept)
    assert cloud.calls.count("CreateTags") == -(-120 // TAGGED_AT_ONCE)
    assert cloud.calls.count("DeleteTags") == -(-60 // TAGGED_AT_ONCE)


@pytest.mark.parametrize("kind", ["answer_lost", "connection_dropped"])
@pytest.mark.parametrize("operation", ["CreateTags", "DeleteTags", "DeleteSnapshot"])
def test_a_change_whose_answer_was_lost_is_looked_for_and_told_as_done(
    world: RetentionWorld, cloud: StrictCloud, operation: str, kind: str
) -> None:
    world.expired()
    world.expired(marked_hours_ago=49)
    world.expired(marked_hours_ago=49, tags={"caretaker:keep": "true"})
    cloud.faults.add(kind, operation=operation)

    answer = world.sweep()

    done = {a: counted["done"] for a, counted in answer["counts"].items() if a != "keep"}
    assert done == {"mark": 1, "delete": 1, "unmark": 1}


@pytest.mark.parametrize("operation", ["CreateTags", "DeleteTags", "DeleteSnapshot"])
def test_a_change_that_never_arrived_is_sent_again(
    world: RetentionWorld, cloud: StrictCloud, operation: str
) -> None:
    world.expired()
    world.expired(marked_hours_ago=49)
    world.expired(marked_hours_ago=49, tags={"caretaker:keep": "true"})
    cloud.faults.add("never_arrived", operation=operation, seconds=5)

    answer = world.sweep()

    assert answer["status"] == "ok"
    assert {k: len(v) for k, v in world.ledger.done.items()} == {
        "mark": 1,
        "unmark": 1,
        "delete": 1,
    }


def test_a_deletion_that_may_have_happened_is_not_called_done_when_nobody_can_look(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    due = world.expired(marked_hours_ago=49)

    def blind() -> None:
        cloud.faults.add("denied", operation="DescribeSnapshots", times=None)
        cloud.faults.add("answer_lost", operation="DeleteSnapshot")

    at_call(cloud, "DeleteSnapshot", blind)

    answer = world.sweep()

    assert verdict(answer, due) == ("delete", "expired", "failed")
    cloud.faults.clear()
    assert world.sweep()["status"] == "ok"


def test_a_mark_in_the_past_that_somebody_set_on_what_is_due_is_taken_at_its_word(
    world: RetentionWorld,
) -> None:
    """Whoever may write our tag may delete the snapshot too; gates and rules hold all the same."""
    due, needed = world.expired(), world.expired()
    world.account.image(needed)
    _, (new,) = world.volume(2)
    for each in (due, needed, new):
        world.mark(each, 24 * 20)

    answer = world.sweep()

    assert world.ledger.done["delete"] == {due}
    assert verdict(answer, needed) == ("unmark", "used_by_image", "done")
    assert verdict(answer, new) == ("unmark", "kept_by_rule", "done")
