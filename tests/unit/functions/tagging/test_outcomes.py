from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Outcome, Result
from caretaker.failures import Failure, Kind
from functions.tagging.facts import Reason
from functions.tagging.outcomes import (
    as_told,
    failures_in,
    left,
    refused,
    still_stands,
    unlisted,
    written,
)
from tests.support.tagging import OWNER, a_report, a_setting, gathered

WANTED = {OWNER: "ann", "Env": "dev"}
SETTING = a_setting(tags=WANTED)
RECASED = a_setting(tags={"Env": "dev"}, findings={"Env": "wrong_case"})


def failure(code: str, kind: Kind = Kind.INVALID) -> Failure:
    return Failure(kind, code, "AWS says no", "r-1")


def ending(outcome: Outcome | None) -> tuple[str, str, str] | None:
    if outcome is None:
        return None
    return outcome.decision.action, outcome.decision.reason, outcome.result.value


def test_knows_the_tags_that_a_decision_sets() -> None:
    assert written(SETTING) == WANTED
    assert written(a_setting(set=None)) == {}


@pytest.mark.parametrize(
    "tags", [{}, {"Name": "x"}, {OWNER: "ann"}, {"owner": "x"}, {"Env": "dev"}], ids=str
)
def test_what_is_still_missing_is_still_set(tags: dict[str, str]) -> None:
    assert still_stands(SETTING, tags) is None


def test_what_stands_there_as_decided_is_done() -> None:
    assert ending(still_stands(SETTING, {**WANTED, "Name": "x"})) == ("set", "missing", "done")


@pytest.mark.parametrize("tags", [{OWNER: "bob"}, {"Env": "DEV"}, {OWNER: ""}], ids=str)
def test_what_somebody_else_wrote_meanwhile_stays(tags: dict[str, str]) -> None:
    assert ending(still_stands(SETTING, tags)) == ("skip", "changed_meanwhile", "unchanged")


@pytest.mark.parametrize("tags", [{"Env": "DEV"}, {"Env": "Dev"}, {}, {"env": "x"}], ids=str)
def test_what_is_still_in_the_wrong_case_is_still_put_right(tags: dict[str, str]) -> None:
    assert still_stands(RECASED, tags) is None


def test_another_value_is_no_case_of_it() -> None:
    assert ending(still_stands(RECASED, {"Env": "prod"})) == (
        "skip",
        "changed_meanwhile",
        "unchanged",
    )


def test_a_decision_without_findings_puts_nothing_in_the_place_of_another_value() -> None:
    odd = a_setting(findings=None)

    assert still_stands(odd, {}) is None
    assert ending(still_stands(odd, {OWNER: "bob"})) == ("skip", "changed_meanwhile", "unchanged")


@pytest.mark.parametrize("kind", [Kind.GONE])
def test_what_is_gone_needs_no_tags(kind: Kind) -> None:
    outcomes = refused([SETTING, RECASED], failure("InvalidVolume.NotFound", kind))

    assert [ending(each) for each in outcomes] == [("skip", "gone", "unchanged")] * 2


def test_a_resource_that_filled_up_is_a_finding() -> None:
    assert [ending(each) for each in refused([SETTING], failure("TagLimitExceeded"))] == [
        ("report", "no_room", "unchanged")
    ]


@pytest.mark.parametrize("code", ["OperationNotPermitted", "UnsupportedOperation"])
def test_an_instance_that_cannot_be_stopped_is_reported(code: str) -> None:
    (outcome,) = refused([a_report(action="stop")], failure(code))

    assert ending(outcome) == ("report", "stop_protected", "unchanged")
    assert outcome.detail == {"message": "AWS says no"}


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "IncorrectState"])
def test_an_instance_that_moved_meanwhile_is_left(code: str) -> None:
    (outcome,) = refused([a_report(action="stop")], failure(code, Kind.BUSY))

    assert ending(outcome) == ("report", "changed_meanwhile", "unchanged")
    assert outcome.detail == {"message": "AWS says no"}


def test_what_is_busy_is_tried_by_the_next_round() -> None:
    (outcome,) = refused([SETTING], failure("SomethingBusy", Kind.BUSY))

    assert ending(outcome) == ("set", "missing", "deferred")
    assert outcome.detail == {"deferred_by": "SomethingBusy", "message": "AWS says no"}


