"""The alerts function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.report import Findings
from caretaker.run import Chore, Run

from . import aws
from .checks import judge_run, measure
from .plan import plan_alerts, plan_units
from .request import AlertsRequest

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext


def alerts(run: Run[AlertsRequest]) -> Findings:
    """Tell people again what is still so, and what they could not be told."""
    facts = aws.gather(run)
    decisions = plan_alerts(facts, run.request, now=run.scene.now)
    outcomes = run.apply(decisions, plan_units(decisions), partial(aws.apply, run, facts))
    listeners = aws.listeners(run.scene)
    checks, judged = judge_run(outcomes, listeners)
    return Findings(
        outcomes,
        checks,
        judged,
        measure(facts, aws.count_unsent(run.scene), listeners),
        may_continue=False,
    )


CHORE = Chore("alerts", AlertsRequest, alerts, tell_failures=False)


warm_up("dynamodb", "sns")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
