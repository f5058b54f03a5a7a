"""The retention function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.report import Findings
from caretaker.run import Chore, Run
from caretaker.verdicts import Modes

from . import aws
from .checks import judge_run, summarise
from .memory import Memory
from .plan import plan_retention
from .request import RetentionRequest
from .rights import RIGHTS
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext


def retention(run: Run[RetentionRequest]) -> Findings:
    """Mark what no rule keeps, and delete what was marked two days ago and still is not kept."""
    facts = aws.gather(run)
    plan = plan_retention(facts, run.request, now=run.scene.now)
    Memory(run).remember(plan)
    units = plan_units(plan.decisions)
    changes = aws.Changes(run, plan.case, units)
    if plan.refusal:
        outcomes = run.refuse(plan.decisions, units, preview=changes.preview)
    else:
        outcomes = run.apply(plan.decisions, units, changes.apply, preview=changes.preview)
    stopped = changes.breaker.is_open
    modes = Modes(run.mode, run.scene.settings.mode)
    verdict = judge_run(plan, outcomes, run.request, modes, stopped=stopped)
    return Findings(
        outcomes,
        verdict.checks,
        verdict.judged,
        refusal=plan.refusal,
        may_continue=not stopped,
        summary=summarise(plan, outcomes),
    )


CHORE = Chore("retention", RetentionRequest, retention, rights=RIGHTS)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
