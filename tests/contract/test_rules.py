"""The rules that start functions on events of AWS: which events, and what the function is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from caretaker.request import parse_request
from functions.snapshot.request import ONE, SET
from functions.tagging.request import TaggingRequest
from tests.contract.patterns import matches
from tests.contract.template import (
    EXTRA_TAGGING,
    as_list,
    expanded,
    properties,
    with_values,
    written,
)

if TYPE_CHECKING:
    from tests.contract.template import Properties

QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}
MAX_INPUT_TEMPLATE: Final = 8_192
"""Source: Amazon EventBridge API reference, InputTransformer."""

MAIN_BIRTH = (expanded(), expanded()["Resources"]["TaggingFunctionBirth"]["Properties"])
EXTRA_BIRTH = (
    written(EXTRA_TAGGING),
    written(EXTRA_TAGGING)["Resources"]["BirthRule"]["Properties"],
)
OF_BIRTH = pytest.mark.parametrize(
    ("template", "rule"), [MAIN_BIRTH, EXTRA_BIRTH], ids=["template", "tagging policy"]
)
RULES: Final = '{"Owner": {"values": ["a \\u003cb\\u003e", "${c}"], "from": ["creator"]}}'
OURS: Final = ("DrillRole", "RestoreRole", "SnapshotRole", "TaggingRole")


def _called(
    name: str = "RunInstances",
    issuer: str | None = "arn:aws:iam::123456789012:role/web",
    **more: str,
) -> Properties:
    """Return an event of CloudTrail; without an issuer, of a call that no role made."""
    session = {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer}}}
    detail = {
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "userIdentity": {"type": "AssumedRole", **(session if issuer else {})},
        "responseElements": {"instancesSet": {"items": [{"instanceId": "i-0a1b2c3d4e5f60718"}]}},
        **more,
    }
    return {
        "source": "aws.ec2",
        "detail-type": "AWS API Call via CloudTrail",
        "account": "123456789012",
        "detail": detail,
    }


def test_every_rule_keeps_what_it_cannot_deliver() -> None:
    for rule in properties("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": QUEUE}
            assert target["RetryPolicy"].keys() == {
                "MaximumEventAgeInSeconds",
                "MaximumRetryAttempts",
            }


def test_rules_start_the_snapshot_chore_for_both_kinds_of_failed_snapshots_alone() -> None:
    patterns = [
        rule["EventPattern"]
        for rule in properties("AWS::Events::Rule").values()
        if rule["Targets"][0]["Arn"] == {"Fn::GetAtt": ["SnapshotFunction", "Arn"]}
    ]

    assert [each["source"] for each in patterns] == [["aws.ec2"]] * len(patterns)
    assert {each["detail-type"][0]: each["detail"] for each in patterns} == {
        ONE: {"event": ["createSnapshot"], "result": ["failed"]},
        SET: {"event": ["createSnapshots"], "result": ["failed"]},
    }


def test_only_rules_of_this_stack_may_call_a_function() -> None:
    rules = properties("AWS::Events::Rule")
    for permission in properties("AWS::Lambda::Permission").values():
        rule, attribute = permission["SourceArn"]["Fn::GetAtt"]

        assert permission["Principal"] == "events.amazonaws.com"
        assert (rule in rules, attribute) == (True, "Arn")


@OF_BIRTH
@pytest.mark.parametrize(
    "name",
    [
        "CopySnapshot",
        "CreateImage",
        "CreateSnapshot",
        "CreateSnapshots",
        "CreateVolume",
        "RunInstances",
    ],
)
def test_what_is_made_starts_the_tagging_chore(
    template: Properties, rule: Properties, name: str
) -> None:
    assert template
    for issuer in ("arn:aws:iam::123456789012:role/web", None):
        assert matches(rule["EventPattern"], _called(name, issuer))


@OF_BIRTH
@pytest.mark.parametrize(
    "event",
    [
        _called(errorCode="Client.UnauthorizedOperation"),
        _called("TerminateInstances"),
        _called("CreateTags"),
        _called(eventSource="rds.amazonaws.com"),
        {**_called(), "source": "aws.rds"},
        {**_called(), "detail-type": "EC2 Instance State-change Notification"},
    ],
    ids=["refused call", "another call", "tags", "another service", "source", "type"],
)
def test_other_calls_and_refused_ones_do_not(
    template: Properties, rule: Properties, event: Properties
) -> None:
    assert template
    assert not matches(rule["EventPattern"], event)


@OF_BIRTH
@pytest.mark.parametrize("role", OURS)
def test_what_caretaker_makes_itself_starts_nothing(
    template: Properties, rule: Properties, role: str
) -> None:
    mine = f"arn:aws:iam::123456789012:role/{role}"

    assert template
    assert not matches(rule["EventPattern"], _called("CreateSnapshot", mine))
    assert matches(rule["EventPattern"], _called("CreateSnapshot", f"{mine}-of-another"))


def test_every_role_that_makes_what_the_birth_rule_hears_of_is_left_out() -> None:
    heard = set(MAIN_BIRTH[1]["EventPattern"]["detail"]["eventName"])
    making = {
        role
        for role, made in properties("AWS::IAM::Role").items()
        for policy in made.get("Policies", [])
        for name in heard
        if f'"ec2:{name}"' in json.dumps(policy)
    }

    assert making <= set(OURS)
    assert making >= {"DrillRole", "RestoreRole", "SnapshotRole"}


@OF_BIRTH
def test_at_birth_the_chore_is_sent_the_rules_and_what_was_born(
    template: Properties, rule: Properties
) -> None:
    transformer = rule["Targets"][0]["InputTransformer"]
    given = {"TaggingRules": RULES, "Rules": RULES}
    known = {name: text for name, text in given.items() if name in template["Parameters"]}
    text = with_values(transformer["InputTemplate"], template, **known)
    event = json.loads(text.replace("<birth>", json.dumps(_called()["detail"])))

    assert transformer["InputPathsMap"] == {"birth": "$.detail"}
    assert event["rules"] == json.loads(RULES)
    request = parse_request(TaggingRequest, event)
    assert request.birth is not None
    assert request.birth.ids == ("i-0a1b2c3d4e5f60718",)
    assert request.grace_hours == 24


def test_at_birth_the_input_is_json_without_rules_too() -> None:
    template, rule = MAIN_BIRTH
    text = with_values(rule["Targets"][0]["InputTransformer"]["InputTemplate"], template)

    assert json.loads(text.replace("<birth>", "{}"))["rules"] == {}


@OF_BIRTH
def test_the_longest_rules_fit_into_what_eventbridge_takes(
    template: Properties, rule: Properties
) -> None:
    longest = {"TaggingRules": "x" * 4096, "Rules": "x" * 4096, "TaggingOwnerKey": "x" * 128}
    known = {name: text for name, text in longest.items() if name in template["Parameters"]}
    text = with_values(rule["Targets"][0]["InputTransformer"]["InputTemplate"], template, **known)

    assert 4096 < len(text) < MAX_INPUT_TEMPLATE


def test_the_same_events_are_births_in_the_example() -> None:
    def names(rule: Properties) -> list[str]:
        return as_list(rule["EventPattern"]["detail"]["eventName"])

    assert names(MAIN_BIRTH[1]) == names(EXTRA_BIRTH[1])


def test_the_example_lets_its_own_rule_start_the_function() -> None:
    made = written(EXTRA_TAGGING)["Resources"]

    assert made["BirthPermission"]["Properties"] == {
        "FunctionName": {"Fn::ImportValue": {"Fn::Sub": "${CaretakerStack}-TaggingFunctionArn"}},
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["BirthRule", "Arn"]},
    }
    assert {made[id_]["Condition"] for id_ in ("BirthPermission", "BirthRule")} == {"TagsAtBirth"}
