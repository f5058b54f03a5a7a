from __future__ import annotations

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
    }


def test_what_is_set_says_what_and_why() -> None:
    rules = {OWNER: {"default": "nobody"}, "Env": {"values": ["dev"], "case": "normalise"}}
    decision = only_decision(gathered(a_resource(tags={"Env": "DEV"})), ask(rules))

    assert (decision.action, decision.reason) == ("set", "missing")
    assert decision.detail == {
        "type": "volume",
        "owner": "",
        "findings": {OWNER: "missing", "Env": "wrong_case"},
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


def test_what_a_group_does_not_pass_on_is_told_at_the_group() -> None:
    plan = planned(
        gathered(
            an_instance("i-00000001", links=WEB),
            an_instance("i-00000002", links=WEB, tags={"Env": "x"}),
            groups={"web": {}},
        ),
        ask({OWNER: {}, "Env": {}}),
    )

    assert verdicts(plan) == {
        "i-00000001": [("skip", "reported_at_group")],
        "i-00000002": [("skip", "reported_at_group")],
        "auto-scaling-group/web": [("report", "missing")],
    }
    assert plan.decisions[-1].detail == {
        "type": "auto-scaling-group",
        "owner": "",
        "findings": {"Env": "missing", OWNER: "missing"},
        "resources": 2,
    }
    assert plan.decisions[0].detail == {
        "type": "instance",
        "owner": "",
        "findings": {OWNER: "missing", "Env": "missing"},
        "group": "auto-scaling-group/web",
    }


def test_what_a_launch_template_does_not_set_is_told_at_the_template() -> None:
    volume = a_resource(links=Links(instance="i-00000001"))
    instance = an_instance(links=Links(template="lt-1"), tags={OWNER: "ann"})
    plan = planned(gathered(volume, instance, templates={"lt-1": {"instance": {}}}))

    assert verdicts(plan) == {
        "i-00000001": [("keep", "compliant")],
        "vol-00000001": [("skip", "reported_at_group")],
        "launch-template/lt-1": [("report", "missing")],
    }


def test_an_instance_that_lost_what_its_group_passes_on_is_told_itself() -> None:
    odd = an_instance(links=WEB)

    assert verdict(odd, groups={"web": {OWNER: "ann"}}) == [("report", "missing")]
    assert verdict(odd, groups={}) == [("report", "missing")]


def test_a_wrong_value_is_never_the_group_s_fault() -> None:
    odd = an_instance(links=WEB, tags={OWNER: " "})

    assert verdict(odd, groups={"web": {}}) == [("report", "wrong_value")]


def test_what_is_its_own_fault_is_told_beside_what_is_the_group_s() -> None:
    odd = an_instance(links=WEB, tags={"Env": ""})
    plan = planned(gathered(odd, groups={"web": {}}), ask({OWNER: {}, "Env": {}}))

    assert verdicts(plan) == {
        "i-00000001": [("report", "wrong_value")],
        "auto-scaling-group/web": [("report", "missing")],
    }
    assert plan.decisions[0].detail["findings"] == {"Env": "wrong_value"}


def test_a_group_is_not_told_of_what_is_young_or_just_born() -> None:
    young = an_instance(links=WEB, hours=1)

    assert [*verdicts(planned(gathered(young, groups={"web": {}})))] == ["i-00000001"]
    born = gathered(an_instance(links=WEB), groups={"web": {}})
    assert verdicts(planned(born, ask(birth=BORN))) == {"i-00000001": [("skip", "too_young")]}


def test_a_group_is_not_told_of_what_has_no_room_or_an_unknown_source() -> None:
    rules = {OWNER: {"from": ["vpc"], "default": "x"}}
    unknown = gathered(an_instance(links=WEB), groups={"web": {}}, sources={Source.VPC: None})
    full = gathered(an_instance(links=WEB, beside=50), groups={"web": {}})

    assert verdicts(planned(unknown, ask(rules))) == {"i-00000001": [("report", "source_unknown")]}
    assert verdicts(planned(full, ask(rules))) == {"i-00000001": [("report", "no_room")]}


def test_several_groups_are_told_each_with_what_it_lacks() -> None:
    facts = gathered(
        an_instance("i-00000001", links=Links(group="b"), tags={"Env": "x"}),
        an_instance("i-00000002", links=Links(group="a")),
        an_instance("i-00000003", links=Links(group="a"), tags={"Env": "x"}),
        groups={"a": {}, "b": {}},
    )
    groups = planned(facts, ask({OWNER: {}, "Env": {}})).decisions[-2:]

    assert [(d.target, d.detail["findings"], d.detail["resources"]) for d in groups] == [
        ("auto-scaling-group/a", {"Env": "missing", OWNER: "missing"}, 2),
        ("auto-scaling-group/b", {OWNER: "missing"}, 1),
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
