from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Outcome, Result
from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.tagging.units import ALERTS
from tests.support.tagging import OWNER, a_letter_to, a_report
from tests.unit.functions.tagging.checking import KINDS, checked, only, outcome_of


@pytest.mark.parametrize(
    ("action", "stage", "done"),
    [
        ("tell", "told", "its owner was told"),
        ("mark", "marked", "caretaker:stop-after was written"),
        ("stop", "stopped", "it was stopped; it was not terminated"),
    ],
)
def test_each_step_against_an_instance_is_told(action: str, stage: str, done: str) -> None:
    (check,) = outcome_of(a_report("i-1", action), Result.DONE)

    assert (check.kind, check.resource, check.stage) == ("instance_escalated", "i-1", stage)
    assert (check.healthy, check.severity, check.done) == (False, Severity.NOTICE, done)
    assert check.evidence == {OWNER: "i-1 Owner missing, owner ann"}


def test_an_owner_without_a_topic_was_not_told() -> None:
    (check,) = outcome_of(a_letter_to(), Result.DONE, detail={"told_at": ALERTS})

    assert check.done == "nobody else was told: no topic of its owner is known"


@pytest.mark.parametrize(
    ("reason", "stage"),
    [
        ("told", "told"),
        ("waiting", "marked"),
        ("stopped", "stopped"),
        ("mark_unreadable", "mark unreadable"),
        ("not_approved", "not approved"),
        ("stop_protected", "stop protected"),
    ],
)
def test_while_it_waits_its_incident_stays_open(reason: str, stage: str) -> None:
    (check,) = outcome_of(a_report("i-1", reason=reason), Result.UNCHANGED)

    assert (check.kind, check.healthy, check.stage) == ("instance_escalated", False, stage)


@pytest.mark.parametrize("action", ["tell", "mark", "unmark", "stop", "start"])
@pytest.mark.parametrize("result", [Result.DEFERRED, Result.REFUSED, Result.PLANNED])
def test_a_step_that_was_not_taken_neither_opens_nor_resolves(action: str, result: Result) -> None:
    (check,) = outcome_of(a_report("i-1", action), result)

    assert (check.kind, check.healthy) == ("instance_escalated", None)
    assert check.done == "nothing in this run"


@pytest.mark.parametrize("action", ["unmark", "start"])
def test_what_was_undone_is_no_longer_told(action: str) -> None:
    assert outcome_of(a_report("i-1", action), Result.DONE) == []


def test_other_reports_are_no_escalation() -> None:
    assert outcome_of(a_report(), Result.UNCHANGED) == []


def test_in_report_mode_nobody_is_told_of_steps() -> None:
    outcomes = [Outcome(a_report("i-1", reason="waiting"), Result.UNCHANGED)]
    checks = checked(outcomes=outcomes, mode=Mode.REPORT)

    assert {check.kind for check in checks} == {*KINDS}


@pytest.mark.parametrize(
    ("decision", "detail", "event", "what"),
    [
        (a_letter_to(), {}, {}, "Owner missing or wrong: stopped 7 day(s) after the next run"),
        (
            a_letter_to(),
            {},
            {"stop_after_days": 2},
            "Owner missing or wrong: stopped 2 day(s) after the next run",
        ),
        (a_letter_to(), {}, {"stop_after_days": 0}, "Owner missing or wrong"),
        (
            a_report("i-1", "mark"),
            {"stop_after": "T1"},
            {},
            "Owner missing or wrong: to be stopped after T1",
        ),
        (
            a_report("i-1", reason="waiting", stop_after="T2"),
            {},
            {},
            "Owner missing or wrong: to be stopped after T2",
        ),
        (a_report("i-1", "stop", stop_after="T2"), {}, {}, "Owner missing or wrong: stopped"),
        (
            a_report("i-1", "mark", findings={"a": "missing", "b": "wrong_case"}),
            {},
            {},
            "a, b missing or wrong",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_says_what_is_wrong_and_what_comes_of_it(
    decision: Any, detail: Any, event: Any, what: str
) -> None:
    outcomes = [Outcome(decision, Result.DONE, detail)]

    assert only("instance_escalated", checked(outcomes=outcomes, event=event)).what == what


def test_an_incident_is_called_after_its_instance() -> None:
    (check,) = outcome_of(a_report("i-1", "mark", name="web-1"), Result.DONE)

    assert check.name == "web-1"
    assert check.evidence == {OWNER: "web-1 i-1 Owner missing, owner ann"}
