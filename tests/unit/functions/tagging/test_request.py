from __future__ import annotations

from typing import Any

import pytest

from caretaker.blast_radius import BlastRadius
from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.tagging.request import TaggingRequest
from functions.tagging.rules import EC2_TYPES
from tests.support.tagging import BORN, RULES, TOPIC, ask

NO_FIELD = "no such field; see the chore's page"
A_TYPE = f"one of {', '.join(EC2_TYPES)}, s3, sns, sqs, or service:type as rds:db"
COMPILES = "a pattern that compiles, in linear time and within its size: "
A_SOURCE = "'instance', 'volume', 'asg', 'launch-template', 'vpc', 'subnet', 'account' or 'creator'"
A_BIRTH = (
    "text that matches "
    "^(RunInstances|CreateVolume|CreateSnapshot|CreateSnapshots|CopySnapshot|CreateImage)$"
)
OWN_KEY = "a key of your own: aws: and caretaker: keys are not for rules"
A_TOPIC = r"text that matches ^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$"


def wrong(event: object) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_request(TaggingRequest, event)
    assert refused.value.reason == "event_invalid"
    return [(error["path"], error["expected"]) for error in refused.value.errors]


def about(number: int, *, of: str = "k") -> dict[str, Any]:
    return {f"{of}{n}": {"applies_to": ["volume"]} for n in range(number)}


def test_an_event_with_rules_alone_has_the_documented_defaults() -> None:
    request = ask()

    assert request.policy == "default"
    assert (request.grace_hours, request.stop_after_days) == (24, 7)
    assert (request.owner_key, request.owners) == ("Owner", {})
    assert request.blast_radius == BlastRadius(count=10, percent=25)
    assert (request.birth, request.approve, request.lease_scope) == (None, None, "")


@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ({"values": ["a"], "pattern": "a"}, "", "values or a pattern, not both"),
        (
            {"values": ["a", "A"], "case": "ignore"},
            "",
            "values that differ in more than their case, or case exact",
        ),
        (
            {"values": ["a", "A"], "case": "normalise"},
            "",
            "values that differ in more than their case, or case exact",
        ),
        ({"values": []}, "", "at least one value"),
        ({"values": ["a", "b", "a"]}, "", "each value once"),
        ({"values": ["x" * 257]}, ".values.0", "at most this many: 256"),
        ({"values": [""]}, ".values.0", "at least this long: 1"),
        ({"pattern": "("}, "", f"{COMPILES}unclosed group"),
        ({"pattern": "a)|(?:b"}, "", f"{COMPILES}unopened group"),
        ({"pattern": "(?x)a # ("}, "", f"{COMPILES}unclosed group"),
        (
            {"pattern": "(?=a)b"},
            "",
            f"{COMPILES}look-around, including look-ahead and look-behind, is not supported",
        ),
        ({"pattern": r"(a)\1"}, "", f"{COMPILES}backreferences are not supported"),
        ({"pattern": ""}, ".pattern", "at least this long: 1"),
        ({"pattern": "a" * 501}, ".pattern", "at most this many: 500"),
        ({"pattern": 7}, ".pattern", "a valid string"),
        ({"values": ["a"], "default": "b"}, "", "a default that the rule itself allows"),
        ({"values": ["a"], "default": "A"}, "", "a default that the rule itself allows"),
        (
            {"values": ["a"], "default": "A", "case": "normalise"},
            "",
            "a default that the rule itself allows",
        ),
        ({"pattern": "[0-9]", "default": "x"}, "", "a default that the rule itself allows"),
        ({"default": " "}, "", "a default that the rule itself allows"),
        ({"default": ""}, ".default", "at least this long: 1"),
        ({"default": "x" * 257}, ".default", "at most this many: 256"),
        ({"values": "a"}, ".values", "a valid array"),
        ({"values": [*map(str, range(501))]}, ".values", "at most this many: 500"),
        ({"applies_to": ["vpc"]}, ".applies_to.0", A_TYPE),
        ({"applies_to": ["volume", "ec2:instance"]}, ".applies_to.1", A_TYPE),
        ({"applies_to": ["rds:"]}, ".applies_to.0", A_TYPE),
        ({"applies_to": ["Instance"]}, ".applies_to.0", A_TYPE),
        ({"applies_to": []}, "", "must apply to a type, as instance"),
        ({"applies_to": [f"a:{'b' * 63}"]}, ".applies_to.0", "at most this many: 64"),
        (
            {"applies_to": ["volume"], "escalate": True},
            "",
            "must apply to instance to escalate: nothing else is stopped",
        ),
        (
            {"from": ["tag"]},
            ".from.0",
            A_SOURCE,
        ),
        ({"case": "Exact"}, ".case", "'exact', 'ignore' or 'normalise'"),
        ({"required": "yes"}, ".required", "a valid boolean"),
        ({"escalate": 1}, ".escalate", "a valid boolean"),
        ({"sources": ["vpc"]}, ".sources", NO_FIELD),
        ({"value": ["a"]}, ".value", NO_FIELD),
    ],
    ids=str,
)
def test_refuses_a_wrong_rule_and_says_what_it_must_be(
    fields: dict[str, Any], path: str, expected: str
) -> None:
    assert wrong({"rules": {"Team": fields}}) == [(f"rules.Team{path}", expected)]


