"""Each chore in another account, by a session that may do what the chore calls and nothing else.

The strict cloud denies whatever a session's policy does not allow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.drill.rights import RIGHTS as OF_DRILL
from functions.instance_health.rights import RIGHTS as OF_INSTANCE_HEALTH
from functions.retention.rights import RIGHTS as OF_RETENTION
from functions.snapshot import app as snapshot
from functions.snapshot.rights import RIGHTS as OF_SNAPSHOT
from functions.tagging.rights import RIGHTS as OF_TAGGING
from tests.cloud import Account
from tests.support.drill_world import DrillWorld
from tests.support.health_world import REBOOT, HealthWorld
from tests.support.retention_world import RetentionWorld
from tests.support.snapshots import BACKUP, DAILY
from tests.support.tags_world import TOP, TagsWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from caretaker.rights import Rights
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

ELSEWHERE: Final = "210987654321"
THERE: Final[dict[str, Any]] = {"target": {"account": ELSEWHERE}}

type Scene = tuple[StrictCloud, ManualClock, Stack, Account]


@pytest.fixture
def scene(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    """Another account, and a stack that may work in it."""
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    cloud.pages.size = None
    return cloud, clock, stack, Account(cloud, account=ELSEWHERE)


def _snapshot(scene: Scene) -> dict[str, Any]:
    _, _, stack, there = scene
    there.volume(tags=BACKUP)
    return stack.run(snapshot.CHORE, {**DAILY, **THERE})


def _retention(scene: Scene) -> dict[str, Any]:
    world = RetentionWorld(*scene)
    world.account.bin_rule(14)
    world.expired()
    world.expired(marked_hours_ago=49)
    asked = {"keep": {"last": 1}, **THERE}
    return world.stack.run(world.chore, asked)


def _tagging(scene: Scene) -> dict[str, Any]:
    world = TagsWorld(*scene)
    world.account.volume()
    world.account.resource("rds:db")
    return world.run({"Owner": TOP}, **THERE)


def _instance_health(scene: Scene) -> dict[str, Any]:
    world = HealthWorld(*scene)
    world.account.crowd("instance", 20)
    world.account.impair(world.account.instance(tags=REBOOT).id)
    answers = world.polls(6, **THERE)
    return next(each for each in answers if "reboot" in each["counts"])


def _drill(scene: Scene) -> dict[str, Any]:
    world = DrillWorld(*scene)
    world.backed_up()
    return world.drill(**THERE)


CASES: Final[tuple[tuple[Callable[[Scene], dict[str, Any]], Rights], ...]] = (
    (_snapshot, OF_SNAPSHOT),
    (_retention, OF_RETENTION),
    (_tagging, OF_TAGGING),
    (_instance_health, OF_INSTANCE_HEALTH),
    (_drill, OF_DRILL),
)
NAMES: Final = [run.__name__.lstrip("_") for run, _ in CASES]


@pytest.mark.parametrize(("run", "rights"), CASES, ids=NAMES)
def test_a_report_needs_rights_to_read_alone_and_tells_what_it_would_do(
    run: Callable[[Scene], dict[str, Any]],
    rights: Rights,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")

    answer = run(scene)

    assert answer["account"] == ELSEWHERE
    assert answer["status"] == "ok"
    assert any("planned" in by for by in answer["counts"].values())
    assert _allowed(scene) == set(rights.reads)


@pytest.mark.parametrize(("run", "rights"), CASES, ids=NAMES)
def test_a_run_that_acts_has_the_rights_to_do_all_of_it(
    run: Callable[[Scene], dict[str, Any]], rights: Rights, scene: Scene
) -> None:
    answer = run(scene)

    assert answer["status"] == "ok"
    assert any("done" in by for by in answer["counts"].values())
    assert not any("failed" in by for by in answer["counts"].values())
    assert _allowed(scene) == {*rights.reads, *rights.changes}


def _allowed(scene: Scene) -> set[str]:
    """Return what the sessions of the run were allowed."""
    cloud, *_ = scene
    policies = {call.params["Policy"] for call in cloud.calls.of("AssumeRole")}
    (policy,) = policies
    return set(json.loads(policy)["Statement"]["Action"])
