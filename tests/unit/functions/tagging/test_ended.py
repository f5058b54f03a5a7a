from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Outcome, Result
from caretaker.failures import Failure, Kind
from caretaker.report import Breakdown
from caretaker.settings import Mode
from functions.tagging.compliance import name_of
from functions.tagging.ended import METRIC, Ended, measure, summarise
from functions.tagging.facts import Compliance
from tests.support.tagging import (
    BORN,
    OWNER,
    TOPIC,
    a_report,
    a_resource,
    a_step,
    an_instance,
    ask,
    ended,
    gathered,
)

BROKEN = Failure(Kind.DENIED, "AccessDenied", "no", "r-1")
BOTH = {OWNER: {}, "Env": {"default": "dev"}}
BAD = a_resource("vol-bad")
GOOD = a_resource("vol-good", tags={OWNER: "ann", "Env": "x"})
VIOLATION = name_of(a_report("vol-bad"), OWNER)


def run(*resources: Any, rules: Any = BOTH, **known: Any) -> Ended:
    how = {key: known.pop(key) for key in ("mode", "stack", "outcomes") if key in known}
    event = known.pop("event", {})
    return ended(gathered(*(resources or (BAD, GOOD)), **known), ask(rules, **event), **how)


def test_tells_how_many_tags_are_right_before_and_after() -> None:
    assert summarise(run()) == {
        "resources": 2,
        "violations": 1,
        "new_violations": 1,
        "compliance": {"before": 50.0, "after": 75.0},
        "by_key": {
            OWNER: {"right": 1, "of": 2, "percent": 50.0},
            "Env": {"right": 2, "of": 2, "percent": 100.0},
        },
        "by_type": {
            "volume": {"right": 3, "of": 4, "percent": 75.0},
            **{
                each: {"right": 0, "of": 0, "percent": 100.0}
                for each in (
                    "elastic-ip",
                    "image",
                    "instance",
                    "network-interface",
                    "security-group",
                    "snapshot",
                )
            },
        },
        "by_owner": {
            "(none)": {"right": 1, "of": 2, "percent": 50.0},
            "ann": {"right": 2, "of": 2, "percent": 100.0},
        },
        "list": "s3://bucket/list.csv.gz",
    }


def test_a_run_that_found_nothing_is_right() -> None:
    empty = ended(gathered(), list_at="")

    found = summarise(empty)

    assert found["compliance"] == {"before": 100.0, "after": 100.0}
    assert (found["resources"], found["violations"], found["list"]) == (0, 0, None)
    assert measure(empty)[0] == {METRIC: 100.0}


def test_what_was_only_planned_is_still_wrong() -> None:
    planned = run(mode=Mode.REPORT)

    assert len(planned.violations) == 2
    assert summarise(planned)["compliance"] == {"before": 50.0, "after": 50.0}


def test_a_violation_that_was_there_before_is_not_new() -> None:
    again = run(last_seen=Compliance(75, frozenset({VIOLATION}), "s"))

    assert [*again.violations] == [VIOLATION]
    assert again.new_violations == []
    assert again.seen == Compliance(75, frozenset({VIOLATION}), "s")


def test_every_violation_is_new_to_the_first_run() -> None:
    first = run()

    assert [(d.target, key) for d, key in first.new_violations] == [("vol-bad", OWNER)]
    assert first.seen.violations == {VIOLATION}
    assert first.seen.percent == 75


def test_the_stage_stays_while_nothing_gets_worse() -> None:
    last = Compliance(75, frozenset({VIOLATION, "other"}), "before")

    assert run(last_seen=last).stage == "before"
    assert run(GOOD, last_seen=last).stage == "before"


def test_the_stage_is_another_when_violations_appear_or_fewer_tags_are_right() -> None:
    new = run(last_seen=Compliance(75, frozenset({"other"}), "before"))
    fell = run(last_seen=Compliance(75.1, frozenset({VIOLATION}), "before"))

    assert "before" not in {new.stage, fell.stage}
    assert new.stage == run(last_seen=Compliance(75, frozenset({"other"}), "before")).stage
    assert new.stage != fell.stage
    assert [len(each.stage) for each in (new, fell)] == [12, 12]


@pytest.mark.parametrize(
    ("known", "regular", "whole", "tried", "comparable"),
    [
        ({}, True, True, True, True),
        ({"mode": Mode.REPORT}, True, True, False, True),
        ({"mode": Mode.REPORT, "stack": Mode.ACT}, False, False, False, False),
        ({"unlisted": {"image": BROKEN}}, True, False, False, False),
        ({"event": {"birth": BORN}}, False, False, False, False),
        ({"outcomes": [Outcome(a_report(), Result.DEFERRED)]}, True, True, False, False),
    ],
    ids=str,
)
def test_knows_whether_every_resource_was_seen_and_tried(
    known: dict[str, Any], *, regular: bool, whole: bool, tried: bool, comparable: bool
) -> None:
    found = run(**known)

    assert (found.is_regular, found.is_whole) == (regular, whole)
    assert (found.tried_all, found.is_comparable) == (tried, comparable)


def test_what_a_run_did_not_see_is_remembered_as_it_was() -> None:
    last = Compliance(90, frozenset({"elsewhere"}), "before")

    partly = run(last_seen=last, unlisted={"image": BROKEN})
    first = run(unlisted={"image": BROKEN})

    assert partly.seen == Compliance(90, frozenset({"elsewhere", VIOLATION}), partly.stage)
    assert first.seen == Compliance(75, frozenset({VIOLATION}), first.stage)


def test_fewer_right_tags_are_no_fall_where_not_all_was_seen() -> None:
    last = Compliance(99, frozenset({VIOLATION}), "before")

    assert run(last_seen=last, unlisted={"image": BROKEN}).stage == "before"
    assert run(last_seen=last).stage != "before"


def test_a_run_that_did_not_see_everything_measures_nothing() -> None:
    assert measure(run(unlisted={"image": BROKEN})) == ({}, [])


def test_compliance_is_measured_by_key_and_type() -> None:
    gauges, breakdowns = measure(run())

    assert gauges == {"TagCompliancePercent": 75.0}
    assert breakdowns == [
        Breakdown("TagCompliancePercent", "Key", {OWNER: 50.0, "Env": 100.0}),
        Breakdown("TagCompliancePercent", "ResourceType", {"volume": 75.0}),
        Breakdown("TagCompliancePercent", "Owner", {}),
    ]


def test_owners_whom_the_event_names_are_measured_each_and_all_others_together() -> None:
    resources = [a_resource(f"vol-{n}", tags={OWNER: n, "Env": "x"}) for n in "ab"]
    odd = [a_resource("vol-c", tags={OWNER: "c"}), BAD]
    event = {"owners": {"a": TOPIC, "z": TOPIC}}
    no_default: dict[str, Any] = {OWNER: {}, "Env": {}}

    _, breakdowns = measure(run(*resources, *odd, rules=no_default, event=event))

    assert breakdowns[2] == Breakdown("TagCompliancePercent", "Owner", {"a": 100.0, "other": 50.0})


def test_a_tag_still_wrong_counts_although_an_escalation_is_undone() -> None:
    instance = an_instance(tags={OWNER: "ann"})
    rules = {OWNER: {"escalate": True}, "Env": {}}

    found = run(instance, rules=rules, steps={instance.id: a_step()})

    assert [d.action for d in found.plan.decisions] == ["unmark"]
    assert [key for _, key in found.violations.values()] == ["Env"]
