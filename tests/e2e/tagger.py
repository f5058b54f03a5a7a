"""A stack of its own that may do all: change tags, tell owners, stop and repair instances."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.subscribers import Mailbox, QueueSubscriber
from tests.e2e.judge import ARN as JUDGE

MAIL_TO = "tags@example.com"
RULES: Json = {
    "Team": {"pattern": "[a-z]+", "from": ["instance", "creator"], "applies_to": ["volume"]},
    "Stage": {
        "required": False,
        "values": ["prod", "dev"],
        "case": "normalise",
        "applies_to": ["instance", "volume"],
        "escalate": True,
    },
}
"""Those of the stack: what other tests have made misses no tag but Team."""


@dataclass(frozen=True)
class Tagger:
    """The stack, and who listens: to its alerts, and to the topic of the owner ann."""

    stack: Stack
    alerts: QueueSubscriber
    mail: Mailbox
    ann: QueueSubscriber
    ann_topic: str

    @classmethod
    def deploy(cls, cloud: LocalCloud, parameters: Mapping[str, str]) -> Tagger:
        """Deploy it with these parameters besides; the owner's topic is there before the stack."""
        topic = cloud.client("sns").create_topic(Name="team-ann")["TopicArn"]
        own = {
            "Installation": "tags",
            "TaggingMode": "act",
            "InstanceHealthMode": "act",
            "RestoreMode": "act",
            "DrillJudgeArn": JUDGE,
            "ChatTopic": "on",
            "TaggingStops": "on",
            "TaggingAtBirth": "on",
            "TaggingRules": json.dumps(RULES),
            "TaggingOwners": json.dumps({"ann": topic}),
            "TaggingOwnerTopics": topic,
            "AlertsEmail": MAIL_TO,
        }
        stack = cloud.deploy("tags", parameters={**parameters, **own})
        alerts = QueueSubscriber(cloud, stack.outputs["AlertsTopicArn"], "tags-heard")
        ann = QueueSubscriber(cloud, topic, "ann-heard")
        return cls(stack, alerts, Mailbox(cloud, MAIL_TO), ann, topic)

    @cached_property
    def function(self) -> str:
        """The tagging function's name."""
        return self.stack.outputs["TaggingFunctionName"]

    @property
    def ec2(self) -> RemoteCloud:
        """The strict EC2."""
        return self.stack.cloud.ec2

    def run(self, rules: Json, policy: str, **more: object) -> Json:
        """Judge by these rules; return the answer."""
        event = {"policy": policy, "rules": rules, "pace": 1.0, **more}
        answer: Json = self.stack.invoke(self.function, event)
        return answer

    def items(self, answer: Json) -> dict[tuple[str, str], Json]:
        """Return the items of an answer's whole report, by resource and action."""
        return {(each["target"], each["action"]): each for each in self.stack.report(answer)[1:]}

    def listed(self, answer: Json) -> list[dict[str, str]]:
        """Return the lines of the CSV that an answer points to."""
        bucket, _, key = answer["summary"]["list"].removeprefix("s3://").partition("/")
        body = self.stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return list(csv.DictReader(gzip.decompress(body).decode().splitlines()))

    def tags(self, resource: str) -> dict[str, str]:
        """Return the tags of a resource of EC2, but its Name."""
        found: dict[str, str] = self.ec2.seed("tags_of", resource)
        return {key: value for key, value in found.items() if key != "Name"}