@pytest.mark.parametrize("rule", [None, 5, [], "x"])
def test_a_rule_is_an_object(rule: object) -> None:
    assert wrong({"rules": {"Team": rule}}) == [("rules.Team", "an object")]


@pytest.mark.parametrize(
    "pattern", [r"\w{1000}", "(((a{30}){30}){30}){30}", r"\pL{200}" * 25], ids=str
)
def test_a_pattern_that_takes_much_memory_is_refused_at_once(pattern: str) -> None:
    ((path, expected),) = wrong({"rules": {"Team": {"pattern": pattern}}})

    assert path == "rules.Team"
    assert expected.startswith(COMPILES)
    assert "size limit" in expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("aws:x", OWN_KEY),
        ("AWS:createdBy", OWN_KEY),
        ("aws:", OWN_KEY),
        ("caretaker:managed-by", OWN_KEY),
        ("Caretaker:Stop-After", OWN_KEY),
        ("careta\N{KELVIN SIGN}er:x", OWN_KEY),
        ("a\nb", "no control characters and no blanks around it"),
        ("a\x00", "no control characters and no blanks around it"),
        ("a\N{RIGHT-TO-LEFT MARK}b", "no control characters and no blanks around it"),
        (" a", "no control characters and no blanks around it"),
        ("a ", "no control characters and no blanks around it"),
        ("", "at least this long: 1"),
    ],
)
def test_refuses_a_key_that_is_not_for_rules(key: str, expected: str) -> None:
    assert wrong({"rules": {key: {}}}) == [(f"rules.{key}", expected)]


def test_a_key_has_at_most_128_characters() -> None:
    longest = "\N{GRINNING FACE}" * 128

    assert [*ask({longest: {}}).rules] == [longest]
    ((path, expected),) = wrong({"rules": {f"{longest}x": {}}})
    assert path.startswith("rules.\N{GRINNING FACE}")
    assert expected == "at most this many: 128"


@pytest.mark.parametrize("key", ["aws", "caretaker", "my:aws:key", "x-aws:y", "Kosten stelle"])
def test_takes_a_key_that_only_looks_like_one_of_ours(key: str) -> None:
    assert [*ask({key: {}}).rules] == [key]


def test_two_rules_never_differ_in_the_case_of_their_keys_alone() -> None:
    rules: dict[str, Any] = {"Team": {}, "owner": {}, "Owner": {}, "team": {}}

    assert wrong({"rules": rules}) == [
        (
            "rules",
            "one rule for Team and owner and Owner and team, which differ in their case alone",
        )
    ]


def test_names_five_such_keys_at_most() -> None:
    ((_, expected),) = wrong({"rules": {key: {} for key in "abcABC"}})

    assert expected == ("one rule for a and b and c and A and B, which differ in their case alone")


def test_as_many_rules_fit_a_type_as_a_resource_holds_tags() -> None:
    assert len(ask(about(50)).rules_of("volume")) == 50
    assert wrong({"rules": about(51)}) == [
        ("rules", "at most 50 rules for volume, as a resource holds no more tags: these are 51")
    ]


def test_a_type_that_a_rule_names_twice_counts_once() -> None:
    rules = {**about(49), "k49": {"applies_to": ["volume", "volume"]}}

    assert len(ask(rules).rules) == 50


