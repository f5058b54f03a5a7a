"""Who does the tasks here: Caretaker, Cloud Custodian, botocore's adaptive mode."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol

from bench.bed import ROOT
from bench.ec2bed.fleet import REMEDIATE
from bench.ec2bed.tagging import COST_CENTRE, COST_CENTRES, OLD_COST_CENTRE
from bench.lambdas import LAMBDA_SECONDS, Function, Run
from bench.processes import ContenderError, measure

if TYPE_CHECKING:
    from bench.bed import Bed

KEPT_DAYS: Final = 12
"""What the deleting contenders leave of each volume."""
_THREE_MINUTES_IN_DAYS: Final = 3 / (24 * 60)
_CUSTODIAN_PYTHON: Final = ROOT / ".venvs/bench-c7n/bin/python"


class Contender(Protocol):
    """Does its task upon a bed, of which it knows no more than the tags."""

    @property
    def name(self) -> str:
        """Return what a table calls it."""
        ...

    def run(self, bed: Bed) -> Run:
        """Run to the end."""
        ...


@dataclass(frozen=True, slots=True)
class Caretaker:
    """The snapshot chore; the bench invokes the rounds it asks for."""

    name: str
    consistency: str
    timeout_seconds: float = LAMBDA_SECONDS

    def run(self, bed: Bed) -> Run:
        event: dict[str, Any] = {
            "policy": "daily",
            "scheduled_time": "2026-11-21T03:00:00Z",
            "consistency": self.consistency,
            "pace": 1.0,
        }
        return Function("snapshot", self.timeout_seconds).run(bed, event)


@dataclass(frozen=True, slots=True)
class CaretakerDeletes:
    """The retention chore at a pace, its blast radius as wide as it gets."""

    name: str
    pace: float = 1.0
    timeout_seconds: float = LAMBDA_SECONDS

    def run(self, bed: Bed) -> Run:
        event = retention_event(keep={"daily": KEPT_DAYS}, pace=self.pace)
        return Function("retention", self.timeout_seconds).run(bed, event)


@dataclass(frozen=True, slots=True)
class Custodian:
    """`custodian run` with a snapshot policy of the same effect, in an environment of its own."""

    name: str = "Cloud Custodian"

    def run(self, bed: Bed) -> Run:
        action = {"type": "snapshot", "copy-tags": ["*"], "tags": {"policy": "daily"}}
        return _custodian(bed, _policy("aws.ebs", {"tag:caretaker:backup": "daily"}, action))


@dataclass(frozen=True, slots=True)
class CustodianDeletes:
    """`custodian run` that deletes the marked snapshots."""

    name: str = "Cloud Custodian"

    def run(self, bed: Bed) -> Run:
        marked = {"tag:caretaker:delete-after": "present"}
        return _custodian(bed, _policy("aws.ebs-snapshot", marked, {"type": "delete"}))


@dataclass(frozen=True, slots=True)
class CaretakerTags:
    """The tagging chore: a cost centre from the subnet, and for volumes from the instance."""

    name: str = "Caretaker"

    def run(self, bed: Bed) -> Run:
        return Function("tagging").run(bed, tagging_event())


@dataclass(frozen=True, slots=True)
class CustodianTags:
    """`custodian run` with a policy for instances and one for volumes.

    An instance's cost centre is looked up in its own tag `cc`. A volume's is so too, which is the
    quickest that Custodian knows (resources of the same value share calls); or it is `copied` from
    its instance, as one does where volumes have no such tag: a call for each volume.
    """

    name: str = "Cloud Custodian"
    copied: bool = False

    def run(self, bed: Bed) -> Run:
        absent = {f"tag:{COST_CENTRE}": "absent"}
        found = {"type": "resource", "key": f"Tags[?Key=='{OLD_COST_CENTRE}'].Value | [0]"}
        looked_up = {"type": "tag", "tags": {COST_CENTRE: found}}
        copied = {"type": "copy-instance-tags", "tags": [COST_CENTRE]}
        return _custodian(
            bed,
            _policy("aws.ec2", absent, looked_up),
            _policy("aws.ebs", absent, copied if self.copied else looked_up),
        )


@dataclass(frozen=True, slots=True)
class CaretakerWatches:
    """One run of the chore that watches instances, in a fresh process."""

    name: str = "Caretaker"

    def run(self, bed: Bed) -> Run:
        return Function("instance_health").run(bed, watching_event())


@dataclass(frozen=True, slots=True)
class CaretakerWatchesOn:
    """The second run in a process, as Lambda plays all but the first of a minute's schedule.

    Its seconds are those that the handler tells; those of the processor are of both runs.
    """

    name: str = "Caretaker, warm"

    def run(self, bed: Bed) -> Run:
        both, answer = Function("instance_health", times=2).invoke(bed, watching_event())
        return Run(replace(both, wall_seconds=answer["duration_ms"] / 1000), rounds=2)


@dataclass(frozen=True, slots=True)
class CustodianWatches:
    """`custodian run` with a policy that reboots what has failed its status checks for 3 minutes.

    Custodian 0.9.53 never calls DescribeInstanceStatus, and none of its filters reads the status
    checks: `health-event` reads AWS Health's own events, `singleton` and `autorecover-alarm` are
    about alarms. What is left to an operator is the filter `metrics` upon `StatusCheckFailed`, the
    metric of the same checks; it asks for each instance in a call of its own, on three threads.
    Only running instances are listed, and only the last 3 minutes are asked for. Who is opted in is
    asked last: all are to be judged.
    """

    name: str = "Cloud Custodian"

    def run(self, bed: Bed) -> Run:
        failed = {
            "type": "metrics",
            "name": "StatusCheckFailed",
            "statistics": "Maximum",
            "days": _THREE_MINUTES_IN_DAYS,
            "period": 60,
            "op": "greater-than",
            "value": 0,
        }
        running = {"query": [{"instance-state-name": "running"}]}
        policy = _policy("aws.ec2", failed, {"type": "reboot"}) | running
        policy["filters"].append({f"tag:{REMEDIATE}": "present"})
        return _custodian(bed, policy)


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A script on botocore's adaptive retries: 32 threads, a client for each changing action."""

    name: str = "botocore adaptive"
    consistency: str = "instance"

    def run(self, bed: Bed) -> Run:
        command = [sys.executable, "-m", "bench.adaptive", self.consistency]
        return Run(measure(command, bed.environment()))


