"""The instance health function of a stack that may repair, and who listens to its alerts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cloud.demo_memory import let_minutes_pass
from tests.cloud.demo_workers import scheduled_event
from tests.cloud.deployment import Json, Stack
from tests.cloud.subscribers import HttpSubscriber, QueueSubscriber
from tests.cloud.tools import ROOT

if TYPE_CHECKING:
    from tests.cloud.account import SeededInstance
    from tests.cloud.remote import RemoteCloud
    from tests.cloud.subscribers import Heard

CHORE = "instance_health"
ZONE = "b"
"""No other test has instances there, so that its group is no other's."""
HEALTHY = 40
EVENTS = ROOT / "events" / CHORE

type Sick = Callable[..., str]


def event(name: str) -> Json:
    """Return a ready event."""
    read: Json = json.loads((EVENTS / f"{name}.json").read_text())
    return read


@dataclass(frozen=True)
class Healer:
    """The stack, an HTTP endpoint on its alerts topic, a queue on its chat topic."""

    stack: Stack
    http: HttpSubscriber
    chat: QueueSubscriber

    @classmethod
    @contextmanager
    def watching(cls, stack: Stack) -> Iterator[Healer]:
        """Subscribe to the topics; many are healthy, so that a few sick ones fail no zone."""
        stack.cloud.ec2.seed("crowd", "instance", HEALTHY, zone=ZONE)
        with HttpSubscriber() as http:
            http.subscribe(stack.cloud, stack.outputs["AlertsTopicArn"])
            chat = QueueSubscriber(stack.cloud, stack.outputs["ChatTopicArn"], "healer-chat")
            yield cls(stack, http, chat)

    @property
    def function(self) -> str:
        """The function's name."""
        return self.stack.outputs["InstanceHealthFunctionName"]

    @property
    def ec2(self) -> RemoteCloud:
        """The strict EC2."""
        return self.stack.cloud.ec2

    def sick(self, which: str, *, by: str, minutes: int) -> str:
        """Add an instance of which a check has failed for so long, until it is repaired so."""
        tags = {"caretaker:remediate": "stop-start"}
        machine: SeededInstance = self.ec2.instance({}, tags=tags, zone=ZONE, name="sick")
        self.ec2.seed("impair", machine.id, which, minutes_ago=minutes, until_repaired_by=by)
        return machine.id

    def pass_minutes(self, minutes: int) -> None:
        """Let time pass; what is told of an incident stays in its thread."""
        let_minutes_pass(self.stack, CHORE, minutes, opened=False)

    def poll(self, instance: str, minutes: int = 1, **more: object) -> tuple[str, str, str]:
        """Let minutes pass, poll as the schedule does; return what became of an instance."""
        self.pass_minutes(minutes)
        event = {**scheduled_event(self.stack, self.function), **more}
        return self.became(self.stack.invoke(self.function, event), instance)

    def became(self, answer: Json, instance: str) -> tuple[str, str, str]:
        """Return action, reason and result of an instance in an answer's whole report."""
        (item,) = [e for e in self.stack.report(answer)[1:] if e["target"] == instance]
        return item["action"], item["reason"], item["result"]

    def power_log(self, instance: str) -> list[str]:
        """Return what was done to an instance."""
        return list(self.ec2.seed("power_log", instance))

    def told(self, text: str) -> list[Heard]:
        """Return the alerts with a text that the HTTP endpoint has got by now."""
        return [each for each in self.http.received if text in each.message]
