from __future__ import annotations

from datetime import timedelta

import pytest

from caretaker.decisions import Refusal
from caretaker.errors import FieldError, RefusedError
from caretaker.plans import PLAN_WAITS, StoredPlan, approvable, approved_targets, asked_plan
from caretaker.report import plan_id
from tests.support.builders import a_decision

PLAN = StoredPlan("blast_radius", frozenset({"i-1", "i-2"}))
PLANS = {"p-0123456789abcdef": PLAN}


def test_a_plan_waits_a_week_for_its_approval() -> None:
    assert timedelta(days=7) == PLAN_WAITS


def test_a_refusal_says_last_how_the_plan_is_let_through() -> None:
    first = FieldError("blast_radius", "11 marks", "at most 10 of 40")
    decisions = [a_decision("i-1"), a_decision("i-2")]

    refusal = approvable(Refusal("blast_radius", (first,)), decisions)

    name = plan_id(decisions)
    assert refusal.reason == "blast_radius"
    assert refusal.errors == (
        first,
        FieldError("approve", "not given", f"{name}, to carry out just this plan"),
    )


def test_an_event_that_approves_nothing_asks_for_no_plan() -> None:
    assert asked_plan(PLANS, None) is None
    assert asked_plan({}, None) is None


def test_finds_the_plan_that_an_event_approves() -> None:
    assert asked_plan(PLANS, "p-0123456789abcdef") is PLAN


@pytest.mark.parametrize("name", ["p-fedcba9876543210", ""])
def test_refuses_to_approve_what_was_not_refused(name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        asked_plan(PLANS, name)

    assert refused.value.reason == "plan_unknown"
    assert [dict(each) for each in refused.value.errors] == [
        {
            "path": "approve",
            "problem": f"{name} is no refused plan of this policy, or one of more than 7 days ago",
            "expected": "the plan_id of a refused answer",
        }
    ]


def test_only_the_targets_of_approved_plans_were_let_through() -> None:
    plans = {
        "a": StoredPlan("x", frozenset({"1", "2"}), is_approved=True),
        "b": StoredPlan("x", frozenset({"2", "3"}), is_approved=True),
        "c": StoredPlan("x", frozenset({"4"})),
    }

    assert approved_targets(plans) == {"1", "2", "3"}
    assert approved_targets({}) == frozenset()
