"""What a second reading makes of a decision, and how refused changes end. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from caretaker.apply import fail, settle
from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Failure, Kind, kind_of

from .facts import STEPS, Action, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.tags import Tags

    from .facts import Facts

_FULL: Final = "TagLimitExceeded"
_UNSTOPPABLE: Final = frozenset({"OperationNotPermitted", "UnsupportedOperation"})
_ELSEWHERE: Final = frozenset({"IncorrectInstanceState", "IncorrectState"})


def left(decision: Decision, reason: Reason) -> Outcome:
    """Return that a resource is left as it is after all; what is still wrong is reported."""
    is_still_wrong = reason is Reason.NO_ROOM or decision.action in STEPS
    action = Action.REPORT if is_still_wrong and reason is not Reason.GONE else Action.SKIP
    return Outcome(replace(decision, action=action, reason=reason), Result.UNCHANGED)


def written(decision: Decision) -> dict[str, str]:
    """Return the tags that a decision sets."""
    wanted = decision.detail["set"]
    return {k: str(v) for k, v in wanted.items()} if isinstance(wanted, dict) else {}


def still_stands(decision: Decision, tags: Tags) -> Outcome | None:
    """Return how a tagging that was read again ends without a call; None where it still stands.

    What somebody else has written meanwhile stays. What stands there as it was decided has been
    written by a call whose answer got lost.
    """
    wanted = written(decision)
    if all(tags.get(key) == value for key, value in wanted.items()):
        return Outcome(decision, Result.DONE)
    findings = decision.detail["findings"]
    assumed = findings if isinstance(findings, dict) else {}
    missing = {key for key in wanted if assumed.get(key) == Reason.MISSING.value}
    if any(key in tags and tags[key] != wanted[key] for key in missing):
        return left(decision, Reason.CHANGED_MEANWHILE)
    recased = wanted.keys() - missing
    if any(key in tags and tags[key].lower() != wanted[key].lower() for key in recased):
        return left(decision, Reason.CHANGED_MEANWHILE)
    return None


def refused(decisions: Iterable[Decision], failure: Failure) -> list[Outcome]:
    """Return how changes end that AWS refuses for good."""
    decisions = list(decisions)
    if failure.kind is Kind.GONE:
        return [left(decision, Reason.GONE) for decision in decisions]
    if failure.code == _FULL:
        return [left(decision, Reason.NO_ROOM) for decision in decisions]
    if failure.code in _UNSTOPPABLE:
        return [_told_why(left(d, Reason.STOP_PROTECTED), failure) for d in decisions]
    if failure.code in _ELSEWHERE:
        return [_told_why(left(d, Reason.CHANGED_MEANWHILE), failure) for d in decisions]
    if failure.kind is Kind.BUSY:
        why = {"deferred_by": failure.code, "message": failure.message}
        return settle(decisions, Result.DEFERRED, **why)
    return fail(decisions, failure.as_error(), {})


def _told_why(outcome: Outcome, failure: Failure) -> Outcome:
    return outcome.with_detail(message=failure.message)


def failures_in(answer: Mapping[str, Any]) -> dict[str, Failure]:
    """Return, by ARN, why the tagging API did not tag a resource."""
    request_id = answer.get("ResponseMetadata", {}).get("RequestId", "")
    return {
        arn: Failure(
            kind_of(said.get("ErrorCode", ""), said.get("StatusCode", 0)),
            said.get("ErrorCode", ""),
            said.get("ErrorMessage", ""),
            request_id,
        )
        for arn, said in answer.get("FailedResourcesMap", {}).items()
    }


def as_told(outcome: Outcome, failed: Mapping[str, Failure]) -> Outcome:
    """Return how it ended with one resource of a call that was taken."""
    failure = failed.get(outcome.decision.target)
    return refused([outcome.decision], failure)[0] if failure else outcome


def unlisted(facts: Facts) -> list[Outcome]:
    """Return an item for each type that could not be listed: nothing of it was judged."""
    return [
        Outcome(
            Decision(each, Action.SKIP, Reason.LISTING_FAILED, {"type": each, "owner": ""}),
            Result.FAILED,
            error=failure.as_error(),
        )
        for each, failure in sorted(facts.unlisted.items())
    ]
