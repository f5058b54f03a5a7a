from __future__ import annotations

from typing import Any

import pytest

from functions.tagging.facts import Links, Resource
from functions.tagging.findings import Fix, Fixes, find, fixes_of
from functions.tagging.rules import Source
from tests.support.builders import ACCOUNT
from tests.support.tagging import BORN, OWNER, a_case, a_resource, an_instance, ask, gathered

VALUES = {"values": ["prod", "dev"]}


def found(tags: dict[str, str], **rule: Any) -> str | None:
    return find(tags, ask({OWNER: rule}).rules).get(OWNER)


def fixed(resource: Resource, rules: dict[str, Any], **known: Any) -> Fixes:
    event = known.pop("event", {})
    case = a_case(gathered(resource, **known), ask(rules, **event))
    findings = find(resource.tags, case.rules[resource.type])
    return fixes_of(case.about(resource), findings, case)


def fix(tags: dict[str, str], rule: dict[str, Any], **known: Any) -> tuple[str, str] | None:
    return fixed(a_resource(tags=tags), {OWNER: rule}, **known).by_key.get(OWNER)


def test_a_tag_that_is_there_and_right_is_no_finding() -> None:
    assert found({OWNER: "prod"}, **VALUES) is None
    assert found({OWNER: "prod", "owner": "x"}, **VALUES) is None


@pytest.mark.parametrize("case", ["exact", "ignore", "normalise"])
def test_a_tag_that_is_not_there_is_missing_where_it_is_required(case: str) -> None:
    assert found({"Other": "x"}, case=case) == "missing"
    assert found({"Other": "x"}, case=case, required=False) is None


def test_a_tag_that_is_not_required_is_judged_where_it_is_there() -> None:
    assert found({OWNER: "x"}, required=False, **VALUES) == "wrong_value"
    assert found({"owner": "prod"}, required=False, **VALUES) == "wrong_case"


@pytest.mark.parametrize(
    ("case", "value", "finding"),
    [
        ("exact", "prod", "wrong_case"),
        ("normalise", "prod", "wrong_case"),
        ("normalise", "x", "wrong_case"),
        ("ignore", "prod", None),
        ("ignore", "PROD", None),
        ("ignore", "x", "wrong_value"),
    ],
)
def test_a_key_in_another_case(case: str, value: str, finding: str | None) -> None:
    assert found({"OWNER": value}, case=case, **VALUES) == finding


def test_one_right_value_is_enough_where_the_case_of_keys_does_not_matter() -> None:
    assert found({"OWNER": "x", "owner": "dev"}, case="ignore", **VALUES) is None
    assert found({"OWNER": "x", "owner": "y"}, case="ignore", **VALUES) == "wrong_value"


def test_each_key_is_judged_for_itself_in_the_order_of_the_rules() -> None:
    rules = ask({"b": {}, "a": VALUES, "c": {}}).rules

    assert [*find({"a": "x", "c": "y"}, rules).items()] == [
        ("b", "missing"),
        ("a", "wrong_value"),
    ]


def test_a_missing_tag_gets_the_default() -> None:
    assert fix({}, {"default": "nobody"}) == ("nobody", "default")
    assert fix({}, {}) is None


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ({OWNER: "x"}, {**VALUES, "default": "dev"}),
        ({OWNER: "x"}, {**VALUES, "default": "dev", "case": "normalise"}),
        ({OWNER: ""}, {"default": "nobody", "case": "normalise"}),
        ({OWNER: "PROD"}, {**VALUES, "default": "dev"}),
        ({"owner": "prod"}, {**VALUES, "default": "dev"}),
        ({"owner": "x"}, {**VALUES, "default": "dev", "case": "ignore"}),
        ({"owner": "x"}, {**VALUES, "default": "dev", "case": "normalise"}),
        ({OWNER: "CC-1"}, {"pattern": "cc-[0-9]", "case": "normalise"}),
    ],
    ids=str,
)
def test_what_somebody_wrote_is_never_overwritten(
    tags: dict[str, str], rule: dict[str, Any]
) -> None:
    assert fix(tags, rule) is None


@pytest.mark.parametrize(
    ("tags", "value"),
    [
        ({OWNER: "PROD"}, "prod"),
        ({"owner": "prod"}, "prod"),
        ({"owner": "PROD"}, "prod"),
        ({"owner": "prod", "OWNER": "PROD"}, "prod"),
    ],
    ids=str,
)
def test_normalise_puts_the_case_right_of_key_and_value(tags: dict[str, str], value: str) -> None:
    assert fix(tags, {**VALUES, "case": "normalise"}) == (value, "normalised")


