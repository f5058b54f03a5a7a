from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from caretaker.failures import Failure, Kind
from functions.tagging.facts import Links
from functions.tagging.rules import Finding, Source
from functions.tagging.verdict import judge, worst
from tests.support.tagging import (
    BORN,
    OWNER,
    a_case,
    a_resource,
    a_step,
    an_instance,
    ask,
    gathered,
    only_decision,
    planned,
    verdict,
    verdicts,
)

BROKEN = Failure(Kind.DENIED, "AccessDenied", "no")
WEB = Links(group="web")


def test_a_resource_with_the_right_tags_is_kept() -> None:
    assert verdict(a_resource(tags={OWNER: "ann"})) == [("keep", "compliant")]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [({}, "missing"), ({OWNER: " "}, "wrong_value"), ({"owner": "x"}, "wrong_case")],
)
def test_what_is_wrong_and_cannot_be_set_is_reported(tags: dict[str, str], reason: str) -> None:
    assert verdict(a_resource(tags=tags)) == [("report", reason)]


def test_a_report_says_what_is_wrong_where_and_whose_it_is() -> None:
    rules = {OWNER: {}, "Env": {}, "Cost": {"pattern": "[0-9]"}}
    decision = only_decision(gathered(a_resource(tags={OWNER: "ann", "Cost": "x"})), ask(rules))

    assert decision.target == "vol-00000001"
    assert decision.reason == "missing"
    assert decision.detail == {
        "type": "volume",
        "owner": "ann",
        "findings": {"Env": "missing", "Cost": "wrong_value"},
        "found": {"Cost": "x"},
    }


def test_a_report_says_what_an_instance_is_called() -> None:
    decision = only_decision(gathered(replace(an_instance(), name="web-1")))

    assert decision.detail["name"] == "web-1"


def test_what_is_set_says_what_and_why() -> None:
    rules = {OWNER: {"default": "nobody"}, "Env": {"values": ["dev"], "case": "normalise"}}
    decision = only_decision(gathered(a_resource(tags={"Env": "DEV"})), ask(rules))

    assert (decision.action, decision.reason) == ("set", "missing")
    assert decision.detail == {
        "type": "volume",
        "owner": "",
        "findings": {OWNER: "missing", "Env": "wrong_case"},
        "found": {"Env": "DEV"},
        "set": {OWNER: "nobody", "Env": "dev"},
        "because": {OWNER: "default", "Env": "normalised"},
    }


def test_what_can_be_set_and_what_cannot_are_two_decisions() -> None:
    rules = {OWNER: {"default": "nobody"}, "Env": {}}
    plan = planned(gathered(a_resource()), ask(rules))

    assert verdicts(plan) == {"vol-00000001": [("set", "missing"), ("report", "missing")]}
    assert [d.detail["findings"] for d in plan.decisions] == [
        {OWNER: "missing"},
        {"Env": "missing"},
    ]


def test_nothing_more_is_said_where_all_could_be_set() -> None:
    assert verdict(a_resource(), {OWNER: {"default": "nobody"}}) == [("set", "missing")]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"tags": {"caretaker:ignore": "true"}}, "ignored"),
        ({"managed": True}, "service_managed"),
        ({"state": "terminated"}, "terminating"),
        ({"state": "shutting-down"}, "terminating"),
        ({"state": "deleting"}, "terminating"),
        ({"state": "deleted"}, "terminating"),
        ({"state": "deregistered"}, "terminating"),
        ({"state": "terminated", "managed": True}, "terminating"),
        ({"managed": True, "tags": {"caretaker:ignore": ""}}, "service_managed"),
    ],
    ids=str,
)
def test_what_is_left_alone_is_not_judged(odd: dict[str, Any], reason: str) -> None:
    resource = a_resource(**odd)
    case = a_case(gathered(resource), ask({OWNER: {"default": "x"}}))

    found = judge(resource, case)

    assert [(d.action, d.reason) for d in found.decisions] == [("skip", reason)]
    assert found.findings is None
    assert found.subject.resource is resource
    assert found.decisions[0].detail == {"type": "volume", "owner": ""}


@pytest.mark.parametrize("said", ["false", "no", "0", "off", " No "])
def test_a_no_is_no_opt_out(said: str) -> None:
    odd = a_resource(tags={"caretaker:ignore": said})

    assert verdict(odd) == [("report", "missing")]


