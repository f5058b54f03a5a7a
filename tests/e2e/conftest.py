"""The built stack on the local cloud: deployed once, then shared; each test has its own policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.cloud.account import BACKUP_TAG, SeededInstance
from tests.cloud.demo_account import DemoAccount
from tests.cloud.demo_workers import scheduled_event
from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.cloud.subscribers import Heard, HttpSubscriber, Mailbox, QueueSubscriber
from tests.e2e.healer import Healer, Sick
from tests.e2e.plays import farm, onlooker, plays, prober, secrets
from tests.e2e.prober import Secrets
from tests.e2e.tagger import Tagger

__all__ = ["farm", "onlooker", "plays", "prober", "secrets"]

HERE = Path(__file__).parent
SECONDS = 30.0
MAIL_TO = "ops@example.com"
WATCHDOG = "watchdog@example.com"
PHONE = "+353861234567"

# The stacks' own times are kept away from now: only what a test fires is fired.
_LATER = datetime.now(UTC) + timedelta(hours=12, minutes=30)
_DAILY = f"cron({_LATER.minute} {_LATER.hour} * * ? *)"
_TIMES = {
    "SnapshotSchedule": _DAILY,
    "SnapshotFreshnessSchedule": f"cron({_LATER.minute} * * * ? *)",
    "RetentionSchedule": _DAILY,
    "TaggingSchedule": _DAILY,
    "InstanceHealthSchedule": _DAILY,
    "UptimeSchedule": _DAILY,
    "RestoreSchedule": _DAILY,
    "DrillSchedule": _DAILY,
    "AlertsSchedule": _DAILY,
}
_CHANNELS = {
    "AlertsEmail": MAIL_TO,
    "WatchdogEmail": WATCHDOG,
    "UrgentTopic": "on",
    "UrgentPhone": PHONE,
    "ChatTopic": "on",
    "PagerTopic": "on",
}
RULES: Json = {
    "CostCenter": {
        "pattern": "[0-9]{4}",
        "from": ["instance"],
        "applies_to": ["instance", "volume"],
    }
}
PARAMETERS = {**_CHANNELS, **_TIMES, "TaggingRules": json.dumps(RULES)}
NEIGHBOUR = {"Installation": "neighbour", **_TIMES}

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder; a conftest is told of all items."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    """Both servers; snapshots take a second, so that tests do not wait."""
    with LocalCloud(pending_seconds=1) as running:
        yield running


@pytest.fixture(scope="session")
def stack(cloud: LocalCloud) -> Stack:
    """The template as users deploy it, with every channel that alerts can take."""
    return cloud.deploy("caretaker", parameters=PARAMETERS)


@pytest.fixture(scope="session")
def other_stack(cloud: LocalCloud, stack: Stack) -> Stack:
    """A second one beside it, as an owner of its own."""
    return cloud.deploy("beside", parameters=NEIGHBOUR)


@pytest.fixture(scope="session")
def tagger(cloud: LocalCloud, stack: Stack, secrets: Secrets) -> Tagger:
    """A third one, whose tagging and whose repairs may do all that they can."""
    return Tagger.deploy(cloud, {**_TIMES, **secrets.parameters(cloud)})


@pytest.fixture(scope="session")
def healer(tagger: Tagger) -> Iterator[Healer]:
    """The instance health function of that one, and who listens."""
    with Healer.watching(tagger.stack) as healer:
        yield healer


@pytest.fixture
def sick(healer: Healer, ec2: RemoteCloud) -> Iterator[Sick]:
    """Add sick instances; at the end they are well, and the chore has seen it."""
    made: list[str] = []

    def add(which: str = "instance", *, by: str = "reboot", minutes: int = 3) -> str:
        made.append(healer.sick(which, by=by, minutes=minutes))
        return made[-1]

    yield add
    ec2.clear_faults()
    for each in made:
        ec2.seed("heal", each)
    for minutes in (1, 1, 3):
        healer.pass_minutes(minutes)
        healer.stack.invoke(healer.function, scheduled_event(healer.stack, healer.function))


@pytest.fixture(scope="session")
def demo(cloud: LocalCloud, stack: Stack) -> DemoAccount:
    """30 instances and 70 volumes, for what the stack's own schedules do."""
    return cloud.ec2.seed_demo(stack.outputs["Installation"])


@pytest.fixture
def ec2(cloud: LocalCloud) -> Iterator[RemoteCloud]:
    """The strict EC2, without faults before and after, all snapshots an hour old."""
    cloud.ec2.clear_faults()
    cloud.ec2.age(hours=1)
    yield cloud.ec2
    cloud.ec2.clear_faults()


@pytest.fixture
def snapshots(stack: Stack) -> str:
    """The deployed snapshot function's name."""
    return stack.outputs["SnapshotFunctionName"]