def test_normalise_looks_at_the_exact_key_alone_where_it_is_there() -> None:
    tags = {OWNER: "PROD", "owner": "dev"}

    assert fix(tags, {**VALUES, "case": "normalise"}) == ("prod", "normalised")


def test_normalise_does_not_choose_between_two_values() -> None:
    rule = {**VALUES, "case": "normalise"}

    assert fix({"owner": "prod", "OWNER": "dev"}, rule) is None
    assert fix({"owner": "prod", "OWNER": "x"}, rule) is None


def test_normalise_writes_any_text_under_the_right_key() -> None:
    assert fix({"owner": "Ann"}, {"case": "normalise"}) == ("Ann", "normalised")


def test_an_empty_value_is_as_good_as_any_where_the_rule_allows_it() -> None:
    rule = {"pattern": "[a-z]*"}

    assert fix({"owner": ""}, {**rule, "case": "normalise"}) == ("", "normalised")
    above = {Source.VPC: {"vpc-1": {OWNER: ""}}}
    resource = a_resource(links=Links(vpc="vpc-1"))
    assert fixed(resource, {OWNER: {**rule, "from": ["vpc"]}}, sources=above).by_key[OWNER] == (
        "",
        "vpc",
    )


SOURCES = {
    Source.VPC: {"vpc-1": {OWNER: "v"}},
    Source.SUBNET: {"subnet-1": {OWNER: "s"}},
    Source.ACCOUNT: {ACCOUNT: {OWNER: "a"}},
    Source.ASG: {"web": {OWNER: "g"}},
    Source.LAUNCH_TEMPLATE: {"lt-1": {OWNER: "t"}},
}
LINKS = Links(group="web", template="lt-1", vpc="vpc-1", subnet="subnet-1")


@pytest.mark.parametrize(
    ("sources", "value"),
    [
        (["vpc"], ("v", "vpc")),
        (["subnet", "vpc"], ("s", "subnet")),
        (["vpc", "subnet"], ("v", "vpc")),
        (["account"], ("a", "account")),
        (["asg"], ("g", "asg")),
        (["launch-template"], ("t", "launch-template")),
        (["volume", "vpc"], ("v", "vpc")),
        (["instance", "creator"], None),
    ],
    ids=str,
)
def test_the_first_source_that_has_a_value_gives_it(
    sources: list[str], value: tuple[str, str] | None
) -> None:
    instance = an_instance(links=LINKS)

    fixes = fixed(instance, {OWNER: {"from": sources}}, sources=SOURCES)

    assert fixes.by_key.get(OWNER) == value
    assert (fixes.unknown, fixes.full) == (frozenset(), frozenset())


def test_a_volume_gets_the_tag_of_its_instance() -> None:
    volume = a_resource(links=Links(instance="i-00000001"))
    behind = [an_instance(tags={OWNER: "ann"})]

    fixes = fixed(volume, {OWNER: {"from": ["instance"]}}, behind=behind)

    assert fixes.by_key == {OWNER: ("ann", "instance")}


def test_a_source_whose_value_the_rule_forbids_gives_nothing() -> None:
    rule = {"from": ["subnet", "vpc"], "values": ["v"]}

    fixes = fixed(an_instance(links=LINKS), {OWNER: rule}, sources=SOURCES)

    assert fixes.by_key == {OWNER: ("v", "vpc")}


def test_a_source_counts_before_the_default_which_fills_in_for_it() -> None:
    rule = {"from": ["vpc"], "default": "nobody"}

    assert fixed(an_instance(links=LINKS), {OWNER: rule}, sources=SOURCES).by_key == {
        OWNER: ("v", "vpc")
    }
    assert fixed(an_instance(), {OWNER: rule}, sources=SOURCES).by_key == {
        OWNER: ("nobody", "default")
    }


@pytest.mark.parametrize(
    ("case", "value"),
    [("exact", None), ("ignore", ("prod", "vpc")), ("normalise", ("prod", "vpc"))],
)
def test_a_source_may_spell_key_and_value_in_another_case_where_the_rule_does_not_mind(
    case: str, value: tuple[str, str] | None
) -> None:
    sources = {Source.VPC: {"vpc-1": {"OWNER": "PROD"}}}
    rule = {"from": ["vpc"], "case": case, **VALUES}

    fixes = fixed(an_instance(links=LINKS), {OWNER: rule}, sources=sources)

    assert fixes.by_key.get(OWNER) == value


