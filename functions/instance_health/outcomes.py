"""How steps end that are not taken, or that AWS refuses. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker.apply import fail
from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Kind

from .facts import Action, Reason

if TYPE_CHECKING:
    from caretaker.failures import Failure

    from .facts import Facts

_PROTECTED: Final = "OperationNotPermitted"
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_StopProtection.html"""
_WAITS: Final = frozenset({Kind.THROTTLED, Kind.BUSY, Kind.FULL})


def left(decision: Decision, reason: Reason) -> Outcome:
    """Return that an instance was left as it is."""
    return Outcome(replace(decision, action=Action.SKIP, reason=reason), Result.UNCHANGED)


def unlisted(facts: Facts) -> list[Outcome]:
    """Return an item for the listing that failed: what is not owed was not judged."""
    if facts.unlisted is None:
        return []
    decision = Decision("instances", Action.SKIP, Reason.LISTING_FAILED)
    return [Outcome(decision, Result.FAILED, error=facts.unlisted.as_error())]


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