def test_more_rules_than_a_resource_holds_may_be_about_several_types() -> None:
    others = {f"s{n}": {"applies_to": ["snapshot"]} for n in range(50)}

    assert len(ask({**about(50), **others}).rules) == 100


@pytest.mark.parametrize(
    ("event", "path", "expected"),
    [
        ({"rules": {}}, "rules", "at least this long: 1"),
        ({"rules": []}, "rules", "an object"),
        ({"rules": about(501)}, "rules", "at most this many: 500"),
        ({"rule": {}}, "rule", NO_FIELD),
        ({"grace_hours": -1}, "grace_hours", "at least 0"),
        ({"grace_hours": 721}, "grace_hours", "at most 720"),
        ({"grace_hours": "24"}, "grace_hours", "a valid integer"),
        ({"grace_hours": True}, "grace_hours", "a valid integer"),
        ({"owner_key": ""}, "owner_key", "at least this long: 1"),
        ({"owner_key": "x" * 129}, "owner_key", "at most this many: 128"),
        ({"owners": {"ann": "ann@example.com"}}, "owners.ann", A_TOPIC),
        ({"owners": {"ann": f"{TOPIC}.fifo"}}, "owners.ann", A_TOPIC),
        ({"owners": {"ann": f"{TOPIC}\n"}}, "owners.ann", A_TOPIC),
        ({"owners": {"": TOPIC}}, "owners.", "at least this long: 1"),
        ({"owners": {str(n): TOPIC for n in range(101)}}, "owners", "at most this many: 100"),
        ({"stop_after_days": -1}, "stop_after_days", "at least 0"),
        ({"stop_after_days": 91}, "stop_after_days", "at most 90"),
        ({"blast_radius": {"percent": 51}}, "blast_radius.percent", "at most 50"),
        ({"blast_radius": {"count": -1}}, "blast_radius.count", "at least 0"),
        ({"birth": {}}, "birth.eventName", "this field; see the chore's page"),
        ({"birth": 5}, "birth", "an object"),
        (
            {"birth": {"eventName": "DeleteVolume"}},
            "birth.eventName",
            A_BIRTH,
        ),
        (
            {"birth": {"eventName": "CreateVolume", "responseElements": []}},
            "birth.responseElements",
            "an object",
        ),
        ({"policy": "Default"}, "policy", "text that matches ^[a-z0-9-]{1,32}$"),
    ],
    ids=str,
)
def test_refuses_a_wrong_field_and_says_what_it_must_be(
    event: dict[str, Any], path: str, expected: str
) -> None:
    assert wrong({"rules": dict(RULES), **event}) == [(path, expected)]


def test_an_event_must_have_rules() -> None:
    assert wrong({}) == [("rules", "this field; see the chore's page")]


def test_names_every_wrong_rule_at_once() -> None:
    rules = {"a": {"values": ["x"], "pattern": "x"}, "b": {"pattern": "("}, "c": {"default": " "}}

    assert [path for path, _ in wrong({"rules": rules})] == ["rules.a", "rules.b", "rules.c"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grace_hours", 0),
        ("grace_hours", 720),
        ("stop_after_days", 0),
        ("stop_after_days", 90),
        ("owner_key", "x" * 128),
        ("owners", {str(n): TOPIC for n in range(100)}),
    ],
)
def test_takes_what_is_within_the_limits(field: str, value: object) -> None:
    event: dict[str, Any] = {field: value}

    assert getattr(ask(**event), field) == value


def test_knows_the_rules_of_each_type() -> None:
    request = ask({"a": {"applies_to": ["volume", "rds:db"]}, "b": {"applies_to": ["volume"]}})

    assert [*request.rules_of("volume")] == ["a", "b"]
    assert [*request.rules_of("rds:db")] == ["a"]
    assert request.rules_of("instance") == {}
    assert request.types == ("rds:db", "volume")


def test_runs_about_different_births_do_not_wait_for_each_other() -> None:
    another = {**BORN, "responseElements": {"instancesSet": {"items": []}}}
    scopes = [ask(birth=birth).lease_scope for birth in (BORN, another, BORN)]

    assert scopes[0] == scopes[2]
    assert scopes[0] != scopes[1]
    assert [len(scope) for scope in scopes] == [16, 16, 16]
