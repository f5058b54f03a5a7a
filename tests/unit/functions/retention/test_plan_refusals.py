from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.retention.facts import Action, Population, Reason
from functions.retention.plan import Plan
from tests.support.retention import (
    OLD,
    a_backup,
    a_crowd,
    a_disk,
    ask,
    evidence,
    ids,
    planned,
    verdicts,
)

if TYPE_CHECKING:
    from caretaker.decisions import Refusal
    from caretaker.ec2 import Snapshot

PASSED = timedelta(seconds=-1)
GOING = {Action.MARK, Action.DELETE}


def shown(refusal: Refusal | None) -> list[tuple[str, str]]:
    assert refusal is not None
    return [(error["problem"], error["expected"]) for error in refusal.errors[:-1]]


def a_policy(marks: int = 0, deletions: int = 0, kept: int = 1) -> list[Snapshot]:
    """Return so many snapshots that are to be marked, deleted, and kept by `last`."""
    return [
        *a_crowd(kept, days=10),
        *a_crowd(marks, first=kept + 1, days=10),
        *a_crowd(deletions, first=kept + marks + 1, days=10, marked=PASSED),
    ]


def run(
    *snapshots: Snapshot, kept: int = 1, blast: dict[str, int] | None = None, **known: Any
) -> Plan:
    request = ask({"last": kept}, **({"blast_radius": blast} if blast else {}))
    return planned(evidence(*snapshots, **known), request)


@pytest.mark.parametrize("what", ["marks", "deletions"])
def test_ten_may_always_go(what: str) -> None:
    assert run(*a_policy(**{what: 10})).refusal is None


@pytest.mark.parametrize("what", ["marks", "deletions"])
def test_refuses_more_than_ten_of_a_small_policy(what: str) -> None:
    refusal = run(*a_policy(**{what: 11})).refusal

    assert refusal is not None
    assert refusal.reason == "blast_radius"
    assert shown(refusal) == [(f"11 {what}", "at most 10 of 12")]
    assert all(error["path"].startswith("blast_radius") for error in refusal.errors[:-1])


def test_says_of_marks_and_of_deletions_when_both_are_too_many() -> None:
    refusal = run(*a_policy(marks=11, deletions=12)).refusal

    assert shown(refusal) == [
        ("11 marks", "at most 10 of 24"),
        ("12 deletions", "at most 10 of 24"),
    ]


def test_marks_and_deletions_are_counted_apart() -> None:
    assert run(*a_policy(marks=10, deletions=10)).refusal is None


@pytest.mark.parametrize(("marks", "refused"), [(15, False), (16, True)])
def test_a_quarter_of_a_larger_policy_may_go(marks: int, *, refused: bool) -> None:
    plan = run(*a_policy(marks=marks, kept=60 - marks), kept=60 - marks)

    assert plan.case.good == 60
    assert (plan.refusal is not None) is refused


def test_the_event_sets_the_limit() -> None:
    assert run(*a_policy(marks=3), blast={"count": 2, "percent": 0}).refusal is not None
    assert run(*a_policy(marks=2), blast={"count": 2, "percent": 0}).refusal is None


def test_the_limit_is_one_of_this_policy_alone() -> None:
    weekly = a_crowd(200, first=100, policy="weekly", days=2)

    assert shown(run(*a_policy(marks=11), *weekly).refusal) == [("11 marks", "at most 10 of 12")]


def test_failed_ones_do_not_count_as_deletions() -> None:
    failed = a_crowd(50, first=100, state="error", days=40)

    plan = run(*a_policy(deletions=10), *failed)

    assert plan.refusal is None
    assert len(plan.going) == 60


def test_what_waits_and_what_is_unmarked_does_not_count() -> None:
    waiting = a_crowd(20, first=100, days=40, marked=timedelta(days=1))
    kept = a_crowd(20, first=200, days=80, marked=timedelta(days=1))

    plan = run(*a_policy(), *waiting, *kept, references=dict.fromkeys(ids(kept), Reason.LOCKED))

    assert plan.refusal is None


def test_a_refused_plan_keeps_its_decisions_and_says_how_to_approve_it() -> None:
    plan = run(*a_policy(marks=11))

    assert [d.action for d in plan.decisions].count(Action.MARK) == 11
    assert plan.refusal is not None
    assert plan.refusal.errors[-1] == {
        "path": "approve",
        "problem": "not given",
        "expected": f"{plan.id}, to carry out just this plan",
    }


def test_an_approved_plan_goes_through() -> None:
    refused = run(*a_policy(marks=30))

    plan = run(*a_policy(marks=30), plan=refused.going)

    assert plan.refusal is None
    assert plan.decisions == refused.decisions


def test_an_approval_lets_only_its_own_snapshots_go() -> None:
    plan = run(*a_policy(marks=30), plan=["snap-00000002", "snap-00000003"])

    assert plan.refusal is None
    assert plan.going == ["snap-00000002", "snap-00000003"]
    assert verdicts(plan)["snap-00000004"] == (Action.KEEP, Reason.NOT_APPROVED)
    assert plan.decisions[3].detail["saving_per_month"] == 0.4


