"""Every type of resource is listed, all pages of it; one that cannot be is left out and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import ListingError
from functions.tagging.rules import EC2_TYPES
from tests.support.snapshots import kinds
from tests.support.tags_world import OWNED, SET, TOP, TagsWorld, item, only, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

PLACES: Final = range(7)
MAKERS: Final[dict[str, Callable[[Account], str]]] = {
    "instance": lambda a: a.instance(OWNED).id,
    "volume": lambda a: a.volume(),
    "snapshot": lambda a: a.snapshot(a.volume(tags=OWNED), age_hours=99),
    "image": lambda a: a.image(age_hours=99),
    "network-interface": lambda a: a.network_interface(),
    "elastic-ip": lambda a: a.elastic_ip(),
    "security-group": lambda a: a.security_group(),
}
LISTED_BY: Final = {
    "instance": "DescribeInstances",
    "volume": "DescribeVolumes",
    "snapshot": "DescribeSnapshots",
    "image": "DescribeImages",
    "network-interface": "DescribeNetworkInterfaces",
    "elastic-ip": "DescribeAddresses",
    "security-group": "DescribeSecurityGroups",
}
PAGED: Final = [each for each in EC2_TYPES if each != "elastic-ip"]
OTHERS: Final = (
    "rds:db",
    "lambda:function",
    "logs:log-group",
    "elasticloadbalancing:loadbalancer",
    "eks:cluster",
    "ecs:cluster",
)
UNTYPED: Final = (("s3", "s3:bucket"), ("sns", "sns:topic"), ("sqs", "sqs:queue"))
"""Services whose ARNs name no type: asked for by the service alone."""


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An account whose default security group has an owner."""
    account.tag(account.default_security_group(), OWNED)
    return TagsWorld(cloud, clock, stack, account)


def test_there_is_a_maker_and_a_listing_for_every_type() -> None:
    assert set(EC2_TYPES) == set(MAKERS) == set(LISTED_BY)


@pytest.mark.parametrize("kind", EC2_TYPES)
def test_all_resources_of_a_type_are_seen_on_all_pages_and_tagged(
    world: TagsWorld, kind: str
) -> None:
    made = [MAKERS[kind](world.account) for _ in PLACES]

    answer = world.run({"Owner": only(kind, **TOP)})

    assert answer["status"] == "ok"
    assert {each: told(answer, each) for each in made} == {each: [SET] for each in made}
    assert {world.tags(each)["Owner"] for each in made} == {"ops"}
    if kind in PAGED:
        assert world.cloud.calls.count(LISTED_BY[kind]) >= 4
    assert item(answer, made[0])["detail"]["type"] == kind


@pytest.mark.parametrize("kind", EC2_TYPES)
def test_only_what_rules_are_about_is_listed(world: TagsWorld, kind: str) -> None:
    MAKERS[kind](world.account)

    world.run({"Owner": only(kind)})

    behind = {"instance": set(), "security-group": set(), "snapshot": {"volume", "instance"}}
    needed = {kind, *behind.get(kind, {"instance"})}
    listed = {each for each in EC2_TYPES if world.cloud.calls.count(LISTED_BY[each])}
    assert listed == needed


def test_a_rule_without_types_is_about_all_seven(world: TagsWorld) -> None:
    made = [make(world.account) for make in MAKERS.values()]

    answer = world.run({"Owner": TOP})

    assert {told(answer, each)[0] for each in made} == {SET}
    assert set(answer["summary"]["by_type"]) == set(EC2_TYPES)


def test_snapshots_and_images_of_others_are_not_ours_to_judge(world: TagsWorld) -> None:
    foreign = world.account.snapshot(
        world.account.volume(tags=OWNED), age_hours=99, owner="210987654321", public=True
    )

    answer = world.run({"Owner": only("snapshot", **TOP)})

    assert told(answer, foreign) == []
    assert world.tags(foreign) == {}


@pytest.mark.parametrize("kind", ["denied", "never_arrived", "internal_error"])
@pytest.mark.parametrize("broken", ["snapshot", "image", "elastic-ip", "security-group"])
def test_a_type_that_cannot_be_listed_is_left_out_and_told_and_the_others_go_on(
    world: TagsWorld, broken: str, kind: str
) -> None:
    made = {each: MAKERS[each](world.account) for each in EC2_TYPES}
    world.cloud.faults.add(kind, operation=LISTED_BY[broken], times=None)

    answer = world.run({"Owner": TOP})

    assert told(answer, broken) == [("skip", "listing_failed", "failed")]
    assert item(answer, broken)["error"]["code"]
    assert told(answer, made[broken]) == []
    assert world.tags(made[broken]) == {}
    assert {told(answer, made[each])[0] for each in made if each != broken} == {SET}
    assert answer["status"] == "partial"
    assert "type_unlisted" in kinds(world.stack.alerts())
    world.cloud.faults.clear()
    assert world.run({"Owner": TOP})["status"] == "ok"
    assert world.tags(made[broken]) == {"Owner": "ops"}
    assert "type_unlisted" in kinds(world.stack.alerts(), "OK")


@pytest.mark.parametrize("broken", PAGED)
def test_a_type_of_which_a_later_page_does_not_come_is_left_out_as_a_whole(
    world: TagsWorld, broken: str
) -> None:
    made = [MAKERS[broken](world.account) for _ in PLACES]
    rest = MAKERS["security-group" if broken != "security-group" else "elastic-ip"](world.account)
    world.cloud.faults.add("denied", operation=LISTED_BY[broken], nth=3, times=None)

    answer = world.run({"Owner": TOP})

    assert told(answer, broken) == [("skip", "listing_failed", "failed")]
    assert [told(answer, each) for each in made] == [[]] * len(made)
    assert {tuple(world.tags(each)) for each in made} == {()}
    assert told(answer, rest) == [SET]


