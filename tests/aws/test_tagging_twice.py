"""The same event twice: the second time finds nothing to change, at whatever stage (G2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.tagging_world import DAYS, STAGES, TaggingWorld, a_world

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

RULES: Final[dict[str, Any]] = {
    "Owner": {"escalate": True, "from": ["instance"], "applies_to": ["instance", "volume"]},
    "Env": {
        "values": ["prod", "dev"],
        "case": "normalise",
        "default": "dev",
        "applies_to": ["instance", "volume", "rds:db"],
    },
}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> TaggingWorld:
    """An account with something to set of every kind."""
    cloud.pages.size = None
    made = a_world(cloud, clock, stack)
    made.rules = RULES
    made.owner("ann")
    made.machine("ann", tags={"env": "PROD"})
    made.account.resource("rds:db", tags={"Env": "Dev"})
    return made


@pytest.mark.parametrize("is_tagged", [False, True], ids=["still bare", "tagged since"])
@pytest.mark.parametrize("stage", [*STAGES, "started by hand", "stopped by hand"])
def test_the_second_run_of_an_event_changes_nothing(
    world: TaggingWorld, stage: str, *, is_tagged: bool
) -> None:
    bare = world.bring({"started by hand": "stopped", "stopped by hand": "due"}.get(stage, stage))
    if stage == "started by hand":
        world.start_by_hand(bare)
    if stage == "stopped by hand":
        world.stop_by_hand(bare)
    if is_tagged:
        world.retag(bare, Owner="ann")
    world.later(days=1)
    event: dict[str, Any] = {"scheduled_time": f"{world.clock.now():%Y-%m-%dT%H:%M:00Z}"}

    world.run_once(**event)
    before, letters = world.photograph(), world.letters("ann")
    world.clock.advance(90)
    again = world.run_once(**event)

    assert set().union(*world.ledger.done.values()) == set()
    assert (again["progress"], again["status"]) == (0, "ok")
    assert world.photograph() == before
    assert len(letters) <= 1
    assert world.letters("ann") == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_report_changes_nothing_and_tells_what_acting_would_do(
    world: TaggingWorld, stage: str
) -> None:
    world.bring(stage)
    world.later(days=1)
    before = world.photograph()
    event: dict[str, Any] = {"scheduled_time": f"{world.clock.now():%Y-%m-%dT%H:%M:00Z}"}

    report = world.run_once(mode="report", **event)
    assert (world.photograph(), world.letters("ann")) == (before, [])
    act = world.run_once(**event)

    assert _plan(report) == _plan(act)
    assert report["plan_id"] == act["plan_id"]


def test_runs_of_many_days_change_nothing_that_stands(world: TaggingWorld) -> None:
    world.bring("stopped")
    before = world.photograph()

    for _ in range(3):
        world.after(DAYS * 3)
        assert world.photograph() == before


def _plan(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((i["target"], i["action"], i["reason"]) for i in answer["outcomes"])
