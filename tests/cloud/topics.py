"""SNS's own rules, ahead of moto's: what Publish refuses, how subscriptions are counted.

Source: SNS API reference, "Publish" and "GetTopicAttributes".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.sns.models import sns_backends

from tests.cloud.answers import ErrorText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.extras import Where

MOST_BYTES = 262_144
MOST_SUBJECT = 99
NEED_NO_CONFIRMATION = frozenset({"sqs", "lambda", "sms", "application", "firehose"})


def refuse_publish(params: Mapping[str, Any]) -> ErrorText | None:
    """Return how SNS refuses a message, or None where it takes it."""
    message, subject = str(params.get("Message") or ""), params.get("Subject")
    reason = ""
    if not message:
        reason = "Empty message"
    elif _size(message, params.get("MessageAttributes") or {}) > MOST_BYTES:
        reason = "Message too long"
    elif subject is not None and not _is_subject(str(subject)):
        reason = "Subject"
    elif params.get("MessageStructure") == "json":
        reason = _wrong_structure(message)
    elif params.get("MessageStructure"):
        reason = "Invalid value for MessageStructure"
    return ErrorText(400, "InvalidParameter", f"Invalid parameter: {reason}") if reason else None


def count_subscriptions(where: Where) -> None:
    """Let moto's topics tell how many of their subscriptions are confirmed and pending."""
    account, region = where
    backend = sns_backends[account][region]
    for topic in backend.topics.values():
        own = [each for each in backend.subscriptions.values() if each.topic is topic]
        confirmed = sum(each.confirmed or each.protocol in NEED_NO_CONFIRMATION for each in own)
        topic.subscriptions_confimed = confirmed
        topic.subscriptions_pending = len(own) - confirmed


def _size(message: str, attributes: Mapping[str, Mapping[str, Any]]) -> int:
    total = len(message.encode())
    for name, attribute in attributes.items():
        value = attribute.get("StringValue") or attribute.get("BinaryValue") or ""
        total += len(name.encode()) + len(str(attribute.get("DataType", "")))
        total += len(value if isinstance(value, bytes) else str(value).encode())
    return total


def _is_subject(text: str) -> bool:
    return bool(text) and len(text) <= MOST_SUBJECT and text.isprintable()


def _wrong_structure(message: str) -> str:
    try:
        bodies = json.loads(message)
    except json.JSONDecodeError:
        return "Message Structure - JSON message body failed to parse"
    if not isinstance(bodies, dict) or not isinstance(bodies.get("default"), str):
        return "Message Structure - No default entry in JSON message body"
    return ""
