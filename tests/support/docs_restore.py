"""The story that docs/chores/restore.md tells: a shop whose data is lost, and brought back.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends

from caretaker.aws import session
from caretaker.ec2 import description_of
from caretaker.slots import slot_of
from functions.restore import app
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.snapshots import ours
from tests.support.stack import TOPIC, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cloud import StrictCloud
    from tests.cloud.account import SeededInstance
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

EVENTS: Final = Path(__file__).parents[2] / "events" / "restore"
MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:caretaker-restore"
_BACKUP: Final = {"caretaker:backup": "daily"}
_DAYS: Final = 3
_HEAD: Final = ("status", "reason", "errors", "plan_id", "counts", "summary")
_REFUSED: Final = ("status", "reason", "errors")


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return asked


def play() -> dict[str, Any]:
    """Return the examples by name."""
    scenes = (_brought_back, _went_back, _refusals)
    return {name: value for each in scenes for name, value in each().items()}


@dataclass
class _Shop:
    """Two machines of a web service with three days of backups, and one that has none."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account
    machines: dict[str, SeededInstance] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Stand before moto, and fill the account."""
        self._serve = self.cloud.serve
        self.cloud.serve = self._served  # type: ignore[method-assign]
        self.cloud.extras.switching_seconds = 25
        mock_random.seed(20261121)
        data = {"size": 100, "volume_type": "gp3", "iops": 6000, "throughput": 250}
        self._machine("db", "database", {"size": 8}, {**data, "device": "/dev/sdf"})
        self._machine("web", "web", {"size": 8})
        self._machine("cache", "web", {"size": 8}, days=0)
        self.clock.advance(3600)

    def _machine(self, name: str, role: str, *disks: Mapping[str, Any], days: int = _DAYS) -> None:
        tags = {"Application": "shop", "Role": role, **_BACKUP}
        made = self.account.machine_with_volumes(*disks, tags=tags, name=name)
        self.machines[name] = made
        for day in range(days):
            for volume in made.volume_ids:
                self._backup(volume, made.id, day)

    def _backup(self, volume: str, instance: str, day: int) -> None:
        slot = slot_of(self.clock.now() - timedelta(days=day))
        self.account.snapshot(
            volume,
            age_hours=24 * day,
            tags=ours(slot, instance=instance),
            description=description_of("daily", slot),
        )

    def run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Send an event."""
        return self.stack.run(app.CHORE, asked, seconds=300)

    def carry_out(self, plan: str) -> str:
        """Be the state machine, and return what each target waits for, as it changes."""
        lines = ""
        while targets := self._step(plan, do="wave")["summary"]["targets"]:
            lines += self._wave(plan, targets)
        return lines

    def _wave(self, plan: str, targets: list[str]) -> str:
        lines = ""
        said: dict[str, str] = {}
        turns = [(0.0, target) for target in targets]
        while turns:
            due, target = heappop(turns)
            self.clock.sleep(due - self.clock.monotonic())
            answer = self._step(plan, do="advance", target=target)
            (item,), summary = answer["outcomes"], answer["summary"]
            word = (item["detail"]["ending"] or item["detail"]["waits_for"]).replace("_", " ")
            if word and said.get(target) != word:
                lines += f"{self.clock.now():%H:%M:%S}  {self.name_of(target):4}  {word}\n"
                said[target] = word
            if not summary["over"]:
                heappush(turns, (self.clock.monotonic() + summary["seconds"], target))
        return lines

    def _step(self, plan: str, **step: str) -> dict[str, Any]:
        return self.run({"policy": "daily", "pace": 0.5, "step": {"plan": plan, **step}})

    def stand(self, plan: str) -> dict[str, Any]:
        """Look how a restore stands, changing nothing."""
        return self.run({**event("stand"), "step": {"do": "wave", "plan": plan}})

    def name_of(self, target: str) -> str:
        """Return the name of a machine."""
        return next(name for name, made in self.machines.items() if made.id == target)

    def mail(self) -> str:
        """Return the newest message for people, below its subject."""
        _, body, subject, *_ = sns_backends[ACCOUNT][REGION].topics[TOPIC].sent_notifications[-1]
        return f"{subject}\n\n{json.loads(body)['email']}"

    def _served(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        """Take what starts the machine."""
        if call.operation != "StartExecution":
            return self._serve(call, perform)
        name = call.params["name"]
        execution = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
        body = {"executionArn": execution, "startDate": self.clock.now().timestamp()}
        return self._serve(call, lambda: (200, {}, json.dumps(body)))


@contextmanager
def _shop() -> Iterator[_Shop]:
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        patched.setenv("CARETAKER_RESTORE_MACHINE", MACHINE)
        yield _Shop(cloud, clock, Stack(clock), Account(cloud))
    session.forget()


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


def _lean(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("target", "action", "reason", "result", "detail")}


def _brought_back() -> dict[str, Any]:
    """Plan, be asked for the approval, approve, watch, and look at the end."""
    with _shop() as shop:
        plan = shop.run({**event("swap"), "mode": "report"})
        examples: dict[str, Any] = {"plan": _some(plan, *_HEAD), "plan-items": plan["outcomes"]}
        approve = {**event("approve"), "approve": plan["plan_id"]}
        unread = {key: value for key, value in approve.items() if key != "approve"}
        examples["unapproved"] = _some(shop.run(unread), *_REFUSED)
        started = shop.run(approve)
        examples["started"] = _some(started, "status", "reason", "counts")
        examples["started-items"] = [_started(each) for each in started["outcomes"]]
        examples["way"] = shop.carry_out(plan["plan_id"])
        stand = shop.stand(plan["plan_id"])
        examples["stand-items"] = stand["outcomes"]
        again = shop.run(approve)
        examples["again"] = [_lean(each) for each in again["outcomes"]]
    return examples


def _started(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: item[key] for key in ("target", "action", "result")},
        "detail": {key: item["detail"][key] for key in ("execution",) if key in item["detail"]},
    }


def _first(answer: Mapping[str, Any], *said: str) -> dict[str, Any]:
    """Return the first item of an action, or of an action and a reason."""
    found = (e for e in answer["outcomes"] if {*said} <= {e["action"], e["reason"]})
    return dict(next(found))


def _went_back() -> dict[str, Any]:
    """Have the database's new volume stuck on its way to its seat: the originals come back."""
    with _shop() as shop:
        shop.account.hang_volumes("/dev/sdf", "attaching", seconds=None)
        asked = event("waves")
        plan = shop.run(asked)
        shop.run({**asked, "mode": "act", "approve": plan["plan_id"]})
        way = shop.carry_out(plan["plan_id"])
        shop.run(event("empty"))
        stand = shop.stand(plan["plan_id"])
        return {
            "way-back": way,
            "way-back-told": shop.mail(),
            "way-back-items": stand["outcomes"],
        }


def _refusals() -> dict[str, Any]:
    """Ask for what cannot be."""
    with _shop() as shop:
        event_of = {**event("swap"), "mode": "act"}
        early = shop.run({**event_of, "mode": "report", "at": "2026-11-01T00:00:00Z"})
        other = shop.run({**event_of, "approve": "p-0000000000000000"})
        shop.account.quota("gp3", 0.2)
        full = shop.run({**event_of, "mode": "report"})
        return {
            "early": _some(early, *_REFUSED),
            "early-item": _lean(_first(early, "skip", "no_complete_slot")),
            "other-plan": _some(other, *_REFUSED),
            "quota": _some(full, *_REFUSED),
            "wrong": _some(shop.run(event("wrong-event")), *_REFUSED),
        }
