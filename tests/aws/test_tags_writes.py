"""Tags are written in as few calls as there are tag sets; what AWS refuses costs nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import at_call
from tests.support.snapshots import kinds
from tests.support.tags_world import OWNED, SET, TOP, TagsWorld, item, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


GONE: Final = ("skip", "gone", "unchanged")
NO_ROOM: Final = ("report", "no_room", "unchanged")
FULL: Final = {f"mine-{n}": "x" for n in range(50)}
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


def test_resources_of_all_kinds_that_get_the_same_tags_share_one_call(world: TagsWorld) -> None:
    made = [
        world.account.volume(),
        world.account.elastic_ip(),
        world.account.security_group(),
        world.account.network_interface(),
        world.account.image(age_hours=99),
    ]

    world.run({"Owner": TOP, "Env": {"default": "dev"}})

    (sent,) = world.changes()
    assert set(made) <= set(sent.params["Resources"])
    assert sent.params["Tags"] == [
        {"Key": "Owner", "Value": "ops"},
        {"Key": "Env", "Value": "dev"},
    ]


def test_a_call_takes_a_thousand_resources_and_each_tag_set_has_calls_of_its_own(
    world: TagsWorld,
) -> None:
    many = world.account.crowd("volume", 2_300)
    few = world.account.crowd("volume", 30, tags={"Env": "prod"})

    answer = world.run({**VOLUMES, "Env": only("volume", default="dev")})

    sizes = sorted(len(call.params["Resources"]) for call in world.changes())
    assert sizes == [30, 300, 1_000, 1_000]
    assert answer["counts"] == {"set": {"done": 2_330}}
    assert owners(world, [*many, *few]) == {"ops"}
    assert world.tags(few[0]) == {"Env": "prod", "Owner": "ops"}
    assert world.cloud.calls.count("DescribeTags") == 0


def test_only_what_is_absent_is_written(world: TagsWorld) -> None:
    theirs = world.account.volume(tags={"Owner": "bob"})
    empty = world.account.volume(tags={"Owner": ""})

    answer = world.run({"Owner": only("volume", values=["ann", "ops"], default="ops")})

    assert world.changes() == []
    assert told(answer, theirs) == [("report", "wrong_value", "unchanged")]
    assert told(answer, empty) == [("report", "wrong_value", "unchanged")]
    assert owners(world, [theirs]) == {"bob"}


@pytest.mark.parametrize("number", [1, 2, 24])
def test_those_that_vanished_cost_the_others_nothing(world: TagsWorld, number: int) -> None:
    made = world.account.crowd("volume", 120)
    lost = made[5 :: 120 // number][:number]
    volumes = world.account.backend.volumes
    at_call(world.cloud, "CreateTags", lambda: [volumes.pop(each) for each in lost])

    answer = world.run(VOLUMES)

    rest = [each for each in made if each not in lost]
    assert owners(world, rest) == {"ops"}
    assert {told(answer, each)[0] for each in lost} == {GONE}
    assert {told(answer, each)[0] for each in rest} == {SET}
    assert answer["status"] == "ok"
    assert world.cloud.calls.count("CreateTags") <= 2 * number + 2


def test_one_that_vanished_among_hundreds_is_found_in_few_calls(world: TagsWorld) -> None:
    """AWS may refuse without a name."""
    made = world.account.crowd("volume", 400)
    lost = made[217]
    world.cloud.faults.add(
        "error", operation="CreateTags", match=lost, code="InvalidVolume.NotFound", times=None
    )

    answer = world.run(VOLUMES)

    (about,) = [each for each in world.stack.report(answer)[1:] if each["target"] == lost]
    assert (about["action"], about["reason"], about["result"]) == GONE
    assert owners(world, made[:217] + made[218:]) == {"ops"}
    assert answer["counts"] == {"set": {"done": 399}, "skip": {"unchanged": 1}}
    assert world.cloud.calls.count("CreateTags") <= 2 * 9 + 2


@pytest.mark.parametrize("number", [1, 14])
def test_those_that_are_denied_by_name_cost_the_others_nothing(
    world: TagsWorld, number: int
) -> None:
    """As AWS says it where a policy of the organization protects some."""
    made = world.account.crowd("volume", 60)
    denied = made[3::4][:number]
    for each in denied:
        arn = f"arn:aws:ec2:eu-west-1:123456789012:volume/{each}"
        world.cloud.faults.add(
            "error",
            operation="CreateTags",
            match=each,
            code="UnauthorizedOperation",
            status=403,
            message=f"You are not authorized to perform: ec2:CreateTags on resource: {arn}",
            times=None,
        )

    answer = world.run(VOLUMES)

    assert answer["counts"]["set"] == {"done": 60 - number, "failed": number}
    assert {told(answer, each)[0][2] for each in denied} == {"failed"}
    assert world.cloud.calls.count("CreateTags") <= 2 * number + 2


def test_when_all_vanished_nothing_fails_and_few_calls_are_made(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 30)
    at_call(world.cloud, "CreateTags", world.account.backend.volumes.clear)

    answer = world.run(VOLUMES)

    assert {told(answer, each)[0] for each in made} == {GONE}
    assert answer["status"] == "ok"
    assert world.cloud.calls.count("CreateTags") <= 2 * len(made)


def test_one_that_vanished_before_its_call_is_gone(world: TagsWorld) -> None:
    lost, rest = world.account.volume(), world.account.volume()
    at_call(world.cloud, "CreateTags", lambda: world.account.remove_volume(lost))

    answer = world.run(VOLUMES)

    assert told(answer, lost) == [GONE]
    assert told(answer, rest) == [SET]
    assert world.stack.alerts() == []


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidParameterValue"])
def test_one_that_may_not_be_tagged_is_told_and_costs_the_others_nothing(
    world: TagsWorld, code: str
) -> None:
    made = world.account.crowd("volume", 64)
    world.cloud.faults.add(
        "error", operation="CreateTags", match=made[9], code=code, status=403, times=None
    )

    answer = world.run(VOLUMES)

    assert told(answer, made[9]) == [("set", "missing", "failed")]
    assert answer["counts"]["set"] == {"done": 63, "failed": 1}
    assert owners(world, made[:9] + made[10:]) == {"ops"}
    assert "resource_untaggable" in kinds(world.stack.alerts())
    world.cloud.faults.clear()
    assert world.run(VOLUMES)["counts"]["set"] == {"done": 1}
    assert "resource_untaggable" in kinds(world.stack.alerts(), "OK")


def test_several_that_may_not_be_tagged_cost_the_others_nothing(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 100)
    denied = made[7::25]
    for each in denied:
        world.cloud.faults.add("denied", operation="CreateTags", match=each, times=None)

    answer = world.run(VOLUMES)

    assert answer["counts"]["set"] == {"done": 96, "failed": 4}
    assert {told(answer, each)[0][2] for each in denied} == {"failed"}


def test_when_all_are_denied_the_run_makes_few_calls(world: TagsWorld) -> None:
    made = world.account.crowd("volume", 400)
    world.cloud.faults.add("denied", operation="CreateTags", times=None)

    answer = world.run(VOLUMES)

    assert owners(world, made) == {""}
    assert (answer["status"], answer["progress"]) == ("partial", 0)
    assert world.cloud.calls.count("CreateTags") <= 40


@pytest.mark.usefixtures("one_at_a_time")
def test_three_tag_sets_that_are_denied_open_the_breaker(world: TagsWorld) -> None:
    made = [world.account.volume() for _ in range(9)]
    attach_to_owners(world, made)
    world.cloud.faults.add("denied", operation="CreateTags", times=None)

    answer = world.run({"Owner": only("volume", **{"from": ["instance"]})})

    results = sorted(told(answer, each)[0][2] for each in made)
    assert results.count("failed") == 3
    assert answer["complete"] is False
    assert world.cloud.calls.count("CreateTags") == 3
    assert "tagging_stopped" in kinds(world.stack.alerts())
    world.cloud.faults.clear()
    assert world.run({"Owner": only("volume", **{"from": ["instance"]})})["complete"]
    assert "tagging_stopped" in kinds(world.stack.alerts(), "OK")


def test_a_resource_that_is_full_is_a_finding_and_no_call(world: TagsWorld) -> None:
    full = world.account.volume(tags=FULL)
    room = world.account.volume(tags={**FULL, "aws:backup": "does not count"})
    world.account.backend.tags[room].pop("mine-0")

    answer = world.run(VOLUMES)

    assert told(answer, full) == [NO_ROOM]
    assert item(answer, full)["detail"]["findings"] == {"Owner": "missing"}
    assert told(answer, room) == [SET]
    assert answer["status"] == "ok"
    assert owners(world, [full]) == {""}


def test_what_there_is_room_for_is_written_and_the_rest_is_a_finding(world: TagsWorld) -> None:
    volume = world.account.volume(tags=dict.fromkeys(list(FULL)[:49], "x"))

    answer = world.run({**VOLUMES, "Env": only("volume", default="dev")})

    assert told(answer, volume) == [SET, NO_ROOM]
    assert item(answer, volume, "set")["detail"]["set"] == {"Owner": "ops"}
    assert item(answer, volume, "report")["detail"]["findings"] == {"Env": "missing"}
    assert len(world.tags(volume)) == 50


def test_one_that_fills_up_meanwhile_is_a_finding_and_costs_the_others_nothing(
    world: TagsWorld,
) -> None:
    made = world.account.crowd("volume", 30)
    at_call(world.cloud, "CreateTags", lambda: world.account.tag(made[4], FULL))

    answer = world.run(VOLUMES)

    assert told(answer, made[4]) == [NO_ROOM]
    assert answer["counts"] == {"report": {"unchanged": 1}, "set": {"done": 29}}
    assert answer["status"] == "ok"


def test_what_is_written_stands_on_the_resource_and_no_tag_besides(world: TagsWorld) -> None:
    volume = world.account.volume(tags={"keep": "me", "caretaker:backup": "daily"})

    world.run(VOLUMES)

    assert world.tags(volume) == {"keep": "me", "caretaker:backup": "daily", "Owner": "ops"}


def test_the_same_slot_again_changes_nothing(world: TagsWorld) -> None:
    world.account.crowd("volume", 10)
    world.account.volume(tags=OWNED)
    world.run(VOLUMES)
    before = world.photograph()
    world.cloud.calls.clear()

    again = world.run(VOLUMES)

    assert world.changes() == []
    assert again["counts"] == {"keep": {"unchanged": 11}}
    assert world.photograph() == before
