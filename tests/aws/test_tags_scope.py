"""Who is judged: not what is young, opted out, run by a service, or a group's own matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.tags_world import OWNED, SET, TagsWorld, only, told

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


MISSING: Final = ("report", "missing", "unchanged")
YOUNG: Final = ("skip", "too_young", "unchanged")
IGNORED: Final = ("skip", "ignored", "unchanged")
MANAGED: Final = ("skip", "service_managed", "unchanged")
KEPT: Final = ("keep", "compliant", "unchanged")
IGNORE: Final = {"caretaker:ignore": "true"}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> TagsWorld:
    """An empty account."""
    return TagsWorld(cloud, clock, stack, account)


def instances(**rule: Any) -> dict[str, Any]:
    return {"Owner": only("instance", **rule)}


def test_a_running_instance_that_shows_no_tags_is_read_a_second_time(world: TagsWorld) -> None:
    tagged = [world.account.instance(tags=OWNED).id for _ in range(5)]
    bare = world.account.instance().id
    world.account.backend.tags[bare].clear()
    for each in tagged:
        world.account.hide_tags(each)

    answer = world.run(instances(default="ops"))

    assert [told(answer, each) for each in tagged] == [[KEPT]] * 5
    assert told(answer, bare) == [SET]
    assert {world.tags(each)["Owner"] for each in tagged} == {"ann"}


def test_the_second_reading_is_one_call_for_many(world: TagsWorld) -> None:
    world.cloud.pages.size = None
    world.account.crowd("instance", 250)

    world.run(instances())

    assert world.cloud.calls.count("DescribeTags") == 2


def test_instances_of_which_the_second_reading_fails_are_not_judged(world: TagsWorld) -> None:
    hidden = world.account.instance(tags=OWNED).id
    world.account.hide_tags(hidden, times=9)
    volume = world.account.volume()
    world.cloud.faults.add("denied", operation="DescribeTags", times=None)

    answer = world.run({"Owner": only("instance", "volume", default="ops")})

    assert told(answer, "instance") == [("skip", "listing_failed", "failed")]
    assert world.tags(hidden) == OWNED
    assert told(answer, volume) == [SET]


@pytest.mark.parametrize("kind", ["instance", "volume", "snapshot", "image"])
def test_what_is_younger_than_the_grace_is_left_alone_and_then_judged(
    world: TagsWorld, kind: str
) -> None:
    a = world.account
    old = a.volume(tags=OWNED)
    make = {
        "instance": lambda: a.instance(OWNED, age_hours=23).id,
        "volume": lambda: a.volume(age_hours=23),
        "snapshot": lambda: a.snapshot(old, age_hours=23),
        "image": lambda: a.image(age_hours=23),
    }
    made = make[kind]()
    if kind == "instance":
        for volume in a.backend.get_instance(made).block_device_mapping.values():
            volume.attach_time = world.clock.now()

    answer = world.run({"Owner": only(kind, default="ops")})

    assert told(answer, made) == [YOUNG]
    assert world.tags(made) == {}
    assert answer["summary"]["violations"] == 0
    world.clock.advance(2 * 3600)
    assert told(world.run({"Owner": only(kind, default="ops")}), made) == [SET]


def test_the_grace_is_as_long_as_the_event_says(world: TagsWorld) -> None:
    volume = world.account.volume(age_hours=30)
    rules = {"Owner": only("volume")}

    assert told(world.run(rules, grace_hours=31), volume) == [YOUNG]
    assert told(world.run(rules, grace_hours=29), volume) == [MISSING]
    assert told(world.run(rules, grace_hours=0), volume) == [MISSING]


def test_what_is_young_gets_what_can_be_derived_and_no_default(world: TagsWorld) -> None:
    instance = world.account.instance(tags=OWNED)
    volume = world.account.volume(age_hours=1)
    world.account.attach(volume, instance.id, "/dev/sdx")
    rules = {
        "Owner": only("volume", **{"from": ["instance"]}),
        "Env": only("volume", default="dev"),
    }

    answer = world.run(rules)

    assert told(answer, volume) == [SET, YOUNG]
    assert world.tags(volume) == OWNED


def test_tags_of_the_young_count_once_they_are_there_and_never_as_missing(
    world: TagsWorld,
) -> None:
    instance = world.account.instance({"Owner": "ann", "Env": "dev"}, tags=OWNED)
    for device in "xyz":
        volume = world.account.volume(age_hours=1)
        world.account.attach(volume, instance.id, f"/dev/sd{device}")
    rules = {"Owner": only("volume", **{"from": ["instance"]}), "Env": only("volume")}

    answer = world.run(rules)

    by_key = answer["summary"]["by_key"]
    assert by_key["Owner"] == {"right": 4, "of": 4, "percent": 100.0}
    assert by_key["Env"] == {"right": 1, "of": 1, "percent": 100.0}
    assert answer["summary"]["compliance"] == {"before": 40.0, "after": 100.0}
    assert answer["counts"]["set"] == {"done": 3}


def test_an_instance_that_was_started_again_today_is_as_old_as_what_is_attached(
    world: TagsWorld,
) -> None:
    old = world.account.instance()
    world.account.backend.get_instance(old.id).launch_time = world.clock.now()

    assert told(world.run(instances()), old.id) == [MISSING]


def test_either_the_resource_or_its_instance_opts_out(world: TagsWorld) -> None:
    a = world.account
    out = a.instance({}, tags=IGNORE, interface_tags={})
    volume, interface = out.volume_ids[0], a.network_of(out.id)[2]
    address, snapshot = a.elastic_ip(instance_id=out.id), a.snapshot(volume, age_hours=99)
    image = a.image(age_hours=99)
    lone = a.volume(tags=IGNORE)
    kept_in = a.instance({**IGNORE}, tags={"caretaker:ignore": "false"})
    group = a.security_group(tags=IGNORE)

    answer = world.run({"Owner": {"default": "ops"}})

    for each in (out.id, volume, interface, address, snapshot, lone, kept_in.volume_ids[0], group):
        assert told(answer, each) == [IGNORED], each
        assert "Owner" not in world.tags(each)
    assert told(answer, kept_in.id) == [SET]
    assert told(answer, image) == [SET]


def test_other_types_opt_out_by_their_own_tag(world: TagsWorld) -> None:
    database = world.account.resource("rds:db", tags=IGNORE)

    answer = world.run({"Owner": only("rds:db", default="ops")})

    assert told(answer, database) == [IGNORED]
    assert world.account.resource_tags(database) == IGNORE


def test_what_a_service_manages_is_left_alone(world: TagsWorld) -> None:
    a = world.account
    node = a.instance({}, operator="eks.amazonaws.com")
    balancer = a.network_interface(requester="amazon-elb")
    endpoint = a.network_interface(operator="amazonaws.com")
    address = a.elastic_ip(service_managed="nlb")
    backup = a.snapshot(
        a.volume(tags=OWNED), age_hours=99, tags={"aws:backup:source-resource": "vol-1"}
    )
    vault = a.image(age_hours=99)
    a.tag(vault, {"aws:backup:source-resource": "i-1"})

    answer = world.run({"Owner": {"default": "ops"}})

    managed = (node.id, *node.volume_ids, balancer, endpoint, address, backup, vault)
    assert {each: told(answer, each) for each in managed} == {each: [MANAGED] for each in managed}
    assert not any("Owner" in world.tags(each) for each in managed)


def test_what_ends_is_left_alone(world: TagsWorld) -> None:
    gone = world.account.instance()
    world.account.backend.terminate_instances([gone.id])
    deleting = world.account.volume(state="deleting")

    answer = world.run({"Owner": only("instance", "volume", default="ops")})

    assert told(answer, gone.id) == [("skip", "terminating", "unchanged")]
    assert told(answer, deleting) == [("skip", "terminating", "unchanged")]


def test_a_tag_that_is_not_required_is_judged_only_where_it_is(world: TagsWorld) -> None:
    bare, wrong = world.account.volume(), world.account.volume(tags={"Env": "test"})

    answer = world.run({"Env": only("volume", required=False, values=["prod"])})

    assert told(answer, bare) == [KEPT]
    assert told(answer, wrong) == [("report", "wrong_value", "unchanged")]
    assert answer["summary"]["by_key"]["Env"] == {"right": 0, "of": 1, "percent": 0.0}
