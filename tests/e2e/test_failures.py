"""When something goes wrong after the call, or the whole run does."""

from __future__ import annotations

import json
import time

from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.e2e.conftest import Fleet, ours

SLOT = "2026-11-21T03:00Z"


def test_a_set_that_ebs_fails_is_retaken_as_a_set_when_ebs_tells(
    cloud: LocalCloud, stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str
) -> None:
    ec2.fail_snapshots_of(fleet.machine.volume_ids[0], times=1)
    stack.invoke(snapshots, {"policy": fleet.policy, "scheduled_time": SLOT})
    ec2.complete_pending()
    failed = [each for each in ours(ec2, policy=fleet.policy) if each["State"] == "error"]

    cloud.deliver_notices()
    stack.wait_for_answer(snapshots, policy=fleet.policy, slot=SLOT, progress=2)
    ec2.complete_pending()

    again = ours(ec2, policy=fleet.policy, attempt="2")
    assert len(failed) == 2
    assert {each["VolumeId"] for each in again} == set(fleet.machine.volume_ids)
    assert len({each["Tags"]["caretaker:run"] for each in again}) == 1
    left = ours(ec2, policy=fleet.policy)
    assert {each["State"] for each in left} == {"completed"}
    assert sorted(each["VolumeId"] for each in left) == sorted(fleet.volumes)


def test_a_single_snapshot_that_ebs_fails_is_retaken_when_ebs_tells(
    cloud: LocalCloud, stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str
) -> None:
    ec2.fail_snapshots_of(fleet.loose, times=1)
    stack.invoke(snapshots, {"policy": fleet.policy, "scheduled_time": SLOT})
    ec2.complete_pending()

    cloud.deliver_notices()
    stack.wait_for_answer(snapshots, policy=fleet.policy, slot=SLOT, progress=1)
    ec2.complete_pending()

    (again,) = [e for e in ours(ec2, policy=fleet.policy) if e["VolumeId"] == fleet.loose]
    assert (again["State"], again["Tags"]["caretaker:attempt"]) == ("completed", "2")


def test_a_run_that_fails_at_every_try_ends_in_the_failure_queue(
    stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str
) -> None:
    ec2.add_fault("unavailable", operation="DescribeVolumes", times=None)
    event = {"policy": fleet.policy, "scheduled_time": SLOT}

    stack.client("lambda").invoke(
        FunctionName=snapshots, InvocationType="Event", Payload=json.dumps(event).encode()
    )

    body = _failure_of(stack, event)
    assert body["requestContext"]["condition"] == "RetriesExhausted"
    assert "DescribeVolumes" in body["responsePayload"]["errorMessage"]
    assert ours(ec2, policy=fleet.policy) == []


def _failure_of(stack: Stack, event: Json, seconds: float = 120.0) -> Json:
    sqs, queue = stack.client("sqs"), stack.outputs["FailureQueueUrl"]
    end = time.monotonic() + seconds
    seen: list[Json] = []
    while time.monotonic() < end:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2, MaxNumberOfMessages=10)
        seen += [json.loads(each["Body"]) for each in answer.get("Messages", ())]
        for body in seen:
            if body["requestPayload"] == event:
                return body
    raise AssertionError(f"not in the failure queue: {event}; there: {seen}")


def test_a_run_that_runs_out_of_time_continues_itself_until_all_is_taken(
    other_stack: Stack, ec2: RemoteCloud
) -> None:
    function = other_stack.outputs["SnapshotFunctionName"]
    lambdas = other_stack.client("lambda")
    loose = {ec2.volume(tags={"caretaker:backup": "slow"}) for _ in range(15)}
    lambdas.update_function_configuration(FunctionName=function, Timeout=66)
    try:
        event = {"policy": "slow", "scheduled_time": SLOT, "pace": 0.1}
        first = other_stack.invoke(function, event)
        last = other_stack.wait_for_answer(function, policy="slow", complete=True)
    finally:
        lambdas.update_function_configuration(FunctionName=function, Timeout=900)

    assert (first["status"], first["complete"]) == ("partial", False)
    assert 0 < first["progress"] < len(loose)
    assert last["run"] != first["run"]
    taken = ours(ec2, "neighbour", policy="slow", slot=SLOT)
    assert sorted(each["VolumeId"] for each in taken) == sorted(loose)
