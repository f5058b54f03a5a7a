"""The restore function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run

from .asking import ask
from .request import RestoreRequest
from .stepping import take_step
from .watching import watch

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def restore(run: Run[RestoreRequest]) -> Findings:
    """Plan or start what is asked for, take a step of it, or look after what is under way."""
    if run.request.step:
        return take_step(run, run.request.step)
    return ask(run) if run.request.is_asked else watch(run)


CHORE = Chore("restore", RestoreRequest, restore)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
