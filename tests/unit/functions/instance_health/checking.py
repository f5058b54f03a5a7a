"""Runs, as people are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.decisions import Outcome, Result
from caretaker.settings import Mode
from caretaker.verdicts import Modes
from functions.instance_health.checks import findings_of
from functions.instance_health.ended import Ended
from tests.support.health import planned

if TYPE_CHECKING:
    from caretaker.incidents import Check
    from caretaker.report import Findings

REGION = "eu-west-1"
ERROR = {"code": "InsufficientInstanceCapacity", "message": "none left", "request_id": "r-1"}


def ended(
    *things: Any,
    result: Result = Result.DONE,
    error: dict[str, str] | None = None,
    run: Mode = Mode.ACT,
    stack: Mode = Mode.ACT,
    event: Any = None,
    taken: bool = True,
    **known: Any,
) -> Ended:
    """Return a run whose steps all ended with this result."""
    plan = planned(*things, event=event, **known)
    outcomes = [
        Outcome(
            d, result if d.is_change else Result.UNCHANGED, error=error if d.is_change else None
        )
        for d in plan.decisions
    ]
    ladders = {v.id: v.intent for v in plan.verdicts if v.intent and taken}
    return Ended(plan, outcomes, ladders, Modes(run, stack), REGION, is_stopped=False)


def findings(*things: Any, **how: Any) -> Findings:
    """Return what a run hands to the harness."""
    return findings_of(ended(*things, **how))


def unhealthy(*things: Any, **how: Any) -> dict[str, Check]:
    """Return what a run finds wrong, by kind."""
    return {each.kind: each for each in findings(*things, **how).checks if each.healthy is False}


def verdicts(*things: Any, **how: Any) -> dict[str, bool | None]:
    """Return how each kind was judged."""
    return {each.kind: each.healthy for each in findings(*things, **how).checks}
