"""Too many errors stop a run; a lease keeps two runs apart."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from caretaker.errors import BusyError
from tests.cloud import REGION
from tests.support.crashes import at_call
from tests.support.retention_world import RetentionWorld, a_world, verdict
from tests.support.snapshots import kinds
from tests.support.stack import SLOT, TABLE

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

WIDE: Final[dict[str, Any]] = {"blast_radius": {"count": 400, "percent": 50}}
FAILING: Final[dict[str, Any]] = {
    "operation": "DeleteSnapshot",
    "code": "InvalidParameterValue",
    "times": None,
}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack)


def due(world: RetentionWorld, number: int) -> list[str]:
    """Return so many that are due, oldest first, each of a volume of its own."""
    return [world.expired(days=90 - n / 10, marked_hours_ago=49) for n in range(number)]


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_three_errors_in_a_row_stop_the_run_and_no_round_follows(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    """Three of thirty-one are less than a tenth."""
    going = due(world, 36)
    for each in going[28:31]:
        cloud.faults.add("error", match=each, **FAILING)

    answer = world.sweep(**WIDE)

    assert world.ledger.done["delete"] == set(going[:28])
    assert answer["counts"]["delete"] == {"done": 28, "failed": 3, "deferred": 5}
    assert (answer["status"], answer["complete"]) == ("partial", False)
    (item,) = [each for each in answer["outcomes"] if each["target"] == going[33]]
    assert item["detail"]["deferred_by"] == "breaker"
    assert cloud.calls.count("Invoke") == 0
    told = kinds(world.stack.alerts())
    assert told == ["retention_stopped", *["snapshot_unchangeable"] * 3, "work_left_over"]
    cloud.faults.clear()
    assert world.sweep(**WIDE)["complete"]
    assert len(kinds(world.stack.alerts(), "OK")) == 5


@pytest.mark.usefixtures("one_at_a_time")
def test_more_than_a_tenth_of_errors_stop_the_run(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    going = due(world, 30)
    for each in going[::2]:
        cloud.faults.add("error", match=each, **FAILING)

    answer = world.sweep(**WIDE)

    assert answer["counts"]["delete"] == {"done": 2, "failed": 3, "deferred": 25}


@pytest.mark.usefixtures("one_at_a_time")
def test_a_tenth_of_errors_does_not(world: RetentionWorld, cloud: StrictCloud) -> None:
    going = due(world, 40)
    for each in (going[9], going[19], going[29], going[39]):
        cloud.faults.add("error", match=each, **FAILING)

    answer = world.sweep(**WIDE)

    assert answer["counts"]["delete"] == {"done": 36, "failed": 4}
    assert kinds(world.stack.alerts()) == ["snapshot_unchangeable"] * 4


@pytest.mark.usefixtures("one_at_a_time")
def test_what_aws_protects_is_no_error(world: RetentionWorld, cloud: StrictCloud) -> None:
    going = due(world, 12)
    for each in going[:8]:
        cloud.faults.add(
            "error", operation="DeleteSnapshot", match=each, code="SnapshotLocked", times=None
        )

    answer = world.sweep(**WIDE)

    assert answer["counts"]["delete"] == {"done": 4}
    assert answer["status"] == "ok"


def test_marks_that_fail_stop_deletions_too(world: RetentionWorld, cloud: StrictCloud) -> None:
    """Whatever goes wrong is common to all of a run."""
    cloud.faults.add("error", operation="DeleteSnapshot", code="Odd", times=None)
    due(world, 40)

    answer = world.sweep(**WIDE)

    assert answer["counts"]["delete"]["failed"] < 40
    assert answer["counts"]["delete"]["deferred"] > 0


def test_two_runs_at_once_are_one_run(world: RetentionWorld, cloud: StrictCloud) -> None:
    going = due(world, 3)
    met: list[Any] = []

    def second() -> None:
        try:
            met.append(world.stack.run(world.chore, {"keep": {"last": 1}, "scheduled_time": SLOT}))
        except BusyError as busy:
            met.append(busy)

    at_call(cloud, "DescribeLockedSnapshots", second)
    world.sweep(scheduled_time=SLOT)
    at_call(cloud, "DescribeLockedSnapshots", second)
    world.sweep(scheduled_time="2026-11-21T04:00:00Z")

    first, other_slot = met
    assert (first["status"], first["reason"]) == ("skipped", "slot_in_progress")
    assert isinstance(other_slot, BusyError)
    assert world.left.isdisjoint(going)
    assert cloud.calls.count("DeleteSnapshot") == 3


@pytest.mark.usefixtures("one_at_a_time")
def test_a_run_that_lost_its_lease_starts_no_further_change(
    world: RetentionWorld, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caretaker.aws.lease.RENEW_EVERY_SECONDS", 0.005)
    going = due(world, 30)
    key = {"pk": {"S": "lease#retention/daily/123456789012/eu-west-1"}, "sk": {"S": "-"}}
    renewed = threading.Event()
    serve = cloud.serve

    def served(call: Any, perform: Any) -> Any:
        answer = serve(call, perform)
        if call.operation == "PutItem" and call.outcome == "ConditionalCheckFailedException":
            renewed.set()
        return answer

    def rob() -> None:
        item = {**key, "holder": {"S": "other"}, "slot": {"S": "x"}, "held_until": {"N": "9" * 10}}
        boto3.client("dynamodb", REGION).put_item(TableName=TABLE, Item=item)
        assert renewed.wait(10)

    cloud.serve = served  # type: ignore[method-assign]
    at_call(cloud, "DescribeSnapshotAttribute", rob, nth=4)

    answer = world.sweep(**WIDE)

    assert len(world.ledger.done["delete"]) <= 5
    assert answer["counts"]["delete"]["deferred"] >= 25
    deferred = [each for each in going if verdict(answer, each)[2] == "deferred"]
    assert set(deferred) <= world.left
