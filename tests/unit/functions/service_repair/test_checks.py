"""What people are told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.decisions import Outcome, Result
from caretaker.failures import Failure, Kind
from caretaker.incidents import Severity
from caretaker.request import parse_request
from caretaker.settings import Mode
from caretaker.verdicts import Modes
from functions.service_repair.checks import Ended, findings_of
from functions.service_repair.facts import Action, Reason, Telling
from functions.service_repair.outcomes import left, refused, with_unread
from functions.service_repair.request import ServiceRepairRequest
from functions.service_repair.words import NEXT
from tests.unit.functions.service_repair.building import (
    INCIDENT,
    OTHER,
    SERVICE,
    SSM,
    a_machine,
    a_service,
    an_attempt,
    ask,
    ended,
    planned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.incidents import Check
    from caretaker.report import Findings

REGULAR = Modes(Mode.ACT, Mode.ACT)
TELLING = Telling("admin", "prod/admin", OTHER)


def findings(
    *things: Any,
    result: Result = Result.DONE,
    failure: Failure | None = None,
    modes: Modes = REGULAR,
    forgotten: list[Telling] | None = None,
    **how: Any,
) -> Findings:
    """Return what a run hands to the harness."""
    plan = planned(*things, **how)
    outcomes = [Outcome(d, result if d.is_change else Result.UNCHANGED) for d in plan.decisions]
    if failure:
        outcomes = [refused(outcomes[0].decision, failure)]

    def forget(over: Sequence[Telling]) -> None:
        (forgotten if forgotten is not None else []).extend(over)

    return findings_of(Ended(plan, outcomes, modes), forget)


def told(*things: Any, **how: Any) -> dict[str, Check]:
    """Return what is found, by kind."""
    return {each.kind: each for each in findings(*things, **how).checks}


def test_a_repair_that_was_sent_is_part_of_the_incident_that_asked_for_it() -> None:
    assert "service_repair" not in told(a_service(3))


def test_it_says_that_an_earlier_failure_is_over() -> None:
    assert told(a_service())["service_repair_failed"].healthy is True


def test_why_nothing_is_repaired_is_told_by_reason() -> None:
    check = told(a_service(healthy_targets=2))["service_repair"]
    assert check.what == "prod/web: not repaired: the load balancer sees healthy targets"
    assert (check.resource, check.healthy, check.severity) == ("shop", False, Severity.NOTICE)
    assert (check.stage, check.within) == ("load_balancer_sees_healthy", "")
    assert check.evidence["tasks"] == "2 of 2 run"
    assert check.evidence["incident"] == INCIDENT
    assert check.done == "nothing"
    assert check.next.startswith("look at DNS, certificate and load balancer")
    assert check.evidence["healthy targets"] == "2"


def test_what_was_tried_is_told_when_nothing_more_is() -> None:
    check = told(a_service(), an_attempt(minutes=10))["service_repair"]
    assert check.stage == "cooldown"
    assert check.done == "stop task at 02:50: not fixed"


def test_a_repair_that_works_tells_nothing_new() -> None:
    assert told(a_service(), an_attempt(minutes=2)) == {}


def test_one_that_was_put_off_tells_nothing() -> None:
    assert told(a_service(), result=Result.DEFERRED) == {}


def test_nothing_is_told_of_what_is_over_already() -> None:
    assert told(a_service(), opened={}) == {}


def test_a_stack_that_only_reports_tells_what_it_would_do() -> None:
    modes = Modes(Mode.REPORT, Mode.REPORT)
    check = told(a_service(1), result=Result.PLANNED, modes=modes)["service_repair"]
    assert check.what == "prod/web: to force a new deployment in mode act"
    assert (check.stage, check.done) == ("planned deploy", "nothing")
    assert "only reports" in check.next


def test_a_look_by_hand_tells_nobody() -> None:
    found = findings(a_service(), result=Result.PLANNED, modes=Modes(Mode.REPORT, Mode.ACT))
    assert (list(found.checks), found.judged, found.remember) == ([], frozenset(), None)


@pytest.mark.parametrize(
    ("kind", "done"),
    [(Kind.DENIED, "nothing more"), (Kind.UNKNOWN, "nobody knows whether it happened")],
)
def test_a_call_that_failed_is_told_as_a_failure(kind: Kind, done: str) -> None:
    failure = Failure(kind, "AccessDeniedException", "not authorized")
    checks = told(a_service(), failure=failure)
    assert set(checks) == {"service_repair_failed"}
    check = checks["service_repair_failed"]
    assert (check.healthy, check.severity) == (False, Severity.WARNING)
    assert check.what == "prod/web: stop task failed: AccessDeniedException"
    assert check.done.startswith(done)
    assert check.evidence["message"] == "not authorized"


def test_what_could_not_be_read_is_told_as_a_failure_and_never_repaired() -> None:
    denied = Failure(Kind.DENIED, "AccessDeniedException", "not authorized")
    plan = planned(a_service(), unread=denied)
    assert (plan.decisions[0].reason, plan.intent) == ("listing_failed", None)
    outcomes = with_unread([Outcome(plan.decisions[0], Result.UNCHANGED)], denied)
    (check,) = findings_of(Ended(plan, outcomes, REGULAR), lambda _: None).checks
    assert check.kind == "service_repair_failed"
    assert check.what == "prod/web: reading it failed: AccessDeniedException"
    assert with_unread(outcomes, None) == outcomes


def test_a_document_is_named_and_its_command_too() -> None:
    sent = an_attempt("send_command", minutes=10, subject="c-1")
    check = told(a_machine(), sent, request=ask(SSM), command_state="Failed")["service_repair"]
    assert check.evidence["document"] == "restart-web"
    assert check.evidence["command state"] == "Failed"


def test_what_is_over_is_resolved_and_forgotten_once_people_were_told() -> None:
    forgotten: list[Telling] = []
    found = findings(a_service(), tellings=[TELLING], forgotten=forgotten)
    over = [each for each in found.checks if each.resource == "admin"]
    assert {(each.kind, each.healthy) for each in over} == {
        ("service_repair", True),
        ("service_repair_failed", True),
    }
    assert {each.ending for each in over} == {"over by itself"}
    assert found.remember
    found.remember()
    assert forgotten == [TELLING]


def test_what_may_have_ended_it_is_told() -> None:
    helped = {"prod/admin": an_attempt("deploy", incident=OTHER)}
    found = findings(a_service(), tellings=[TELLING], attempts=helped)
    assert {e.ending for e in found.checks if e.resource == "admin"} == {"new deployment forced"}
    failed = {"prod/admin": ended(an_attempt("deploy", incident=OTHER))}
    found = findings(a_service(), tellings=[TELLING], attempts=failed)
    assert {e.ending for e in found.checks if e.resource == "admin"} == {"over by itself"}


def test_a_run_that_is_asked_nothing_tells_what_is_over() -> None:
    request = parse_request(ServiceRepairRequest, {})
    found = findings(request=request, tellings=[TELLING])
    assert [each.healthy for each in found.checks] == [True, True]


def test_faults_of_whole_runs_are_over_when_one_ends_well() -> None:
    found = findings(a_service())
    assert found.judged == {"event_refused", "run_failed", "work_left_over"}
    assert not found.may_continue


def test_what_is_left_for_others_is_told_as_well() -> None:
    plan = planned(a_service())
    (decision,) = plan.decisions
    outcome = left(decision, Reason.AT_ONCE_BUDGET, Action.REPORT)
    found = findings_of(Ended(plan, [outcome], REGULAR), lambda _: None)
    (check,) = found.checks
    assert check.stage == "at_once_budget"
    moved = left(decision, Reason.CHANGED_MEANWHILE)
    assert findings_of(Ended(plan, [moved], REGULAR), lambda _: None).checks == []


def test_every_reason_that_is_told_says_what_happens_next() -> None:
    silent = {
        Reason.ASKED,
        Reason.LISTING_FAILED,
        Reason.REPAIR_UNDER_WAY,
        Reason.INCIDENT_NOT_OPEN,
        Reason.CHANGED_MEANWHILE,
    }
    assert set(NEXT) == set(Reason) - silent


def test_an_attempt_for_another_incident_is_none_of_its_history() -> None:
    other = replace(ended(an_attempt(minutes=10)), incident=OTHER)
    check = told(a_service(), attempts={SERVICE: other})["service_repair"]
    assert (check.stage, check.done) == ("cooldown", "nothing")
