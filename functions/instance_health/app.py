"""The instance health function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.errors import CallError, OutOfTimeError
from caretaker.harness import run_chore
from caretaker.run import Chore, Run

from . import aws
from .arrivals import resolve
from .carrying import carry_out
from .checks import findings_of
from .request import InstanceHealthRequest
from .rights import RIGHTS

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def instance_health(run: Run[InstanceHealthRequest]) -> Findings:
    """Start what was stopped for a repair; then judge every instance, and take the steps due."""
    started = carry_out(run, aws.gather_owed(run))
    try:
        facts = aws.gather(run)
    except (CallError, OutOfTimeError) as error:
        if not started.has_tried:
            raise
        return findings_of(started.cut_short(error))
    return findings_of(carry_out(run, facts, started.outcomes))


CHORE = Chore(
    "instance_health", InstanceHealthRequest, instance_health, resolve=resolve, rights=RIGHTS
)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