def test_an_approval_holds_back_deletions_that_are_not_in_it() -> None:
    plan = run(*a_policy(deletions=3), plan=["snap-00000002"])

    assert verdicts(plan) == {
        "snap-00000001": (Action.KEEP, Reason.KEPT_BY_RULE),
        "snap-00000002": (Action.DELETE, Reason.EXPIRED),
        "snap-00000003": (Action.KEEP, Reason.NOT_APPROVED),
        "snap-00000004": (Action.KEEP, Reason.NOT_APPROVED),
    }


def test_an_approval_opens_no_gate() -> None:
    known = a_policy(marks=3)
    everything = ids(known)

    plan = run(*known, plan=everything, references={"snap-00000002": Reason.LOCKED})

    assert verdicts(plan)["snap-00000001"] == (Action.KEEP, Reason.KEPT_BY_RULE)
    assert verdicts(plan)["snap-00000002"] == (Action.KEEP, Reason.LOCKED)
    assert plan.going == ["snap-00000003", "snap-00000004"]


def test_an_approval_shortens_no_wait() -> None:
    marked = a_crowd(2, first=10, days=60, marked=timedelta(days=1))

    plan = run(*a_policy(), *marked, plan=ids(marked))

    assert plan.going == []
    assert verdicts(plan)["snap-0000000a"] == (Action.KEEP, Reason.MARKED)


def test_marks_are_taken_away_whatever_the_approval_says() -> None:
    kept = a_backup("snap-0000000a", days=60, marked=PASSED)

    plan = run(*a_policy(), kept, plan=[], references={kept.id: Reason.LOCKED})

    assert verdicts(plan)[kept.id] == (Action.UNMARK, Reason.LOCKED)


def test_an_approval_of_an_empty_plan_lets_nothing_go() -> None:
    plan = run(*a_policy(marks=3), plan=[])

    assert plan.going == []


def test_what_was_approved_before_is_not_counted_again() -> None:
    known = a_policy(deletions=30, kept=2)
    approved = ids(known[2:22])

    assert run(*known, kept=2, approved=approved).refusal is None
    assert shown(run(*known, kept=2, approved=approved[:19]).refusal) == [
        ("11 deletions", "at most 10 of 32")
    ]
    assert shown(run(*known, kept=2).refusal) == [("30 deletions", "at most 10 of 32")]


def test_what_was_approved_before_holds_nothing_else_back() -> None:
    known = a_policy(deletions=4)

    assert len(run(*known, approved=ids(known[1:3])).going) == 4


@pytest.mark.parametrize(("before", "refused"), [(0, False), (7, False), (8, False), (9, True)])
def test_refuses_when_more_than_half_has_vanished(before: int, *, refused: bool) -> None:
    plan = run(*a_policy(kept=4), kept=4, last_seen=Population(before, 1))

    assert (plan.refusal is not None) is refused


def test_says_what_it_missed() -> None:
    plan = run(*a_policy(kept=4), kept=4, last_seen=Population(9, 1))

    assert plan.refusal is not None
    assert plan.refusal.reason == "population_halved"
    assert shown(plan.refusal) == [
        ("4 good ones of this policy, 9 the last time", "at least half as many")
    ]
    assert plan.refusal.errors[0]["path"] == "snapshots"
    assert plan.refusal.errors[-1]["path"] == "approve"


def test_refuses_when_no_volume_is_seen_where_there_were_some() -> None:
    plan = run(a_backup(), disks=[], last_seen=Population(1, 3))

    assert plan.refusal is not None
    assert plan.refusal.reason == "no_volumes_seen"
    assert plan.refusal.errors[0] == {
        "path": "volumes",
        "problem": "none seen, 3 the last time",
        "expected": "at least 1",
    }


@pytest.mark.parametrize(
    ("disks", "last_seen"),
    [([], Population(1, 0)), ([], None), ([a_disk()], Population(1, 3))],
    ids=["none before either", "first run", "one is left"],
)
def test_volumes_may_be_few(disks: list[Any], last_seen: Population | None) -> None:
    assert run(a_backup(), disks=disks, last_seen=last_seen).refusal is None


def test_the_first_run_has_nothing_to_compare_with() -> None:
    assert run(a_backup(OLD)).refusal is None


def test_doubtful_evidence_is_told_before_the_number() -> None:
    plan = run(*a_policy(marks=30), last_seen=Population(100, 1))

    assert plan.refusal is not None
    assert plan.refusal.reason == "population_halved"
    assert len(plan.refusal.errors) == 2


def test_an_approval_lets_a_run_through_whose_population_was_halved() -> None:
    known = a_policy(marks=3, kept=2)
    refused = run(*known, kept=2, last_seen=Population(100, 1))

    approved: dict[str, Any] = {"plan": refused.going, "refused_for": "population_halved"}

    plan = run(*known, kept=2, last_seen=Population(100, 1), **approved)

    assert plan.refusal is None
    assert plan.going == refused.going


@pytest.mark.parametrize("why", ["blast_radius", "no_volumes_seen"])
def test_an_approval_answers_only_what_its_plan_was_refused_for(why: str) -> None:
    known = a_policy(marks=3, kept=2)

    plan = run(*known, kept=2, last_seen=Population(100, 1), plan=ids(known[2:]), refused_for=why)

    assert plan.refusal is not None
    assert plan.refusal.reason == "population_halved"


def test_an_earlier_approval_makes_no_evidence_plausible() -> None:
    known = a_policy(marks=3, kept=2)

    plan = run(*known, kept=2, last_seen=Population(100, 1), approved=ids(known))

    assert plan.refusal is not None
