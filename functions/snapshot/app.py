"""The snapshot function: gather, decide, apply; the harness reports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from caretaker.aws.warmup import warm_up
from caretaker.clock import SystemClock
from caretaker.harness import run_chore
from caretaker.report import Findings
from caretaker.run import Chore, Run

from . import aws
from .freshness import judge_backups
from .plan import plan_snapshots
from .request import SnapshotRequest
from .rights import RIGHTS
from .units import plan_units

if TYPE_CHECKING:
    from caretaker.harness import LambdaContext


def snapshot(run: Run[SnapshotRequest]) -> Findings:
    """Take one good snapshot of every selected volume for this slot."""
    facts = aws.gather(run)
    decisions = plan_snapshots(facts, run.request, slot=run.slot)
    units = plan_units(decisions, facts, run.request, slot=run.slot)
    by_id = {taken.id: taken for taken in facts.snapshots}
    outcomes = run.apply(decisions, units, partial(aws.apply, run, snapshots=by_id))
    backups = judge_backups(facts, outcomes, run.request, now=run.scene.now)
    return Findings(outcomes, backups.checks, backups.judged, backups.gauges)


CHORE = Chore(
    "snapshot", SnapshotRequest, snapshot, resolve=aws.resolve_event, adds_only=True, rights=RIGHTS
)


warm_up("ec2", "dynamodb")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event."""
    return run_chore(CHORE, event, context, clock=SystemClock())
