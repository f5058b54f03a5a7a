"""What the demo works on: the local cloud, the deployed stack, its account and its subscribers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cloud.demo_account import DemoAccount
from tests.cloud.demo_fleet import PARAMETERS as OF_FLEET
from tests.cloud.demo_history import History
from tests.cloud.demo_orders import Orders
from tests.cloud.demo_screen import Screen, expect
from tests.cloud.demo_tagging_fleet import RULES, Fleet
from tests.cloud.demo_uptime_farm import PARAMETERS as OF_UPTIME
from tests.cloud.demo_uptime_farm import go_online
from tests.cloud.deployment import Json, Stack
from tests.cloud.stack import LocalCloud
from tests.cloud.strict import REGION
from tests.cloud.subscribers import Heard, HttpSubscriber, Mailbox, QueueSubscriber
from tests.cloud.tools import ROOT
from tests.farm import Farm, running_farm

MAIL_TO = "ops@example.com"
PHONE = "+353861234567"
FUNCTION = "SnapshotFunction"
OWN_ACCOUNT = "123456789012"
OWNER_TOPIC = f"arn:aws:sns:{REGION}:{OWN_ACCOUNT}:team-dora"
EVENTS = ROOT / "events" / "snapshot"


def last_night(now: datetime) -> datetime:
    """Return when the second night's run is due: seven hours ago, at the full hour."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=7)


def parameters(now: datetime) -> dict[str, str]:
    """Return the stack's: nights fit the story, and nothing fires by itself meanwhile."""
    hourly = f"cron({(now.minute + 30) % 60} * * * ? *)"
    return {
        "AlertsEmail": MAIL_TO,
        "WatchdogEmail": "watchdog@example.com",
        "UrgentTopic": "on",
        "UrgentPhone": PHONE,
        "ChatTopic": "on",
        "PagerTopic": "on",
        "SnapshotSchedule": f"cron(0 {last_night(now).hour} * * ? *)",
        "SnapshotFreshnessSchedule": hourly,
        "RetentionMode": "act",
        "RetentionSchedule": f"cron(0 {(last_night(now).hour + 2) % 24} * * ? *)",
        "TaggingMode": "act",
        "TaggingStops": "on",
        "TaggingAtBirth": "on",
        "TaggingSchedule": hourly,
        "TaggingRules": json.dumps(RULES),
        "TaggingOwners": json.dumps({"dora": OWNER_TOPIC}),
        "TaggingOwnerTopics": OWNER_TOPIC,
        "InstanceHealthMode": "act",
        "InstanceHealthSchedule": hourly,
        **OF_UPTIME,
        "UptimeSchedule": hourly,
        "RestoreMode": "act",
        "RestoreSchedule": hourly,
        "DrillSchedule": hourly,
        "AlertsSchedule": hourly,
        **OF_FLEET,
    }


@dataclass(frozen=True, slots=True)
class Channels:
    """How people hear of incidents: what each channel got."""

    mail: QueueSubscriber
    chat: QueueSubscriber
    phone: QueueSubscriber
    pager: QueueSubscriber

    def news(self) -> dict[str, list[Heard]]:
        """Return, by channel, what has arrived since the last look."""
        return {each.name: getattr(self, each.name).news() for each in fields(self)}


