"""Repairs that another chore asks for: while its incident is open, by the same gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import BusyError
from caretaker.incidents import Check, Severity
from caretaker.report import Findings
from caretaker.request import BaseRequest
from caretaker.run import Chore
from tests.support.health_world import REBOOT, STOP_START, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

INCIDENT: Final = "caretaker/123456789012/eu-west-1/snapshot/default/site_down/web"


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> HealthWorld:
    """A fleet of twenty that is well; another chore's incident is open."""
    cloud.pages.size = None
    account.crowd("instance", 20)
    made = HealthWorld(cloud, clock, stack, account)
    site(made, healthy=False)
    stack.alerts()
    return made


def site(world: HealthWorld, *, healthy: bool) -> None:
    """Let the other chore find its site up or down."""
    check = Check("site_down", "web", Severity.CRITICAL, what="no answer", healthy=healthy)
    chore = Chore("snapshot", BaseRequest, lambda _: Findings((), [check]), adds_only=True)
    world.stack.run(chore, {})


def ask(world: HealthWorld, one: str, incident: str = INCIDENT, **event: Any) -> tuple[Any, ...]:
    """Ask for a repair, and return what came of it."""
    return told(world.poll(repair={"instance": one, "incident": incident}, **event), one)


def test_one_that_looks_healthy_is_repaired_and_fixed_when_that_incident_is_over(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags=REBOOT).id
    assert ask(world, one) == ("reboot", "asked", "done")
    assert told(world.poll(), one)[1] == "repair_under_way"
    site(world, healthy=True)
    world.stack.alerts()

    assert told(world.poll(), one)[:2] == ("keep", "fixed")

    assert world.repairs() == ["RebootInstances"]
    assert not [each for each in world.open_incidents if each.startswith("repair_asked")]


def test_its_ladder_goes_on_as_long_as_that_incident_is_open(world: HealthWorld) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    ask(world, one)
    world.polls(24)

    assert world.account.power_log(one) == ["reboot", "reboot", "stop", "start"]


@pytest.mark.parametrize(
    "incident",
    [
        INCIDENT + "-2",
        INCIDENT.replace("snapshot", "snapshots"),
        INCIDENT.replace("default", "other"),
        "site_down/web",
        "#version",
    ],
)
def test_without_that_incident_being_open_nothing_is_done(
    world: HealthWorld, incident: str
) -> None:
    one = world.account.instance(tags=REBOOT).id

    assert ask(world, one, incident) == ("skip", "nothing_to_repair", "unchanged")
    assert world.repairs() == []


def test_once_that_incident_is_over_nothing_is_done(world: HealthWorld) -> None:
    site(world, healthy=True)
    one = world.account.instance(tags=REBOOT).id

    assert ask(world, one) == ("skip", "nothing_to_repair", "unchanged")


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, "not_opted_in"),
        ({"caretaker:remediate": "none"}, "opted_out"),
        ({"caretaker:remediate": "please"}, "remediate_unreadable"),
        ({**REBOOT, "caretaker:ignore": "true"}, "ignored"),
    ],
)
def test_the_tags_allow_it_or_it_is_not_done(
    world: HealthWorld, tags: dict[str, str], reason: str
) -> None:
    assert ask(world, world.account.instance(tags=tags).id)[1] == reason
    assert world.repairs() == []


def test_the_times_and_windows_of_other_repairs_hold_for_it(world: HealthWorld) -> None:
    window = {"start": "02:00", "duration_minutes": 120}
    young = world.account.instance(tags=REBOOT, age_hours=0).id
    old = world.account.instance(tags=REBOOT).id

    assert ask(world, young)[1] == "just_started"
    assert ask(world, old, maintenance_windows=[window])[1] == "maintenance_window"
    assert world.repairs() == []


def test_the_budgets_of_other_repairs_hold_for_it(world: HealthWorld) -> None:
    """Twenty and three in the zone: two at once."""
    ids = [world.account.instance(tags=REBOOT).id for _ in range(3)]

    said = [ask(world, each)[1] for each in ids]

    assert said == ["asked", "asked", "group_budget"]
    assert ask(world, ids[0], repairs={"ladders_per_day": 0})[1] == "repair_under_way"


def test_the_breaker_holds_for_it(world: HealthWorld) -> None:
    world.account.impaired_crowd(8, until_repaired_by="nothing")

    assert ask(world, world.account.instance(tags=REBOOT).id)[1] == "fleet_impaired"
    assert world.repairs() == []


def test_it_is_not_repaired_twice_when_it_is_asked_for_again(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id

    assert [ask(world, one)[1] for _ in range(3)] == ["asked", *["repair_under_way"] * 2]
    assert world.repairs() == ["RebootInstances"]


def test_it_is_a_part_of_what_the_other_chore_has_told_and_over_with_it(
    world: HealthWorld,
) -> None:
    one = world.account.instance(tags=REBOOT).id
    ask(world, one)
    assert f"repair_asked/{one}" in world.open_incidents
    assert kinds(world.stack.alerts()) == []
    site(world, healthy=True)
    world.polls(2)

    assert f"repair_asked/{one}" not in world.open_incidents
    assert "instance_impaired" not in kinds(world.stack.alerts())


def test_asking_waits_for_a_poll_at_work_and_a_poll_does_not(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.cloud.faults.add("denied", operation="DeleteItem", times=None)
    world.run()
    world.cloud.faults.clear()

    with pytest.raises(BusyError):
        world.run(repair={"instance": one, "incident": INCIDENT})
    assert world.run()["status"] == "skipped"
    assert world.repairs() == []
