"""Messages to people and programs, and who listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import CallError
from caretaker.failures import Failure, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sns import SNSClient

    from caretaker.rendering import Message
    from caretaker.settings import Channel


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """How many listen to a topic, and how many have not confirmed that they want to."""

    confirmed: int
    pending: int


def publish_message(client: SNSClient, topics: Mapping[Channel, str], message: Message) -> None:
    """Publish to the message's channel; `CallError` when its topic does not take it."""
    if message.channel not in topics:
        failure = Failure(Kind.INVALID, "NoTopic", f"the stack has no topic {message.channel}")
        raise CallError("Publish", failure)
    topic = topics[message.channel]
    publish_text(client, topic, message.subject, message.body, structured=message.structured)


def publish_text(
    client: SNSClient, topic: str, subject: str, body: str, *, structured: bool = False
) -> None:
    """Publish one message; `CallError` when the topic does not take it."""
    how: dict[str, Any] = {"MessageStructure": "json"} if structured else {}
    try:
        client.publish(TopicArn=topic, Subject=subject, Message=body, **how)
    except AWS_ERRORS as error:
        raise CallError("Publish", classify(error)) from error


def get_subscriptions(client: SNSClient, topic: str) -> Subscriptions:
    """Return who listens to a topic; `CallError` when SNS does not say."""
    try:
        told = client.get_topic_attributes(TopicArn=topic)["Attributes"]
    except AWS_ERRORS as error:
        raise CallError("GetTopicAttributes", classify(error)) from error
    return Subscriptions(
        int(told.get("SubscriptionsConfirmed", 0)), int(told.get("SubscriptionsPending", 0))
    )
