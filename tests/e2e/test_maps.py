"""What fleets ask of Step Functions, Lambda and S3, on the local cloud, by machines of our own."""

from __future__ import annotations

import json
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.cloud.strict import ACCOUNT, REGION
from tests.support.accounts import code_of, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud.deployment import Json
    from tests.cloud.stack import LocalCloud

BUCKET: Final = "maps-of-tests"
TRUST: Final = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}}
CHILD: Final[Json] = {
    "StartAt": "Kind?",
    "States": {
        "Kind?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.kind", "StringEquals": "fails", "Next": "Fails"},
                {"Variable": "$.kind", "StringEquals": "reads", "Next": "Reads"},
            ],
            "Default": "Ends",
        },
        "Fails": {"Type": "Fail", "Error": "Broken", "Cause": "it was to fail"},
        "Reads": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:getItem",
            "Parameters": {"TableName.$": "$.table", "Key": {"pk": {"S": "large"}}},
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "MaxAttempts": 2}],
            "Next": "Ends",
        },
        "Ends": {"Type": "Pass", "Parameters": {"me.$": "$$.Execution.Name"}, "End": True},
    },
}
_numbers = count(1)


class Machines:
    """State machines with one Map, and what became of them."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.s3, self.states = cloud.client("s3"), cloud.client("stepfunctions")
        trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        trust = trust.replace("}]", ', "Action": "sts:AssumeRole"}]')
        name = f"maps-{next(_numbers)}"
        made = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        self.role = made["Role"]["Arn"]
        place = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def make(self, states: Json) -> str:
        """Make a machine of these states; return its ARN."""
        definition = json.dumps({"StartAt": next(iter(states)), "States": states})
        name = f"machine-{next(_numbers)}"
        made = self.states.create_state_machine(name=name, definition=definition, roleArn=self.role)
        return str(made["stateMachineArn"])

    def with_map(self, kind: str = "STANDARD", **properties: object) -> str:
        """Make a machine with a Map over what an object of S3 lists."""
        state = {
            "Type": "Map",
            "Label": "Cells",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": BUCKET, "Key.$": "$.key"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
                **CHILD,
            },
            "MaxConcurrencyPath": "$.concurrency",
            "ToleratedFailurePercentage": 100,
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": BUCKET, "Prefix.$": "$.results"},
            },
            "ResultPath": "$.map",
            "End": True,
            **properties,
        }
        return self.make({"Cells": {key: value for key, value in state.items() if value}})

    def run(self, machine: str, items: list[Json], concurrency: int = 2) -> Json:
        """Run it over these items and return how that ended."""
        run = f"run-{next(_numbers)}"
        self.s3.put_object(Bucket=BUCKET, Key=f"{run}/items.json", Body=json.dumps(items))
        asked = {"key": f"{run}/items.json", "results": f"{run}/ended", "concurrency": concurrency}
        started = self.states.start_execution(stateMachineArn=machine, input=json.dumps(asked))
        return self.ended(started["executionArn"])

    def ended(self, execution: str) -> Json:
        """Return how an execution ended, waited for."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            told: Json = self.states.describe_execution(executionArn=execution)
            if told["status"] != "RUNNING":
                return told
            time.sleep(0.1)
        raise AssertionError(f"{execution} does not end")

    def read(self, key: str) -> Any:
        """Return an object of S3 that holds JSON."""
        return json.load(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"])

    def children(self, ended: Json) -> tuple[Json, dict[str, list[Json]]]:
        """Return the manifest that an execution tells of, and its children by how they ended."""
        details = json.loads(ended["output"])["map"]["ResultWriterDetails"]
        assert details["Bucket"] == BUCKET
        manifest = self.read(details["Key"])
        files = manifest["ResultFiles"]
        children = {
            status: [child for each in files[status] for child in self.read(each["Key"])]
            for status in files
        }
        return manifest, children


@pytest.fixture(scope="module")
def machines(cloud: LocalCloud) -> Machines:
    return Machines(cloud)


@pytest.fixture(autouse=True)
def quick_retries(cloud: LocalCloud) -> Iterator[None]:
    cloud.turn(retry_scale=0.001)
    yield
    cloud.turn()


def test_a_map_writes_how_each_of_its_children_ended(machines: Machines) -> None:
    items = [{"kind": "ends", "number": number} for number in range(3)] + [{"kind": "fails"}]
    ended = machines.run(machines.with_map(), items)
    assert ended["status"] == "SUCCEEDED"
    manifest, children = machines.children(ended)
    assert manifest["DestinationBucket"] == BUCKET
    assert manifest["MapRunArn"] == json.loads(ended["output"])["map"]["MapRunArn"]
    assert set(manifest["ResultFiles"]) == {"FAILED", "PENDING", "SUCCEEDED"}
    assert [len(children[each]) for each in ("FAILED", "PENDING", "SUCCEEDED")] == [1, 0, 3]
    uuid = manifest["MapRunArn"].rpartition(":")[2]
    (listed,) = manifest["ResultFiles"]["SUCCEEDED"]
    assert listed["Key"].endswith(f"/ended/{uuid}/SUCCEEDED_0.json")
    body = machines.s3.get_object(Bucket=BUCKET, Key=listed["Key"])["Body"].read()
    assert len(body) == listed["Size"]


def test_a_child_is_an_execution_with_a_name_of_its_own(machines: Machines) -> None:
    ended = machines.run(machines.with_map(), [{"kind": "ends"}])
    _, children = machines.children(ended)
    (child,) = children["SUCCEEDED"]
    told = machines.states.describe_execution(executionArn=child["ExecutionArn"])
    assert (told["status"], told["output"]) == (child["Status"], child["Output"])
    assert "/Cells:" in child["ExecutionArn"]
    assert json.loads(child["Output"]) == {"me": child["Name"]}
    assert json.loads(child["Input"]) == {"kind": "ends"}
    assert child["InputDetails"] == child["OutputDetails"] == {"Included": True}
    assert (child["RedriveCount"], child["RedriveStatus"]) == (0, "NOT_REDRIVABLE")


def test_a_failed_child_says_why_and_has_no_output(machines: Machines) -> None:
    ended = machines.run(machines.with_map(), [{"kind": "fails"}])
    _, children = machines.children(ended)
    (child,) = children["FAILED"]
    assert (child["Error"], child["Cause"]) == ("Broken", "it was to fail")
    assert child["RedriveStatus"] == "REDRIVABLE"
    assert "Output" not in child


def test_without_tolerance_one_failed_child_fails_the_map(machines: Machines) -> None:
    strict = machines.with_map(ToleratedFailurePercentage=None)
    ended = machines.run(strict, [{"kind": "ends"}, {"kind": "fails"}])
    assert (ended["status"], ended["error"]) == (
        "FAILED",
        "States.ExceedToleratedFailureThreshold",
    )


def test_express_children_end_the_same_way(machines: Machines) -> None:
    ended = machines.run(machines.with_map("EXPRESS"), [{"kind": "ends"}, {"kind": "fails"}])
    _, children = machines.children(ended)
    (child,) = children["SUCCEEDED"]
    assert ":express:" in child["ExecutionArn"]
    assert children["FAILED"][0]["RedriveStatus"] == "NOT_REDRIVABLE"


def test_its_concurrency_comes_from_a_path(machines: Machines) -> None:
    ended = machines.run(machines.with_map(), [{"kind": "ends"}] * 3, concurrency=7)
    map_run = json.loads(ended["output"])["map"]["MapRunArn"]
    assert machines.states.describe_map_run(mapRunArn=map_run)["maxConcurrency"] == 7


def test_a_map_over_nothing_writes_an_empty_manifest(machines: Machines) -> None:
    _, children = machines.children(machines.run(machines.with_map(), []))
    assert children == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}


