from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.tagging.facts import Facts, Resource
from functions.tagging.plan import Plan
from tests.support.builders import NOW, SLOT
from tests.support.tagging import (
    ESCALATED,
    OWNER,
    a_resource,
    a_step,
    an_instance,
    ask,
    gathered,
    planned,
    sets_of,
    verdicts,
)

DAY = timedelta(days=1)
PAST = "2026-11-20T03:00:00Z"


def crowd(number: int, *, first: int = 0, **odd: Any) -> list[Resource]:
    return [an_instance(f"i-{n:08x}", **odd) for n in range(first, first + number)]


def to_mark(number: int, *others: Resource, **known: Any) -> Facts:
    """Instances whose owners were told yesterday."""
    bad = crowd(number)
    return gathered(*bad, *others, steps={each.id: a_step() for each in bad}, **known)


def to_stop(number: int, *others: Resource, **known: Any) -> Facts:
    """Instances whose marks passed yesterday."""
    bad = crowd(number, tags={"caretaker:stop-after": PAST})
    return gathered(*bad, *others, steps={each.id: a_step(due=-DAY) for each in bad}, **known)


def right(number: int, **odd: Any) -> list[Resource]:
    return crowd(number, first=0x1000, tags={OWNER: "ann"}, **odd)


def plan_of(facts: Facts, **event: Any) -> Plan:
    return planned(facts, ask(ESCALATED, **event))


def test_decisions_stand_in_the_order_of_the_resources() -> None:
    plan = planned(gathered(a_resource("vol-2"), a_resource("i-9"), a_resource("vol-1")))

    assert [d.target for d in plan.decisions] == ["i-9", "vol-1", "vol-2"]


def test_what_no_rule_is_about_and_what_stands_behind_is_not_decided() -> None:
    rules = {OWNER: {"applies_to": ["volume"]}}
    facts = gathered(a_resource(), an_instance(), behind=[a_resource("vol-9")])

    plan = planned(facts, ask(rules))

    assert [*verdicts(plan)] == ["vol-00000001"]
    assert plan.tally.resources == 1


def test_ten_instances_may_be_marked_in_one_run() -> None:
    plan = plan_of(to_mark(10))

    assert plan.refusal is None
    assert plan.stopping == [f"i-{n:08x}" for n in range(10)]


def test_an_eleventh_refuses_the_run_and_says_how_to_let_it_through() -> None:
    plan = plan_of(to_mark(11))

    assert plan.refusal is not None
    assert plan.refusal.reason == "blast_radius"
    assert [dict(each) for each in plan.refusal.errors] == [
        {"path": "blast_radius", "problem": "11 marks", "expected": "at most 10 of 11"},
        {
            "path": "approve",
            "problem": "not given",
            "expected": f"{plan.id}, to carry out just this plan",
        },
    ]
    assert len(plan.stopping) == 11
    assert len(plan.decisions) == 11


def test_an_eleventh_stop_refuses_the_run_too() -> None:
    plan = plan_of(to_stop(11))

    assert plan.refusal is not None
    assert plan.refusal.errors[0]["problem"] == "11 stops"
    assert len(plan.stopping) == 11


def test_marks_and_stops_are_bounded_each_for_itself() -> None:
    marks, stops = to_mark(10), to_stop(10)
    others = [an_instance(f"i-9{n:07x}", tags={"caretaker:stop-after": PAST}) for n in range(10)]
    facts = gathered(
        *marks.resources,
        *others,
        steps={**marks.steps, **{each.id: a_step(due=-DAY) for each in others}},
    )

    assert plan_of(stops).refusal is None
    assert plan_of(facts).refusal is None
    assert len(plan_of(facts).stopping) == 20


def test_of_many_instances_a_quarter_may_be_marked() -> None:
    assert plan_of(to_mark(12, *right(36))).refusal is None
    assert plan_of(to_mark(12, *right(35))).refusal is not None


def test_the_event_may_ask_for_less_and_for_half_at_most() -> None:
    assert plan_of(to_mark(2), blast_radius={"count": 1, "percent": 0}).refusal is not None
    assert plan_of(to_mark(1), blast_radius={"count": 0, "percent": 0}).refusal is not None
    wide = {"count": 100_000, "percent": 50}
    assert plan_of(to_mark(12, *right(12)), blast_radius=wide).refusal is None
    assert plan_of(to_mark(13, *right(12)), blast_radius=wide).refusal is not None


