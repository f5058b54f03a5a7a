"""The uptime function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run
from caretaker.verdicts import Modes

from . import aws
from .checks import findings_of
from .ended import Ended
from .plan import plan_uptime
from .request import UptimeRequest
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings

_RUNS: Final = count()


def uptime(run: Run[UptimeRequest]) -> Findings:
    """Probe every target, judge it, and ask for the repairs that are due."""
    facts = aws.gather(run, is_cold=next(_RUNS) == 0)
    plan = plan_uptime(facts, run.request, slot=run.slot, now=run.scene.now)
    steps = aws.Steps(run, plan)
    outcomes = run.apply(plan.decisions, plan_units(plan.decisions), steps.ask)
    plan = plan.after(outcomes)
    past = aws.remember(run, plan)
    return findings_of(Ended(plan, outcomes, past, Modes(run.mode, run.scene.settings.mode)))


CHORE = Chore("uptime", UptimeRequest, uptime, adds_only=True)


warm_up("dynamodb", "sns")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
