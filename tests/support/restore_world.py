"""An account with backups that is brought back by the state machine itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from moto.stepfunctions.models import stepfunctions_backends

from caretaker.ec2 import description_of
from caretaker.slots import slot_of
from functions.restore import app
from tests.cloud import ACCOUNT, REGION
from tests.support.asl_player import Player
from tests.support.crashes import KilledError
from tests.support.snapshots import ours
from tests.support.tagging_world import state_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pytest

    from tests.cloud import Account, ManualClock, SeededInstance, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call
    from tests.support.stack import Stack

NAME: Final = "caretaker-restore"
MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{NAME}"
_DEPLOYED: Final = {
    "MaxConcurrency": "300",
    "Partition": "aws",
    "RestoreFunction": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}",
}
"""What the template puts into the definition."""
DEFINITION: Final = re.sub(
    r"\$\{(\w+)\}",
    lambda named: _DEPLOYED[named[1]],
    Path("statemachines/restore.asl.json").read_text("utf-8"),
)
TIMEOUT_SECONDS: Final = 300
"""Of the function in the template."""
GOOD, BAD = b"good", b"bad"
_DAY: Final = timedelta(days=1)
CHANGES: Final = frozenset(
    {
        "AttachVolume",
        "CreateReplaceRootVolumeTask",
        "CreateTags",
        "CreateVolume",
        "DeleteVolume",
        "DetachVolume",
        "ModifyInstanceAttribute",
        "StartInstances",
        "StopInstances",
    }
)


@dataclass
class RestoreWorld:
    """Asks the chore, and plays what it starts; backups hold `GOOD`, volumes then `BAD`.

    `killed` is how often a worker was; the next one lives.
    """

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account
    env: pytest.MonkeyPatch
    killed: int = 0
    answers: list[dict[str, Any]] = field(default_factory=list)
    _dead: bool = False

    def __post_init__(self) -> None:
        boto3.client("stepfunctions", REGION).create_state_machine(
            name=NAME, definition=DEFINITION, roleArn=f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
        )
        self.cloud.extras.switching_seconds = 10
        self.cloud.extras.initializing_seconds = 20
        self.cloud.calls.clear()

    # The account.

    def server(
        self, *disks: Mapping[str, Any], days: Iterable[float] = (1,), **launch: Any
    ) -> SeededInstance:
        """Add an instance, by default of two volumes, that was backed up and has lost its data."""
        wanted = disks or ({}, {"size": 20})
        made = self.account.machine_with_volumes(*(dict(each) for each in wanted), **launch)
        for ago in days:
            for volume in made.volume_ids:
                self.backup(volume, ago, instance=made.id)
        for volume in made.volume_ids:
            self.account.write_blocks(volume, {0: BAD})
        return made

    def backup(
        self, volume: str, days: float = 1, *, content: bytes = GOOD, instance: str = "", **odd: Any
    ) -> str:
        """Add a volume's backup of the slot so many days ago; return its id."""
        slot = slot_of(self.clock.now() - days * _DAY)
        more = {"caretaker:instance": instance} if instance else {}
        tags = ours(slot=slot) | more | odd.pop("tags", {})
        text = description_of(tags["caretaker:policy"], slot)
        made = self.account.snapshot(
            volume, age_hours=24 * days, tags=tags, description=text, **odd
        )
        self.account.write_blocks(made, {0: content})
        return made

    def key(self) -> str:
        """Add a KMS key that the stack knows of; return its ARN."""
        key = self.account.key()
        self.env.setenv("CARETAKER_KMS_KEY_ARNS", key)
        return key

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by).total_seconds())

    # What is asked.

    def ask(self, *, request: str = "", **event: Any) -> dict[str, Any]:
        """Send one event."""
        answer = self.stack.run(app.CHORE, event, seconds=TIMEOUT_SECONDS, request=request)
        self.answers.append(answer)
        return answer

    def plan(self, *targets: str, **event: Any) -> dict[str, Any]:
        """Ask for a plan of instances, and volumes, by id."""
        return self.ask(**{"mode": "report", **_selecting(targets), **event})

    def start(self, *targets: str, **event: Any) -> dict[str, Any]:
        """Read the plan, approve it, and have it started."""
        planned = self.plan(*targets, **event)
        return self.ask(**{**_selecting(targets), **event, "approve": planned["plan_id"]})

    def restore(self, *targets: str, **event: Any) -> str:
        """Start a plan and play it to its end; return its id."""
        started = self.start(*targets, **event)
        assert started["status"] == "ok", started
        plan = str(started["plan_id"])
        self.play(plan)
        return plan

    def watch(self) -> dict[str, Any]:
        """Look after restores as the schedule does."""
        return self.ask()

    # The state machine.

    def play(self, plan: str, *, waits: int = 400) -> None:
        """Play the execution that was started under this name; again is its redrive."""
        asked = json.loads(self.executions()[plan])
        Player(json.loads(DEFINITION), self.invoke, self.clock).play(asked, waits=waits)

    def executions(self) -> dict[str, str]:
        """Return the input of each execution by its name."""
        machine = stepfunctions_backends[ACCOUNT][REGION].describe_state_machine(MACHINE)
        return {each.name: each.execution_input for each in machine.executions}

    def invoke(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Be Lambda for the state machine: a worker that is killed is an error like any other."""
        self._dead = False
        try:
            return self.ask(**payload)
        except KilledError as killed:
            raise RuntimeError("Lambda.Unknown") from killed

    def kill_at(self, operation: str, nth: int = 1, *, effective: bool) -> None:
        """Kill the worker at its nth call of an operation, before or after it took effect."""
        serve, seen = self.cloud.serve, 0

        def fatal(call: Call, perform: Callable[[], Answer]) -> Answer:
            nonlocal seen
            if self._dead:
                raise KilledError
            seen += call.operation == operation
            if seen != nth or call.operation != operation:
                return serve(call, perform)
            self._dead, self.killed = True, self.killed + 1
            if effective:
                serve(call, perform)
            raise KilledError

        self.cloud.serve = fatal  # type: ignore[method-assign]

    # What came of it.

    def journal(self, target: str) -> dict[str, Any]:
        """Return the newest journal of a target as it stands in the table; empty without one."""
        found = [i for i in items() if i["pk"].startswith("journals#") and i["sk"] == target]
        read = [{**json.loads(i["document"]), "version": int(i["version"])} for i in found]
        return max(read, key=lambda each: str(each["moved"]), default={})

    def endings(self, *targets: str) -> list[str | None]:
        """Return how these ended."""
        return [self.journal(each).get("ending") for each in targets]

    def open_restores(self) -> list[str]:
        """Return the plans that are not over."""
        restores = [i for i in items() if i["pk"].startswith("restores#")]
        return [i["sk"] for i in restores if json.loads(i["document"])["ended"] is None]

    def state(self, instance: str) -> str:
        """Return what an instance is doing."""
        return str(self.account.backend.get_instance(instance).state)

    def seats(self, instance: str) -> dict[str, tuple[str, str, bool]]:
        """Return by device: what is attached, how far, and whether it goes with the instance."""
        volumes = self.account.backend.volumes
        found = {each: self.account.attachment(each) for each in volumes}
        return {
            at["device"]: (volume, at["state"], at["deletes_on_termination"])
            for volume, at in sorted(found.items())
            if at and at["instance"] == instance
        }

    def contents(self, instance: str) -> list[bytes]:
        """Return what is written at the start of each volume of an instance, by device."""
        seats = sorted(self.seats(instance).items())
        blocks = [self.account.read_blocks(volume).get(0, b"") for _, (volume, _, _) in seats]
        return [block.rstrip(b"\0") for block in blocks]

    def made(self) -> list[str]:
        """Return the volumes that there are and that restores have made."""
        self.cloud.backend()
        tags = self.account.backend.tags
        return sorted(
            each
            for each in self.account.backend.volumes
            if "caretaker:managed-by" in tags.get(each, {})
        )

    def changes(self) -> list[str]:
        """Return the calls that changed, or were to change, something in EC2."""
        return [call.operation for call in self.cloud.calls.of(*CHANGES)]


def a_world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account, env: pytest.MonkeyPatch
) -> RestoreWorld:
    """Return the words for an account that exists; the function knows its machine."""
    env.setenv("CARETAKER_RESTORE_MACHINE", MACHINE)
    return RestoreWorld(cloud, clock, stack, account, env)


def _selecting(targets: Iterable[str]) -> dict[str, Any]:
    ids = sorted(targets)
    kinds = {
        "instances": [i for i in ids if i[0] == "i"],
        "volumes": [v for v in ids if v[0] == "v"],
    }
    return {"select": {kind: named for kind, named in kinds.items() if named}} if ids else {}


def items() -> list[dict[str, Any]]:
    """Read the table behind everybody's back: no call is seen of it."""
    held = (each for bucket in state_table().items.values() for each in bucket.values())
    return [{k: v.value for k, v in each.attrs.items()} for each in held]


def told(answer: Mapping[str, Any], target: str) -> tuple[str, str, str]:
    """Return what happened to a target, why, and how it ended."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == target]
    return item["action"], item["reason"], item["result"]
