"""Who listens to a topic, changed as people change it."""

from __future__ import annotations

import boto3

from tests.cloud import REGION


def unsubscribe_all(topic: str) -> None:
    """Leave a topic without anybody who listens."""
    sns = boto3.client("sns", REGION)
    for found in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
