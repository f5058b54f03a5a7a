"""Messages to people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import CallError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from caretaker.rendering import Message


def publish_message(client: SNSClient, topic: str, message: Message) -> None:
    """Publish; `CallError` when the topic does not take it."""
    try:
        client.publish(
            TopicArn=topic,
            Subject=message.subject,
            Message=message.body,
            MessageStructure="json",
        )
    except AWS_ERRORS as error:
        raise CallError("Publish", classify(error)) from error