def retention_event(*, keep: dict[str, int], pace: float, mode: str = "act") -> dict[str, Any]:
    """Return an event of the retention chore that lets half of a policy go at once."""
    return {
        "policy": "daily",
        "mode": mode,
        "scheduled_time": time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime()),
        "keep": keep,
        "blast_radius": {"count": 100_000, "percent": 50},
        "pace": pace,
    }


def tagging_event() -> dict[str, Any]:
    """Return an event of the tagging chore that sets the one tag `CostCenter`."""
    rule = {
        "values": list(COST_CENTRES),
        "from": ["instance", "subnet"],
        "applies_to": ["instance", "volume"],
    }
    now = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime())
    return {"scheduled_time": now, "rules": {COST_CENTRE: rule}}


def watching_event(ahead_seconds: float = 0, **more: Any) -> dict[str, Any]:
    """Return an event of the chore that watches instances, at its own pace, so far ahead."""
    minute = time.gmtime(time.time() + ahead_seconds)
    return {"scheduled_time": time.strftime("%Y-%m-%dT%H:%M:00Z", minute), **more}


def custodian_python() -> Path | None:
    """Return the interpreter that has Cloud Custodian, if there is one."""
    python = Path(os.environ.get("CARETAKER_BENCH_C7N") or _CUSTODIAN_PYTHON)
    return python if python.exists() else None


def _policy(resource: str, wanted: object, action: object) -> dict[str, Any]:
    name = resource.replace(".", "-")
    return {"name": name, "resource": resource, "filters": [wanted], "actions": [action]}


def _custodian(bed: Bed, *policies: dict[str, Any]) -> Run:
    python = custodian_python()
    if python is None:
        raise ContenderError("Cloud Custodian is not installed: `make bench` does it")
    with TemporaryDirectory() as folder:
        file = Path(folder, "policy.json")
        file.write_text(json.dumps({"policies": policies}), encoding="utf-8")
        start = "from c7n.cli import main; main()"
        options = ["-s", folder, "--cache-period", "0", "-r", "eu-west-1", str(file)]
        environment = {**bed.environment(), "HOME": folder}
        return Run(measure([str(python), "-c", start, "run", *options], environment))