def test_a_bucket_that_is_not_there_fails_the_map(machines: Machines) -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "nowhere-to-be-found", "Prefix": "ended"},
    }
    ended = machines.run(machines.with_map(ResultWriter=writer), [{"kind": "ends"}])
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ResultWriterFailed")


def test_every_error_is_tried_again_as_often_as_was_said(machines: Machines) -> None:
    ended = machines.run(machines.with_map(), [{"kind": "reads", "table": "nowhere"}])
    _, children = machines.children(ended)
    (child,) = children["FAILED"]
    assert child["Error"] == "DynamoDB.ResourceNotFoundException"
    told = machines.states.get_execution_history(executionArn=child["ExecutionArn"])
    assert [each["type"] for each in told["events"]].count("TaskScheduled") == 3


def test_a_payload_that_is_too_large_is_not_tried_again(
    cloud: LocalCloud, machines: Machines
) -> None:
    cloud.client("dynamodb").create_table(
        TableName=BUCKET,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    item = {"pk": {"S": "large"}, "text": {"S": "x" * 300_000}}
    cloud.client("dynamodb").put_item(TableName=BUCKET, Item=item)
    ended = machines.run(machines.with_map(), [{"kind": "reads", "table": BUCKET}])
    _, children = machines.children(ended)
    (child,) = children["FAILED"]
    assert child["Error"] == "States.DataLimitExceeded"
    told = machines.states.get_execution_history(executionArn=child["ExecutionArn"])
    assert [each["type"] for each in told["events"]].count("TaskScheduled") == 1


def test_a_name_is_one_execution(machines: Machines) -> None:
    waits = machines.make({"Wait": {"Type": "Wait", "Seconds": 2, "End": True}})
    named = {"stateMachineArn": waits, "name": "snapshot-daily-20261121T0300Z"}
    start = partial(machines.states.start_execution, **named)
    first = start(input='{"a": 1}')
    again = start(input='{"a": 1}')
    assert again["executionArn"] == first["executionArn"]
    assert again["startDate"] == first["startDate"]
    assert code_of(partial(start, input='{"a": 2}')) == "ExecutionAlreadyExists"
    machines.ended(first["executionArn"])
    assert code_of(partial(start, input='{"a": 1}')) == "ExecutionAlreadyExists"


def test_an_object_is_put_once_where_it_may_not_be_there(machines: Machines) -> None:
    key = {"Bucket": BUCKET, "Key": "fleet/runs/a/manifest.json"}
    machines.s3.put_object(**key, Body=b"first", IfNoneMatch="*")
    again = partial(machines.s3.put_object, **key, Body=b"second", IfNoneMatch="*")
    code, _, status = error_of(again)
    assert (code, status) == ("PreconditionFailed", 412)
    assert machines.s3.get_object(**key)["Body"].read() == b"first"
    listed = machines.s3.list_objects_v2(Bucket=BUCKET, Prefix="fleet/runs/a/")["Contents"]
    assert [each["Key"] for each in listed] == [key["Key"]]


def test_lambda_tells_its_room(cloud: LocalCloud) -> None:
    functions = cloud.client("lambda")

    def limits() -> tuple[int, int]:
        told = functions.get_account_settings()["AccountLimit"]
        return told["ConcurrentExecutions"], told["UnreservedConcurrentExecutions"]

    everything, left = limits()
    assert (everything, left <= everything) == (1_000, True)
    cloud.turn(lambda_limit=50)
    assert limits() == (50, left - 950)


def test_roles_of_other_accounts_are_assumed_at_the_strict_server(cloud: LocalCloud) -> None:
    arn = "arn:aws:iam::111111111111:role/any"
    sts = cloud.client("sts")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    given = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    assert given["AccessKeyId"]