def test_the_exact_key_of_a_source_counts_alone() -> None:
    sources = {Source.VPC: {"vpc-1": {OWNER: "x", "owner": "prod"}}}
    rule = {"from": ["vpc"], "case": "normalise", **VALUES}

    assert fixed(an_instance(links=LINKS), {OWNER: rule}, sources=sources).by_key == {}


def test_the_creator_is_called_by_the_first_name_that_the_rule_allows() -> None:
    rule = {"from": ["creator"], "pattern": "[a-z]+"}

    assert fix({}, rule, creator=("Admin/ann", "ann", "admin")) == ("ann", "creator")
    assert fix({}, rule, creator=()) is None


def test_a_source_that_could_not_be_read_leaves_it_open_what_comes_after_it() -> None:
    rule = {"from": ["vpc", "subnet"], "default": "nobody"}

    fixes = fixed(an_instance(links=LINKS), {OWNER: rule}, sources={**SOURCES, Source.VPC: None})

    assert fixes == Fixes({}, frozenset({OWNER}), frozenset())


def test_a_source_that_could_not_be_read_does_not_matter_after_one_that_has_a_value() -> None:
    rule = {"from": ["subnet", "vpc"]}

    fixes = fixed(an_instance(links=LINKS), {OWNER: rule}, sources={**SOURCES, Source.VPC: None})

    assert fixes == Fixes({OWNER: Fix("s", "subnet")})


def test_one_key_with_an_unknown_source_does_not_stop_the_next() -> None:
    rules = {OWNER: {"from": ["vpc"]}, "Env": {"default": "dev"}}

    fixes = fixed(an_instance(), rules, sources={Source.VPC: None})

    assert fixes == Fixes({"Env": Fix("dev", "default")}, frozenset({OWNER}))


def test_nothing_is_set_where_it_is_not_known_what_stands_behind() -> None:
    case = a_case(request=ask({OWNER: {"default": "x"}, "Env": {"default": "y"}}))
    volume = a_resource()
    unknown = case.about(volume)
    unknown = type(unknown)(volume, None, "", is_ignored=False)

    fixes = fixes_of(unknown, find({}, case.rules["volume"]), case)

    assert fixes == Fixes({}, frozenset({OWNER, "Env"}))


def test_what_is_young_gets_no_default_and_what_is_derived_at_once() -> None:
    young = an_instance(hours=1, links=LINKS)

    assert fixed(young, {OWNER: {"default": "x"}}).by_key == {}
    assert fixed(young, {OWNER: {"default": "x", "from": ["vpc"]}}, sources=SOURCES).by_key == {
        OWNER: ("v", "vpc")
    }


def test_at_birth_nothing_gets_a_default() -> None:
    rule = {"default": "x", "from": ["creator"]}

    assert fix({}, rule, event={"birth": BORN, "grace_hours": 0}) is None
    assert fix({}, rule, event={"birth": BORN}, creator=("ann",)) == ("ann", "creator")


@pytest.mark.parametrize(("beside", "room"), [(47, 3), (48, 2), (49, 1), (50, 0), (51, 0)])
def test_a_resource_never_gets_more_tags_than_it_can_hold(beside: int, room: int) -> None:
    rules = {key: {"default": "x"} for key in "abc"}

    fixes = fixed(a_resource(beside=beside), rules)

    assert [*fixes.by_key] == [*"abc"][:room]
    assert fixes.full == frozenset([*"abc"][room:])


def test_a_value_that_is_put_right_takes_no_room() -> None:
    rules = {"a": {"case": "normalise", **VALUES}, "b": {"default": "x"}}

    fixes = fixed(a_resource(beside=49, tags={"a": "PROD"}), rules)
    roomy = fixed(a_resource(beside=48, tags={"a": "PROD"}), rules)

    assert ([*fixes.by_key], fixes.full) == (["a"], frozenset({"b"}))
    assert ([*roomy.by_key], roomy.full) == (["a", "b"], frozenset())


def test_a_key_that_is_put_right_takes_room_for_the_old_one_stays() -> None:
    rules = {"a": {"case": "normalise"}}

    assert fixed(a_resource(beside=49, tags={"A": "x"}), rules).full == frozenset("a")
