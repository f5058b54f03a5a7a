"""One run of the smoke test: what it made, and what its steps share."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WAIT_SECONDS: Final = 1800
POLL_SECONDS: Final = 10
CONSENT: Final = "CARETAKER_SMOKE"
STACK: Final = "CARETAKER_SMOKE_STACK"
RUN: Final = "smoke-run"
"""Tag that says of which run the volume is; no other volume has it."""
NEEDED: Final = (
    *("SnapshotFunctionName", "SnapshotFunctionArn", "Installation"),
    *("RetentionFunctionName", "TaggingFunctionName", "InstanceHealthFunctionName"),
    *("UptimeFunctionName", "ServiceRepairFunctionName", "AlertsFunctionName"),
    *("ReportsBucketName", "StateTableName"),
)
# The answer takes as long as the run, and an invocation must not be sent twice.
PATIENT: Final = Config(read_timeout=900, retries={"mode": "standard", "total_max_attempts": 1})


class SmokeError(Exception):
    """Something is not as it should be."""


@dataclass
class Trial:
    """One run of the smoke test: the stack's outputs, and what it made itself."""

    stack: str
    policy: str = field(default_factory=lambda: f"smoke-{secrets.token_hex(4)}")
    volume_id: str = ""
    slot: datetime = field(default_factory=lambda: datetime.now(UTC).replace(second=0))
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def regular(self) -> dict[str, Any]:
        """Return the event of the slot."""
        slot = self.slot.strftime("%Y-%m-%dT%H:%MZ")
        return {"policy": self.policy, "scheduled_time": slot}

    def invoke(self, event: Mapping[str, Any], chore: str = "Snapshot") -> dict[str, Any]:
        """Invoke a chore's deployed function and return its answer."""
        answer = boto3.client("lambda", config=PATIENT).invoke(
            FunctionName=self.outputs[f"{chore}FunctionName"], Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read())
        require("FunctionError" not in answer, f"the function raised: {payload}")
        return dict(payload)

    def role_of(self, chore: str) -> str:
        """Return the ARN of the role of a chore's deployed function."""
        function = boto3.client("lambda").get_function_configuration(
            FunctionName=self.outputs[f"{chore}FunctionName"]
        )
        return str(function["Role"])

    def tags(self) -> dict[str, str]:
        """Return the tags of our volume."""
        (volume,) = boto3.client("ec2").describe_volumes(VolumeIds=[self.volume_id])["Volumes"]
        return {tag["Key"]: tag["Value"] for tag in volume["Tags"]}

    def snapshots(self) -> list[Any]:
        """Return the snapshots of our volume that carry our policy's name, and no others."""
        filters: list[Any] = [
            {"Name": "volume-id", "Values": [self.volume_id]},
            {"Name": "tag:caretaker:policy", "Values": [self.policy]},
        ]
        client = boto3.client("ec2")
        return client.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]


def require(condition: object, problem: str) -> None:
    if not condition:
        raise SmokeError(problem)


def poll(problem: str) -> Iterator[None]:
    """Come round until the caller is content; `SmokeError` when it takes too long."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        yield
        time.sleep(POLL_SECONDS)
    raise SmokeError(problem)
