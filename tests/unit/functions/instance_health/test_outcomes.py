from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Decision, Outcome, Result
from caretaker.failures import Failure, Kind
from functions.instance_health.facts import Action, Reason
from functions.instance_health.outcomes import left, refused, unlisted, with_started
from functions.instance_health.units import plan_units
from tests.support.health import ID, OTHER

STOP = Decision(ID, Action.STOP, Reason.IMPAIRED)
START = Decision(ID, Action.START, Reason.STOPPED_BY_US)


def told(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.decision.action, outcome.decision.reason, outcome.result


def test_what_is_left_alone_says_why() -> None:
    assert told(left(STOP, Reason.GONE)) == ("skip", "gone", "unchanged")


@pytest.mark.parametrize("kind", [Kind.THROTTLED, Kind.BUSY, Kind.FULL])
def test_what_may_be_tried_again_is_deferred(kind: Kind) -> None:
    outcome = refused(START, Failure(kind, "Odd", "not now"))

    assert told(outcome) == ("start", "stopped_by_us", "deferred")
    assert outcome.detail == {"deferred_by": "Odd", "message": "not now"}


@pytest.mark.parametrize("kind", [Kind.DENIED, Kind.INVALID, Kind.UNKNOWN, Kind.PROTECTED])
def test_what_is_refused_has_failed(kind: Kind) -> None:
    outcome = refused(STOP, Failure(kind, "Odd", "no", "r-1"))

    assert told(outcome) == ("stop", "impaired", "failed")
    assert outcome.error == {"code": "Odd", "message": "no", "request_id": "r-1"}


def test_one_that_is_gone_is_left() -> None:
    outcome = refused(STOP, Failure(Kind.GONE, "InvalidInstanceID.NotFound", "gone"))

    assert told(outcome) == ("skip", "gone", "unchanged")


def test_a_stop_that_its_protection_forbids_is_not_a_failure() -> None:
    failure = Failure(Kind.PROTECTED, "OperationNotPermitted", "protected")

    assert told(refused(STOP, failure)) == ("skip", "stop_protected", "unchanged")
    assert refused(STOP, failure).detail == {"message": "protected"}
    assert told(refused(START, failure)) == ("start", "stopped_by_us", "failed")


def test_a_listing_that_failed_is_an_item_of_its_own() -> None:
    outcome = unlisted("ListingError", "no answer")

    assert told(outcome) == ("skip", "listing_failed", "failed")
    assert outcome.error == {"code": "ListingError", "message": "no answer", "request_id": ""}


def test_what_was_started_before_all_else_is_told_once() -> None:
    started = Outcome(START, Result.DONE)
    later = [
        Outcome(Decision(ID, Action.REPORT, Reason.REPAIR_UNDER_WAY), Result.UNCHANGED),
        Outcome(Decision(OTHER, Action.KEEP, Reason.HEALTHY), Result.UNCHANGED),
    ]

    assert with_started(later, [started]) == [started, later[1]]
    assert with_started(later, []) == later


def test_what_is_decided_last_counts_where_both_change_something() -> None:
    first, last = Outcome(START, Result.FAILED), Outcome(START, Result.DONE)

    assert with_started([last], [first]) == [last]


def test_what_was_only_looked_at_first_is_not_told_twice() -> None:
    waits = Outcome(Decision(ID, Action.REPORT, Reason.REPAIR_UNDER_WAY), Result.UNCHANGED)

    assert with_started([waits], [waits]) == [waits]


def test_each_change_is_a_call_of_its_own() -> None:
    steps: dict[Any, str] = {
        Action.REBOOT: "RebootInstances",
        Action.STOP: "StopInstances",
        Action.START: "StartInstances",
        Action.REPLACE: "SetInstanceHealth",
    }
    kept = [Decision(OTHER, action, "x") for action in (Action.KEEP, Action.SKIP, Action.REPORT)]
    units = plan_units([*kept, *(Decision(ID, action, "x") for action in steps)])

    assert [(unit.lane, len(unit.decisions)) for unit in units] == [
        (lane, 1) for lane in steps.values()
    ]
