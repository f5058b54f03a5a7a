"""A birth goes on beside the schedule and leaves all that is the schedule's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import ListingError
from tests.support.births import (
    CREATED_BY,
    born_image,
    born_volume,
    run_instances,
)
from tests.support.crashes import at_call
from tests.support.snapshots import kinds, metrics
from tests.support.tags_world import CHANGES, OWNED, SET, TOP, TagsWorld, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


YOUNG: Final = ("skip", "too_young", "unchanged")


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def test_neither_defaults_nor_reports_nor_escalations_come_of_a_birth(world: TagsWorld) -> None:
    a = world.account
    made = a.instance({}, tags={"Env": "PROD"}).id
    rules = {
        "Owner": only("instance", escalate=True),
        "Env": only("instance", values=["prod"]),
        "Team": only("instance", **TOP),
    }

    answer = world.run(rules, birth=run_instances(made), grace_hours=0)

    assert told(answer, made) == [YOUNG]
    assert world.changes() == []
    assert world.stack.alerts() == []
    assert answer["summary"]["violations"] == 0


def test_an_event_that_comes_again_late_undoes_no_escalation(world: TagsWorld) -> None:
    made = world.account.instance().id
    rules = {"Owner": only("instance", escalate=True)}
    world.daily(rules)
    world.daily(rules)
    assert "caretaker:stop-after" in world.tags(made)
    world.account.tag(made, OWNED)
    world.cloud.calls.clear()
    world.stack.alerts()

    answer = world.run(rules, birth=run_instances(made))

    assert set(answer["counts"]) <= {"keep", "skip", "set"}
    assert world.changes() == []
    assert "caretaker:stop-after" in world.tags(made)
    assert world.stack.alerts() == []
    assert world.daily(rules)["counts"] == {"unmark": {"done": 1}}


def test_a_birth_goes_on_beside_a_schedule_and_beside_another_birth(world: TagsWorld) -> None:
    one, first = born_volume(world.account)
    two, second = born_volume(world.account)
    met: list[dict[str, Any]] = []

    def meanwhile() -> None:
        met.append(world.run(CREATED_BY, birth=first))
        met.append(world.run(CREATED_BY, birth=second))

    at_call(world.cloud, "DescribeImages", meanwhile)
    answer = world.run({"CreatedBy": {"default": "somebody"}})

    assert [each["status"] for each in met] == ["ok", "ok"]
    assert answer["status"] == "ok"
    names = {world.tags(each)["CreatedBy"] for each in (one, two)}
    assert names == {"Admin/ann@example.com"}


def test_one_event_that_comes_twice_at_once_is_one_run(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    met: list[dict[str, Any]] = []
    at_call(world.cloud, "DescribeVolumes", lambda: met.append(world.run(CREATED_BY, birth=detail)))

    answer = world.run(CREATED_BY, birth=detail)

    assert [each["status"] for each in met] == ["skipped"]
    assert told(answer, made) == [SET]
    assert world.cloud.calls.count("CreateTags") == 1


def test_a_birth_is_no_sign_of_life_of_the_schedule(
    world: TagsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    _, detail = born_volume(world.account)

    world.run(CREATED_BY, birth=detail)

    printed = metrics(capsys.readouterr().out)
    assert "Heartbeat" not in printed
    assert "TagCompliancePercent" not in printed


def test_a_birth_resolves_nothing_that_the_schedule_has_found(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all that is open it has seen one resource."""
    a = world.account
    a.volume()
    database = a.resource("rds:db", tags={"env": "prod"})
    a.refuse_tagging(database)
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)
    world.cloud.faults.add("denied", operation="CreateTags", times=None)
    rules = {
        "Owner": only("volume", "image", "rds:db", **{"from": ["creator"], "default": "ops"}),
        "Team": only("volume"),
    }
    monkeypatch.setattr("functions.tagging.units.ARNS_AT_ONCE", 1)
    world.run(rules, seconds=900)
    opened = set(kinds(world.stack.alerts()))
    assert opened == {"type_unlisted", "resource_untaggable", "tags_violated"}
    world.cloud.faults.clear()
    _, detail = born_volume(a)

    answer = world.run(rules, birth=detail)

    assert answer["counts"]["set"] == {"done": 1}
    assert world.stack.alerts() == []
    assert set(world.open_kinds) == opened


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_a_birth_does_not_resolve_what_the_schedule_left_over(world: TagsWorld) -> None:
    """The schedule had no time for its changes."""
    world.account.volume()
    world.cloud.seconds_per_call = 4
    world.run({"Owner": only("volume", **TOP)}, seconds=60 + 22, round=10)
    assert kinds(world.stack.alerts()) == ["work_left_over"]
    world.cloud.seconds_per_call = 0
    _, detail = born_image(world.account)

    world.run(CREATED_BY, birth=detail)

    assert kinds(world.stack.alerts(), "OK") == []


def test_a_birth_whose_listing_is_unavailable_is_repeated(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    world.cloud.faults.add("unavailable", operation="DescribeVolumes", times=None)

    with pytest.raises(ListingError):
        world.run(CREATED_BY, birth=detail)

    world.cloud.faults.clear()
    assert told(world.run(CREATED_BY, birth=detail), made) == [SET]


def test_a_birth_on_a_stack_that_reports_changes_nothing(
    world: TagsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    made, detail = born_volume(world.account)

    answer = world.run(CREATED_BY, birth=detail)

    assert told(answer, made) == [("set", "missing", "planned")]
    assert not CHANGES & set(world.cloud.calls.operations())
    assert world.tags(made) == {}
