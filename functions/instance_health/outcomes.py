"""How steps end that are not taken, or that AWS refuses. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker.apply import fail
from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Kind

from .facts import Action, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caretaker.failures import Failure

_PROTECTED: Final = "OperationNotPermitted"
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_StopProtection.html"""
_WAITS: Final = frozenset({Kind.THROTTLED, Kind.BUSY, Kind.FULL})


def left(decision: Decision, reason: Reason) -> Outcome:
    """Return that an instance was left as it is."""
    return Outcome(replace(decision, action=Action.SKIP, reason=reason), Result.UNCHANGED)


def unlisted(code: str, message: str) -> Outcome:
    """Return an item for the listing that failed: what is not owed was not judged."""
    decision = Decision("instances", Action.SKIP, Reason.LISTING_FAILED)
    error = {"code": code, "message": message, "request_id": ""}
    return Outcome(decision, Result.FAILED, error=error)


def with_started(outcomes: Sequence[Outcome], before: Iterable[Outcome]) -> list[Outcome]:
    """Return how it ended with each instance, where some were started before all else."""
    changed = {each.decision.target for each in outcomes if each.decision.is_change}
    kept = [o for o in before if o.decision.is_change and o.decision.target not in changed]
    started = {each.decision.target for each in kept}
    return [*kept, *(each for each in outcomes if each.decision.target not in started)]


def refused(decision: Decision, failure: Failure) -> Outcome:
    """Return how a step ended whose call failed."""
    if failure.kind is Kind.GONE:
        return left(decision, Reason.GONE)
    if failure.code == _PROTECTED and decision.action == Action.STOP:
        return left(decision, Reason.STOP_PROTECTED).with_detail(message=failure.message)
    if failure.kind in _WAITS:
        why = {"deferred_by": failure.code, "message": failure.message}
        return Outcome(decision, Result.DEFERRED, why)
    return fail([decision], failure.as_error(), {})[0]
