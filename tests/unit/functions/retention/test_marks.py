"""The two days between the mark and the deletion."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from caretaker import tags as tag
from caretaker.decisions import Decision
from functions.retention.case import open_case
from functions.retention.facts import Action, Reason
from functions.retention.plan import delete_after, judge, marked_until
from tests.support.builders import NOW
from tests.support.retention import NEW, OLD, a_backup, ask, evidence, planned, verdict, verdicts

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
PASSED = -SECOND


def decision_of(**odd: Any) -> Decision:
    """Return the decision for an old snapshot beside a new one that the rules keep."""
    old = a_backup(**odd)
    return judge(old, open_case(evidence(old, a_backup(NEW, days=2)), ask(), NOW))


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "soon",
        "2026-10-20",
        "2026-10-20T03:00:00",
        "2026-10-14T02:59:59Z",
        "2026-10-14T03:59:59+01:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_a_mark_that_cannot_be_ours_is_written_again(mark: str) -> None:
    assert marked_until(a_backup(marked=mark)) is None
    assert verdict(a_backup(marked=mark)) == (Action.MARK, Reason.EXPIRED)


@pytest.mark.parametrize(
    "mark", ["2026-10-14T03:00:00Z", "2026-10-14T05:00:00+02:00", "2026-11-21T03:00Z"]
)
def test_a_mark_counts_from_two_days_after_the_start(mark: str) -> None:
    assert marked_until(a_backup(marked=mark)) == datetime.fromisoformat(mark)
    assert verdict(a_backup(marked=mark)) == (Action.DELETE, Reason.EXPIRED)


def test_a_far_mark_is_waited_for() -> None:
    mark = "9999-12-31T23:59:59-12:00"

    assert verdict(a_backup(marked=mark)) == (Action.KEEP, Reason.MARKED)


@pytest.mark.parametrize(
    "odd",
    [
        {"tags": {tag.KEEP: "true"}},
        {"tier": "archive"},
        {"state": "pending"},
        {"state": "recoverable"},
        {"days": 1.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("mark", [PASSED, DAY, "soon"], ids=str)
def test_the_mark_goes_when_a_gate_closes_again(odd: dict[str, Any], mark: Any) -> None:
    plain, marked = decision_of(**odd), decision_of(**odd, marked=mark)

    assert plain.action == Action.KEEP
    assert marked.action == Action.UNMARK
    assert marked.reason == plain.reason
    assert marked.detail == plain.detail


@pytest.mark.parametrize(
    "odd",
    [{"policy": "weekly"}, {"owner": "210987654321"}, {"description": "x"}, {"slot": "x"}],
    ids=str,
)
def test_a_foreign_mark_is_left_alone(odd: dict[str, Any]) -> None:
    assert decision_of(**odd, marked=PASSED).action == Action.SKIP


@pytest.mark.parametrize("mark", [None, PASSED, DAY, "soon"], ids=str)
def test_a_failed_snapshot_is_deleted_without_a_mark(mark: Any) -> None:
    decision = decision_of(state="error", marked=mark)

    assert (decision.action, decision.reason) == (Action.DELETE, Reason.FAILED)
    assert decision.detail["saving_per_month"] == 0.4


def test_a_spare_is_marked_first_too() -> None:
    spare, double = a_backup(days=5), a_backup("snap-00000003", days=5)

    assert verdict(spare, double) == (Action.MARK, Reason.SPARE)


@pytest.mark.parametrize("fraction", [0, 1, 500_000, 999_999])
def test_a_mark_is_at_least_two_days_ahead(fraction: int) -> None:
    now = NOW.replace(microsecond=fraction)

    until = datetime.fromisoformat(delete_after(now))

    assert timedelta(days=2) <= until - now < timedelta(days=2, seconds=1)


def test_a_mark_is_written_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))

    assert delete_after(NOW) == "2026-11-23T03:00:00Z"
    assert delete_after(NOW.astimezone(tokyo)) == "2026-11-23T03:00:00Z"


def test_what_it_marks_is_deleted_two_days_later_and_not_a_second_before() -> None:
    old = a_backup(marked=delete_after(NOW))
    facts = evidence(old, a_backup(NEW, days=2))

    before = planned(facts, now=NOW + 2 * DAY - SECOND)
    after = planned(facts, now=NOW + 2 * DAY)

    assert verdicts(before)[OLD] == (Action.KEEP, Reason.MARKED)
    assert verdicts(after)[OLD] == (Action.DELETE, Reason.EXPIRED)


@pytest.mark.parametrize(
    ("deleted", "action"),
    [
        (timedelta(days=-2, seconds=-1), Action.DELETE),
        (timedelta(days=-2), Action.DELETE),
        (timedelta(days=-2, seconds=1), Action.MARK),
        (timedelta(days=-1), Action.MARK),
    ],
    ids=str,
)
def test_what_came_back_from_the_recycle_bin_with_its_mark_is_marked_anew(
    deleted: timedelta, action: Action
) -> None:
    back = a_backup(marked=timedelta(0))  # which was written two days before NOW
    case = open_case(evidence(back, a_backup(NEW, days=2)), ask(), NOW)

    known = replace(case, deleted_at={OLD: NOW + deleted})
    other = replace(case, deleted_at={NEW: NOW})

    assert judge(back, known).action == action
    assert judge(back, known).detail.get("came_back") == (True if action == Action.MARK else None)
    assert judge(back, other).action == Action.DELETE


def test_a_new_mark_says_what_the_first_one_said() -> None:
    back = a_backup(marked=timedelta(0))
    case = open_case(evidence(back, a_backup(NEW, days=2)), ask(), NOW)

    again = judge(back, replace(case, deleted_at={OLD: NOW}))

    assert again.reason == Reason.EXPIRED
    assert again.detail["saving_per_month"] == 0.4
