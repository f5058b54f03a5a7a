from __future__ import annotations

import pytest

from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Failure, Kind
from functions.retention.facts import Action, Reason
from functions.retention.outcomes import as_sent, left, reconciled, undeleted
from tests.support.retention import a_change

CHANGES = ("mark", "unmark", "delete")


@pytest.mark.parametrize("action", CHANGES)
def test_the_same_change_stands_with_its_first_reason(action: str) -> None:
    decided = a_change(action=action, reason=Reason.EXPIRED)
    now = a_change(action=action, reason=Reason.SPARE)

    assert reconciled(decided, now) is decided


@pytest.mark.parametrize("action", CHANGES)
@pytest.mark.parametrize("unchanging", ["keep", "skip"])
def test_what_is_kept_by_now_stays_and_says_why(action: str, unchanging: str) -> None:
    now = a_change(action=unchanging, reason=Reason.KEEP_TAG)

    assert reconciled(a_change(action=action), now) is now


@pytest.mark.parametrize("action", ["unmark", "mark"])
def test_a_deletion_may_turn_into_the_removal_of_its_mark_or_a_new_one(action: str) -> None:
    now = a_change(action=action, reason=Reason.KEEP_TAG)

    assert reconciled(a_change(action="delete"), now) is now


@pytest.mark.parametrize(
    ("decided", "now"),
    [
        ("mark", "delete"),
        ("mark", "unmark"),
        ("unmark", "mark"),
        ("unmark", "delete"),
    ],
)
def test_any_other_change_waits_for_a_run_that_plans_it(decided: str, now: str) -> None:
    result = reconciled(a_change(action=decided), a_change(action=now, reason=Reason.SPARE))

    assert (result.action, result.reason) == (Action.KEEP, Reason.CHANGED_MEANWHILE)
    assert result.detail == a_change().detail


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        (Reason.GONE, Action.SKIP),
        (Reason.IN_USE, Action.KEEP),
        (Reason.CHANGED_MEANWHILE, Action.KEEP),
    ],
)
def test_what_is_left_after_all_is_kept_unless_it_is_gone(reason: Reason, action: str) -> None:
    decision = left(a_change(), reason)

    assert (decision.target, decision.action, decision.reason) == (
        a_change().target,
        action,
        reason,
    )


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure(Kind.PROTECTED, "InvalidSnapshot.InUse", "used by ami-1"), Reason.IN_USE),
        (Failure(Kind.PROTECTED, "SnapshotLocked", "no"), Reason.LOCKED),
        (Failure(Kind.INVALID, "OperationNotPermitted", "snap-1 is Locked until"), Reason.LOCKED),
        (
            Failure(
                Kind.INVALID, "InvalidParameterValue", "This snapshot is managed by AWS Backup"
            ),
            Reason.OWNED_BY_SERVICE,
        ),
        (Failure(Kind.PROTECTED, "X", "is managed by the backup service"), Reason.LOCKED),
    ],
    ids=str,
)
def test_a_refusal_that_protects_the_snapshot_is_no_failure(
    failure: Failure, reason: Reason
) -> None:
    outcome = undeleted(a_change(action="delete"), failure)

    assert (outcome.decision.action, outcome.decision.reason) == (Action.KEEP, reason)
    assert outcome.result is Result.UNCHANGED
    assert outcome.detail == {"message": failure.message}
    assert outcome.error is None


def test_a_deletion_that_finds_nothing_any_more_is_done() -> None:
    outcome = undeleted(
        a_change(action="delete"), Failure(Kind.GONE, "InvalidSnapshot.NotFound", "no such")
    )

    assert outcome == Outcome(a_change(action="delete"), Result.DONE, {"gone": True})


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Kind.DENIED, "UnauthorizedOperation", "not authorized", "r-1"),
        Failure(Kind.UNKNOWN, "InternalError", "try again", "r-2"),
        Failure(Kind.INVALID, "InvalidParameterValue", "locked out", "r-3"),
        Failure(Kind.BUSY, "IncorrectState", "", "r-4"),
    ],
    ids=str,
)
def test_any_other_refusal_is_a_failure_with_its_error(failure: Failure) -> None:
    outcome = undeleted(a_change(action="delete"), failure)

    assert outcome.decision == a_change(action="delete")
    assert outcome.result is Result.FAILED
    assert outcome.error == failure.as_error()
    assert outcome.detail == {}


def looked(action: str, reason: str, result: Result = Result.UNCHANGED) -> Outcome:
    return Outcome(a_change(action=action, reason=reason), result)


@pytest.mark.parametrize(
    ("decided", "found"),
    [
        (a_change(action="mark"), looked("keep", Reason.MARKED)),
        (a_change(action="unmark", reason=Reason.LOCKED), looked("keep", Reason.LOCKED)),
    ],
    ids=["mark", "unmark"],
)
def test_what_is_found_done_after_a_lost_answer_was_done(decided: Decision, found: Outcome) -> None:
    assert as_sent(decided, found) == Outcome(decided, Result.DONE)


@pytest.mark.parametrize(
    ("decided", "found"),
    [
        (a_change(action="mark"), looked("mark", Reason.EXPIRED, Result.PLANNED)),
        (a_change(action="mark"), looked("keep", Reason.KEEP_TAG)),
        (a_change(action="mark"), looked("skip", Reason.GONE)),
        (a_change(action="unmark", reason=Reason.LOCKED), looked("keep", Reason.MARKED)),
        (
            a_change(action="unmark", reason=Reason.LOCKED),
            looked("unmark", Reason.LOCKED, Result.PLANNED),
        ),
        (a_change(action="unmark", reason=Reason.LOCKED), looked("keep", Reason.KEEP_TAG)),
        (a_change(action="delete"), looked("keep", Reason.MARKED)),
        (a_change(action="delete", reason=Reason.SPARE), looked("keep", Reason.SPARE)),
    ],
)
def test_any_other_look_is_told_as_it_is(decided: Decision, found: Outcome) -> None:
    assert as_sent(decided, found) is found