def test_any_other_refusal_is_a_failure() -> None:
    outcomes = refused(iter([SETTING, RECASED]), failure("UnauthorizedOperation", Kind.DENIED))

    assert [each.result for each in outcomes] == [Result.FAILED] * 2
    assert [each.detail for each in outcomes] == [{}, {}]
    assert outcomes[0].error == {
        "code": "UnauthorizedOperation",
        "message": "AWS says no",
        "request_id": "r-1",
    }


@pytest.mark.parametrize(
    ("action", "reason", "now"),
    [
        ("set", Reason.CHANGED_MEANWHILE, "skip"),
        ("set", Reason.GONE, "skip"),
        ("set", Reason.NO_ROOM, "report"),
        ("stop", Reason.CHANGED_MEANWHILE, "report"),
        ("mark", Reason.STOP_PROTECTED, "report"),
        ("stop", Reason.GONE, "skip"),
    ],
)
def test_what_is_left_as_it_is_is_reported_where_it_is_still_wrong(
    action: str, reason: Reason, now: str
) -> None:
    decision = a_report(action=action)

    outcome = left(decision, reason)

    assert ending(outcome) == (now, reason, "unchanged")
    assert (outcome.decision.target, outcome.decision.detail) == (
        decision.target,
        decision.detail,
    )


def told(answer: dict[str, Any]) -> list[Outcome]:
    """Return how two resources end of which the tagging API says this."""
    done = [Outcome(a_setting(arn), Result.DONE) for arn in ("arn:a", "arn:b")]
    failed = failures_in({"ResponseMetadata": {"RequestId": "r-7"}, **answer})
    return [as_told(each, failed) for each in done]


def test_the_tagging_api_tells_of_each_resource_how_it_went() -> None:
    bad = {"StatusCode": 400, "ErrorCode": "InvalidParameter", "ErrorMessage": "odd"}

    good, failed = told({"FailedResourcesMap": {"arn:b": bad}})

    assert (good.result, good.error) == (Result.DONE, None)
    assert failed.result is Result.FAILED
    assert failed.error == {"code": "InvalidParameter", "message": "odd", "request_id": "r-7"}


def test_an_answer_without_failures_leaves_all_as_it_is() -> None:
    assert [each.result for each in told({})] == [Result.DONE] * 2
    assert failures_in({}) == {}


def test_the_tagging_api_may_say_nothing_about_a_failure() -> None:
    failed, _ = told({"FailedResourcesMap": {"arn:a": {}}, "ResponseMetadata": {}})

    assert failed.result is Result.FAILED
    assert failed.error == {"code": "", "message": "", "request_id": ""}
    assert failures_in({"FailedResourcesMap": {"arn:a": {}}})["arn:a"].kind is Kind.INVALID


@pytest.mark.parametrize(
    ("code", "status", "ending_", "kind"),
    [
        ("ResourceNotFoundException", 404, ("skip", "gone", "unchanged"), Kind.GONE),
        ("InternalServiceException", 500, ("set", "missing", "failed"), Kind.UNKNOWN),
        ("InvalidParameterException", 400, ("set", "missing", "failed"), Kind.INVALID),
    ],
)
def test_a_failure_of_the_tagging_api_is_told_like_any_other(
    code: str, status: int, ending_: tuple[str, str, str], kind: Kind
) -> None:
    answer = {"FailedResourcesMap": {"arn:a": {"ErrorCode": code, "StatusCode": status}}}

    assert ending(told(answer)[0]) == ending_
    assert failures_in(answer)["arn:a"].kind is kind


def test_a_type_that_could_not_be_listed_is_an_item_that_failed() -> None:
    facts = gathered(unlisted={"volume": failure("b"), "instance": failure("a")})

    one, two = unlisted(facts)

    assert [(o.decision.target, o.result) for o in (one, two)] == [
        ("instance", Result.FAILED),
        ("volume", Result.FAILED),
    ]
    assert ending(one) == ("skip", "listing_failed", "failed")
    assert one.decision.detail == {"type": "instance", "owner": ""}
    assert one.error == {"code": "a", "message": "AWS says no", "request_id": "r-1"}
    assert unlisted(gathered()) == []
