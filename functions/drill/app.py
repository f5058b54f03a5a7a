"""The drill function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run

from . import aws
from .checks import Ended, findings_of
from .plan import plan_drill
from .request import DrillRequest, check_judge
from .rights import RIGHTS
from .units import WORKERS, plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def drill(run: Run[DrillRequest]) -> Findings:
    """Prove a sample of the newest backups, and sweep what a killed drill has left."""
    check_judge(run.request, run.scene.settings.drill_judge)
    facts = aws.gather(run)
    plan = plan_drill(facts, run.request, slot=run.slot, now=run.scene.now)
    units = plan_units(plan, run.request)
    workers = WORKERS[run.request.how]
    outcomes = run.apply(plan.decisions, units, aws.Steps(run).take, workers=workers)
    return findings_of(Ended(facts, plan, run.request, outcomes, run.scene.now, run.mode))


CHORE = Chore("drill", DrillRequest, drill, adds_only=True, rights=RIGHTS)


warm_up("ec2", "dynamodb", "ebs")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