def test_the_opt_out_of_an_instance_is_that_of_its_volumes() -> None:
    volume = a_resource(links=Links(instance="i-00000001"))
    ignored = an_instance(tags={"caretaker:ignore": "true"})

    assert verdict(volume, behind=[ignored]) == [("skip", "ignored")]


def test_what_is_young_may_still_get_its_tags() -> None:
    young = a_resource(hours=23)
    rules = {OWNER: {}, "Env": {"from": ["vpc"]}}
    case = a_case(gathered(young), ask(rules))

    found = judge(young, case)

    assert [(d.action, d.reason) for d in found.decisions] == [("skip", "too_young")]
    assert {*found.pending} == {OWNER, "Env"}
    assert found.findings == {OWNER: Finding.MISSING, "Env": Finding.MISSING}


def test_what_is_young_and_right_is_right() -> None:
    young = a_resource(hours=0, tags={OWNER: "ann"})

    assert verdict(young) == [("keep", "compliant")]
    assert judge(young, a_case(gathered(young))).pending == ()


def test_what_is_young_gets_what_is_derived_and_may_still_get_the_rest() -> None:
    young = a_resource(hours=1, links=Links(vpc="vpc-1"))
    rules = {OWNER: {"from": ["vpc"]}, "Env": {"default": "dev"}}
    sources = {Source.VPC: {"vpc-1": {OWNER: "ann"}}}

    assert verdict(young, rules, sources=sources) == [("set", "missing"), ("skip", "too_young")]


def test_what_was_just_born_may_still_get_its_tags() -> None:
    event = {"birth": BORN, "grace_hours": 0}

    assert verdict(a_resource(), event=event) == [("skip", "too_young")]
    assert verdict(a_resource(tags={OWNER: "x"}), event=event) == [("keep", "compliant")]


def test_nothing_is_known_to_be_wrong_where_a_source_could_not_be_read() -> None:
    rules = {OWNER: {"from": ["vpc"], "escalate": True}}

    assert verdict(an_instance(), rules, sources={Source.VPC: None}) == [
        ("report", "source_unknown")
    ]
    assert verdict(an_instance(hours=1), rules, sources={Source.VPC: None}) == [
        ("report", "source_unknown")
    ]


def test_nothing_is_known_where_the_listing_of_instances_failed() -> None:
    volume = a_resource(links=Links(instance="i-00000001"))

    assert verdict(volume, unlisted={"instance": BROKEN}) == [("report", "source_unknown")]


def test_a_resource_with_fifty_tags_has_no_room() -> None:
    rules = {OWNER: {"default": "nobody", "escalate": True}}

    assert verdict(an_instance(beside=50), rules) == [("report", "no_room")]
    assert verdict(an_instance(beside=49), {**rules, "Env": {"default": "x"}}) == [
        ("set", "missing"),
        ("report", "no_room"),
    ]


def test_what_no_rule_is_about_is_not_looked_at() -> None:
    rules = {OWNER: {"applies_to": ["instance"]}}

    assert verdict(a_resource(), rules) == []


def test_what_another_rule_is_undone_for_still_counts_as_wrong() -> None:
    rules = {OWNER: {"escalate": True}, "Env": {}}
    facts = gathered(an_instance(tags={OWNER: "ann"}), steps={"i-00000001": a_step()})
    decision = only_decision(facts, ask(rules))

    assert decision.action == "unmark"
    assert decision.detail["findings"] == {"Env": "missing"}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([Finding.WRONG_CASE, Finding.WRONG_VALUE, Finding.MISSING], "missing"),
        ([Finding.WRONG_CASE, Finding.WRONG_VALUE], "wrong_value"),
        ([Finding.WRONG_CASE], "wrong_case"),
    ],
)
def test_the_worst_is_missing_then_a_wrong_value_then_a_wrong_case(
    found: list[Finding], reason: str
) -> None:
    assert worst(found) == reason


def test_an_event_that_comes_late_undoes_no_escalation() -> None:
    instance = an_instance(tags={OWNER: "ann"})
    known = {"i-00000001": a_step()}

    assert verdict(instance, event={"birth": BORN}, steps=known) == [("keep", "compliant")]
