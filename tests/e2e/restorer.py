"""The restore function and state machine of a stack that may restore, and machines with data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.cloud.account import BACKUP_TAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cloud.account import SeededInstance
    from tests.cloud.deployment import Json, Stack

GOOD: Final = {0: b"as it was"}
LOST: Final = {0: b"overwritten"}
_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Restorer:
    """The stack, under one policy of backups."""

    stack: Stack
    policy: str

    @property
    def function(self) -> str:
        """The function's name."""
        return self.stack.outputs["RestoreFunctionName"]

    def machines(self, number: int, **properties: object) -> list[SeededInstance]:
        """Return instances of two volumes with data, backed up by the deployed chore."""
        ec2, made = self.stack.cloud.ec2, []
        for _ in range(number):
            made.append(ec2.instance({}, {}, tags={BACKUP_TAG: self.policy}, **properties))
            for volume in made[-1].volume_ids:
                ec2.write_blocks(volume, GOOD)
        answer = self.stack.invoke(self.stack.outputs["SnapshotFunctionName"], self._event())
        assert answer["status"] == "ok", answer
        ec2.complete_pending()
        for machine in made:
            for volume in machine.volume_ids:
                ec2.write_blocks(volume, LOST)
        return made

    def plan(self, machines: Sequence[SeededInstance], **more: object) -> Json:
        """Return the answer of a plan that only reports."""
        return self._ask(machines, mode="report", **more)

    def approve(self, machines: Sequence[SeededInstance], **more: object) -> str:
        """Plan, approve what was planned, and return the execution that it began."""
        plan_id = self.plan(machines, **more)["plan_id"]
        answer = self._ask(machines, mode="act", approve=plan_id, **more)
        assert answer["status"] == "ok", answer
        return str(answer["outcomes"][0]["detail"]["execution"])

    def ended(self, execution: str) -> str:
        """Return how an execution ended, waited for."""
        client, until = self.stack.client("stepfunctions"), time.monotonic() + _SECONDS
        while time.monotonic() < until:
            status = str(client.describe_execution(executionArn=execution)["status"])
            if status != "RUNNING":
                return status
            time.sleep(0.5)
        return "RUNNING"

    def data(self, machine: SeededInstance) -> dict[str, bytes]:
        """Return what an instance would read now, by device."""
        ec2 = self.stack.cloud.ec2
        seats = {each["VolumeId"]: each for each in ec2.state()["volumes"]}
        return {
            attached["Device"]: ec2.read_blocks(volume)[0].rstrip(b"\0")
            for volume, each in seats.items()
            for attached in each.get("Attachments", [])
            if attached["InstanceId"] == machine.id
        }

    def _ask(self, machines: Sequence[SeededInstance], **more: object) -> Json:
        wanted = {"select": {"instances": [each.id for each in machines]}, "how": "swap"}
        answer: Json = self.stack.invoke(self.function, {**self._event(), **wanted, **more})
        return answer

    def _event(self) -> Json:
        return {"policy": self.policy}
