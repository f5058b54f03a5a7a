"""Where values come from, in which order, and what happens where a source cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.tags_world import SET, TagsWorld, item, only, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


TEAM: Final = {"Team": "web"}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def derived(kind: str, *sources: str, **rule: Any) -> dict[str, Any]:
    """Return the rule that a type's tag comes from these sources."""
    return {"Team": only(kind, **{"from": list(sources)}, **rule)}


def volume_of_instance(a: Account) -> str:
    return a.instance({}, tags=TEAM).volume_ids[0]


def interface_of_instance(a: Account) -> str:
    return a.network_of(a.instance(tags=TEAM).id)[2]


def address_of_instance(a: Account) -> str:
    return a.elastic_ip(instance_id=a.instance(tags=TEAM).id)


def snapshot_of_instance(a: Account) -> str:
    return a.snapshot(a.instance({}, tags=TEAM).volume_ids[0], age_hours=99)


def snapshot_of_gone_volume(a: Account) -> str:
    """Its own tag names the instance, as the snapshot chore writes it."""
    instance, lone = a.instance(tags=TEAM), a.volume()
    made = a.snapshot(lone, age_hours=99, tags={"caretaker:instance": instance.id})
    a.remove_volume(lone)
    return made


def snapshot_of_volume(a: Account) -> str:
    return a.snapshot(a.volume(tags=TEAM), age_hours=99)


def instance_in_group(a: Account) -> str:
    template = a.launch_template([])
    group = a.scaling_group(template, "1", own_tags=TEAM)
    return a.instance(group=group).id


def volume_in_group(a: Account) -> str:
    group = a.scaling_group(a.launch_template([]), "1", tags=TEAM)
    return a.instance({}, group=group).volume_ids[0]


def instance_of_template(a: Account) -> str:
    return a.instance(template=a.launch_template([], tags=TEAM)).id


def volume_of_template(a: Account) -> str:
    return a.instance({}, template=a.launch_template([], tags=TEAM)).volume_ids[0]


def instance_in_vpc(a: Account) -> str:
    made = a.instance().id
    a.tag(a.network_of(made)[0], TEAM)
    return made


def group_in_vpc(a: Account) -> str:
    a.tag(a.network_of(a.instance().id)[0], TEAM)
    return a.security_group()


def interface_in_subnet(a: Account) -> str:
    a.tag(a.network_of(a.instance().id)[1], TEAM)
    return a.network_interface()


def volume_in_subnet(a: Account) -> str:
    made = a.instance({})
    a.tag(a.network_of(made.id)[1], TEAM)
    return made.volume_ids[0]


def address_in_account(a: Account) -> str:
    a.organization(tags=TEAM)
    return a.elastic_ip()


def database_in_account(a: Account) -> str:
    a.organization("delegated", tags=TEAM)
    return a.resource("rds:db", tags={"env": "prod"})


DERIVED: Final[dict[str, tuple[str, str, Callable[[Account], str]]]] = {
    "a volume from its instance": ("volume", "instance", volume_of_instance),
    "an interface from its instance": ("network-interface", "instance", interface_of_instance),
    "an address from its instance": ("elastic-ip", "instance", address_of_instance),
    "a snapshot from its volume's instance": ("snapshot", "instance", snapshot_of_instance),
    "a snapshot from the instance it names": ("snapshot", "instance", snapshot_of_gone_volume),
    "a snapshot from its volume": ("snapshot", "volume", snapshot_of_volume),
    "an instance from its group": ("instance", "asg", instance_in_group),
    "a volume from its instance's group": ("volume", "asg", volume_in_group),
    "an instance from its template": ("instance", "launch-template", instance_of_template),
    "a volume from its instance's template": ("volume", "launch-template", volume_of_template),
    "an instance from its network": ("instance", "vpc", instance_in_vpc),
    "a security group from its network": ("security-group", "vpc", group_in_vpc),
    "an interface from its subnet": ("network-interface", "subnet", interface_in_subnet),
    "a volume from its instance's subnet": ("volume", "subnet", volume_in_subnet),
    "an address from the account": ("elastic-ip", "account", address_in_account),
    "a database from the account": ("rds:db", "account", database_in_account),
}


@pytest.mark.parametrize(("kind", "source", "make"), DERIVED.values(), ids=DERIVED)
def test_a_value_is_derived(
    world: TagsWorld, kind: str, source: str, make: Callable[[Account], str]
) -> None:
    made = make(world.account)

    answer = world.run(derived(kind, source))

    assert told(answer, made) == [SET]
    detail = item(answer, made)["detail"]
    assert (detail["set"], detail["because"]) == (TEAM, {"Team": source})
    tags = world.account.resource_tags(made) if ":" in kind else world.tags(made)
    assert tags["Team"] == "web"


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


