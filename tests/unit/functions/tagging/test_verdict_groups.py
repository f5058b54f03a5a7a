from __future__ import annotations

from caretaker.failures import Failure, Kind
from functions.tagging.facts import Links
from functions.tagging.rules import Source
from tests.support.tagging import (
    BORN,
    OWNER,
    a_resource,
    an_instance,
    ask,
    gathered,
    planned,
    verdict,
    verdicts,
)

BROKEN = Failure(Kind.DENIED, "AccessDenied", "no")
WEB = Links(group="web")


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


def test_the_name_of_a_group_may_hold_a_slash() -> None:
    odd = an_instance(links=Links(group="team/web"))

    told = planned(gathered(odd, groups={"team/web": {}})).decisions[-1]

    assert (told.target, told.detail["type"]) == (
        "auto-scaling-group/team/web",
        "auto-scaling-group",
    )
