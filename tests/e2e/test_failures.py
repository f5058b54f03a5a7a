"""When something goes wrong after the call, or the whole run does."""

from __future__ import annotations

import json
import time

import pytest

from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.e2e.conftest import Fleet, ours

SLOT = "2026-11-21T03:00Z"


@pytest.fixture
def retaken(
    cloud: LocalCloud, stack: Stack, ec2: RemoteCloud, fleet: Fleet, snapshots: str
) -> list[Json]:
    """Let EBS fail a set and a single snapshot and tell of both; return what is there then."""
    for volume in (fleet.machine.volume_ids[0], fleet.loose):
        ec2.fail_snapshots_of(volume, times=1)
    stack.invoke(snapshots, {"policy": fleet.policy, "scheduled_time": SLOT})
    ec2.complete_pending()
    failed = [each["VolumeId"] for each in ours(ec2, policy=fleet.policy, attempt="1")]
    assert sorted(failed) == sorted(fleet.volumes)
    cloud.deliver_notices()
    for members in (1, 2):
        stack.wait_for_answer(snapshots, policy=fleet.policy, slot=SLOT, progress=members)
    ec2.complete_pending()
    return ours(ec2, policy=fleet.policy)


def test_what_ebs_fails_is_retaken_when_ebs_tells_a_set_as_a_set(
    retaken: list[Json], fleet: Fleet
) -> None:
    assert sorted(each["VolumeId"] for each in retaken) == sorted(fleet.volumes)
    assert {each["State"] for each in retaken} == {"completed"}
    assert {each["Tags"]["caretaker:attempt"] for each in retaken} == {"2"}
    runs = {each["VolumeId"]: each["Tags"]["caretaker:run"] for each in retaken}
    root, data = fleet.machine.volume_ids
    assert runs[root] == runs[data] != runs[fleet.loose]


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
