"""How steps end that are not taken, or that AWS refuses. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caretaker.apply import fail
from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Kind

from .facts import Action, Reason

if TYPE_CHECKING:
    from caretaker.failures import Failure


def left(decision: Decision, reason: Reason, action: Action = Action.SKIP) -> Outcome:
    """Return that a resource was left as it is."""
    return Outcome(replace(decision, action=action, reason=reason), Result.UNCHANGED)


def with_unread(outcomes: list[Outcome], failure: Failure | None) -> list[Outcome]:
    """Return that a resource that could not be read has failed: unknown is never repaired."""
    if failure is None:
        return outcomes
    return fail([each.decision for each in outcomes], failure.as_error(), {})


def refused(decision: Decision, failure: Failure) -> Outcome:
    """Return how a step ended whose call failed: it may have happened where nobody answered."""
    outcome = "unknown" if failure.kind is Kind.UNKNOWN else "refused"
    return fail([decision], failure.as_error(), {"call": outcome})[0]
