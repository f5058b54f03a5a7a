"""What was just made gets its tags within seconds, and nothing else happens by such an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.births import (
    ANN,
    BORN,
    CREATED_BY,
    birth,
    born_set,
    born_volume,
    run_instances,
)
from tests.support.tags_world import OWNED, SET, TagsWorld, item, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


YOUNG: Final = ("skip", "too_young", "unchanged")
KEPT: Final = ("keep", "compliant", "unchanged")


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


@pytest.mark.parametrize("call", BORN)
def test_what_each_call_makes_is_tagged_with_its_creator_and_nothing_else_is_touched(
    world: TagsWorld, call: str
) -> None:
    old = world.account.volume(), world.account.snapshot("vol-0000000b"), world.account.image()
    made, detail = BORN[call](world.account)

    answer = world.run(CREATED_BY, birth=detail)

    assert told(answer, made) == [SET]
    assert world.tags(made)["CreatedBy"] == "Admin/ann@example.com"
    assert item(answer, made)["detail"]["because"] == {"CreatedBy": "creator"}
    assert not any(told(answer, each) or world.tags(each) for each in old)
    assert answer["status"] == "ok"


def test_all_members_of_a_set_are_tagged_by_one_call(world: TagsWorld) -> None:
    _, detail = born_set(world.account)

    answer = world.run(CREATED_BY, birth=detail)

    assert answer["counts"] == {"set": {"done": 2}}
    assert len(world.changes()) == 1


def test_a_launch_tags_the_volumes_and_interfaces_of_its_instances_too(world: TagsWorld) -> None:
    a = world.account
    born = [a.instance({}, {}, tags=OWNED, age_hours=0) for _ in range(2)]
    other = a.instance({}, tags=OWNED, age_hours=0)
    rules = {"Owner": only("volume", "network-interface", **{"from": ["instance"]})}

    answer = world.run(rules, birth=run_instances(*(each.id for each in born)))

    for each in born:
        for part in (*each.volume_ids, a.network_of(each.id)[2]):
            assert told(answer, part) == [SET]
            assert world.tags(part) == OWNED
    assert world.tags(other.volume_ids[0]) == {}


def test_a_snapshot_inherits_from_its_volume_and_its_instance(world: TagsWorld) -> None:
    instance = world.account.instance({"Env": "prod"}, tags=OWNED)
    (volume,) = instance.volume_ids
    made = world.account.snapshot(volume)
    detail = birth("CreateSnapshot", {"snapshotId": made, "volumeId": volume})
    rules = {"Owner": {"from": ["instance"]}, "Env": {"from": ["volume"]}}

    answer = world.run(rules, birth=detail)

    assert world.tags(made) == {"Owner": "ann", "Env": "prod"}
    assert {each["target"] for each in answer["outcomes"]} == {made}


def test_the_same_event_again_changes_nothing(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    world.run(CREATED_BY, birth=detail)
    world.cloud.calls.clear()

    again = world.run(CREATED_BY, birth=detail)

    assert told(again, made) == [KEPT]
    assert world.changes() == []


def test_what_cannot_be_seen_yet_is_left_to_the_schedule(world: TagsWorld) -> None:
    detail = birth("CreateVolume", {"volumeId": "vol-0123456789abcdef0"})

    answer = world.run(CREATED_BY, birth=detail)

    assert (answer["status"], answer["outcomes"]) == ("ok", [])
    assert world.stack.alerts() == []


def test_a_failed_call_made_nothing(world: TagsWorld) -> None:
    volume = world.account.volume(age_hours=0)
    detail = birth("CreateVolume", {"volumeId": volume}, errorCode="Client.Whatever")

    answer = world.run(CREATED_BY, birth=detail)

    assert answer["outcomes"] == []
    assert world.tags(volume) == {}
    assert not {each for each in world.cloud.calls.operations() if each.startswith("Describe")}


@pytest.mark.parametrize("answer", [None, {}, {"instancesSet": None}, {"volumeId": "vol-1; rm"}])
def test_an_event_that_names_nothing_is_about_nothing(
    world: TagsWorld, answer: dict[str, Any]
) -> None:
    volume = world.account.volume(age_hours=0)

    found = world.run(CREATED_BY, birth=birth("CreateVolume", answer))

    assert (found["status"], found["outcomes"]) == ("ok", [])
    assert world.tags(volume) == {}


def test_an_event_of_another_call_is_refused(world: TagsWorld) -> None:
    answer = world.run(CREATED_BY, birth=birth("TerminateInstances", {}))

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert "birth.eventName" in {error["path"] for error in answer["errors"]}


def test_a_birth_by_a_service_has_no_creator(world: TagsWorld) -> None:
    made, detail = born_volume(world.account)
    group = {**ANN, "invokedBy": "autoscaling.amazonaws.com"}

    answer = world.run(CREATED_BY, birth={**detail, "userIdentity": group})

    assert told(answer, made) == [YOUNG]
    assert world.tags(made) == {}


@pytest.mark.parametrize(
    ("pattern", "value"),
    [(r".+", "Admin/ann@example.com"), (r"[^/]+@[^/]+", "ann@example.com"), (r"[A-Z]\w+", "Admin")],
)
def test_a_rule_takes_the_fullest_name_of_the_creator_that_it_allows(
    world: TagsWorld, pattern: str, value: str
) -> None:
    made, detail = born_volume(world.account)

    world.run({"CreatedBy": {"from": ["creator"], "pattern": pattern}}, birth=detail)

    assert world.tags(made) == {"CreatedBy": value}


def test_opted_out_and_managed_ones_are_left_alone_at_birth_too(world: TagsWorld) -> None:
    out = world.account.instance({}, tags={"caretaker:ignore": "yes"}, age_hours=0)
    node = world.account.instance({}, age_hours=0, operator="eks.amazonaws.com")

    answer = world.run(CREATED_BY, birth=run_instances(out.id, node.id))

    assert world.changes() == []
    assert told(answer, out.volume_ids[0]) == [("skip", "ignored", "unchanged")]
    assert told(answer, node.id) == [("skip", "service_managed", "unchanged")]


def test_a_launch_of_very_many_is_read_in_parts(world: TagsWorld) -> None:
    """A filter takes 200 values."""
    world.cloud.pages.size = None
    ids = world.account.crowd("instance", 210)

    answer = world.run({"CreatedBy": only("instance", **{"from": ["creator"]})},
                       birth=run_instances(*ids))  # fmt: skip

    assert answer["counts"] == {"set": {"done": 210}}
