"""The story that docs/chores/retention.md tells: three months of backups, judged for a first time.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.moto_api._internal import mock_random

from caretaker.aws import session
from caretaker.ec2 import description_of
from caretaker.run import Run
from caretaker.slots import slot_of
from functions.retention import app
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.snapshots import ours
from tests.support.stack import INSTALLATION, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud import StrictCloud

EVENTS: Final = Path(__file__).parents[2] / "events" / "retention"
DAYS: Final = 91
_HEAD: Final = ("status", "reason", "errors", "plan_id", "counts", "summary")
_ITEMS: Final = ("kept_by_rule", "too_young", "shared", "used_by_image", "keep_tag", "not_managed")


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, without its time: the clock of the story is its own."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in asked.items() if key != "scheduled_time"}


def play() -> dict[str, Any]:
    """Return the examples by name."""
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        patched.setitem(Run.apply.__kwdefaults__ or {}, "workers", 1)
        story = _Story(cloud, Stack(clock))
        first = story.run(event("dry-run"))
        examples: dict[str, Any] = {"first-look": _some(first, *_HEAD)}
        examples["refusal-told"] = story.subjects()
        approve = {**event("approve"), "approve": first["plan_id"]}
        examples["approved"] = _some(story.run(approve), "status", "reason", "counts", "summary")
        examples["approval-told"] = story.subjects()
        examples["items"] = story.items()
        story.one_day_later()
        examples["waiting"] = _some(story.run(event("daily")), "status", "counts", "summary")
        story.one_day_later()
        story.account.image(story.marked(), name="golden")
        clock.advance(3600)
        examples["swept"] = _some(story.run(event("daily")), "status", "counts", "summary")
        examples["swept-items"] = story.items_of("unmark", "delete")
        other = story.run({**event("approve"), "approve": "p-0000000000000000"})
        examples["unknown-plan"] = _some(other, "status", "reason", "errors")
        examples["refused-empty"] = _some(story.run({}), "status", "reason", "errors")
    session.forget()
    return examples


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


class _Story:
    """An account with two volumes, three months of backups, and what else is there."""

    def __init__(self, cloud: StrictCloud, stack: Stack) -> None:
        self.account = Account(cloud)
        self._stack = stack
        self._answer: dict[str, Any] = {}
        self.account.volume()
        mock_random.seed(20261121)
        self._volumes = [self.account.volume(size=8), self.account.volume(size=100)]
        web = [self._backup(self._volumes[0], day) for day in range(DAYS)]
        for day in range(DAYS):
            self._backup(self._volumes[1], day)
        self.account.image(web[40], name="release-41")
        self.account.share(web[39], "210987654321")
        self.account.tag(web[38], {"caretaker:keep": "2027-03-31"})
        self.account.lock(web[37], days=365)
        self.account.snapshot(self._volumes[0], age_hours=500, tags={"Name": "by hand"})
        self.account.bin_rule(14, tags={"caretaker:managed-by": INSTALLATION})
        stack.clock.advance(2 * 3600)

    def run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._answer = self._stack.run(app.CHORE, asked)
        return self._answer

    def items(self) -> list[dict[str, Any]]:
        """Return the first item of each reason, the marked ones first."""
        lines = self._stack.report(self._answer)[1:]
        found = {line["reason"]: line for line in reversed(lines)}
        return [found[reason] for reason in ("expired", *_ITEMS)]

    def items_of(self, *actions: str) -> list[dict[str, Any]]:
        lines = self._stack.report(self._answer)[1:]
        found = {line["action"]: line for line in reversed(lines)}
        return [found[action] for action in actions]

    def subjects(self) -> str:
        return "".join(f"{each['Subject']}\n" for each in self._stack.alerts())

    def one_day_later(self) -> None:
        self._stack.clock.advance(22 * 3600)
        mock_random.seed(self._stack.clock.monotonic())
        for volume in self._volumes:
            self._backup(volume, 0)
        self._stack.clock.advance(2 * 3600)

    def marked(self) -> str:
        """Return a snapshot that is marked."""
        snapshots = self.account.own_snapshots(self._volumes[0])
        return next(
            str(s.id) for s in snapshots if "caretaker:delete-after" in self.account.tags_of(s.id)
        )

    def _backup(self, volume: str, day: int) -> str:
        slot = slot_of(self._stack.clock.now() - timedelta(days=day))
        return self.account.snapshot(
            volume, age_hours=24 * day, tags=ours(slot), description=description_of("daily", slot)
        )
