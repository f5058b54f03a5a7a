"""Who takes snapshots here: Caretaker, Cloud Custodian, and botocore's adaptive mode."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol

from bench.bed import ROOT
from bench.processes import ContenderError, Measured, measure

if TYPE_CHECKING:
    from bench.bed import Bed

LAMBDA_SECONDS: Final = 900
_CUSTODIAN_PYTHON: Final = ROOT / ".venvs/bench-c7n/bin/python"


@dataclass(frozen=True, slots=True)
class Run:
    """What a contender took, and what it says it did (None: it says nothing)."""

    measured: Measured
    rounds: int = 1
    claimed: int | None = None


class Contender(Protocol):
    """Takes snapshots of everything tagged for the policy `daily`."""

    @property
    def name(self) -> str:
        """Return what a table calls it."""
        ...

    def run(self, bed: Bed) -> Run:
        """Run to the end."""
        ...


@dataclass(frozen=True, slots=True)
class Caretaker:
    """The handler in a fresh process per invocation; the bench invokes the rounds it asks for."""

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
        measured, answer = self.invoke(bed, event)
        rounds, claimed = 1, _claimed(answer)
        while following := bed.take_invocations():
            took, answer = self.invoke(bed, following[0])
            measured = measured.then(took)
            rounds, claimed = rounds + 1, claimed + _claimed(answer)
        return Run(measured, rounds, claimed)

    def invoke(self, bed: Bed, event: dict[str, Any]) -> tuple[Measured, dict[str, Any]]:
        """Play one invocation; return its figures and the handler's answer."""
        with TemporaryDirectory() as folder:
            answer = Path(folder, "answer.json")
            command = [sys.executable, "-m", "bench.lambda_round", str(answer)]
            measured = measure(
                [*command, str(self.timeout_seconds)],
                {**bed.environment(), **FUNCTION_ENVIRONMENT},
                json.dumps(event),
            )
            content: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if content["status"] not in {"ok", "partial"}:
            raise ContenderError(f"the chore answered {content['status']}: {content}")
        return measured, content


FUNCTION_ENVIRONMENT: Final = {
    "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers/common'}",
    "CARETAKER_CHORE": "snapshot",
    "CARETAKER_INSTALLATION": "caretaker",
    "CARETAKER_ENVIRONMENT_NAME": "bench",
    "CARETAKER_MODE": "act",
    "CARETAKER_STATE_TABLE": "state",
    "CARETAKER_REPORTS_BUCKET": "reports",
    "CARETAKER_ALERTS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:alerts",
    "POWERTOOLS_SERVICE_NAME": "caretaker-snapshot",
    "POWERTOOLS_METRICS_NAMESPACE": "Caretaker",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "AWS_LAMBDA_FUNCTION_NAME": "caretaker-snapshot",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


@dataclass(frozen=True, slots=True)
class Custodian:
    """`custodian run` with a snapshot policy of the same effect, in an environment of its own."""

    name: str = "Cloud Custodian"

    def run(self, bed: Bed) -> Run:
        python = custodian_python()
        if python is None:
            raise ContenderError("Cloud Custodian is not installed: `make bench` does it")
        policy = {
            "name": "daily-snapshots",
            "resource": "aws.ebs",
            "filters": [{"tag:caretaker:backup": "daily"}],
            "actions": [{"type": "snapshot", "copy-tags": ["*"], "tags": {"policy": "daily"}}],
        }
        with TemporaryDirectory() as folder:
            file = Path(folder, "policy.json")
            file.write_text(json.dumps({"policies": [policy]}), encoding="utf-8")
            start = "from c7n.cli import main; main()"
            options = ["-s", folder, "--cache-period", "0", "-r", "eu-west-1", str(file)]
            environment = {**bed.environment(), "HOME": folder}
            return Run(measure([str(python), "-c", start, "run", *options], environment))


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A script on botocore's adaptive retries: 32 threads, a client for each changing action."""

    name: str = "botocore adaptive"
    consistency: str = "instance"

    def run(self, bed: Bed) -> Run:
        command = [sys.executable, "-m", "bench.adaptive", self.consistency]
        return Run(measure(command, bed.environment()))


def custodian_python() -> Path | None:
    """Return the interpreter that has Cloud Custodian, if there is one."""
    python = Path(os.environ.get("CARETAKER_BENCH_C7N") or _CUSTODIAN_PYTHON)
    return python if python.exists() else None


def _claimed(answer: dict[str, Any]) -> int:
    return sum(results.get("done", 0) for results in answer["counts"].values())
