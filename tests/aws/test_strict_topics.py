"""The strict cloud's topics refuse what SNS refuses, and count who has confirmed."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of


@pytest.fixture
def sns(cloud: StrictCloud) -> Any:
    return boto3.client("sns", REGION, config=ONCE)


@pytest.fixture
def topic(sns: Any) -> str:
    return str(sns.create_topic(Name="alerts")["TopicArn"])


def structured(**bodies: object) -> dict[str, str]:
    return {"Message": json.dumps(bodies), "MessageStructure": "json"}


@pytest.mark.parametrize(
    "message",
    [
        {"Message": "x", "Subject": "s" * 99},
        {"Message": "x" * 262_144},
        {"Message": "{}"},
        structured(default="all", email="people"),
    ],
)
def test_what_is_right_is_taken(sns: Any, topic: str, message: dict[str, str]) -> None:
    assert sns.publish(TopicArn=topic, **message)["MessageId"]


@pytest.mark.parametrize(
    "message",
    [
        {"Message": "x", "Subject": "s" * 100},
        {"Message": "x", "Subject": "two\nlines"},
        {"Message": "x", "Subject": "bell\a"},
        {"Message": "x", "Subject": ""},
        {"Message": ""},
        {"Message": "x" * 262_145},
        {"Message": "é" * 131_073},
        {
            "Message": "x" * 262_140,
            "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}},
        },
        {"Message": "not json", "MessageStructure": "json"},
        structured(email="people"),
        structured(default={"not": "text"}),
    ],
)
def test_what_is_wrong_is_refused(
    cloud: StrictCloud, sns: Any, topic: str, message: dict[str, Any]
) -> None:
    assert code_of(lambda: sns.publish(TopicArn=topic, **message)) == "InvalidParameter"
    assert cloud.calls[-1].outcome == "InvalidParameter"


def test_a_topic_counts_the_confirmed_and_the_pending(
    account: Account, sns: Any, topic: str
) -> None:
    def counts() -> tuple[int, int]:
        told = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        return int(told["SubscriptionsConfirmed"]), int(told["SubscriptionsPending"])

    assert counts() == (0, 0)
    account.subscription(topic, "ops@example.com", confirmed=False)
    assert counts() == (0, 1)
    account.subscription(topic, "arn:aws:sqs:eu-west-1:123456789012:q", protocol="sqs")
    arn = account.subscription(topic, "lead@example.com")
    assert counts() == (2, 1)
    sns.unsubscribe(SubscriptionArn=arn)
    assert counts() == (1, 1)


def test_one_who_subscribes_by_mail_has_not_confirmed(sns: Any, topic: str) -> None:
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    told = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (told["SubscriptionsConfirmed"], told["SubscriptionsPending"]) == ("0", "1")


@pytest.mark.parametrize("operation", ["Publish", "GetTopicAttributes"])
def test_faults_strike_topics(cloud: StrictCloud, sns: Any, topic: str, operation: str) -> None:
    calls = {
        "Publish": lambda: sns.publish(TopicArn=topic, Message="x"),
        "GetTopicAttributes": lambda: sns.get_topic_attributes(TopicArn=topic),
    }
    cloud.faults.add("throttled", service="sns", operation=operation, match=topic)
    assert code_of(calls[operation]) == "Throttling"
    calls[operation]()


def test_a_topic_that_is_not_there_is_not_found(sns: Any, topic: str) -> None:
    for call in (
        lambda: sns.publish(TopicArn=f"{topic}-gone", Message="x"),
        lambda: sns.get_topic_attributes(TopicArn=f"{topic}-gone"),
    ):
        assert code_of(call) == "NotFound"