ORDERS: Final = (
    ("instance", "asg", "launch-template", "vpc", "subnet", "account"),
    ("asg", "instance"),
    ("launch-template", "asg", "instance"),
    ("vpc", "subnet"),
    ("subnet", "vpc", "account"),
    ("account", "instance"),
    ("creator", "volume", "subnet"),
)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_the_first_source_that_has_a_value_gives_it(
    world: TagsWorld, order: tuple[str, ...]
) -> None:
    volume = everywhere(world)

    world.run(derived("volume", *order))

    first = next(each for each in order if each not in {"creator", "volume"})
    assert world.tags(volume) == {"Team": first}


def test_a_source_whose_value_the_rule_forbids_is_passed_over(world: TagsWorld) -> None:
    volume = everywhere(world)

    world.run(derived("volume", "instance", "asg", "vpc", values=["vpc", "ops"], default="ops"))

    assert world.tags(volume) == {"Team": "vpc"}


def test_the_default_is_for_what_no_source_has(world: TagsWorld) -> None:
    bare = world.account.instance({}).volume_ids[0]
    rich = world.account.instance({}, tags=TEAM).volume_ids[0]

    answer = world.run(derived("volume", "instance", "vpc", default="ops"))

    assert item(answer, bare)["detail"]["because"] == {"Team": "default"}
    assert (world.tags(bare), world.tags(rich)) == ({"Team": "ops"}, TEAM)


def test_a_volume_of_two_instances_is_derived_from_neither(world: TagsWorld) -> None:
    shared = world.account.volume(multi_attach=True)
    for team in ("web", "db"):
        instance = world.account.instance(tags={"Team": team})
        world.account.attach(shared, instance.id, "/dev/sdx")

    answer = world.run(derived("volume", "instance"))

    assert told(answer, shared) == [("report", "missing", "unchanged")]


def test_what_is_derived_is_put_in_the_case_that_the_rule_lists(world: TagsWorld) -> None:
    volume = world.account.instance({}, tags={"team": "WEB"}).volume_ids[0]

    world.run(derived("volume", "instance", values=["Web", "Db"], case="normalise"))

    assert world.tags(volume) == {"Team": "Web"}


def test_an_exact_rule_takes_no_value_in_another_case(world: TagsWorld) -> None:
    volume = world.account.instance({}, tags={"Team": "WEB"}).volume_ids[0]

    answer = world.run(derived("volume", "instance", values=["web"]))

    assert told(answer, volume) == [("report", "missing", "unchanged")]


@pytest.mark.parametrize("case", ["exact", "ignore", "normalise"])
@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"Env": "prod"}, ""),
        ({"Env": "PROD"}, "wrong_case"),
        ({"env": "prod"}, "wrong_case"),
        ({"ENV": "Prod"}, "wrong_case"),
        ({"Env": "test"}, "wrong_value"),
        ({"env": "test"}, "wrong_case"),
        ({"env": "prod", "ENV": "dev"}, "wrong_case"),
        ({}, "missing"),
    ],
    ids=str,
)
def test_another_case_is_wrong_right_or_put_right(
    world: TagsWorld, case: str, tags: dict[str, str], found: str
) -> None:
    volume = world.account.volume(tags=tags)

    answer = world.run({"Env": only("volume", values=["prod", "dev"], case=case)})

    right = next((v.lower() for v in tags.values() if v.lower() in {"prod", "dev"}), "")
    ambiguous = len(tags) > 1
    if not found or (case == "ignore" and found == "wrong_case" and right):
        assert told(answer, volume) == [("keep", "compliant", "unchanged")]
    elif case == "normalise" and found == "wrong_case" and right and not ambiguous:
        assert told(answer, volume) == [("set", "wrong_case", "done")]
        assert item(answer, volume)["detail"]["because"] == {"Env": "normalised"}
        assert world.tags(volume) == {**tags, "Env": right}
        return
    else:
        reason = "wrong_value" if case == "ignore" and tags == {"env": "test"} else found
        assert told(answer, volume) == [("report", reason, "unchanged")]
    assert world.tags(volume) == tags


def test_a_value_that_somebody_put_right_meanwhile_is_not_written_again(world: TagsWorld) -> None:
    volume = world.account.volume(tags={"Env": "PROD"})
    world.cloud.seconds_per_call = 70
    rules = {"Env": only("volume", values=["prod", "dev"], case="normalise")}

    answer = world.run(rules)

    assert told(answer, volume) == [("set", "wrong_case", "done")]
    assert world.tags(volume) == {"Env": "prod"}