@pytest.mark.parametrize(
    "odd",
    [
        {"state": "terminated"},
        {"managed": True},
        {"tags": {"caretaker:ignore": "true"}},
    ],
    ids=str,
)
def test_what_is_not_judged_does_not_make_the_crowd_larger(odd: dict[str, Any]) -> None:
    bystanders = crowd(36, first=0x1000, **odd)

    assert plan_of(to_mark(12, *bystanders)).refusal is not None


def test_nor_does_what_stands_behind_others() -> None:
    assert plan_of(to_mark(12, behind=right(36))).refusal is not None


def test_letters_tags_and_undoing_are_not_bounded() -> None:
    told = gathered(*crowd(40))
    undone = gathered(
        *crowd(40, tags={OWNER: "ann"}), steps={each.id: a_step() for each in crowd(40)}
    )

    assert plan_of(told).refusal is None
    assert plan_of(undone).refusal is None
    rules = {OWNER: {"default": "x"}}
    assert planned(told, ask(rules)).refusal is None


def test_an_approved_plan_goes_through_as_far_as_it_is_still_due() -> None:
    refused = plan_of(to_mark(12))
    plan = plan_of(to_mark(12, plan=refused.stopping[:11]), approve=refused.id)

    assert plan.refusal is None
    assert plan.stopping == refused.stopping[:11]
    (left,) = [d for d in plan.decisions if d.target == refused.stopping[11]]
    assert (left.action, left.reason) == ("report", "not_approved")
    assert left.detail["findings"] == {OWNER: "missing"}


def test_an_approved_plan_keeps_nothing_else_from_happening() -> None:
    facts = gathered(an_instance("i-1"), an_instance("i-2", tags={"Env": "x"}), plan=[])
    plan = planned(facts, ask({"Env": {"default": "dev"}, OWNER: {"escalate": True}}))

    assert sets_of(plan) == {"i-1": {"Env": "dev"}}
    assert verdicts(plan)["i-2"] == [("tell", "missing")]


def test_an_approved_plan_lets_stops_through_like_marks() -> None:
    plan = plan_of(to_stop(3, plan=["i-00000001"]))

    assert plan.stopping == ["i-00000001"]
    assert verdicts(plan)["i-00000000"] == [("report", "not_approved")]


def test_what_was_approved_once_counts_no_more() -> None:
    many = [f"i-{n:08x}" for n in range(11)]

    assert plan_of(to_mark(11, approved=many[:1])).refusal is None
    assert plan_of(to_stop(20, approved=many)).refusal is None
    assert plan_of(to_stop(22, approved=many)).refusal is not None


def test_without_a_rule_about_instances_none_is_counted() -> None:
    rules = {OWNER: {"applies_to": ["volume"]}}

    assert planned(gathered(a_resource()), ask(rules)).refusal is None


def test_the_same_plan_has_the_same_name() -> None:
    assert plan_of(to_mark(3)).id == plan_of(to_mark(3)).id
    assert plan_of(to_mark(3)).id != plan_of(to_mark(4)).id
    assert plan_of(to_mark(3)).id.startswith("p-")


def test_a_plan_holds_on_to_those_that_a_step_is_taken_against_alone() -> None:
    plan = plan_of(to_mark(1, *right(5)))

    assert [*plan.case.instances] == ["i-00000000"]
    assert plan.case.facts.resources == ()


def test_a_plan_is_made_for_its_slot_and_moment() -> None:
    facts = to_stop(1)

    assert verdicts(planned(facts, ask(ESCALATED), slot=SLOT, now=NOW - 2 * DAY))["i-00000000"] == [
        ("report", "waiting")
    ]
    assert verdicts(planned(facts, ask(ESCALATED), slot="2026-11-20T03:00Z"))["i-00000000"] == [
        ("report", "told")
    ]


def test_every_judged_resource_is_counted_with_its_owner() -> None:
    facts = gathered(
        a_resource("a", tags={OWNER: "ann"}), a_resource("b", hours=1), a_resource("c")
    )
    plan = planned(facts)
    scores = {(d.name, d.value): (s.right, s.of) for d, s in plan.tally.scores().items()}

    assert plan.tally.resources == 3
    assert scores == {
        ("", ""): (1, 2),
        ("Key", OWNER): (1, 2),
        ("ResourceType", "volume"): (1, 2),
        ("Owner", "ann"): (1, 1),
        ("Owner", "(none)"): (0, 1),
    }