@dataclass(frozen=True, slots=True)
class Fleet:
    """An instance with two volumes and a loose volume, selected by a policy of the test's own."""

    policy: str
    machine: SeededInstance
    loose: str

    @property
    def volumes(self) -> set[str]:
        return {*self.machine.volume_ids, self.loose}


@pytest.fixture
def fleet(ec2: RemoteCloud) -> Fleet:
    """Put one into the account."""
    policy = f"test-{next(_numbers)}"
    tags = {BACKUP_TAG: policy}
    machine = ec2.instance({}, {}, tags=tags, name=f"machine-of-{policy}")
    return Fleet(policy, machine, ec2.volume(tags=tags))


@dataclass(frozen=True, slots=True)
class Inboxes:
    """Everybody who listens to a topic of the stack; the first three hear the alerts topic."""

    http: HttpSubscriber
    queue: QueueSubscriber
    mail: Mailbox
    phone: Mailbox
    chat: QueueSubscriber
    pager: HttpSubscriber
    watchdog: Mailbox

    def document(self, policy: str, state: str = "ALARM", seconds: float = SECONDS) -> Json:
        """Return the first such alert as the HTTP endpoint got it."""
        return self.http.wait_for_one(_about(policy, state), seconds).document

    def documents(self, policy: str) -> list[Json]:
        """Return all alerts of a policy that the HTTP endpoint has got by now."""
        found = [each.document for each in self.http.received]
        return [each for each in found if each["policy"] == policy]

    def told(self, text: str) -> list[Heard]:
        """Return the alerts with a text that the HTTP endpoint has got by now."""
        return [each for each in self.http.received if text in each.message]

    def heard_by_all(self, policy: str, state: str = "ALARM") -> tuple[Heard, Heard, Heard]:
        """Return the same alert as HTTP endpoint, queue and mailbox got it."""
        http = self.http.wait_for_one(_about(policy, state), SECONDS)
        queue = self.queue.wait_for_one(_about(policy, state), SECONDS)
        mail = self.mail.wait_for_one(lambda each: f"policy {policy}," in each.message, SECONDS)
        return http, queue, mail


def _about(policy: str, state: str) -> Callable[[Heard], bool]:
    return lambda each: (each.document["policy"], each.document["state"]) == (policy, state)


@pytest.fixture(scope="session")
def inboxes(cloud: LocalCloud, stack: Stack) -> Iterator[Inboxes]:
    """Subscribe them once for all tests; addresses and the phone are subscribed by the stack."""
    topics, topic = stack.outputs, stack.outputs["AlertsTopicArn"]
    with HttpSubscriber() as http, HttpSubscriber() as pager:
        http.subscribe(cloud, topic)
        pager.subscribe(cloud, topics["PagerTopicArn"])
        yield Inboxes(
            http,
            QueueSubscriber(cloud, topic),
            Mailbox(cloud, MAIL_TO),
            Mailbox(cloud, PHONE),
            QueueSubscriber(cloud, topics["ChatTopicArn"]),
            pager,
            Mailbox(cloud, WATCHDOG),
        )


@contextmanager
def denied(stack: Stack, role: str, actions: str) -> Iterator[None]:
    """Deny a role of the stack, by its logical id, all these actions for a while."""
    iam = stack.client("iam")
    statement = {"Effect": "Deny", "Action": actions, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    name = {
        "RoleName": stack.resources("AWS::IAM::Role")[role],
        "PolicyName": "denied-by-test",
    }
    iam.put_role_policy(**name, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        iam.delete_role_policy(**name)


def allowed_to(stack: Stack, role: str) -> set[str]:
    """Return all actions that a role of the stack, by its logical id, is allowed somewhere."""
    iam, name = stack.client("iam"), stack.resources("AWS::IAM::Role")[role]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        documents.append(found["PolicyVersion"]["Document"])
    return {action for document in documents for action in _allowed(document)}


def _allowed(document: Json | str) -> Iterator[str]:
    read = json.loads(document) if isinstance(document, str) else document
    for statement in read["Statement"]:
        actions = statement["Action"]
        if statement["Effect"] == "Allow":
            yield from [actions] if isinstance(actions, str) else actions


def ours(ec2: RemoteCloud, installation: str = "caretaker", **tags: str) -> list[Json]:
    """Return the snapshots of an installation that carry these of our tags, tags as a dict."""
    wanted = {"managed-by": installation, **tags}
    found = []
    for each in ec2.snapshots():
        has = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
        if each["OwnerId"] == "123456789012" and all(
            has.get(f"caretaker:{key}") == value for key, value in wanted.items()
        ):
            found.append({**each, "Tags": has})
    return found
