"""Events that are wrong: each names its field, is told, and makes no call to the account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.tagging import app
from tests.support.snapshots import MAX_ANSWER, kinds
from tests.support.stack import SLOT

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack

TOPIC: Final = "arn:aws:sns:eu-west-1:123456789012:team"


def rule(**fields: Any) -> dict[str, Any]:
    return {"rules": {"Env": fields}}


GOOD: Final = rule()
WRONG: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "no rules": ({}, "rules", "missing"),
    "empty rules": ({"rules": {}}, "rules", "at least 1"),
    "a list of rules": ({"rules": ["Owner"]}, "rules", "object"),
    "unknown field": ({**GOOD, "rulez": {}}, "rulez", "unknown"),
    "unknown field of a rule": (rule(valuess=["a"]), "rules.Env.valuess", "unknown"),
    "values and pattern": (rule(values=["a"], pattern="a"), "rules.Env", "not both"),
    "a pattern that does not compile": (rule(pattern="a("), "rules.Env", "compiles"),
    "a pattern that looks back": (rule(pattern=r"(a)\1"), "rules.Env", "compiles"),
    "a pattern that looks ahead": (rule(pattern=r"a(?=b)"), "rules.Env", "compiles"),
    "a pattern beyond its size": (rule(pattern=r"(\w{900}){900}"), "rules.Env", "compiles"),
    "a pattern that breaks out": (rule(pattern="a)|(?:.*"), "rules.Env", "compiles"),
    "a default that is not listed": (
        rule(values=["prod"], default="Prod"), "rules.Env", "allows"),
    "a default that does not match": (rule(pattern="[a-z]+", default="7"), "rules.Env", "allows"),
    "a blank default": (rule(default="   "), "rules.Env", "allows"),
    "no values at all": (rule(values=[]), "rules.Env", "at least one value"),
    "values that differ in case alone": (
        rule(values=["prod", "Prod"], case="normalise"), "rules.Env", "case"),
    "a value that is too long": (rule(values=["x" * 257]), "rules.Env.values.0", "256"),
    "an unknown case": (rule(case="lower"), "rules.Env.case", "normalise"),
    "an unknown source": (rule(**{"from": ["tags"]}), "rules.Env.from.0", "instance"),
    "no list of sources": (rule(**{"from": "instance"}), "rules.Env.from", ""),
    "an unknown type": (rule(applies_to=["server"]), "rules.Env.applies_to.0", "rds:db"),
    "EC2 by its service": (
        rule(applies_to=["ec2:instance"]), "rules.Env.applies_to.0", "instance"),
    "no types": (rule(applies_to=[]), "rules.Env", "apply to a type"),
    "an escalation of volumes": (
        rule(applies_to=["volume"], escalate=True), "rules.Env", "instance"),
    "text for true": (rule(required="yes"), "rules.Env.required", ""),
    "a key of AWS": ({"rules": {"aws:cloudformation:stack-name": {}}}, "", "aws:"),
    "a key of AWS in capitals": ({"rules": {"AWS:x": {}}}, "", "aws:"),
    "a key of ours": ({"rules": {"caretaker:managed-by": {}}}, "", "caretaker:"),
    "a key of ours in capitals": ({"rules": {"Caretaker:stop-after": {}}}, "", "caretaker:"),
    "a key of ours behind a blank": ({"rules": {" caretaker:policy": {}}}, "", "blanks"),
    "a key with a line end": ({"rules": {"Env\n": {}}}, "", "control"),
    "an empty key": ({"rules": {"": {}}}, "", ""),
    "an endless key": ({"rules": {"x" * 129: {}}}, "", "128"),
    "keys that differ in case alone": ({"rules": {"Env": {}, "ENV": {}}}, "rules", "case"),
    "more rules than tags can hold": (
        {"rules": {f"Key-{n}": {} for n in range(51)}}, "rules", "50"),
    "more grace than a month": ({**GOOD, "grace_hours": 721}, "grace_hours", "720"),
    "grace in the past": ({**GOOD, "grace_hours": -1}, "grace_hours", "0"),
    "a stop in the past": ({**GOOD, "stop_after_days": -1}, "stop_after_days", "0"),
    "a stop in a hundred days": ({**GOOD, "stop_after_days": 100}, "stop_after_days", "90"),
    "an owner's address": ({**GOOD, "owners": {"ann": "ann@example.com"}}, "owners.ann", "match"),
    "an owner's queue": (
        {**GOOD, "owners": {"ann": "arn:aws:sqs:eu-west-1:123456789012:q"}}, "owners.ann", "match"),
    "too many owners": (
        {**GOOD, "owners": {f"o-{n}": TOPIC for n in range(101)}}, "owners", "100"),
    "more than half": ({**GOOD, "blast_radius": {"percent": 51}}, "blast_radius.percent", "50"),
    "no birth": ({**GOOD, "birth": {}}, "birth.eventName", ""),
    "a plan that is none": ({**GOOD, "approve": "all"}, "approve", ""),
    "an event of EventBridge": (
        {**GOOD, "detail-type": "AWS API Call via CloudTrail"}, "detail-type", ""),
}  # fmt: skip


@pytest.mark.parametrize(("event", "path", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_event_is_refused_with_its_field_and_told_and_touches_nothing(
    stack: Stack, account: Account, cloud: StrictCloud, event: dict[str, Any], path: str, says: str
) -> None:
    account.volume()

    answer = stack.run(app.CHORE, {"scheduled_time": SLOT, **event})

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert path in {error["path"] for error in answer["errors"]} or not path
    assert says.lower() in json.dumps(answer["errors"]).lower()
    assert all(error["problem"] for error in answer["errors"])
    assert not {call.service for call in cloud.calls} - {"dynamodb", "sns"}
    assert kinds(stack.alerts()) == ["event_refused"]
    assert len(json.dumps(answer)) < MAX_ANSWER


def test_every_wrong_field_is_named(stack: Stack) -> None:
    rules = {"Env": {"values": ["a"], "pattern": "a"}, "Team": {"case": "x"}, "aws:x": {}}

    answer = stack.run(app.CHORE, {"rules": rules, "grace_hours": "a day"})

    paths = {error["path"] for error in answer["errors"]}
    assert paths >= {"rules.Env", "rules.Team.case", "grace_hours"}
    assert any("aws:x" in path for path in paths)


def test_a_wrong_pattern_is_told_by_what_is_wrong_with_it(stack: Stack) -> None:
    answer = stack.run(app.CHORE, rule(pattern="prod-(?<=x)[0-9]+"))

    (error,) = answer["errors"]
    assert "look-around" in error["problem"]


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_no_pattern_runs_for_ever(stack: Stack, account: Account, pattern: str) -> None:
    """Each takes hours in an engine that tracks back."""
    volume = account.volume(tags={"Env": "a" * 254 + "!"})

    answer = stack.run(app.CHORE, {"rules": {"Env": {"pattern": pattern, "case": "normalise"}}})

    (item,) = [each for each in answer["outcomes"] if each["target"] == volume]
    assert item["reason"] == "wrong_value"


def test_a_pattern_has_to_match_the_whole_value(stack: Stack, account: Account) -> None:
    half, line = account.volume(tags={"Env": "prod-1x"}), account.volume(tags={"Env": "prod-1\n"})
    whole = account.volume(tags={"Env": "dev"})
    rules = {"Env": {"pattern": "prod-[0-9]|dev", "applies_to": ["volume"]}}

    answer = stack.run(app.CHORE, {"rules": rules})

    reasons = {each["target"]: each["reason"] for each in answer["outcomes"]}
    assert reasons == {half: "wrong_value", line: "wrong_value", whole: "compliant"}


def test_the_same_wrong_schedule_is_told_once(stack: Stack) -> None:
    for hour in range(3, 9):
        stack.run(app.CHORE, {"rules": {}, "scheduled_time": f"2026-11-21T0{hour}:00:00Z"})

    assert len(stack.alerts()) == 1


def test_fifty_rules_may_apply_to_a_type_and_more_to_several(stack: Stack) -> None:
    rules = {f"Key-{n}": {"applies_to": ["volume"]} for n in range(50)}
    more = {f"Other-{n}": {"applies_to": ["rds:db"]} for n in range(50)}

    assert stack.run(app.CHORE, {"rules": {**rules, **more}})["status"] == "ok"
