"""The tagging function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.run import Chore, Run
from caretaker.verdicts import Modes

from . import aws
from .checks import findings_of
from .ended import Ended
from .memory import Memory
from .outcomes import unlisted
from .plan import plan_tagging
from .request import TaggingRequest
from .rights import RIGHTS
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext
    from caretaker.report import Findings


def tagging(run: Run[TaggingRequest]) -> Findings:
    """Set the tags that rules ask for where a value is known; tell, and escalate, what is left."""
    plan = plan_tagging(aws.gather(run), run.request, slot=run.slot, now=run.scene.now)
    units = plan_units(plan.decisions, run.request.owners)
    changes = aws.Changes(run, plan.case, units)
    if plan.refusal:
        Memory(run).plans.store(plan.id, plan.refusal.reason, plan.stopping)
        outcomes = run.refuse(plan.decisions, units)
    else:
        outcomes = run.apply(plan.decisions, units, changes.apply)
    outcomes += unlisted(plan.case.facts)
    modes, stopped = Modes(run.mode, run.scene.settings.mode), changes.breaker.is_open
    ended = Ended(plan, outcomes, modes, stopped, aws.put_table(run, outcomes))
    told, opted_out = ended.told_by_alert, ended.opted_out
    remember = partial(Memory(run).remember, ended.seen, told=told, opted_out=opted_out)
    return findings_of(ended, remember)


CHORE = Chore("tagging", TaggingRequest, tagging, rights=RIGHTS)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
