"""A fleet in one process: what starts it, its state machine's part played, and its cells run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from moto.stepfunctions.models import stepfunctions_backends

from functions.fleet import app
from functions.fleet.facts import Cell
from functions.fleet.manifest import cell_of
from functions.retention import app as retention
from functions.snapshot import app as snapshot
from functions.tagging import app as tagging
from tests.cloud import ACCOUNT, REGION
from tests.support.crashes import KilledError
from tests.support.fleets import POLICY, RUN, answered
from tests.support.stack import BUCKET, SLOT

if TYPE_CHECKING:
    import pytest

    from caretaker.run import Chore
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

NAME: Final = "caretaker-fleet"
MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{NAME}"
MEMBERS: Final = ("111111111111", "222222222222")
CHORES: Final[Mapping[str, Chore[Any]]] = {
    "snapshot": snapshot.CHORE,
    "retention": retention.CHORE,
    "tagging": tagging.CHORE,
}
FUNCTIONS: Final = {
    name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:caretaker-{name}" for name in CHORES
}
ASKED: Final[Mapping[str, Any]] = {
    "chore": "snapshot",
    "policy": POLICY,
    "event": {"policy": "daily"},
    "scheduled_time": SLOT,
}
EVERYWHERE: Final[Mapping[str, Any]] = {"ids": [ACCOUNT, *MEMBERS]}
STARTED: Final = {
    RUN: {
        "policy": POLICY,
        "scheduled_time": "2026-11-21T03:00:00+00:00",
        "wave": {"number": 0},
    }
}
"""The executions after the usual fleet was started."""
MAX_TRIES: Final = 7
"""Of a cell and of a step, by the machine."""


@dataclass
class FleetWorld:
    """Starts fleets of the stack, and is their state machine; `answers` are those of its steps."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account
    env: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        boto3.client("stepfunctions", REGION).create_state_machine(
            name=NAME, definition="{}", roleArn=f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
        )
        self.env.setenv("CARETAKER_FLEET_CHORES", json.dumps(FUNCTIONS))
        self.env.setenv("CARETAKER_FLEET_MACHINE", MACHINE)
        self.cloud.calls.clear()

    def has_members(self) -> None:
        """Let the stack have a role in other accounts and regions."""
        self.env.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-member")
        for account in (ACCOUNT, *MEMBERS):
            self.cloud.access.role(account, "caretaker-member", trusts=ACCOUNT)

    # What is asked.

    def ask(self, *, request: str = "", **event: Any) -> dict[str, Any]:
        """Ask for a fleet: one of snapshots in the own place unless told otherwise."""
        return self.stack.run(app.CHORE, {**ASKED, **event}, request=request)

    def step(self, do: str, after: int = 0, run: str = RUN) -> dict[str, Any]:
        """Take a step as the state machine asks for it."""
        step = {"do": do, "run": run, "after": after}
        time = self.executions().get(run, {"scheduled_time": SLOT})["scheduled_time"]
        event = {"policy": POLICY, "scheduled_time": time, "step": step}
        return self.stack.run(app.CHORE, event)

    def play(self, run: str = RUN) -> dict[str, Any]:
        """Be the state machine of a run, to its end; return the judge's answer."""
        number = 0
        while (wave := self._tried("wave", number, run)["summary"])["more"]:
            number = wave["number"]
            items = self.read(wave["key"])
            self.write_children(wave["results"], [self.cell(item) for item in items])
        return self._tried("judge", number, run)

    def cell(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Run a cell, round after round, as a child of the map does; return what is written."""
        record = {"Name": "child", "Input": json.dumps(item)}
        event, failed = item["event"], dict[str, str]()
        for _ in range(MAX_TRIES):
            try:
                answer = self.stack.run(CHORES[_chore(item)], event)
            except Exception as error:  # noqa: BLE001 - as Step Functions, whatever it is
                failed = {"Error": type(error).__name__, "Cause": str(error)}
                self.clock.advance(60)
                continue
            if "next" not in answer:
                return {**record, "Status": "SUCCEEDED", "Output": json.dumps(answer)}
            event = answer["next"]
        return {**record, "Status": "FAILED", **failed}

    def _tried(self, do: str, after: int, run: str) -> dict[str, Any]:
        """Take a step, as often as the machine does."""
        for _ in range(MAX_TRIES):
            try:
                return self.step(do, after, run)
            except (KilledError, Exception):  # noqa: BLE001 - as Step Functions, whatever it is
                self.clock.advance(60)
        raise AssertionError(f"{do} never ended")

    # The bucket and the machine.

    def executions(self) -> dict[str, Any]:
        """Return the input of each execution by its name."""
        machine = stepfunctions_backends[ACCOUNT][REGION].describe_state_machine(MACHINE)
        return {each.name: json.loads(each.execution_input) for each in machine.executions}

    def end(self, run: str = RUN) -> None:
        """Let an execution have ended."""
        machine = stepfunctions_backends[ACCOUNT][REGION].describe_state_machine(MACHINE)
        for each in machine.executions:
            if each.name == run:
                each.status = "SUCCEEDED"

    def manifest(self, run: str = RUN) -> dict[str, Any]:
        """Return the manifest of a run."""
        found: dict[str, Any] = self.read(f"fleet/runs/{run}/manifest.json")
        return found

    def objects(self) -> list[str]:
        """Return the keys of all that stands in the bucket for runs."""
        listed = boto3.client("s3", REGION).list_objects_v2(Bucket=BUCKET, Prefix="fleet/runs/")
        return [each["Key"] for each in listed.get("Contents", [])]

    def read(self, key: str) -> Any:
        """Return what stands in the bucket."""
        return json.loads(
            boto3.client("s3", REGION).get_object(Bucket=BUCKET, Key=key)["Body"].read()
        )

    def write(self, key: str, document: object) -> None:
        """Put something into the bucket."""
        body = json.dumps(document).encode()
        boto3.client("s3", REGION).put_object(Bucket=BUCKET, Key=key, Body=body)

    def write_children(
        self,
        prefix: str,
        children: Iterable[Mapping[str, Any]],
        *,
        map_run: str = "a1b2c3d4",
        size: int = 1_000,
    ) -> None:
        """Write what children came to as a ResultWriter does: files by status, and a manifest.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
        """
        files: dict[str, list[dict[str, Any]]] = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
        by_status: dict[str, list[Mapping[str, Any]]] = {name: [] for name in files}
        for child in children:
            status = child["Status"]
            by_status[status if status in files else "FAILED"].append(child)
        for status, those in by_status.items():
            for number, at in enumerate(range(0, len(those), size)):
                key = f"{prefix}/{map_run}/{status}_{number}.json"
                self.write(key, those[at : at + size])
                files[status].append({"Key": key, "Size": 1})
        self.write(
            f"{prefix}/{map_run}/manifest.json",
            {"DestinationBucket": BUCKET, "MapRunArn": map_run, "ResultFiles": files},
        )

    # What came of it.

    def handed(self) -> list[str]:
        """Return the keys of what cells have handed on and nobody has told yet."""
        found = [str(i["sk"]) for i in self.stack.items() if i["pk"] == f"handed#{POLICY}"]
        return sorted(found)

    def incidents(self) -> list[str]:
        """Return the keys of all open incidents, with their scopes."""
        found = [(str(i["pk"]), str(i["sk"])) for i in self.stack.items()]
        return sorted(
            f"{pk.removeprefix('incidents#')}/{sk}"
            for pk, sk in found
            if pk.startswith("incidents#") and not sk.startswith("#")
        )


def _chore(item: Mapping[str, Any]) -> str:
    return str(item["function"]).rpartition("-")[2]


def ledger(stack: Stack, answer: Mapping[str, Any]) -> dict[str, str]:
    """Return, by the name of a cell, how the whole report says that it ended."""
    _, *lines = stack.report(answer)
    told = {line["target"]: line["reason"] for line in lines}
    assert len(told) == len(lines), "each has one line"
    return told


def cell_name(account: str, region: str = REGION) -> str:
    """Return what reports call a cell."""
    return Cell(account, region).name


def said(item: dict[str, Any], status: str = "ok", **more: Any) -> dict[str, Any]:
    """Return what is written of a child whose cell answered this."""
    given = {"counts": {"create": {"done": 2}}, **more}
    answer = answered(cell_of(item), status, **given)
    return {"Input": json.dumps(item), "Status": "SUCCEEDED", "Output": json.dumps(answer)}


def killed(item: dict[str, Any], status: str = "FAILED") -> dict[str, Any]:
    """Return what is written of a child that never came to its end."""
    return {"Input": json.dumps(item), "Status": status, "Error": "Lambda.Unknown", "Cause": "137"}


def run_wave(
    world: FleetWorld,
    number: int,
    end: Callable[[dict[str, Any]], dict[str, Any]] = said,
    **how: Any,
) -> list[dict[str, Any]]:
    """Take the wave step, let its children end in this way, and return its items."""
    wave = world.step("wave", number - 1)["summary"]
    assert wave["number"] == number
    items: list[dict[str, Any]] = world.read(wave["key"])
    world.write_children(wave["results"], [end(item) for item in items], **how)
    return items
