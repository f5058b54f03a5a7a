"""The story that docs/chores/drill.md tells: backups are proven, one is lost, one is slow.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends

from caretaker.aws import session
from caretaker.run import Run
from functions.drill import app
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.disk_images import DiskImage, partitioned
from tests.support.drill_world import JUDGE, DrillWorld
from tests.support.stack import TOPIC, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVENTS: Final = Path(__file__).parents[2] / "events" / "drill"
_BACKUP: Final = {"caretaker:backup": "daily"}
_MEBIBYTE: Final = 2**20
_HEAD: Final = ("status", "counts", "summary")


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, without its time: the clock of the story is its own."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in asked.items() if key != "scheduled_time"}


def play() -> dict[str, Any]:
    """Return the examples by name."""
    scenes = (_by_blocks, _by_volume, _judged, _refused)
    return {name: value for each in scenes for name, value in each().items()}


@contextmanager
def _world() -> Iterator[DrillWorld]:
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        patched.setenv("CARETAKER_DRILL_JUDGE", JUDGE)
        patched.setitem(Run.apply.__kwdefaults__ or {}, "workers", 1)
        world = DrillWorld(cloud, clock, Stack(clock), Account(cloud))
        world.account.volume()
        mock_random.seed(20261121)
        yield world
    session.forget()


def _named(world: DrillWorld, name: str, disk: DiskImage) -> str:
    """Add a volume with a disk, and its backup of this night."""
    volume = world.volume(disk, tags={**_BACKUP, "Name": name})
    world.backup(volume, age_hours=0)
    return volume


def _web() -> DiskImage:
    disk = partitioned(p1="fat32", p2="ext4")
    for index in range(64, 264):
        disk.write(index * _MEBIBYTE, bytes([index % 251]) * 4096)
    return disk


def _run(world: DrillWorld, name: str, **more: Any) -> dict[str, Any]:
    return world.stack.run(app.CHORE, {**event(name), **more})


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


def _drills(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each for each in answer["outcomes"] if each["action"] == "drill"]


def _mail() -> str:
    """Return the newest message for people, below its subject."""
    _, body, subject, *_ = sns_backends[ACCOUNT][REGION].topics[TOPIC].sent_notifications[-1]
    return f"{subject}\n\n{json.loads(body)['email']}"


def _by_blocks() -> dict[str, Any]:
    """Prove three backups; a day later, one volume has been wiped before its backup."""
    with _world() as world:
        _named(world, "web", _web())
        data = _named(world, "db-data", DiskImage().put("xfs"))
        _named(world, "scratch", DiskImage().write(0, b"raw " * 1024))
        first = _run(world, "everything")
        world.account.wipe_blocks(data)
        world.account.write_blocks(data, {9: b"\x5a" * 512 * 1024})
        world.next_day()
        world.backup(data, age_hours=0)
        lost = _run(world, "one-volume", select={"volumes": [data]})
        return {
            "proven": _some(first, *_HEAD),
            "proven-items": _drills(first),
            "lost-items": _drills(lost),
            "lost-told": _mail(),
        }


def _by_volume() -> dict[str, Any]:
    """Measure one volume; it takes too long; and what a killed drill has left is swept.

    What is swept goes beside what is drilled: not in the same run, for the ids' sake.
    """
    with _world() as world:
        _named(world, "web", _web())
        quick = _run(world, "volume")
        world.next_day()
        world.cloud.extras.volumes.creating_seconds = 150
        slow = _run(world, "volume", rto_minutes=2)
        told = "".join(f"{each['Subject']}\n" for each in world.stack.alerts())
        world.leftover()
        swept = _run(world, "volume")["outcomes"]
        return {
            "volume-items": _drills(quick),
            "slow-items": _drills(slow),
            "slow-told": told,
            "swept-items": [each for each in swept if each["action"] == "sweep"],
        }


def _judged() -> dict[str, Any]:
    """Have contents judged, and found wrong."""
    with _world() as world:
        tags = {**_BACKUP, "Role": "database"}
        data = world.volume(DiskImage().put("xfs"), tags=tags)
        world.backup(data, age_hours=0)
        world.judgement = {"proven": False, "message": "the newest order is of 12 November"}
        judged = _run(world, "judge")
        return {"judged-items": _drills(judged)}


def _refused() -> dict[str, Any]:
    """Send what is wrong."""
    with _world() as world:
        return {"wrong": _some(_run(world, "wrong-event"), "status", "reason", "errors")}
