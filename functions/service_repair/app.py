"""The service repair function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run
from caretaker.verdicts import Modes

from . import aws
from .checks import Ended, findings_of
from .memory import Memory
from .outcomes import with_unread
from .plan import plan_repair
from .request import ServiceRepairRequest
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def service_repair(run: Run[ServiceRepairRequest]) -> Findings:
    """Restart what is asked for, where nothing speaks against it."""
    facts = aws.gather(run)
    plan = plan_repair(facts, run.request, now=run.scene.clock.now())
    aws.remember(run, plan)
    steps = aws.Steps(run)
    done = run.apply(plan.decisions, plan_units(plan.decisions), steps.take)
    outcomes = with_unread(done, facts.unread)
    modes = Modes(run.mode, run.scene.settings.mode)
    return findings_of(Ended(plan, outcomes, modes), Memory(run).forget)


CHORE = Chore("service_repair", ServiceRepairRequest, service_repair)


warm_up("dynamodb", "ecs")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
