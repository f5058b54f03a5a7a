from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from caretaker.decisions import Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.settings import Mode
from caretaker.verdicts import Modes
from functions.retention.checks import Verdict, judge_run, summarise
from functions.retention.facts import Action, Reason
from tests.support.retention import NEW, OLD, a_backup, a_change, a_crowd, ask, evidence, planned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.retention.plan import Plan

ERROR = {"code": "UnauthorizedOperation", "message": "not authorized", "request_id": "r-1"}
CALM = planned(evidence(a_backup(), a_backup(NEW, days=2)))
TOO_MANY = planned(evidence(*a_crowd(13), *a_crowd(11, first=20, days=80, marked=timedelta(0))))


def outcomes_of(plan: Plan, result: Result = Result.DONE) -> list[Outcome]:
    return [Outcome(d, result if d.is_change else Result.UNCHANGED) for d in plan.decisions]


def judged(
    plan: Plan = CALM,
    outcomes: Sequence[Outcome] | None = None,
    *,
    mode: Mode = Mode.ACT,
    stopped: bool = False,
) -> Verdict:
    outcomes = outcomes_of(plan) if outcomes is None else outcomes
    return judge_run(plan, outcomes, ask(), Modes(mode, mode), stopped=stopped)


def check(verdict: Verdict, kind: str) -> Check:
    (found,) = [each for each in verdict.checks if each.kind == kind]
    return found


def test_a_run_that_went_well_is_healthy() -> None:
    verdict = judged()

    assert {(c.kind, c.resource, c.healthy) for c in verdict.checks} == {
        ("retention_refused", "daily", True),
        ("retention_stopped", "daily", True),
    }
    assert verdict.judged == {"snapshot_unchangeable"}


def test_a_refused_plan_is_told_with_its_name_and_all_its_reasons() -> None:
    refused = check(judged(TOO_MANY, outcomes_of(TOO_MANY, Result.REFUSED)), "retention_refused")

    assert refused.healthy is False
    assert refused.what.startswith("23 snapshots not let go: ")
    assert refused.cause == "blast_radius"
    assert refused.evidence["plan"] == TOO_MANY.id
    assert "12 marks, at most 10 of 24" in refused.evidence["why"]
    assert "11 deletions, at most 10 of 24" in refused.evidence["why"]
    assert "not given" not in refused.evidence["why"]
    assert TOO_MANY.id in refused.next


@pytest.mark.parametrize(
    ("mode", "severity"), [(Mode.ACT, Severity.CRITICAL), (Mode.REPORT, Severity.NOTICE)]
)
def test_a_refusal_is_critical_where_something_would_have_been_deleted(
    mode: Mode, severity: Severity
) -> None:
    assert check(judged(TOO_MANY, mode=mode), "retention_refused").severity == severity


@pytest.mark.parametrize("result", [Result.DEFERRED, Result.REFUSED])
def test_a_run_that_did_not_try_everything_calls_nothing_mended(result: Result) -> None:
    verdict = judged(CALM, outcomes_of(CALM, result))

    assert verdict.judged == frozenset()
    assert check(verdict, "retention_stopped").healthy is None


def test_a_report_calls_nothing_mended() -> None:
    verdict = judged(mode=Mode.REPORT)

    assert verdict.judged == frozenset()
    assert check(verdict, "retention_stopped").healthy is None


def test_a_report_by_hand_says_nothing_of_the_next_scheduled_run() -> None:
    asked = ask()
    by_hand = Modes(Mode.REPORT, Mode.ACT)

    passed = judge_run(CALM, outcomes_of(CALM), asked, by_hand, stopped=False)
    refused = judge_run(TOO_MANY, outcomes_of(TOO_MANY), asked, by_hand, stopped=False)

    assert check(passed, "retention_refused").healthy is None
    assert check(refused, "retention_refused").healthy is False


def test_a_run_that_was_stopped_is_told() -> None:
    stopped = check(judged(stopped=True), "retention_stopped")

    assert stopped.healthy is False
    assert stopped.resource == "daily"
    assert stopped.severity is Severity.WARNING


def test_each_snapshot_that_could_not_be_changed_is_told_by_cause() -> None:
    failed = Outcome(a_change(action="delete"), Result.FAILED, error=ERROR)
    other = replace(failed, decision=a_change(NEW))

    checks = judged(outcomes=[failed, other]).checks[2:]

    assert [(c.kind, c.resource, c.healthy, c.what) for c in checks] == [
        ("snapshot_unchangeable", OLD, False, "delete failed: UnauthorizedOperation"),
        ("snapshot_unchangeable", NEW, False, "mark failed: UnauthorizedOperation"),
    ]
    assert checks[0].evidence == {"error": "not authorized", "request": "r-1"}
    assert {c.cause for c in checks} == {"UnauthorizedOperation"}


def test_a_failure_without_words_is_told_all_the_same() -> None:
    failed = Outcome(a_change(), Result.FAILED, error={})

    assert judged(outcomes=[failed]).checks[2].what == "mark failed: "


def test_protected_snapshots_are_no_failures() -> None:
    kept = Outcome(a_change(action="keep", reason=Reason.IN_USE), Result.UNCHANGED)

    assert len(judged(outcomes=[kept]).checks) == 2


def test_sums_up_what_goes_and_what_it_may_save() -> None:
    known = evidence(
        a_backup("snap-00000001", gib=10.255),
        a_backup("snap-00000002", gib=20, days=50, marked=timedelta(0)),
        a_backup("snap-00000003", gib=40, days=60, marked=timedelta(days=1)),
        a_backup("snap-00000004", gib=80, days=70, state="error"),
        a_backup("snap-00000005", gib=160, days=2),
        a_backup("snap-00000006", gib=320, days=70, policy="weekly"),
    )
    plan = planned(replace(known, recycle_bin_days=14), ask(price_per_gib_month=0.05))

    assert summarise(plan, outcomes_of(plan)) == {
        "good_snapshots": 4,
        "marks": 1,
        "deletions": 2,
        "waiting": 1,
        "gib_at_most": 150.25,
        "saving_per_month_at_most": 7.51,
        "recycle_bin_days": 14,
    }


def test_sums_up_an_account_without_snapshots() -> None:
    assert summarise(planned(evidence()), []) == {
        "good_snapshots": 0,
        "marks": 0,
        "deletions": 0,
        "waiting": 0,
        "gib_at_most": 0,
        "saving_per_month_at_most": 0,
        "recycle_bin_days": None,
    }


def test_what_the_last_look_left_alone_saves_nothing() -> None:
    left = replace(a_change(action="keep", reason=Reason.SHARED), action=Action.KEEP)

    assert summarise(CALM, [Outcome(left, Result.UNCHANGED)])["saving_per_month_at_most"] == 0