@dataclass
class World:
    """Everything the scenes need, and what they leave to those that follow."""

    screen: Screen
    cloud: LocalCloud
    stack: Stack
    account: DemoAccount
    http: HttpSubscriber
    queue: QueueSubscriber
    channels: Channels
    letters: QueueSubscriber
    """What dora hears, an owner who has a topic."""
    farm: Farm
    """Real servers: all that there is on the internet."""
    now: datetime
    before: dict[str, object] = field(default_factory=dict)
    others: dict[str, Json] = field(default_factory=dict)
    night: Json = field(default_factory=dict)
    refused: Json = field(default_factory=dict)
    history: History | None = None
    fleet: Fleet | None = None
    orders: Orders | None = None

    @property
    def function(self) -> str:
        """The snapshot function's name."""
        return self.stack.outputs["SnapshotFunctionName"]

    @property
    def retention(self) -> str:
        """The retention function's name."""
        return self.stack.outputs["RetentionFunctionName"]

    @property
    def tagging(self) -> str:
        """The tagging function's name."""
        return self.stack.outputs["TaggingFunctionName"]

    @property
    def health(self) -> str:
        """The instance health function's name."""
        return self.stack.outputs["InstanceHealthFunctionName"]

    @property
    def uptime(self) -> str:
        """The uptime function's name."""
        return self.stack.outputs["UptimeFunctionName"]

    @property
    def repairs(self) -> str:
        """The service repair function's name."""
        return self.stack.outputs["ServiceRepairFunctionName"]

    @property
    def restore(self) -> str:
        """The restore function's name."""
        return self.stack.outputs["RestoreFunctionName"]

    @property
    def drill(self) -> str:
        """The drill function's name."""
        return self.stack.outputs["DrillFunctionName"]

    @property
    def fleets(self) -> str:
        """The fleet function's name."""
        return self.stack.outputs["FleetFunctionName"]

    @property
    def alerts(self) -> str:
        """The alerts function's name."""
        return self.stack.outputs["AlertsFunctionName"]

    @property
    def nights(self) -> tuple[datetime, datetime]:
        """When the first and the second night's run are due."""
        second = last_night(self.now)
        return second - timedelta(hours=24), second

    def snapshots(self, **tags: str) -> list[Json]:
        """Return Caretaker's snapshots that carry these of its tags, with tags as a dict."""
        wanted = {"caretaker:managed-by": "caretaker"}
        wanted |= {f"caretaker:{key}": value for key, value in tags.items()}
        return [
            each
            for each in with_tags(self.cloud.ec2.snapshots())
            if each["OwnerId"] == OWN_ACCOUNT and wanted.items() <= each["Tags"].items()
        ]

    def strangers(self) -> dict[str, Json]:
        """Return the snapshots that others made, by id."""
        own = {each["SnapshotId"] for each in self.snapshots()}
        listed = with_tags(self.cloud.ec2.snapshots())
        return {each["SnapshotId"]: each for each in listed if each["SnapshotId"] not in own}

    def heard(self, state: str, kind: str) -> tuple[Heard, Heard]:
        """Return an alert as HTTP endpoint and mailbox got it; the queue's must be the same."""

        def wanted(each: Heard) -> bool:
            incidents = each.document["incidents"]
            return each.document["state"] == state and any(i["kind"] == kind for i in incidents)

        http, queue = self.http.wait_for_one(wanted), self.queue.wait_for_one(wanted)
        expect(http.message == queue.message, "the queue gets what the HTTP endpoint gets")
        mail = self.channels.mail.wait_for_one(lambda each: each.subject == http.subject)
        return http, mail

    def count(self) -> dict[str, object]:
        """Return the numbers that the last scene compares."""
        state = self.cloud.ec2.state()
        own = self.snapshots()
        return {
            "instances": len(state["instances"]),
            "volumes": len(state["volumes"]),
            "snapshots made by Caretaker": len(own),
            "  of them completed": sum(each["State"] == "completed" for each in own),
            "  of them in error": sum(each["State"] == "error" for each in own),
            "snapshots of others": len(state["snapshots"]) - len(own),
        }


def with_tags(snapshots: list[Json]) -> list[Json]:
    """Return snapshots with their tags as a dict."""
    return [
        {**each, "Tags": {tag["Key"]: tag["Value"] for tag in each["Tags"]}} for each in snapshots
    ]


class _QuickCloud(LocalCloud):
    """One whose state machines wait a twentieth of what they are told, to be watched."""

    def environment(self) -> dict[str, str]:
        """Return the environment of all that speaks to it, its own servers included."""
        return {**super().environment(), "SFN_WAIT_SCALE": "0.05"}


@contextmanager
def build_world(screen: Screen) -> Iterator[World]:
    """Start the cloud, deploy, fill the account and subscribe; stop everything at the end."""
    now = datetime.now(UTC)
    cloud, http = _QuickCloud(pending_seconds=3600), HttpSubscriber()
    screen.heading(
        "Deploy",
        "The template that you would deploy to AWS goes to a cloud on this machine.",
    )
    with screen.step("start the local cloud: EC2 as strict as AWS, and the other services"):
        cloud.__enter__()
    with cloud_open(cloud), http, running_farm() as farm:
        go_online(cloud, farm)
        with screen.step("sam deploy template.yaml"):
            stack = cloud.deploy("caretaker", parameters=parameters(now))
        with screen.step("put 30 instances and 70 volumes into the account"):
            account = cloud.ec2.seed_demo(stack.outputs["Installation"])
        topic = stack.outputs["AlertsTopicArn"]
        with screen.step("subscribe to the topics: HTTP, queue, mailbox, phone, chat, pager"):
            http.subscribe(cloud, topic)
            queue = QueueSubscriber(cloud, topic)
            channels = Channels(
                Mailbox(cloud, MAIL_TO),
                QueueSubscriber(cloud, stack.outputs["ChatTopicArn"]),
                Mailbox(cloud, PHONE),
                QueueSubscriber(cloud, stack.outputs["PagerTopicArn"]),
            )
            cloud.client("sns").create_topic(Name=OWNER_TOPIC.rpartition(":")[2])
            letters = QueueSubscriber(cloud, OWNER_TOPIC)
        yield World(screen, cloud, stack, account, http, queue, channels, letters, farm, now)
        with screen.step("stop the local cloud"):
            cloud.__exit__(None, None, None)


@contextmanager
def cloud_open(cloud: LocalCloud) -> Iterator[None]:
    """Stop a started cloud in any case; twice does no harm."""
    try:
        yield
    finally:
        cloud.__exit__(None, None, None)


def event_file(name: str) -> Path:
    """Return one of the ready events of the snapshot chore."""
    return EVENTS / f"{name}.json"
