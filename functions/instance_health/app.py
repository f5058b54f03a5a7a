"""The instance health function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run
from caretaker.verdicts import Modes

from . import aws
from .arrivals import resolve
from .checks import findings_of
from .ended import Ended
from .outcomes import unlisted
from .plan import plan_health
from .request import InstanceHealthRequest
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def instance_health(run: Run[InstanceHealthRequest]) -> Findings:
    """Judge every instance; finish what is begun, then take the steps that are due."""
    scene = run.scene
    plan = plan_health(aws.gather(run), run.request, slot=run.slot, now=scene.now)
    aws.remember(run, plan)
    steps = aws.Steps(run, plan)
    owed, units = plan_units(plan.decisions)
    # StartInstances has so small a bucket that more hands would only overtake each other.
    outcomes = run.apply([], owed, steps.take, preview=steps.preview, workers=1)
    outcomes += run.apply(plan.decisions, units, steps.take, preview=steps.preview)
    outcomes += unlisted(plan.case.facts)
    modes, region = Modes(run.mode, scene.settings.mode), scene.account.place.region
    return findings_of(
        Ended(plan, outcomes, steps.ladders, modes, region, is_stopped=steps.breaker.is_open)
    )


CHORE = Chore("instance_health", InstanceHealthRequest, instance_health, resolve=resolve)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
