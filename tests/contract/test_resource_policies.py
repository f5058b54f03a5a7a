"""The policies on topics, queue, bucket and key: who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.template import as_list, properties, resources

if TYPE_CHECKING:
    from tests.contract.template import Properties

ACCOUNT = {"Ref": "AWS::AccountId"}
RESOURCE_POLICIES = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")


def _resource_policies() -> list[Any]:
    return [
        pytest.param(policy["PolicyDocument"]["Statement"], id=id_)
        for kind in RESOURCE_POLICIES
        for id_, policy in properties(kind).items()
    ]


@pytest.mark.parametrize("policy", _resource_policies())
def test_no_resource_policy_allows_everyone(policy: list[Properties]) -> None:
    for statement in policy:
        open_to_all = statement["Principal"] in ("*", {"AWS": "*"})

        assert statement["Sid"]
        assert not (open_to_all and statement["Effect"] == "Allow")
        if "Service" in statement["Principal"]:
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


@pytest.mark.parametrize("policy", _resource_policies())
def test_every_resource_policy_refuses_plain_http(policy: list[Properties]) -> None:
    denied = [statement for statement in policy if statement["Effect"] == "Deny"]

    assert [statement["Condition"] for statement in denied] == [
        {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert denied[0]["Principal"] == "*"


@pytest.mark.parametrize(
    ("thing", "kind", "listed"),
    [
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ],
)
def test_every_topic_queue_and_bucket_has_a_policy(thing: str, kind: str, listed: str) -> None:
    covered = [ref["Ref"] for p in properties(kind).values() for ref in as_list(p[listed])]

    assert sorted(covered) == sorted(properties(thing))


def test_alarms_can_use_the_key_and_the_topics_that_they_go_to_and_no_others() -> None:
    alarms = {"Service": "cloudwatch.amazonaws.com"}
    key = properties("AWS::KMS::Key")["TopicsKey"]["KeyPolicy"]["Statement"]
    used = {a["AlarmActions"][0]["Ref"] for a in properties("AWS::CloudWatch::Alarm").values()}

    assert [s["Action"] for s in key if s["Principal"] == alarms] == [
        ["kms:Decrypt", "kms:GenerateDataKey*"]
    ]
    for policy in properties("AWS::SNS::TopicPolicy").values():
        publish = [s for s in policy["PolicyDocument"]["Statement"] if s["Principal"] == alarms]
        expected = [("Allow", "sns:Publish")] if policy["Topics"][0]["Ref"] in used else []
        assert [(s["Effect"], s["Action"]) for s in publish] == expected


@pytest.mark.parametrize("topic", properties("AWS::SNS::Topic"))
def test_a_topics_policy_exists_whenever_the_topic_does(topic: str) -> None:
    made = resources("AWS::SNS::Topic") | resources("AWS::SNS::TopicPolicy")

    assert made[topic].get("Condition") == made[f"{topic}Policy"].get("Condition")


def test_failure_queue_takes_messages_from_the_rules_of_this_stack_alone() -> None:
    (policy,) = properties("AWS::SQS::QueuePolicy").values()
    (events,) = (
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
    )

    assert events["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        {"Fn::GetAtt": [rule, "Arn"]} for rule in properties("AWS::Events::Rule")
    ]
