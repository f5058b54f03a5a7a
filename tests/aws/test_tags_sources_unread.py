"""A source that cannot be read gives nothing, and nothing that comes after it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.snapshots import kinds
from tests.support.tags_world import SET, TagsWorld, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


TEAM: Final = {"Team": "web"}
UNKNOWN: Final = ("report", "source_unknown", "unchanged")


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def derived(kind: str, *sources: str, **rule: Any) -> dict[str, Any]:
    """Return the rule that a type's tag comes from these sources."""
    return {"Team": only(kind, **{"from": list(sources)}, **rule)}


def everywhere(world: TagsWorld) -> str:
    """Return a volume for which every source says something else: its own name."""
    a = world.account
    template = a.launch_template([], tags={"Team": "launch-template"})
    group = a.scaling_group(template, "1", own_tags={"Team": "asg"})
    made = a.instance({}, tags={"Team": "instance"}, group=group, template=template)
    vpc, subnet, _ = a.network_of(made.id)
    a.tag(vpc, {"Team": "vpc"})
    a.tag(subnet, {"Team": "subnet"})
    a.organization(tags={"Team": "account"})
    return made.volume_ids[0]


UNREADABLE: Final = {
    "instance": "DescribeInstances",
    "asg": "DescribeAutoScalingGroups",
    "launch-template": "DescribeLaunchTemplates",
    "vpc": "DescribeVpcs",
    "subnet": "DescribeSubnets",
    "account": "ListTagsForResource",
}
NAMES: Final = {"asg": "auto-scaling-group"}


@pytest.mark.parametrize("source", UNREADABLE)
def test_a_source_that_cannot_be_read_gives_nothing_and_nothing_after_it_counts(
    world: TagsWorld, source: str
) -> None:
    """Nobody knows whether it had a value: neither a later source nor the default may stand in."""
    volume = everywhere(world)
    world.cloud.faults.add("denied", operation=UNREADABLE[source], times=None)
    later = "vpc" if source != "vpc" else "subnet"

    answer = world.run(derived("volume", source, later, default="ops"))

    name = NAMES.get(source, source)
    assert told(answer, volume) == [UNKNOWN]
    assert told(answer, name) == [("skip", "listing_failed", "failed")]
    assert world.tags(volume) == {}
    assert world.changes() == []
    assert "type_unlisted" in kinds(world.stack.alerts())
    world.cloud.faults.clear()
    assert told(world.run(derived("volume", source, later)), volume) == [SET]
    assert world.tags(volume) == {"Team": source}


def test_a_source_before_the_unreadable_one_counts_all_the_same(world: TagsWorld) -> None:
    volume = everywhere(world)
    world.cloud.faults.add("denied", operation="DescribeVpcs", times=None)

    answer = world.run(derived("volume", "instance", "vpc"))

    assert told(answer, volume) == [SET]
    assert world.tags(volume) == {"Team": "instance"}


def test_template_versions_that_cannot_be_read_leave_the_templates_out(world: TagsWorld) -> None:
    volume = everywhere(world)
    world.cloud.faults.add("denied", operation="DescribeLaunchTemplateVersions", times=None)

    answer = world.run(derived("volume", "launch-template"))

    assert told(answer, volume) == [UNKNOWN]
    assert told(answer, "launch-template") == [("skip", "listing_failed", "failed")]


@pytest.mark.parametrize("role", ["", "member"])
def test_without_an_organization_that_answers_only_rules_that_ask_for_it_wait(
    world: TagsWorld, role: str
) -> None:
    if role:
        world.account.organization(role, tags={"Team": "account"})
    one, other = world.account.volume(), world.account.instance({}, tags=TEAM).volume_ids[0]
    rules = {
        "Team": only("volume", **{"from": ["instance", "account"]}),
        "Env": only("volume", default="dev"),
    }

    answer = world.run(rules)

    assert told(answer, one) == [SET, UNKNOWN]
    assert told(answer, other) == [SET]
    assert world.tags(other) == {"Team": "web", "Env": "dev"}
    assert world.tags(one) == {"Env": "dev"}


def test_sources_that_no_rule_names_are_not_read(world: TagsWorld) -> None:
    everywhere(world)

    world.run({"Team": only("security-group", default="ops")})

    assert not {"DescribeVpcs", "DescribeSubnets", "ListTagsForResource", "DescribeVolumes"} & set(
        world.cloud.calls.operations()
    )


def test_when_instances_cannot_be_listed_what_may_be_theirs_is_not_touched(
    world: TagsWorld,
) -> None:
    """They might opt it out."""
    theirs = world.account.instance({}).volume_ids[0]
    free, snapshot = world.account.volume(), world.account.snapshot("vol-0000000a", age_hours=99)
    world.cloud.faults.add("denied", operation="DescribeInstances", times=None)

    answer = world.run({"Team": only("volume", "snapshot", default="ops")})

    assert told(answer, theirs) == [UNKNOWN]
    assert told(answer, free) == [SET]
    assert told(answer, snapshot) == [SET]
    assert world.tags(theirs) == {}
