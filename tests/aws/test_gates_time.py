"""The last look is a minute old at most, the mark two days, and a run ends before it is cut off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.aws import session
from tests.support.retention_ledger import GRACE
from tests.support.retention_world import RetentionWorld, a_world, verdict
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

WIDE: Final[dict[str, Any]] = {"blast_radius": {"count": 400, "percent": 50}}
RESERVE: Final = 60


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack)


def due(world: RetentionWorld, number: int) -> list[str]:
    """Return so many that are due, each of a volume of its own."""
    return [world.expired(marked_hours_ago=49) for _ in range(number)]


@pytest.mark.parametrize("seconds", [0.7, 7, 19])
@pytest.mark.usefixtures("one_at_a_time")
def test_a_deletion_follows_its_last_look_within_a_minute_however_slow_the_calls(
    world: RetentionWorld, cloud: StrictCloud, seconds: float
) -> None:
    going = due(world, 12)
    cloud.seconds_per_call = seconds

    answer = world.sweep(**WIDE)

    deleted = world.ledger.done["delete"]
    assert answer["counts"]["delete"]["done"] == len(deleted) > 0
    assert deleted <= set(going)
    assert world.ledger.problems == []
    looks = cloud.calls.count("DescribeSnapshots") - 1
    assert looks < len(deleted) * (seconds + 2) / 8 + 2, "looks are shared by those that follow"


@pytest.mark.usefixtures("one_at_a_time")
def test_a_deletion_that_waits_for_its_turn_is_looked_at_when_the_turn_has_come(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    """At this pace a deletion waits for more than a minute."""
    going = due(world, 6)

    world.sweep(pace=0.003)

    assert world.ledger.done["delete"] <= set(going)
    assert len(world.ledger.done["delete"]) > 2
    assert cloud.calls.count("DescribeSnapshots") > 3


@pytest.mark.usefixtures("one_at_a_time")
def test_a_snapshot_that_is_kept_while_the_run_crawls_is_not_deleted(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    going = due(world, 12)
    cloud.seconds_per_call = 15
    serve = cloud.serve

    def served(call: object, perform: object) -> object:
        if cloud.calls.count("DeleteSnapshot") >= 3:
            for each in going:
                world.account.backend.tags[each]["caretaker:keep"] = "true"
        return serve(call, perform)  # type: ignore[arg-type]

    cloud.serve = served  # type: ignore[assignment,method-assign]
    world.sweep(**WIDE)

    looked_before = 5
    assert 3 <= len(world.ledger.done["delete"]) <= 3 + looked_before
    assert world.ledger.done["unmark"] | world.ledger.done["delete"] <= set(going)
    world.later(days=3)
    cloud.seconds_per_call = 0
    world.sweep(**WIDE)
    assert len(world.left & set(going)) >= 12 - 3 - looked_before


@pytest.mark.parametrize("kind", ["", "throttled", "never_arrived"])
@pytest.mark.usefixtures("one_at_a_time")
def test_the_two_days_begin_when_the_mark_is_sent_however_late_in_the_run(
    world: RetentionWorld, cloud: StrictCloud, kind: str
) -> None:
    world.volume(*range(2, 59))
    cloud.seconds_per_call = 2.3
    if kind:
        cloud.faults.add(kind, operation="CreateTags", times=2, seconds=20)

    world.sweep(keep={"last": 30}, **WIDE)
    world.sweep(keep={"last": 5}, **WIDE)

    assert world.ledger.problems == []
    marks = {each: datetime.fromisoformat(until) for each, until in world.marks.items()}
    assert marks
    assert len(set(marks.values())) > 1
    for each, until in marks.items():
        assert until - world.ledger.marked[each] >= GRACE
        assert until - world.ledger.marked[each] < GRACE + timedelta(minutes=1)


def test_a_mark_of_a_run_between_two_seconds_holds_for_two_whole_days(
    world: RetentionWorld,
) -> None:
    old = world.expired()
    world.clock.advance(0.4)
    world.sweep()
    world.clock.advance(2 * 86_400 - 0.2)

    assert verdict(world.sweep(), old) == ("keep", "marked", "unchanged")
    world.clock.advance(1)
    assert verdict(world.sweep(), old) == ("delete", "expired", "done")


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_out_of_time_the_run_defers_the_rest_and_the_next_round_goes_on(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    going = due(world, 12)
    event = {"scheduled_time": "2026-11-21T03:00:00Z", **WIDE}
    rounds, follow = 0, dict(event)
    cloud.seconds_per_call = 5
    while True:
        started = world.clock.monotonic()
        answer = world.sweep(seconds=RESERVE + 130, **follow)
        changes = cloud.calls.of("DeleteSnapshot")
        assert all(
            (call.at - cloud.clock.now()).total_seconds() + world.clock.monotonic() - started
            <= 130
            for call in changes
        )  # fmt: skip
        invoked = cloud.calls.of("Invoke")
        if answer["complete"]:
            break
        assert answer["status"] == "partial"
        assert answer["counts"]["delete"]["deferred"] > 0
        assert len(invoked) == 1
        rounds += 1
        follow = {**event, "round": rounds}
        cloud.calls.clear()
    assert rounds >= 1
    assert world.left.isdisjoint(going)
    assert world.stack.alerts() == []


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_without_time_for_a_single_change_nothing_is_left_half_done(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    going = due(world, 3)
    cloud.seconds_per_call = 3

    answer = world.sweep(seconds=RESERVE + 42)

    assert answer["counts"]["delete"] == {"deferred": 3}
    assert set(going) <= world.left
    assert cloud.calls.count("Invoke") == 0
    assert kinds(world.stack.alerts()) == ["work_left_over"]
    assert answer["report"]


@pytest.mark.usefixtures("one_at_a_time")
def test_the_oldest_are_deleted_first(world: RetentionWorld, cloud: StrictCloud) -> None:
    volume, _ = world.volume(2)
    ages = [30, 90, 60, 45]
    going = dict(zip(world.backups(volume, ages, marked_hours_ago=49), ages, strict=True))

    world.sweep()

    asked = [str(call.params["SnapshotId"]) for call in cloud.calls.of("DeleteSnapshot")]
    assert [going[each] for each in asked] == sorted(ages, reverse=True)


@pytest.mark.parametrize("pace", [0.1, 0.3])
@pytest.mark.usefixtures("one_at_a_time")
def test_deletions_keep_to_their_share_of_the_bucket(
    world: RetentionWorld, cloud: StrictCloud, pace: float
) -> None:
    session.forget()
    going = due(world, 40)
    cloud.buckets.use_documented()
    started = world.clock.monotonic()

    world.sweep(pace=pace, **WIDE)

    assert world.left.isdisjoint(going)
    burst, refill = 100 * pace, 5 * pace
    waited = (40 - burst) / refill
    assert waited <= world.clock.monotonic() - started <= 1.2 * waited + 10
    refused = [call for call in cloud.calls.of("DeleteSnapshot") if call.outcome != "ok"]
    assert len(refused) <= 2