def test_a_token_that_expired_leaves_its_type_out(world: TagsWorld) -> None:
    made = [world.account.volume() for _ in PLACES]
    address = world.account.elastic_ip()
    world.cloud.pages.expire = {3}

    answer = world.run({"Owner": only("volume", "elastic-ip", **TOP)})

    assert told(answer, "volume") == [("skip", "listing_failed", "failed")]
    assert not any(world.tags(each) for each in made)
    assert told(answer, address) == [SET]


def test_pages_that_are_empty_or_repeat_an_item_change_nothing_about_what_is_seen(
    world: TagsWorld,
) -> None:
    made = [world.account.volume() for _ in PLACES]
    world.cloud.pages.empty = frozenset({2})
    world.cloud.pages.repeat_last = True
    world.cloud.pages.size = 3

    answer = world.run({"Owner": only("volume", **TOP)})

    assert {each: told(answer, each) for each in made} == {each: [SET] for each in made}
    assert answer["summary"]["resources"] == len(made)
    assert answer["counts"]["set"] == {"done": len(made)}
    (sent,) = world.changes()
    assert sorted(sent.params["Resources"]) == sorted(made)


def test_when_no_type_can_be_listed_the_run_fails_and_is_told(world: TagsWorld) -> None:
    before = world.photograph()
    world.cloud.faults.add("denied", service="ec2", times=None)

    answer = world.run({"Owner": TOP})

    assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
    assert kinds(world.stack.alerts()) == ["run_failed"]
    assert world.photograph() == before
    assert world.changes() == []


@pytest.mark.parametrize("kind", ["never_arrived", "internal_error", "unavailable"])
def test_when_no_type_comes_for_now_the_run_raises_and_is_repeated(
    world: TagsWorld, kind: str
) -> None:
    made = world.account.volume()
    world.cloud.faults.add(kind, service="ec2", times=None)

    with pytest.raises(ListingError):
        world.run({"Owner": TOP})

    assert world.changes() == []
    world.cloud.faults.clear()
    assert told(world.run({"Owner": TOP}), made) == [SET]


def test_one_type_that_may_come_later_is_enough_to_raise(world: TagsWorld) -> None:
    world.cloud.faults.add("denied", operation="DescribeImages", times=None)
    world.cloud.faults.add("unavailable", operation="DescribeVolumes", times=None)
    world.cloud.faults.add("denied", operation="DescribeInstances", times=None)

    with pytest.raises(ListingError):
        world.run({"Owner": only("image", "volume", **TOP)})


def test_a_listing_that_comes_at_the_second_try_or_is_throttled_costs_nothing(
    world: TagsWorld,
) -> None:
    made = [make(world.account) for make in MAKERS.values()]
    for operation in LISTED_BY.values():
        world.cloud.faults.add("throttled", operation=operation, times=5)
        world.cloud.faults.add("unavailable", operation=operation, nth=7)

    answer = world.run({"Owner": TOP})

    assert answer["status"] == "ok"
    assert {told(answer, each)[0] for each in made} == {SET}


@pytest.mark.parametrize(("kind", "seeded"), [*((each, each) for each in OTHERS), *UNTYPED])
def test_other_types_are_listed_and_tagged_through_the_tagging_api(
    world: TagsWorld, kind: str, seeded: str
) -> None:
    made = [world.account.resource(seeded, tags={"env": "prod"}) for _ in PLACES]
    bare = world.account.resource(seeded)
    once = world.account.resource(seeded)
    world.account.once_tagged(once)

    answer = world.run({"Owner": only(kind, **TOP)})

    assert {each: told(answer, each) for each in made} == {each: [SET] for each in made}
    assert world.account.resource_tags(made[3]) == {"env": "prod", "Owner": "ops"}
    assert told(answer, once) == [SET]
    assert told(answer, bare) == [], "the tagging API never shows it"
    assert item(answer, made[0])["detail"]["type"] == kind
    listings = world.cloud.calls.of("GetResources")
    assert {tuple(call.params["ResourceTypeFilters"]) for call in listings} == {(kind,)}
    assert len(listings) >= 4


@pytest.mark.parametrize("kind", ["denied", "throttled", "internal_error"])
def test_other_types_that_cannot_be_listed_are_left_out(world: TagsWorld, kind: str) -> None:
    database = world.account.resource("rds:db", tags={"env": "prod"})
    volume = world.account.volume()
    times = 3 if kind == "throttled" else None
    world.cloud.faults.add(kind, operation="GetResources", times=times)

    answer = world.run({"Owner": only("rds:db", "volume", **TOP)})

    assert told(answer, volume) == [SET]
    if kind == "throttled":
        assert told(answer, database) == [SET]
    else:
        assert told(answer, "rds:db") == [("skip", "listing_failed", "failed")]
        assert world.account.resource_tags(database) == {"env": "prod"}


def rules_for_types(*types: str) -> dict[str, Any]:
    """Return one rule for each of these types, each with a key of its own."""
    return {f"Key-{n}": only(each, **TOP) for n, each in enumerate(types)}


def test_rules_of_different_types_go_their_own_ways(world: TagsWorld) -> None:
    volume, address = world.account.volume(), world.account.elastic_ip()

    world.run(rules_for_types("volume", "elastic-ip"))

    assert world.tags(volume) == {"Key-0": "ops"}
    assert world.tags(address) == {"Key-1": "ops"}
