"""Caretaker's functions as Lambda runs them: a fresh process an invocation, round after round."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bench.bed import ROOT
from bench.ec2bed.fleet import KEY_ARN
from bench.processes import ContenderError, Measured, measure

if TYPE_CHECKING:
    from bench.bed import Bed

LAMBDA_SECONDS: Final = 900
_MACHINE: Final = "arn:aws:states:eu-west-1:123456789012:stateMachine:caretaker-restore"
_TOPIC: Final = "arn:aws:sns:eu-west-1:123456789012"


@dataclass(frozen=True, slots=True)
class Run:
    """What a contender took, and what it says it did (None: it says nothing)."""

    measured: Measured
    rounds: int = 1
    claimed: int | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One chore's handler with its environment; `timeout_seconds` is the function's own.

    Its clock is `ahead_seconds` of ours. A process is invoked so many `times`.
    """

    chore: str
    timeout_seconds: float = LAMBDA_SECONDS
    ahead_seconds: float = 0
    times: int = 1

    def run(self, bed: Bed, event: dict[str, Any]) -> Run:
        """Invoke with this event, and play the rounds that the chore asks for."""
        measured, answer = self.invoke(bed, event)
        rounds, claimed = 1, _claimed(answer)
        while following := bed.take_invocations():
            took, answer = self.invoke(bed, following[0])
            measured = measured.then(took)
            rounds, claimed = rounds + 1, claimed + _claimed(answer)
        return Run(measured, rounds, claimed)

    def invoke(self, bed: Bed, event: dict[str, Any]) -> tuple[Measured, dict[str, Any]]:
        """Play one process; return its figures and the handler's last answer."""
        with TemporaryDirectory() as folder:
            answer = Path(folder, "answer.json")
            command = [sys.executable, "-m", "bench.lambda_round", self.chore, str(answer)]
            figures = (self.timeout_seconds, self.ahead_seconds, self.times)
            measured = measure(
                [*command, *map(str, figures)],
                {**bed.environment(), **environment(self.chore)},
                json.dumps(event),
            )
            content: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if content["status"] not in {"ok", "partial"}:
            raise ContenderError(f"the chore answered {content['status']}: {content}")
        return measured, content


def environment(chore: str) -> dict[str, str]:
    """Return the environment that the template gives a function."""
    return {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers/common'}",
        "CARETAKER_CHORE": chore,
        "CARETAKER_INSTALLATION": "caretaker",
        "CARETAKER_ENVIRONMENT_NAME": "bench",
        "CARETAKER_MODE": "act",
        "CARETAKER_STATE_TABLE": "state",
        "CARETAKER_REPORTS_BUCKET": "reports",
        "CARETAKER_ALERTS_TOPIC": f"{_TOPIC}:alerts",
        "CARETAKER_URGENT_TOPIC": "",
        "CARETAKER_CHAT_TOPIC": "",
        "CARETAKER_PAGER_TOPIC": "",
        "CARETAKER_WATCHDOG_TOPIC": f"{_TOPIC}:watchdog",
        "CARETAKER_KMS_KEY_ARNS": KEY_ARN,
        "CARETAKER_RESTORE_MACHINE": _MACHINE,
        "POWERTOOLS_SERVICE_NAME": f"caretaker-{chore}",
        "POWERTOOLS_METRICS_NAMESPACE": "Caretaker",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_FUNCTION_NAME": f"caretaker-{chore}",
        "MALLOC_TRIM_THRESHOLD_": "131072",
    }


def _claimed(answer: dict[str, Any]) -> int:
    return sum(results.get("done", 0) for results in answer["counts"].values())
