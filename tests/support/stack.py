"""The stack's own resources inside the strict cloud, and a way to run a chore against them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import boto3

from caretaker.harness import run_chore
from tests.cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.run import Chore
    from tests.cloud import ManualClock

FUNCTION: Final = "caretaker-under-test"
TABLE: Final = "caretaker-state"
BUCKET: Final = "caretaker-reports"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:caretaker-alerts"
INSTALLATION: Final = "caretaker"
INSTANCE_REPAIRS: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:caretaker-instance-health"
SERVICE_REPAIRS: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:caretaker-service-repair"
DOCUMENT: Final = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/restart-unit"
SLOT: Final = "2026-11-21T03:00:00Z"

ENVIRONMENT: Final = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "CARETAKER_INSTALLATION": INSTALLATION,
    "CARETAKER_ENVIRONMENT_NAME": "prod",
    "CARETAKER_MODE": "act",
    "CARETAKER_STATE_TABLE": TABLE,
    "CARETAKER_REPORTS_BUCKET": BUCKET,
    "CARETAKER_ALERTS_TOPIC": TOPIC,
    "CARETAKER_RUNBOOK_URL": "https://example.com/alerts",
    "CARETAKER_PRIVATE_NETWORKS": "10.0.0.0/8",
    "CARETAKER_INSTANCE_REPAIRS": INSTANCE_REPAIRS,
    "CARETAKER_SERVICE_REPAIRS": SERVICE_REPAIRS,
    "CARETAKER_SSM_DOCUMENTS": DOCUMENT,
    "POWERTOOLS_SERVICE_NAME": "caretaker",
}


@dataclass
class FakeContext:
    """What Lambda hands to the function; `seconds` is what is left when it starts."""

    clock: ManualClock
    seconds: float = 900
    aws_request_id: str = "0c0ffee0-0000-4000-8000-000000000001"
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left by the test's clock."""
        return round((self.seconds - (self.clock.monotonic() - self._started)) * 1000)


class Stack:
    """Table, bucket, topic, a queue that hears the topic, and the function's name in Lambda.

    `topics` are the ARNs of all topics there are, by channel, of which `open_topic` makes more.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.topics: dict[str, str] = {}
        self._queues: dict[str, str] = {}
        self._key = {"pk": "HASH", "sk": "RANGE"}
        boto3.client("dynamodb", REGION).create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in self._key.items()],  # type: ignore[typeddict-item]
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in self._key],
        )
        boto3.client("s3", REGION).create_bucket(
            Bucket=BUCKET,
            CreateBucketConfiguration={"LocationConstraint": REGION},  # type: ignore[typeddict-item]
        )
        self.open_topic("alerts")

    def open_topic(self, channel: str) -> str:
        """Make the topic of a channel, with a queue that hears it, and return its ARN."""
        sns, sqs = boto3.client("sns", REGION), boto3.client("sqs", REGION)
        name = f"{INSTALLATION}-{channel}"
        topic = sns.create_topic(Name=name)["TopicArn"]
        self._queues[channel] = sqs.create_queue(QueueName=channel)["QueueUrl"]
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{channel}"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        self.topics[channel] = topic
        return topic

    def run(
        self,
        chore: Chore[Any],
        event: Mapping[str, Any],
        *,
        seconds: float = 900,
        request: str = "",
    ) -> dict[str, Any]:
        """Invoke the chore once; `request` is Lambda's request id, a new one when left out."""
        context = FakeContext(self.clock, seconds, request or str(uuid4()))
        return run_chore(chore, event, context, clock=self.clock)

    def alerts(self) -> list[dict[str, Any]]:
        """Return and forget what arrived at the topic: each with `Subject` and the document."""
        return self.heard("alerts")

    def heard(self, channel: str) -> list[dict[str, Any]]:
        """Return and forget what arrived at a channel's topic, each with its `Subject`."""
        sqs, queue = boto3.client("sqs", REGION), self._queues[channel]
        arrived: list[dict[str, Any]] = []
        while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            for message in batch:
                envelope = json.loads(message["Body"])
                arrived.append({**json.loads(envelope["Message"]), "Subject": envelope["Subject"]})
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return arrived

    def report(self, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the lines of the whole report that an answer points to."""
        bucket, _, key = str(answer["report"]).removeprefix("s3://").partition("/")
        body = boto3.client("s3", REGION).get_object(Bucket=bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def items(self) -> list[dict[str, Any]]:
        """Return everything in the state table."""
        found = boto3.client("dynamodb", REGION).scan(TableName=TABLE)["Items"]
        return [{k: next(iter(v.values())) for k, v in item.items()} for item in found]
