"""A run that would let too many go changes nothing, until a person approves exactly its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import KilledError, killed_at
from tests.support.retention_world import RetentionWorld, a_world, verdict
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

TIGHT: Final[dict[str, Any]] = {"blast_radius": {"count": 3, "percent": 0}}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack)


def refused(world: RetentionWorld, number: int = 4) -> tuple[list[str], dict[str, Any]]:
    """Return so many expired ones, one too many, and the answer of the run that was refused."""
    due = [world.expired() for _ in range(number)]
    return due, world.sweep(**TIGHT)


def test_too_many_marks_refuse_the_run_and_a_person_hears_of_the_plan(
    world: RetentionWorld,
) -> None:
    kept = world.expired(marked_hours_ago=1, tags={"caretaker:keep": "true"})
    due, answer = refused(world)

    assert (answer["status"], answer["reason"]) == ("refused", "blast_radius")
    assert answer["complete"] is False
    assert answer["counts"]["mark"] == {"refused": 4}
    assert verdict(answer, kept) == ("unmark", "keep_tag", "refused")
    assert {verdict(answer, each) for each in due} == {("mark", "expired", "refused")}
    assert set.union(*world.ledger.done.values()) == set()
    assert any(answer["plan_id"] in error["expected"] for error in answer["errors"])
    (alert,) = world.stack.alerts()
    (incident,) = alert["incidents"]
    assert incident["kind"] == "retention_refused"
    assert incident["severity"] == "critical"
    assert answer["plan_id"] in str(incident)
    world.sweep(**TIGHT)
    assert world.stack.alerts() == []


def test_too_many_deletions_refuse_the_run(world: RetentionWorld) -> None:
    due, answer = [world.expired(marked_hours_ago=49) for _ in range(4)], world.sweep(**TIGHT)

    assert (answer["status"], answer["reason"]) == ("refused", "blast_radius")
    assert set(due) <= world.left


def test_as_many_as_allowed_go(world: RetentionWorld) -> None:
    _, answer = refused(world, 3)

    assert answer["counts"]["mark"] == {"done": 3}


@pytest.mark.parametrize(("number", "status"), [(10, "ok"), (11, "refused")])
def test_ten_or_a_quarter_may_go_by_default(
    world: RetentionWorld, number: int, status: str
) -> None:
    world.volume(*range(2, 3 + number))

    assert world.sweep()["status"] == status


def test_never_more_than_half_go_whatever_the_event_says(world: RetentionWorld) -> None:
    world.volume(*range(2, 24))

    wide: dict[str, Any] = {"blast_radius": {"count": 100_000, "percent": 50}}
    assert world.sweep(keep={"last": 10}, **wide)["reason"] == "blast_radius"
    assert world.sweep(keep={"last": 11}, **wide)["counts"]["mark"] == {"done": 11}


def test_failed_ones_are_no_backups_and_do_not_count(world: RetentionWorld) -> None:
    volume, _ = world.volume(2)
    failed = [world.backup(volume, days, state="error") for days in range(5, 11)]

    world.sweep(**TIGHT)

    assert world.ledger.done["delete"] == set(failed)


def test_an_approval_lets_exactly_that_plan_through_though_more_became_due(
    world: RetentionWorld,
) -> None:
    due, first = refused(world)
    world.later(days=1)
    later, due_by_now = world.expired(), world.expired(marked_hours_ago=49)
    kept = due[0]
    world.account.image(kept)
    due_no_more = {kept}

    answer = world.sweep(approve=first["plan_id"], **TIGHT)

    assert answer["status"] == "ok"
    assert set(world.marks) == {*due, due_by_now} - due_no_more
    assert verdict(answer, later) == ("keep", "not_approved", "unchanged")
    assert verdict(answer, due_by_now) == ("keep", "not_approved", "unchanged")
    assert verdict(answer, kept) == ("keep", "used_by_image", "unchanged")
    assert kinds(world.stack.alerts(), "OK") == ["retention_refused"]


def test_what_was_approved_is_deleted_two_days_later_without_a_second_approval(
    world: RetentionWorld,
) -> None:
    due, first = refused(world)
    world.sweep(approve=first["plan_id"], **TIGHT)
    world.later(days=2)
    others = [world.expired() for _ in range(3)]

    answer = world.sweep(**TIGHT)

    assert world.ledger.done["delete"] == set(due)
    assert answer["counts"]["mark"] == {"done": 3}
    assert set(world.marks) == set(others)


def test_an_approval_of_what_was_marked_holds_for_two_weeks_and_no_longer(
    world: RetentionWorld,
) -> None:
    due, first = refused(world)
    world.sweep(approve=first["plan_id"], **TIGHT)
    world.later(days=14, hours=1)

    answer = world.sweep(**TIGHT)

    assert answer["reason"] == "blast_radius"
    assert set(due) <= world.left


def test_a_plan_that_changed_meanwhile_is_another_plan(world: RetentionWorld) -> None:
    due, first = refused(world)
    more = world.expired()

    second = world.sweep(**TIGHT)

    assert second["reason"] == "blast_radius"
    assert second["plan_id"] != first["plan_id"]
    world.sweep(approve=second["plan_id"], **TIGHT)
    assert set(world.marks) == {*due, more}


@pytest.mark.parametrize("case", ["unknown", "other policy", "expired", "other region"])
def test_an_approval_of_anything_but_a_refused_plan_of_these_days_is_refused(
    world: RetentionWorld, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    _, first = refused(world)
    before, asked = world.photograph(), {"approve": first["plan_id"]}
    if case == "unknown":
        asked["approve"] = "p-0123456789abcdef"
    if case == "other policy":
        asked["policy"] = "weekly"
    if case == "expired":
        world.later(days=7)
    event: dict[str, Any] = dict(asked)
    if case == "other region":
        monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
        event["target"] = {"region": "eu-central-1"}

    answer = world.sweep(**event, **TIGHT)

    assert (answer["status"], answer["reason"]) == ("refused", "plan_unknown")
    assert [error["path"] for error in answer["errors"]] == ["approve"]
    assert world.photograph() == before


def test_a_report_run_takes_an_approval_for_a_question(world: RetentionWorld) -> None:
    _, first = refused(world)

    told = world.sweep(approve=first["plan_id"], mode="report", **TIGHT)

    assert told["counts"]["mark"] == {"planned": 4}
    assert world.sweep(**TIGHT)["reason"] == "blast_radius"
    assert world.marks == {}


def test_an_approval_outlives_a_run_that_was_killed_right_after_it(
    world: RetentionWorld, cloud: StrictCloud
) -> None:
    due, first = refused(world)
    with killed_at(cloud, "CreateTags", 1, effective=False), pytest.raises(KilledError):
        world.sweep(approve=first["plan_id"], **TIGHT)
    world.later(hours=1)

    world.sweep(**TIGHT)

    assert set(world.marks) == set(due)


def test_shared_ones_are_no_reason_to_refuse_for_ever(world: RetentionWorld) -> None:
    shared = [world.expired() for _ in range(4)]
    for each in shared:
        world.account.share(each)
    world.sweep(**TIGHT)

    answer = world.sweep(**TIGHT)

    assert answer["status"] == "ok"
    assert {verdict(answer, each)[1] for each in shared} == {"shared"}
