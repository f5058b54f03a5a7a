"""Tags that others write meanwhile stay; a call whose answer got lost is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import at_call
from tests.support.tags_world import OWNED, SET, TOP, TagsWorld, before_each, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.cloud.calls import Call
    from tests.support.stack import Stack


GONE: Final = ("skip", "gone", "unchanged")
VOLUMES: Final[dict[str, Any]] = {"Owner": only("volume", **TOP)}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account, whose listings come in large pages."""
    cloud.pages.size = None
    return TagsWorld(cloud, clock, stack, account)


def attach_to_owners(world: TagsWorld, volumes: list[str]) -> None:
    """Let each volume be of an instance of another owner, so that each is a call of its own."""
    for n, each in enumerate(volumes):
        instance = world.account.instance(OWNED, tags={"Owner": f"owner-{n}"})
        world.account.attach(each, instance.id, "/dev/sdx")


def owners(world: TagsWorld, ids: list[str]) -> set[str]:
    """Return all owners that these resources have; nobody is an empty text."""
    return {world.tags(each).get("Owner", "") for each in ids}


def test_two_who_tag_at_once_are_waited_for(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 10)
    met = world.cloud.faults.concurrent_tags(times=4)

    answer = world.run(VOLUMES)

    assert met.fired == 4
    assert answer["counts"] == {"set": {"done": 10}}
    assert owners(world, made) == {"ops"}


def test_one_that_is_tagged_by_others_all_the_time_costs_no_other_tag_set_theirs(
    world: TagsWorld,
) -> None:
    made = world.account.crowd("volume", 20)
    world.cloud.faults.concurrent_tags(times=None, match=made[3])
    odd = world.account.volume(tags={"Env": "prod"})

    answer = world.run({**VOLUMES, "Env": only("volume", default="dev")})

    assert told(answer, odd) == [SET]
    assert told(answer, made[3])[0][2] in {"deferred", "failed"}


@pytest.mark.parametrize("kind", ["answer_lost", "connection_dropped", "internal_error"])
def test_tags_whose_answer_was_lost_are_looked_for_and_told_as_done(
    world: TagsWorld, kind: str
) -> None:
    made = world.account.crowd("volume", 10)
    world.cloud.faults.add(kind, operation="CreateTags", effective=True)

    answer = world.run(VOLUMES)

    assert answer["counts"] == {"set": {"done": 10}}
    assert owners(world, made) == {"ops"}
    assert world.cloud.calls.count("CreateTags") == 1


def test_tags_that_never_arrived_are_sent_again(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 10)
    world.cloud.faults.add("never_arrived", operation="CreateTags", seconds=5, times=2)

    answer = world.run(VOLUMES)

    assert answer["counts"] == {"set": {"done": 10}}
    assert owners(world, made) == {"ops"}


def test_tags_that_never_arrive_are_never_called_done(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 10)
    world.cloud.faults.add("never_arrived", operation="CreateTags", times=None)

    answer = world.run(VOLUMES)

    assert answer["counts"] == {"set": {"failed": 10}}
    assert owners(world, made) == {""}
    assert world.cloud.calls.count("CreateTags") <= 6


def test_what_somebody_wrote_while_an_answer_was_lost_is_not_overwritten(
    world: TagsWorld,
) -> None:
    made = world.account.crowd("volume", 10)
    world.cloud.faults.add("never_arrived", operation="CreateTags")
    at_call(world.cloud, "DescribeTags", lambda: world.account.tag(made[2], {"Owner": "bob"}))

    answer = world.run(VOLUMES)

    assert told(answer, made[2]) == [("skip", "changed_meanwhile", "unchanged")]
    assert world.tags(made[2]) == {"Owner": "bob"}
    assert answer["counts"]["set"] == {"done": 9}


def test_what_the_other_half_of_a_refused_batch_got_meanwhile_is_not_overwritten(
    world: TagsWorld,
) -> None:
    made = world.account.crowd("volume", 10)
    world.cloud.faults.add("denied", operation="CreateTags", match=made[0], times=None)

    def write(_: Call) -> None:
        world.account.tag(made[9], {"Owner": "bob"})

    with before_each(world.cloud, "DescribeTags", write):
        answer = world.run(VOLUMES)

    assert world.tags(made[9]) == {"Owner": "bob"}
    assert told(answer, made[9]) == [("skip", "changed_meanwhile", "unchanged")]


def test_tags_read_within_a_minute_are_not_read_again(world: TagsWorld) -> None:
    world.account.crowd("volume", 10)
    world.cloud.seconds_per_call = 8

    world.run(VOLUMES)

    assert world.cloud.calls.count("DescribeTags") == 0


@pytest.mark.usefixtures("one_at_a_time")
def test_older_ones_are_read_again_and_what_somebody_wrote_is_not_overwritten(
    world: TagsWorld,
) -> None:
    made = [world.account.volume() for _ in range(4)]
    world.cloud.seconds_per_call = 40

    def write() -> None:
        world.account.tag(made[1], {"Owner": "bob"})
        world.account.tag(made[2], {"Owner": "ops"})
        world.account.remove_volume(made[3])

    at_call(world.cloud, "DescribeTags", write)
    answer = world.run(VOLUMES)

    assert told(answer, made[0]) == [SET]
    assert told(answer, made[1]) == [("skip", "changed_meanwhile", "unchanged")]
    assert told(answer, made[2]) == [SET], "it stands there as it was to be"
    assert told(answer, made[3]) == [GONE]
    assert world.tags(made[1]) == {"Owner": "bob"}


@pytest.mark.usefixtures("one_at_a_time")
def test_a_change_that_waits_for_its_turn_is_looked_at_when_the_turn_has_come(
    world: TagsWorld,
) -> None:
    """At this pace a call waits for more than a minute."""
    made = [world.account.volume() for _ in range(6)]
    attach_to_owners(world, made)

    def write() -> None:
        for each in made:
            world.account.tag(each, {"Owner": "bob"})

    at_call(world.cloud, "CreateTags", write)
    world.run({"Owner": only("volume", **{"from": ["instance"]})}, pace=0.0012)

    written = [each for each in made if world.tags(each)["Owner"] != "bob"]
    assert len(written) == 1, "what was written a minute before its call is not overwritten"


def test_throttled_writes_slow_down_and_lose_nothing(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 10)
    throttled = world.cloud.faults.add("throttled", operation="CreateTags", times=5)

    answer = world.run(VOLUMES)

    assert throttled.fired == 5
    assert answer["counts"] == {"set": {"done": len(made)}}
