"""An account whose instances nobody tags, and words for what the tagging chore makes of them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import boto3
from moto.dynamodb.models import dynamodb_backends

from functions.tagging import app
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.crashes import FIRST, World
from tests.support.stack import SLOT, TABLE, Stack
from tests.support.tagging_ledger import MARK, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.cloud import StrictCloud
    from tests.cloud.account import SeededInstance

HOUR: Final = 3_600
DAY: Final = 24 * HOUR
DAYS: Final = 7
OWNED: Final[Mapping[str, Any]] = {
    "Owner": {"escalate": True, "applies_to": ["instance"]},
}
KEPT: Final = ("keep", "compliant")
STAGES: Final = ("new", "told", "marked", "due", "stopped")
ENDS: Final = {
    "stop": {"stopping", "stopped"},
    "start": {"pending", "running"},
}


@dataclass
class TaggingWorld(World):
    """Resources are seeded by `account`; `run_once` runs the chore on a new page of the ledger."""

    ledger: Ledger = field(init=False)
    rules: Mapping[str, Any] = field(default_factory=lambda: OWNED)
    owners: dict[str, str] = field(default_factory=dict)
    _boxes: dict[str, str] = field(default_factory=dict)

    chore = app.CHORE
    event: ClassVar[Mapping[str, Any]] = {"rules": OWNED, "scheduled_time": SLOT}
    settled: ClassVar[Mapping[str, Any]] = {}

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.cloud, self.account)

    def owner(self, name: str) -> str:
        """Open a topic for an owner, with a box that hears it; return its ARN."""
        sns, sqs = boto3.client("sns", REGION), boto3.client("sqs", REGION)
        topic = sns.create_topic(Name=f"team-{name}")["TopicArn"]
        self._boxes[name] = sqs.create_queue(QueueName=f"team-{name}")["QueueUrl"]
        box = f"arn:aws:sqs:{REGION}:{ACCOUNT}:team-{name}"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=box)
        self.owners[name] = topic
        return topic

    def letters(self, name: str) -> list[tuple[str, str]]:
        """Return and forget what an owner has received: subject and text of each letter."""
        sqs, box = boto3.client("sqs", REGION), self._boxes[name]
        found: list[tuple[str, str]] = []
        while batch := sqs.receive_message(QueueUrl=box, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            for message in batch:
                letter = json.loads(message["Body"])
                found.append((letter["Subject"], letter["Message"]))
                sqs.delete_message(QueueUrl=box, ReceiptHandle=message["ReceiptHandle"])
        return found

    def machine(self, owner: str = "", **launch: Any) -> str:
        """Add a running instance with this owner, or with none; return its id."""
        tags = {**({"Owner": owner} if owner else {}), **launch.pop("tags", {})}
        made: SeededInstance = self.account.instance(tags=tags, **launch)
        return made.id

    def run(self, request: str = FIRST) -> dict[str, Any] | None:
        """Run once, on a new page of the ledger."""
        with self.ledger.page(self.event):
            return super().run(request)

    def run_once(self, *, seconds: float = 900, request: str = "", **event: Any) -> dict[str, Any]:
        """Run once in the slot of the minute, with the world's rules and owners."""
        asked = {
            "rules": self.rules,
            "owners": self.owners,
            "stop_after_days": DAYS,
            "scheduled_time": f"{self.clock.now():%Y-%m-%dT%H:%M:00Z}",
            **event,
        }
        with self.ledger.page(asked):
            answer = self.stack.run(self.chore, asked, seconds=seconds, request=request)
        self.hold_to_truth(answer)
        return answer

    def after(self, days: float = 1, **event: Any) -> list[tuple[str, str, str]]:
        """Let days pass and run once; return what that did to each resource, and why."""
        self.later(days=days)
        return steps(self.run_once(**event))

    def bring(self, stage: str, **launch: Any) -> str:
        """Add an instance and let days pass until it is new, told, marked, due or stopped."""
        made = self.machine(**launch)
        self.advance(made, stage)
        return made

    def advance(self, instance_id: str, stage: str) -> None:
        """Let days pass, with a run on each that counts, until an instance is that far."""
        far = STAGES.index(stage)
        if far >= STAGES.index("told"):
            self.run_once()
        if far >= STAGES.index("marked"):
            self.after()
            assert self.mark(instance_id)
        if far >= STAGES.index("due"):
            self.later(days=DAYS, hours=1)
        if far >= STAGES.index("stopped"):
            self.run_once()
            assert self.state(instance_id) == "stopped"
            self.later(hours=1)

    def later(self, *, days: float = 0, hours: float = 0) -> None:
        """Let time pass."""
        self.clock.advance(days * DAY + hours * HOUR)

    def state(self, instance_id: str) -> str:
        """Return the state of an instance once it has come to its end."""
        boto3.client("ec2", REGION).describe_instances(InstanceIds=[instance_id])
        return self.ledger.machines()[instance_id].state

    def mark(self, instance_id: str) -> str:
        """Return the mark on an instance, empty where it has none."""
        return self.account.tags_of(instance_id).get(MARK, "")

    def retag(self, resource_id: str, **tags: str | None) -> None:
        """Let a person set these tags, or take away those that are None."""
        wanted = {key.replace("__", ":").replace("_", "-"): v for key, v in tags.items()}
        self.account.tag(resource_id, {k: v for k, v in wanted.items() if v is not None})
        for key in [k for k, v in wanted.items() if v is None]:
            self.account.backend.tags[resource_id].pop(key, None)

    def stop_by_hand(self, instance_id: str) -> None:
        """Let a person stop it."""
        boto3.client("ec2", REGION).stop_instances(InstanceIds=[instance_id])

    def start_by_hand(self, instance_id: str) -> None:
        """Let a person start it, a second after whatever came before."""
        self.clock.advance(1)
        boto3.client("ec2", REGION).start_instances(InstanceIds=[instance_id])

    @property
    def remembered(self) -> dict[str, dict[str, Any]]:
        """How far the escalation of each instance has come, by the state table."""
        items = (each.attrs for each in state_table().all_items())
        steps = [i for i in items if i["pk"].value.startswith("escalations#")]
        return {i["sk"].value: {key: each.value for key, each in i.items()} for i in steps}

    def photograph(self) -> Any:
        """Return all tags there are, the instances' states, and what is remembered of them."""
        states = {each: m.state for each, m in self.ledger.machines().items()}
        return self.ledger.tags(), states, self.remembered

    def check_answer(self, answer: dict[str, Any]) -> None:
        """What it calls done is so; what happened it does not call unchanged (G9)."""
        tried = {i["target"] for i in answer["outcomes"] if i["result"] in {"done", "failed"}}
        for item in answer["outcomes"]:
            if item["result"] == "done":
                self._check_done(item)
            elif item["result"] in {"unchanged", "refused", "planned"}:
                touched = set().union(*self.ledger.done.values())
                assert item["target"] not in touched - tried, item
        assert not self.ledger.problems, self.ledger.problems

    def _check_done(self, item: dict[str, Any]) -> None:
        target, action, detail = item["target"], item["action"], item["detail"]
        tags = self.ledger.tags().get(target, {})
        if action == "set":
            assert detail["set"].items() <= tags.items(), item
        elif action == "mark":
            assert tags[MARK] == detail["stop_after"], item
        elif action == "unmark":
            assert MARK not in tags, item
        elif action == "tell":
            assert target in self.ledger.told or detail["told_at"] == "the alerts topic", item
        else:
            assert self.ledger.machines()[target].state in ENDS[action], item


def state_table() -> Any:
    """Return the state table as moto holds it."""
    return dynamodb_backends[ACCOUNT][REGION].tables[TABLE]


def steps(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what happened to each resource, and why."""
    return [(i["target"], i["action"], i["reason"]) for i in answer["outcomes"]]


def step(answer: Mapping[str, Any], resource_id: str) -> tuple[str, str, str]:
    """Return what happened to one resource, why, and how it ended."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == resource_id]
    return item["action"], item["reason"], item["result"]


@contextmanager
def tagging_cloud(page_size: int | None = None) -> Iterator[TaggingWorld]:
    """Open an empty account in a cloud of its own."""
    clock = ManualClock()
    with strict_moto(clock, page_size=page_size) as cloud:
        yield a_world(cloud, clock, Stack(clock))


def a_world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> TaggingWorld:
    """Return the words for an account that exists."""
    return TaggingWorld(cloud, clock, stack, Account(cloud))
