"""The retention function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Findings, Run
from caretaker.settings import Mode

from . import aws
from .checks import KINDS, judge_run, summarise
from .memory import Memory
from .plan import Plan, plan_retention
from .request import RetentionRequest
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext


def retention(run: Run[RetentionRequest]) -> Findings:
    """Mark what no rule keeps, and delete what was marked two days ago and still is not kept."""
    facts = aws.gather(run)
    plan = plan_retention(facts, run.request, now=run.scene.now)
    _remember(run, plan)
    units = plan_units(plan.decisions)
    changes = aws.Changes(run, plan.case, [d.target for unit in units for d in unit.decisions])
    outcomes = (
        run.refuse(plan.decisions)
        if plan.refusal
        else run.apply(plan.decisions, units, changes.apply, preview=changes.preview)
    )
    stopped = changes.breaker.is_open
    return Findings(
        outcomes,
        judge_run(plan, outcomes, run.request, run.mode, stopped=stopped),
        KINDS,
        refusal=plan.refusal,
        may_continue=not stopped,
        summary=summarise(plan, outcomes, aws.recycle_bin_days(run.scene, facts.installation)),
    )


def _remember(run: Run[RetentionRequest], plan: Plan) -> None:
    """Write first: a run that is killed must not make the next one think half had vanished."""
    if plan.refusal:
        Memory(run).keep(plan)
    else:
        Memory(run).saw(plan.population(after_deleting=run.mode is Mode.ACT))


CHORE = Chore("retention", RetentionRequest, retention)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
