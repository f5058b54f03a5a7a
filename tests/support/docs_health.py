"""What docs/chores/instance-health.md shows: machines fail, are repaired, and people hear of it.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends

from caretaker.aws import session
from caretaker.run import Run
from functions.alerts import app as alerts
from functions.instance_health import app, carrying
from functions.snapshot import app as snapshot
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.health_world import MINUTE, REBOOT, STOP_START, HealthWorld
from tests.support.stack import INSTALLATION, TOPIC, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVENTS: Final = Path(__file__).parents[2] / "events" / "instance_health"
_BRIEF: Final = ("status", "counts", "summary")
_REFUSED: Final = ("status", "reason", "errors")
_EXPECT: Final = {"caretaker:expect": "running"}


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, without its time: the clock of the story is its own."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in asked.items() if key != "scheduled_time"}


def play() -> dict[str, Any]:
    """Return the examples by name."""
    scenes = (_look, _repair, _left_stopped, _zone, _flapping, _announced, _asked, _refusals)
    return {name: value for scene in scenes for name, value in scene().items()}


class _Scene(HealthWorld):
    """A fleet of twenty machines beside those that a scene is about."""

    def minutes(self, number: int, **asked: Any) -> str:
        """Poll so many times and return what people were told, each with its time."""
        told = ""
        for _ in range(number):
            self.run(**asked)
            told += self.told()
            self.clock.advance(MINUTE)
        return told

    def told(self) -> str:
        """Return what people were told just now."""
        now = self.clock.now()
        return "".join(f"{now:%d %b %H:%M}  {each['Subject']}\n" for each in self.stack.alerts())

    def mail(self) -> str:
        """Return the newest message for people, below its subject."""
        _, body, subject, *_ = sns_backends[ACCOUNT][REGION].topics[TOPIC].sent_notifications[-1]
        return f"{subject}\n\n{json.loads(body)['email']}"


@contextmanager
def _scene(mode: str = "act") -> Iterator[_Scene]:
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        patched.setitem(Run.apply.__kwdefaults__ or {}, "workers", 1)
        patched.setattr(carrying, "WORKERS_PER_LANE", 1)
        patched.setenv("CARETAKER_MODE", mode)
        boto3.client("ec2", REGION).describe_vpcs()
        mock_random.seed(20261121)
        scene = _Scene(cloud, clock, Stack(clock), Account(cloud))
        for number in range(20):
            scene.account.instance(name=f"shop-{number}", zone="ab"[number % 2])
        yield scene
    session.forget()


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


def _look() -> dict[str, Any]:
    """Look at a fleet with three sick machines, in a stack that only reports."""
    with _scene("report") as scene:
        web = scene.account.instance(name="web-1", tags=REBOOT, zone="a").id
        db = scene.account.instance(name="db-1", tags=STOP_START, zone="b", address="amazon").id
        job = scene.account.instance(name="job-1", zone="b").id
        ids = [web, db, job]
        scene.account.impair([web, job], "instance", minutes_ago=4)
        scene.account.impair(db, "system", minutes_ago=4)
        scene.poll()
        answer = scene.run()
        items = [item for item in answer["outcomes"] if item["target"] in ids]
        return {"look": _some(answer, *_BRIEF), "look-items": items, "look-told": scene.told()}


def _repair() -> dict[str, Any]:
    """Repair one machine by a reboot, another by all that there is."""
    with _scene() as scene:
        account = scene.account
        web = account.instance(name="web-1", tags=REBOOT, zone="a").id
        account.impair(web, "instance", until_repaired_by="reboot", seconds=90)
        found: dict[str, Any] = {"rebooted": scene.minutes(7)}
        db = account.instance(name="db-1", tags=STOP_START, zone="b").id
        account.impair(db, "instance", until_repaired_by="stop-start")
        told, steps = "", ""
        items: dict[tuple[str, str], dict[str, Any]] = {}
        for _ in range(30):
            (item,) = [o for o in scene.run()["outcomes"] if o["target"] == db]
            if (item["action"], item["reason"]) not in items:
                steps += _line(scene, item)
            items.setdefault((item["action"], item["reason"]), item)
            told += scene.told()
            if item["action"] == "stop":
                found["mail"] = scene.mail()
            scene.clock.advance(MINUTE)
        taken = [o for o in items.values() if o["action"] != "report" and o["detail"]]
        return {**found, "steps": steps, "climbed": told, "items": taken}


def _line(scene: _Scene, item: Mapping[str, Any]) -> str:
    return f"{scene.clock.now():%H:%M}  {item['action']:8}{item['reason']:18}{item['result']}\n"


def _left_stopped() -> dict[str, Any]:
    """Stop what does not start for a while, for lack of capacity."""
    with _scene() as scene:
        db = scene.account.instance(name="db-1", tags=STOP_START, zone="b").id
        scene.account.impair(db, "system", until_repaired_by="stop-start")
        scene.account.refuse_start(db, times=3)
        return {"left-stopped": scene.minutes(30)}


def _zone() -> dict[str, Any]:
    """Lose a third of a zone."""
    with _scene() as scene:
        ids = [
            scene.account.instance(name=f"web-{n}", tags=STOP_START, zone="b").id for n in range(4)
        ]
        scene.account.impair(ids, "system")
        told = scene.minutes(6)
        scene.account.heal(ids[0])
        scene.account.heal(ids[1])
        told += scene.minutes(1)
        scene.stack.run(alerts.CHORE, {})
        return {"zone": told + scene.told() + scene.minutes(16)}


def _flapping() -> dict[str, Any]:
    """Let a check fail and pass again and again."""
    with _scene() as scene:
        web = scene.account.instance(name="web-1", zone="a").id
        told = ""
        for _ in range(5):
            scene.account.impair(web, "instance", minutes_ago=4)
            told += scene.minutes(3)
            scene.account.heal(web)
            told += scene.minutes(2)
        return {"flapping": told + scene.minutes(35)}


def _announced() -> dict[str, Any]:
    """Hear of a retirement, and stop and start in the maintenance window before it."""
    with _scene() as scene:
        db = scene.account.instance(name="db-1", tags={**STOP_START, **_EXPECT}, zone="b").id
        known = scene.account.scheduled_event(db, in_hours=40)
        told = scene.minutes(1, **event("windows"))
        scene.clock.advance(15 * 60 * MINUTE)
        told += scene.minutes(1, **event("windows"))
        scene.clock.advance(4 * 60 * MINUTE)
        told += scene.minutes(20, **event("windows"))
        return {"announced": told.replace(known, "instance-event-0123456789abcdef0")}


def _asked() -> dict[str, Any]:
    """Let another chore ask for a repair, by an incident that is open."""
    with _scene() as scene:
        scene.stack.run(snapshot.CHORE, {"policy": "shop", "mode": "report"})
        web = scene.account.instance(name="web-1", tags=REBOOT, zone="a").id
        incident = f"{INSTALLATION}/{ACCOUNT}/{REGION}/snapshot/shop/nothing_selected/shop"
        scene.stack.alerts()
        asked = scene.run(repair={"instance": web, "incident": incident})
        items = [item for item in asked["outcomes"] if item["target"] == web]
        return {"asked": items}


def _refusals() -> dict[str, Any]:
    """Send what is wrong."""
    with _scene() as scene:
        return {
            f"refused-{name}": _some(scene.stack.run(app.CHORE, event(f"wrong-{name}")), *_REFUSED)
            for name in ("ladder", "windows")
        }
