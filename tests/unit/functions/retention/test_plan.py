from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from caretaker import tags as tag
from caretaker.decisions import Decision
from functions.retention.case import open_case
from functions.retention.facts import Action, Facts, Reason
from functions.retention.plan import delete_after, judge, plan_retention
from tests.support.builders import NOW
from tests.support.retention import (
    NEW,
    OLD,
    VOLUME,
    a_backup,
    a_crowd,
    ask,
    evidence,
    ids,
    mark_at,
    planned,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
PASSED = -SECOND


def decision_of(**odd: Any) -> Decision:
    """Return the decision for an old snapshot beside a new one that the rules keep."""
    old = a_backup(**odd)
    facts = evidence(old, a_backup(NEW, days=2))
    return judge(old, open_case(facts, ask(price_per_gib_month=0.055), NOW))


def test_decides_for_every_snapshot_in_the_order_of_their_ids() -> None:
    plan = planned(evidence(a_backup("snap-00000003"), a_backup(NEW, days=2), a_backup(OLD)))

    assert ids(plan.decisions) == [OLD, NEW, "snap-00000003"]
    assert plan.going == [OLD, "snap-00000003"]
    assert plan.refusal is None


def test_decides_nothing_when_there_is_nothing() -> None:
    plan = planned(evidence())

    assert plan.decisions == []
    assert plan.going == []
    assert plan.refusal is None
    assert plan.id == planned(evidence(a_backup())).id, "one plan for all that change nothing"


def test_marks_at_first_sight_and_says_what_may_be_saved() -> None:
    assert decision_of(gib=10.5) == Decision(
        OLD,
        Action.MARK,
        Reason.EXPIRED,
        {
            "volume": VOLUME,
            "started": "2026-10-12T03:00:00Z",
            "gib": 10.5,
            "saving_per_month": 0.58,
        },
    )


def test_deletes_what_was_marked_two_days_ago() -> None:
    mark = mark_at(NOW - SECOND)

    assert decision_of(marked=mark) == Decision(
        OLD,
        Action.DELETE,
        Reason.EXPIRED,
        {
            "volume": VOLUME,
            "started": "2026-10-12T03:00:00Z",
            "gib": 8,
            "saving_per_month": 0.44,
            "delete_after": mark,
        },
    )


def test_waits_while_the_mark_has_not_passed_and_says_why_it_goes_then() -> None:
    decision = decision_of(marked=SECOND)

    assert (decision.action, decision.reason) == (Action.KEEP, Reason.MARKED)
    assert decision.detail["because"] == Reason.EXPIRED
    assert decision.detail["delete_after"] == mark_at(NOW + SECOND)
    assert decision.detail["saving_per_month"] == 0.44


def test_a_mark_has_passed_in_its_very_second() -> None:
    assert decision_of(marked=timedelta(0)).action == Action.DELETE


def test_what_is_kept_shows_its_evidence_and_no_saving() -> None:
    decision = decision_of(tags={tag.KEEP: "true"})

    assert decision.detail == {
        "volume": VOLUME,
        "started": "2026-10-12T03:00:00Z",
        "gib": 8,
        "keep": "true",
    }


def test_the_start_is_told_in_utc() -> None:
    old = a_backup()
    in_new_york = replace(old, started=old.started.astimezone(timezone(timedelta(hours=-5))))
    case = open_case(evidence(in_new_york), ask(), NOW)

    assert judge(in_new_york, case).detail["started"] == "2026-10-12T03:00:00Z"


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clocks go as they do somewhere on earth."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("somewhere")
def test_times_are_told_in_utc_wherever_it_runs() -> None:
    assert delete_after(NOW) == "2026-11-23T03:00:00Z"
    assert decision_of().detail["started"] == "2026-10-12T03:00:00Z"


def test_a_plan_has_one_name_in_any_order_of_listing() -> None:
    known = a_crowd(5)

    assert planned(evidence(*known)).id == planned(evidence(*known[::-1])).id


def test_another_change_is_another_plan() -> None:
    plans = [
        evidence(*a_crowd(3)),
        evidence(*a_crowd(4)),
        evidence(*a_crowd(3, marked=PASSED)),
        evidence(*a_crowd(3), references={"snap-00000002": Reason.LOCKED}),
    ]

    assert len({planned(each).id for each in plans}) == len(plans)


def test_the_name_of_a_plan_can_be_approved() -> None:
    plan = planned(evidence(*a_crowd(3)))

    assert ask(approve=plan.id).approve == plan.id


def population(facts: Facts, *, after_deleting: bool) -> tuple[int, int]:
    remembered = plan_retention(facts, ask(), now=NOW).population(after_deleting=after_deleting)
    return remembered.good, remembered.volumes


def test_remembers_what_is_left_after_its_deletions() -> None:
    going, staying = a_crowd(3, marked=PASSED), a_backup("snap-00000009", days=2)
    facts = evidence(*going, staying, a_backup("snap-0000000a", of="vol-00000002", days=2))

    assert population(facts, after_deleting=False) == (5, 2)
    assert population(facts, after_deleting=True) == (2, 2)


def test_a_mark_takes_nothing_away_yet() -> None:
    facts = evidence(*a_crowd(3))

    assert population(facts, after_deleting=True) == (3, 1)


def test_failed_ones_were_never_counted() -> None:
    facts = evidence(a_backup(state="error"), a_backup(NEW, days=2))

    assert population(facts, after_deleting=True) == (1, 1)


def test_the_population_is_that_of_the_policy() -> None:
    facts = evidence(a_backup(), a_backup(NEW, days=2, policy="weekly"))

    assert population(facts, after_deleting=True) == (1, 1)
