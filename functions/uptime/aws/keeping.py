"""Keep what a run has seen: records, history, and what the spans that are over came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.errors import StateError
from caretaker.telemetry import logger
from functions.uptime.memory import Memory
from functions.uptime.past import history_of, past_after, records_after

if TYPE_CHECKING:
    from caretaker.run import Run
    from functions.uptime.plan import Plan
    from functions.uptime.request import UptimeRequest
    from functions.uptime.shelves import Past


def remember(run: Run[UptimeRequest], plan: Plan) -> dict[str, Past]:
    """Write it, and return the past as it now is; without the table a run still tells.

    Where nothing was read, nothing is written over. A look by hand, where the stack does otherwise,
    is no run of the schedule and leaves no trace.
    """
    records, past = records_after(plan), past_after(plan)
    if not plan.case.facts.is_remembered or run.mode is not run.scene.settings.mode:
        return past
    changed = past if past != plan.case.facts.past else None
    try:
        Memory(run).remember(plan.case.facts.records, records, changed, history_of(plan))
    except StateError as error:
        logger.warning("records unwritten", error=error.failure.as_error())
    return past
