"""Decide on what was read and carry it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.apply import WORKERS_PER_LANE
from caretaker.verdicts import Modes

from . import aws
from .ended import Ended
from .outcomes import with_started
from .plan import plan_health
from .units import plan_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Outcome
    from caretaker.run import Run

    from .facts import Facts
    from .request import InstanceHealthRequest


def carry_out(
    run: Run[InstanceHealthRequest], facts: Facts, before: Sequence[Outcome] = ()
) -> Ended:
    """Judge what was read and take the steps that are due; `before` are those taken earlier."""
    scene = run.scene
    plan = plan_health(facts, run.request, slot=run.slot, now=scene.now)
    aws.remember(run, plan)
    steps = aws.Steps(run, plan)
    done = run.apply(
        plan.decisions,
        plan_units(plan.decisions),
        steps.take,
        preview=steps.preview,
        # StartInstances has so small a bucket that more hands would only overtake each other.
        workers=WORKERS_PER_LANE if facts.is_whole else 1,
    )
    return Ended(
        plan,
        with_started(done, before),
        steps.ladders,
        Modes(run.mode, scene.settings.mode),
        scene.account.place.region,
        is_stopped=steps.breaker.is_open,
    )
