"""The fleet function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run

from .request import FleetRequest
from .starting import start
from .stepping import take_step

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def fleet(run: Run[FleetRequest]) -> Findings:
    """Start a chore's run over many places, or take a step of it."""
    return take_step(run, run.request.step) if run.request.step else start(run)


CHORE = Chore("fleet", FleetRequest, fleet, adds_only=True)


warm_up("ec2", "dynamodb", "s3", "stepfunctions")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
