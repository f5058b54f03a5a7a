"""Runs that have too little time, that meet another one, or that have very much to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import BusyError
from tests.cloud import Account
from tests.support.crashes import at_call
from tests.support.snapshots import MAX_ANSWER, kinds
from tests.support.tags_world import OWNED, TOP, TagsWorld, only

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack


VOLUMES: Final[dict[str, Any]] = {"Owner": only("volume", **TOP)}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def owned_by_many(world: TagsWorld, number: int) -> list[str]:
    """Add volumes whose instances have an owner each: every one of them is a call of its own."""
    world.cloud.pages.size = None
    made: list[str] = []
    for n in range(number):
        instance = world.account.instance({}, tags={"Owner": f"owner-{n:02}"})
        made += instance.volume_ids
    return made


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_out_of_time_the_run_defers_the_rest_and_the_next_round_goes_on(world: TagsWorld) -> None:
    volumes = owned_by_many(world, 14)
    rules = {"Owner": only("volume", **{"from": ["instance"]})}
    world.cloud.seconds_per_call = 5
    event: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    while len(answers) < 9:
        started = world.clock.now()
        world.cloud.calls.clear()
        answers.append(world.run(rules, seconds=60 + 75, **event))
        late = [(call.at - started).total_seconds() for call in world.changes()]
        assert all(seconds <= 75 for seconds in late), "no change starts in the last minute"
        invoked = [json.loads(c.params["Payload"]) for c in world.cloud.calls.of("Invoke")]
        if not invoked:
            break
        (following,) = invoked
        assert following["rules"] == rules
        event = {"round": following["round"], "scheduled_time": following["scheduled_time"]}

    assert len(answers) > 1
    assert [answer["complete"] for answer in answers] == [False] * (len(answers) - 1) + [True]
    assert {answer["slot"] for answer in answers} == {"2026-11-21T03:00Z"}
    assert [world.tags(each)["Owner"] for each in volumes] == [f"owner-{n:02}" for n in range(14)]


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_what_a_round_leaves_to_the_next_is_nothing_to_tell(world: TagsWorld) -> None:
    owned_by_many(world, 12)
    rules = {"Owner": only("volume", **{"from": ["instance"]})}
    world.cloud.seconds_per_call = 5

    first = world.run(rules, seconds=60 + 75)
    assert first["counts"]["set"]["deferred"] > 0
    world.cloud.seconds_per_call = 0
    last = world.run(rules, round=1)

    assert last["complete"]
    assert world.stack.alerts() == []


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_without_time_for_a_single_change_nothing_is_changed(world: TagsWorld) -> None:
    volume = world.account.volume()
    world.cloud.seconds_per_call = 4

    answer = world.run(VOLUMES, seconds=60 + 22)

    assert answer["counts"] == {"set": {"deferred": 1}}
    assert world.tags(volume) == {}
    assert world.cloud.calls.count("Invoke") == 0
    assert "work_left_over" in kinds(world.stack.alerts())
    assert answer["report"]


def test_without_time_to_list_nothing_is_decided(world: TagsWorld) -> None:
    volume = world.account.volume()
    world.cloud.seconds_per_call = 30

    with pytest.raises(Exception, match="no time"):
        world.run(VOLUMES, seconds=70)

    assert world.tags(volume) == {}


def test_two_runs_at_once_are_one_run(world: TagsWorld) -> None:
    world.account.volume()
    met: list[Any] = []

    def second() -> None:
        try:
            met.append(world.run(VOLUMES))
        except BusyError as busy:
            met.append(busy)

    at_call(world.cloud, "DescribeVolumes", second)
    world.run(VOLUMES)
    world.account.volume()
    at_call(world.cloud, "DescribeVolumes", second)
    world.run(VOLUMES, scheduled_time="2026-11-21T04:00:00Z")

    first, other_slot = met
    assert (first["status"], first["reason"]) == ("skipped", "slot_in_progress")
    assert isinstance(other_slot, BusyError)
    assert world.cloud.calls.count("CreateTags") == 2


def test_five_thousand_resources_are_tagged_in_few_calls_and_a_small_answer(
    world: TagsWorld,
) -> None:
    world.cloud.pages.size = None
    a = world.account
    a.crowd("instance", 500, tags_of=lambda n: {"Owner": f"team-{n % 7}"})
    a.crowd("volume", 2_500, tags_of=lambda n: {"Env": "prod"} if n % 5 else {})
    a.crowd("snapshot", 1_500, tags=OWNED)
    a.crowd("elastic-ip", 500)
    rules = {
        "Owner": only("instance", "volume", "snapshot", "elastic-ip", default="ops"),
        "Env": only("volume", values=["prod", "dev"], default="dev"),
    }

    answer = world.run(rules)

    assert answer["counts"] == {"keep": {"unchanged": 2_000}, "set": {"done": 3_000}}
    sizes = sorted(len(call.params["Resources"]) for call in world.changes())
    assert sizes == [500, 500, 1_000, 1_000]
    assert len(json.dumps(answer)) < MAX_ANSWER
    assert answer["summary"]["compliance"]["after"] == 100.0
    assert len(world.stack.report(answer)) == 5_001
    assert len(world.cloud.calls) < 40
