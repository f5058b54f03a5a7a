"""What is not told: parts of something larger, what flaps, and what is silenced."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.alerts import app as alerts
from tests.support.health_world import REBOOT, HealthWorld
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """Two zones, with ten in b and forty in a, all well."""
    cloud.pages.size = None
    account.crowd("instance", 40, zone="a")
    account.crowd("instance", 10, zone="b")
    return HealthWorld(cloud, clock, stack, account)


def look(world: HealthWorld, **event: Any) -> dict[str, Any]:
    """Run the alerts chore."""
    return world.stack.run(alerts.CHORE, event)


def failed_zone(world: HealthWorld) -> list[str]:
    """Let four of a zone be impaired, and people told."""
    ids = [world.account.instance(tags=REBOOT, zone="b").id for _ in range(4)]
    world.account.impair(ids, until_repaired_by="nothing")
    world.polls(6)
    return ids


def test_a_failing_zone_is_one_message_and_its_instances_are_quiet(world: HealthWorld) -> None:
    ids = failed_zone(world)
    look(world)
    world.polls(30)
    look(world)

    assert kinds(world.stack.alerts()) == ["zone_impaired"]
    assert {f"instance_impaired/{each}" for each in ids} <= set(world.open_incidents)
    assert world.repairs() == []


def test_an_instance_that_is_well_again_before_its_zone_was_never_told(world: HealthWorld) -> None:
    ids = failed_zone(world)
    world.stack.alerts()
    for each in ids:
        world.account.heal(each)
    world.polls(3)
    look(world)

    (message,) = world.stack.alerts()
    assert (message["state"], [each["kind"] for each in message["incidents"]]) == (
        "OK",
        ["zone_impaired"],
    )


def test_an_instance_that_is_not_well_when_its_zone_is_over_is_told_then(
    world: HealthWorld,
) -> None:
    ids = failed_zone(world)
    world.stack.alerts()
    for each in ids[1:]:
        world.account.heal(each)
    world.poll(repairs={"group_percent": 0})
    look(world)

    heard = world.stack.alerts()
    assert kinds(heard, "OK") == ["zone_impaired"]
    resources = [i["resource"] for m in heard if m["state"] == "ALARM" for i in m["incidents"]]
    assert resources == [ids[0]]


def flaps(world: HealthWorld, one: str, times: int) -> None:
    """Let an instance be impaired for long enough to be told, and well again, so many times."""
    for _ in range(times):
        world.account.impair(one, until_repaired_by="nothing")
        world.polls(4)
        world.account.heal(one)
        world.poll()


def test_one_that_flaps_is_told_so_once_and_is_quiet_until_half_an_hour_of_calm(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags={"caretaker:remediate": "none"}).id
    flaps(world, one, 2)
    heard = world.stack.alerts()
    assert [each["state"] for each in heard] == ["ALARM", "OK", "ALARM", "ALARM"]
    assert "flapping, 4 changes in 30 minutes" in heard[-1]["incidents"][0]["what"]

    flaps(world, one, 5)
    look(world)
    world.polls(28)
    assert world.stack.alerts() == []
    world.polls(4)

    assert [each["state"] for each in world.stack.alerts()] == ["OK"]
    assert world.open_incidents == []


def test_one_that_comes_and_goes_slowly_does_not_flap(world: HealthWorld) -> None:
    one = world.account.instance(tags={"caretaker:remediate": "none"}).id
    for _ in range(3):
        flaps(world, one, 1)
        world.clock.advance(26 * 60)

    assert [each["state"] for each in world.stack.alerts()] == ["ALARM", "OK"] * 3


def test_what_is_silenced_is_not_told_nor_its_end_and_repaired_all_the_same(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags=REBOOT).id
    until = (world.clock.now() + timedelta(hours=2)).isoformat()
    look(world, silence={"match": f"*/instance_impaired/{one}", "until": until, "reason": "x"})
    world.account.impair(one)
    world.polls(8)

    assert world.repairs() == ["RebootInstances"]
    assert world.stack.alerts() == []


def test_what_is_still_so_when_its_silence_ends_is_told(world: HealthWorld) -> None:
    one = world.account.instance(tags={"caretaker:remediate": "none"}).id
    until = (world.clock.now() + timedelta(minutes=10)).isoformat()
    look(world, silence={"match": "*/instance_*", "until": until, "reason": "x"})
    world.account.impair(one, until_repaired_by="nothing")
    world.polls(11)
    assert world.stack.alerts() == []
    look(world)

    assert kinds(world.stack.alerts()) == ["instance_impaired"]
