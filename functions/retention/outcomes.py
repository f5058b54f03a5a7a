"""Say how a change ended, and what the last look makes of a decision: pure."""

from __future__ import annotations

from dataclasses import replace

from caretaker.apply import fail
from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Failure, Kind

from .facts import Action, Reason


def reconciled(decided: Decision, now: Decision) -> Decision:
    """Return what is left to do of a decision that was judged again.

    The same change stands. A deletion may turn into the removal of its mark, or into a new mark.
    Any other change waits for a run that plans it.
    """
    if now.action == decided.action:
        return decided
    if not now.is_change or decided.action == Action.DELETE:
        return now
    return left(decided, Reason.CHANGED_MEANWHILE)


def as_sent(decided: Decision, looked: Outcome) -> Outcome:
    """Return how a tag call ended whose answer was lost: what the next look finds done was done."""
    now = looked.decision
    marked = decided.action == Action.MARK and now.reason == Reason.MARKED
    kept = now.action == Action.KEEP and now.reason == decided.reason
    unmarked = decided.action == Action.UNMARK and kept
    return Outcome(decided, Result.DONE) if marked or unmarked else looked


def left(decision: Decision, reason: Reason) -> Decision:
    """Return the decision to leave a snapshot as it is after all."""
    action = Action.SKIP if reason == Reason.GONE else Action.KEEP
    return replace(decision, action=action, reason=reason)


def undeleted(decision: Decision, failure: Failure) -> Outcome:
    """Report a deletion that AWS refused; gone is as good, and protection is no failure."""
    if failure.kind is Kind.GONE:
        return Outcome(decision, Result.DONE, {"gone": True})
    reason = _protection(failure)
    if reason is None:
        return fail([decision], failure.as_error(), {})[0]
    return Outcome(left(decision, reason), Result.UNCHANGED, {"message": failure.message})


def _protection(failure: Failure) -> Reason | None:
    """Return what protects a snapshot that AWS refused to delete.

    AWS lists no codes of their own for locks and for snapshots of AWS Backup: the text tells.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    text = failure.message.lower()
    if failure.code == "InvalidSnapshot.InUse":
        return Reason.IN_USE
    if failure.kind is Kind.PROTECTED or "is locked" in text:
        return Reason.LOCKED
    return Reason.OWNED_BY_SERVICE if "is managed by" in text else None
