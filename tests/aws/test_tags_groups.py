"""What an Auto Scaling group or a launch template misses is told there, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.tags_world import OWNED, SET, TagsWorld, item, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


MISSING: Final = ("report", "missing", "unchanged")
AT_GROUP: Final = ("skip", "reported_at_group", "unchanged")


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def instances(**rule: Any) -> dict[str, Any]:
    return {"Owner": only("instance", **rule)}


def test_what_a_group_misses_is_reported_there_once_and_not_on_its_instances(
    world: TagsWorld,
) -> None:
    group = world.account.scaling_group(world.account.launch_template([]), "1")
    members = [world.account.instance(group=group).id for _ in range(5)]
    alone = world.account.instance().id

    answer = world.run(instances())

    assert {each: told(answer, each) for each in members} == {each: [AT_GROUP] for each in members}
    target = f"auto-scaling-group/{group}"
    assert told(answer, target) == [MISSING]
    detail = item(answer, target)["detail"]
    assert detail["findings"] == {"Owner": "missing"}
    assert detail["resources"] == 5
    assert told(answer, alone) == [MISSING]
    assert answer["summary"]["violations"] == 2


def test_a_tag_that_a_group_has_and_does_not_pass_on_is_its_own_matter(world: TagsWorld) -> None:
    group = world.account.scaling_group(world.account.launch_template([]), "1", own_tags=OWNED)
    member = world.account.instance(group=group).id

    answer = world.run(instances())

    assert told(answer, member) == [AT_GROUP]
    assert told(answer, f"auto-scaling-group/{group}") == [MISSING]


def test_once_the_group_passes_it_on_its_old_instances_are_reported_themselves(
    world: TagsWorld,
) -> None:
    group = world.account.scaling_group(world.account.launch_template([]), "1", tags=OWNED)
    member = world.account.instance(group=group).id

    answer = world.run(instances())

    assert told(answer, member) == [MISSING]
    assert told(answer, f"auto-scaling-group/{group}") == []


def test_an_instance_of_a_group_gets_what_can_be_set_all_the_same(world: TagsWorld) -> None:
    group = world.account.scaling_group(world.account.launch_template([]), "1")
    member = world.account.instance(group=group).id

    answer = world.run({**instances(), "Env": only("instance", default="dev")})

    assert told(answer, member) == [SET, AT_GROUP]
    assert world.tags(member)["Env"] == "dev"


def test_a_wrong_value_of_a_group_s_instance_is_its_own(world: TagsWorld) -> None:
    group = world.account.scaling_group(world.account.launch_template([]), "1")
    member = world.account.instance(tags={"Env": "test"}, group=group).id

    answer = world.run({"Env": only("instance", values=["prod"])})

    assert told(answer, member) == [("report", "wrong_value", "unchanged")]
    assert told(answer, f"auto-scaling-group/{group}") == []


def test_what_a_launch_template_misses_is_reported_there_for_instances_and_volumes(
    world: TagsWorld,
) -> None:
    template = world.account.launch_template([], launch_tags={"instance": {"Env": "dev"}})
    launched = [world.account.instance({}, template=template) for _ in range(3)]

    answer = world.run({"Owner": only("instance", "volume"), "Env": only("volume")})

    target = f"launch-template/{template}"
    assert told(answer, target) == [MISSING]
    assert item(answer, target)["detail"]["findings"] == {"Env": "missing", "Owner": "missing"}
    for each in launched:
        assert told(answer, each.id) == [AT_GROUP]
        assert told(answer, each.volume_ids[0]) == [AT_GROUP]


def test_a_launch_template_that_was_put_right_leaves_its_old_instances_to_themselves(
    world: TagsWorld,
) -> None:
    template = world.account.launch_template([], launch_tags={"instance": OWNED, "volume": OWNED})
    old = world.account.instance({}, template=template)

    answer = world.run({"Owner": only("instance", "volume")})

    assert told(answer, old.id) == [MISSING]
    assert told(answer, old.volume_ids[0]) == [MISSING]


def test_a_template_or_group_that_is_gone_leaves_its_instances_to_themselves(
    world: TagsWorld,
) -> None:
    stray = world.account.instance(template="lt-0123456789abcdef0").id
    left = world.account.instance(group="deleted-group").id

    answer = world.run(instances())

    assert told(answer, stray) == [MISSING]
    assert told(answer, left) == [MISSING]


@pytest.mark.parametrize("operation", ["DescribeAutoScalingGroups", "DescribeLaunchTemplates"])
def test_groups_that_cannot_be_listed_are_told_and_their_instances_judged_alone(
    world: TagsWorld, operation: str
) -> None:
    template = world.account.launch_template([])
    group = world.account.scaling_group(template, "1")
    member = world.account.instance(group=group).id
    launched = world.account.instance(template=template).id
    world.cloud.faults.add("denied", operation=operation, times=None)

    answer = world.run(instances())

    broken = "auto-scaling-group" if "Scaling" in operation else "launch-template"
    assert told(answer, broken) == [("skip", "listing_failed", "failed")]
    struck = member if "Scaling" in operation else launched
    assert told(answer, struck)[0][0] == "report"
