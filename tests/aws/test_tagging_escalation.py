"""An instance that nobody tags: told, marked, judged again, stopped; each step can be undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.tagging_world import DAYS, STAGES, TaggingWorld, a_world, step

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

NEVER_STOPPED: Final[dict[str, dict[str, Any]]] = {
    "a one-time spot instance": {"spot": "one-time"},
    "a persistent spot instance": {"spot": "persistent"},
    "one on instance store": {"instance_store": True},
    "one of a group": {"group": "web"},
}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> TaggingWorld:
    """An account with one instance that has an owner."""
    made = a_world(cloud, clock, stack)
    made.machine("ann")
    return made


def test_takes_a_step_a_day_and_a_week_before_it_stops(world: TaggingWorld) -> None:
    bare = world.machine()

    assert step(world.run_once(), bare) == ("tell", "missing", "done")
    world.later(days=1)
    assert step(world.run_once(), bare) == ("mark", "missing", "done")
    until = datetime.fromisoformat(world.mark(bare))
    assert timedelta() <= until - world.clock.now() - timedelta(days=DAYS) <= timedelta(seconds=5)
    for _ in range(2):
        world.later(days=3)
        assert step(world.run_once(), bare) == ("report", "waiting", "unchanged")
    assert world.state(bare) == "running"
    world.later(days=1, hours=1)
    assert step(world.run_once(), bare) == ("stop", "missing", "done")
    assert world.state(bare) == "stopped"
    for _ in range(2):
        world.later(days=20)
        assert step(world.run_once(), bare) == ("report", "stopped", "unchanged")


@pytest.mark.parametrize("stage", STAGES[1:])
def test_undoes_whatever_it_did_once_the_tags_are_right(world: TaggingWorld, stage: str) -> None:
    bare = world.bring(stage)

    world.retag(bare, Owner="bob")
    world.after()
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("running", "", {})
    assert world.after()
    assert world.ledger.done["start"] | world.ledger.done["unmark"] == set()


@pytest.mark.parametrize("stage", STAGES[1:])
def test_begins_anew_with_one_that_loses_its_tags_again(world: TaggingWorld, stage: str) -> None:
    bare = world.bring(stage)
    world.retag(bare, Owner="bob")
    world.after()
    world.after()
    world.retag(bare, Owner=None)

    assert (bare, "tell", "missing") in world.after()
    assert (bare, "mark", "missing") in world.after()
    assert (bare, "report", "waiting") in world.after(DAYS - 1)


@pytest.mark.parametrize("stage", STAGES)
def test_leaves_alone_what_is_to_be_ignored_at_any_stage(world: TaggingWorld, stage: str) -> None:
    bare = world.bring(stage)
    world.retag(bare, caretaker__ignore="true")
    before = world.photograph()

    for _ in range(2):
        assert (bare, "skip", "ignored") in world.after(DAYS + 1)
    assert world.photograph()[:2] == before[:2]


@pytest.mark.parametrize("stage", ["marked", "due"])
def test_gives_all_its_notice_again_once_nothing_is_to_be_ignored_any_more(
    world: TaggingWorld, stage: str
) -> None:
    bare = world.bring(stage)
    world.retag(bare, caretaker__ignore="true")
    world.after(DAYS + 1)
    world.retag(bare, caretaker__ignore=None)

    assert (bare, "tell", "missing") in world.after()
    assert (bare, "mark", "missing") in world.after()
    assert (bare, "report", "waiting") in world.after(DAYS - 1)


@pytest.mark.parametrize("stage", ["marked", "due"])
def test_waits_as_long_as_a_person_asks_for(world: TaggingWorld, stage: str) -> None:
    bare = world.bring(stage)
    later = world.clock.now() + timedelta(days=20, hours=1)
    world.retag(bare, caretaker__stop_after=f"{later:%Y-%m-%dT%H:%M:%SZ}")

    assert (bare, "report", "waiting") in world.after(20)
    assert (bare, "stop", "missing") in world.after()


@pytest.mark.parametrize("asked", ["2027-06-01T00:00:00Z", "2027-06-01T00:00:00+02:00"])
def test_a_later_time_that_was_asked_for_before_the_mark_stays(
    world: TaggingWorld, asked: str
) -> None:
    """The letter says how to get more time; who does so at once must not lose it."""
    bare = world.bring("told")
    world.retag(bare, caretaker__stop_after=asked)

    world.after(30)

    assert world.mark(bare) == asked
    assert world.state(bare) == "running"


def test_nobody_can_shorten_the_time(world: TaggingWorld) -> None:
    bare = world.bring("marked")
    world.retag(bare, caretaker__stop_after="2020-01-01T00:00:00Z")

    assert (bare, "report", "waiting") in world.after(DAYS - 1)
    assert (bare, "stop", "missing") in world.after(2)


@pytest.mark.parametrize(
    "text", ["never", "", "2027-06-01", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_that_says_nothing_never_stops_anything_before_its_time(
    world: TaggingWorld, text: str
) -> None:
    bare = world.bring("marked")
    world.retag(bare, caretaker__stop_after=text)

    ((_, action, reason),) = [each for each in world.after(2) if each[0] == bare]

    assert action == "report"
    assert reason in {"waiting", "mark_unreadable"}


def test_a_mark_of_somebody_else_counts_for_nothing(world: TaggingWorld) -> None:
    bare = world.machine(tags={"caretaker:stop-after": "2026-01-01T00:00:00Z"})

    assert step(world.run_once(), bare) == ("tell", "missing", "done")
    assert (bare, "mark", "missing") in world.after()
    assert (bare, "report", "waiting") in world.after(DAYS - 1)


def test_a_mark_that_was_taken_away_is_written_with_the_whole_time(world: TaggingWorld) -> None:
    bare = world.bring("due")
    world.retag(bare, caretaker__stop_after=None)

    assert (bare, "mark", "missing") in world.after()
    assert (bare, "report", "waiting") in world.after(DAYS - 1)
    assert (bare, "stop", "missing") in world.after(2)


def test_a_mark_that_nobody_acted_on_for_weeks_is_written_anew(world: TaggingWorld) -> None:
    bare = world.bring("due")
    world.later(days=14)

    assert (bare, "mark", "missing") in world.after()
    assert (bare, "report", "waiting") in world.after(DAYS - 1)


def test_one_that_a_person_starts_again_gets_all_the_time_again(world: TaggingWorld) -> None:
    bare = world.bring("stopped")
    world.start_by_hand(bare)

    assert (bare, "tell", "missing") in world.after()
    assert (bare, "mark", "missing") in world.after()
    assert (bare, "report", "waiting") in world.after(DAYS - 1)
    assert (bare, "stop", "missing") in world.after(2)


@pytest.mark.parametrize("stage", STAGES[1:4])
def test_one_that_a_person_stopped_is_never_started(world: TaggingWorld, stage: str) -> None:
    bare = world.bring(stage)
    world.stop_by_hand(bare)
    world.after()
    world.retag(bare, Owner="bob")
    world.after()
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("stopped", "", {})


def test_one_that_a_person_started_and_stopped_again_is_never_started(world: TaggingWorld) -> None:
    bare = world.bring("stopped")
    world.start_by_hand(bare)
    world.stop_by_hand(bare)
    world.retag(bare, Owner="bob")
    world.after()
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("stopped", "", {})


def test_one_whose_tags_come_while_it_is_stopping_is_started_in_the_end(
    world: TaggingWorld,
) -> None:
    bare = world.bring("due")
    world.cloud.extras.switching_seconds = 300
    world.run_once()
    world.retag(bare, Owner="bob")
    world.clock.advance(60)
    world.run_once()
    world.later(hours=1)
    world.run_once()
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("running", "", {})


@pytest.mark.parametrize("kind", NEVER_STOPPED)
def test_reports_and_nothing_more_what_cannot_be_stopped(world: TaggingWorld, kind: str) -> None:
    world.account.scaling_group(world.account.launch_template(), "1", name="web")
    bare = world.machine(**NEVER_STOPPED[kind])

    for _ in range(2):
        actions = {action for each, action, _ in world.after(DAYS) if each == bare}
        assert actions <= {"report", "skip"}
    assert (world.mark(bare), world.remembered) == ("", {})


def test_lets_go_of_one_that_joins_a_group(world: TaggingWorld) -> None:
    bare = world.bring("due")
    world.account.tag(bare, {"aws:autoscaling:groupName": "web"})
    world.after()

    assert (world.state(bare), world.mark(bare), world.remembered) == ("running", "", {})


def test_one_that_is_protected_from_stops_stays_a_violation_that_people_hear_of(
    world: TaggingWorld,
) -> None:
    bare = world.bring("due", stop_protected=True)
    world.stack.alerts()

    answer = world.run_once()

    assert step(answer, bare)[1:] == ("stop_protected", "unchanged")
    assert answer["summary"]["violations"] == 1
    assert [each["Subject"] for each in world.stack.alerts() if each["state"] == "OK"] == []
    world.retag(bare, Owner="bob")
    world.after()
    assert (world.state(bare), world.mark(bare), world.remembered) == ("running", "", {})
