"""What the ledger of a run says of each cell, and its metrics of all together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from caretaker.decisions import Result
from caretaker.settings import Mode
from functions.fleet.checks import Verdict, findings_of
from functions.fleet.ends import read_ends, unanswered
from functions.fleet.facts import Reason
from functions.fleet.manifest import Unreached
from tests.support.fleets import (
    NINE,
    POLICY,
    RUN,
    answered,
    ends_of,
    judged,
    lost_child,
    manifest_of,
    refused,
)

if TYPE_CHECKING:
    from functions.fleet.ends import End

HERE: Final = NINE[0]
A: Final = HERE.account
SHUT: Final = {"code": "AccessDenied", "message": "role not taken on", "request_id": ""}
OFF: Final = {"code": "RegionDisabled", "message": "not enabled", "request_id": ""}


def test_the_ledger_has_one_line_for_every_cell_and_all_that_was_not_reached() -> None:
    unreached = [
        Unreached("999999999999", "", Reason.UNREACHABLE, SHUT),
        Unreached(A, "eu-south-1", Reason.REGION_DISABLED, OFF),
    ]
    findings = judged({HERE: unanswered(HERE)}, unreached=unreached)

    targets = [outcome.decision.target for outcome in findings.outcomes]
    assert targets == [*(cell.name for cell in NINE), "999999999999", f"{A}/eu-south-1"]
    assert [outcome.error for outcome in findings.outcomes[-2:]] == [SHUT, OFF]


@pytest.mark.parametrize(
    ("end", "reason", "result"),
    [
        (ends_of(answered(HERE))[HERE], Reason.ENDED, Result.DONE),
        (ends_of(answered(HERE, "partial"))[HERE], Reason.PARTIAL, Result.FAILED),
        (ends_of(answered(HERE, "failed"))[HERE], Reason.FAILED, Result.FAILED),
        (ends_of(answered(HERE, "unreachable"))[HERE], Reason.UNREACHABLE, Result.FAILED),
        (ends_of(refused(HERE))[HERE], Reason.REFUSED, Result.REFUSED),
        (unanswered(HERE), Reason.UNANSWERED, Result.FAILED),
    ],
)
def test_a_line_says_how_its_cell_ended(end: End, reason: Reason, result: Result) -> None:
    line = judged({HERE: end}).outcomes[0]

    assert (line.decision.reason, line.result) == (reason, result)
    assert (line.error is None) is (result is Result.DONE), "what is not done says why"


@pytest.mark.parametrize("mode", list(Mode))
def test_cells_that_only_reported_are_not_called_done(mode: Mode) -> None:
    """Their own stack may allow no more, though the fleet may act."""
    reported = ends_of(*(answered(cell, mode="report") for cell in NINE))

    assert {each.result for each in judged(reported, mode=mode).outcomes} == {Result.PLANNED}


def test_cells_that_never_began_are_refused_by_what_stopped_the_run() -> None:
    findings = judged(ends_of(answered(HERE)), stopped="2 canaries ended badly")
    line = findings.outcomes[1]

    assert (line.decision.reason, line.result) == (Reason.NOT_STARTED, Result.REFUSED)
    assert line.detail == {"stopped": "2 canaries ended badly"}


def test_a_line_holds_what_the_cell_did_and_where_its_reports_are() -> None:
    there = answered(HERE, rounds=2, reports=["s3://b/one", "s3://b/two"])
    detail = judged(ends_of(there), names={A: "shop"}).outcomes[0].decision.detail

    assert detail == {
        "name": "shop",
        "status": "ok",
        "mode": "act",
        "counts": {"create": {"done": 3}},
        "rounds": 2,
        "opened": 0,
        "resolved": 0,
        "reports": ["s3://b/one", "s3://b/two"],
    }


def test_a_killed_child_s_line_says_what_killed_it() -> None:
    killed = lost_child(manifest_of([HERE]), HERE, Error="Lambda.Unknown", Cause="137")
    line = judged(read_ends([killed], [HERE])).outcomes[0]

    assert line.error == {"code": "Lambda.Unknown", "message": "137", "request_id": ""}


def test_the_chore_s_metrics_are_those_of_all_cells_together() -> None:
    here = answered(
        HERE,
        counts={"create": {"done": 5, "failed": 1}, "keep": {"unchanged": 9}},
        gauges={"NewestBackupAgeHours": 7, "CompliancePercent": 60},
        open=2,
    )
    there = answered(
        NINE[1],
        "partial",
        counts={"create": {"done": 1, "deferred": 4}},
        gauges={"NewestBackupAgeHours": 31, "CompliancePercent": 90},
        open=1,
    )
    away = answered(NINE[2], "unreachable")
    findings = findings_of(Verdict(manifest_of(NINE[:3]), ends_of(here, there, away)))

    assert findings.on_behalf is not None
    assert (findings.on_behalf.chore, findings.on_behalf.policy) == ("snapshot", "daily")
    assert findings.on_behalf.values == {
        "Heartbeat": 1,
        "ItemsDone": 6,
        "ItemsFailed": 1,
        "ItemsDeferred": 4,
        "NewestBackupAgeHours": 31,
        "CompliancePercent": 60,
        "OpenIncidents": 3,
    }


def test_without_a_cell_that_ended_well_there_is_no_heartbeat() -> None:
    lost = {HERE: unanswered(HERE)} | ends_of(answered(NINE[1], "failed"))

    assert findings_of(Verdict(manifest_of(NINE[:2]), lost)).on_behalf is None


def test_a_run_that_was_asked_only_to_report_does_not_beat() -> None:
    """It must not hide that the schedule of the same policy is silent."""
    report = judged({}, mode=Mode.REPORT, is_regular=False).on_behalf

    assert report is not None
    assert "Heartbeat" not in report.values
    assert report.values["ItemsDone"] == 27


def test_the_summary_counts_how_the_cells_ended() -> None:
    found = ends_of(answered(HERE, "failed", opened=1), answered(NINE[1], opened=2, resolved=3))
    away = Unreached("999999999999", "", Reason.UNREACHABLE, SHUT)

    assert judged(found, unreached=[away]).summary == {
        "run": RUN,
        "chore": "snapshot",
        "mode": "act",
        "modes": {"act": 9},
        "cells": 9,
        "begun": 9,
        "ended": {"ended": 8, "failed": 1},
        "unreached": 1,
        "stopped": "",
        "opened": 3,
        "resolved": 3,
    }


def test_a_judge_tells_for_its_fleet_what_any_of_its_runs_has_handed_on() -> None:
    findings = judged({})

    assert (findings.tells_for, findings.plan) == (POLICY, "p-0123456789abcdef")
    assert not findings.may_continue
