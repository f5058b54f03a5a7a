"""What stands behind a target and is down itself stands for it: one thing is told and repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.uptime_world import MINUTE, SHOP, http, reason

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

INSTANCE: Final = {"instance": "i-0123456789abcdef0"}
FIXED: Final = {**SHOP, "fix": {"ecs_service": {"cluster": "web", "service": "shop"}}}


@pytest.fixture(autouse=True)
def functions(uptime: UptimeWorld) -> None:
    """The functions that repair are there."""
    uptime.functions()


def test_what_depends_on_something_that_is_down_is_not_told_and_not_repaired(
    uptime: UptimeWorld,
) -> None:
    uptime.host("gate", status=503)
    uptime.host("blog", status=503)
    targets: tuple[Any, ...] = (
        http("gate"),
        {**FIXED, "depends_on": "gate"},
        http("blog", depends_on="shop"),
    )
    uptime.farm.set("shop", status=503)
    uptime.runs(6, *targets)
    assert uptime.told() == ["ALARM target_down gate"]
    assert uptime.asked == []
    for name in ("gate", "shop", "blog"):
        uptime.farm.set(name)
    uptime.runs(2, *targets)
    assert uptime.told() == ["OK target_down gate"]


def test_what_is_down_by_itself_is_told_when_the_other_is_back(uptime: UptimeWorld) -> None:
    uptime.host("gate", status=503)
    targets: tuple[Any, ...] = (http("gate"), {**FIXED, "depends_on": "gate"})
    uptime.farm.set("shop", status=503)
    uptime.runs(3, *targets)
    uptime.stack.alerts()
    uptime.farm.set("gate")
    answers = uptime.runs(4, *targets)
    assert reason(answers[-1]) == "down"
    assert len(uptime.asked) == 1
    assert set(uptime.told()) == {"OK target_down gate", "ALARM target_down shop"}


def test_dependants_are_told_where_what_they_depend_on_is_up(uptime: UptimeWorld) -> None:
    uptime.host("gate")
    uptime.farm.set("shop", status=503)
    uptime.runs(3, http("gate"), {**SHOP, "depends_on": "gate"})
    assert uptime.told() == ["ALARM target_down shop"]


@pytest.mark.parametrize("kind", ["instance_not_running", "instance_impaired"])
def test_an_open_incident_of_the_instance_behind_stands_for_it(
    uptime: UptimeWorld, kind: str
) -> None:
    target = {**SHOP, "fix": INSTANCE}
    uptime.open_of_instance(kind, INSTANCE["instance"])
    uptime.farm.set("shop", status=503)
    uptime.runs(5, target)
    assert uptime.heard() == []
    assert uptime.open_incidents == ["target_down/shop"]
    uptime.close_of_instance(kind, INSTANCE["instance"])
    uptime.clock.advance(10 * MINUTE)
    uptime.runs(2, target)
    assert uptime.told() == ["ALARM target_down shop"]


def test_an_incident_of_another_instance_does_not(uptime: UptimeWorld) -> None:
    uptime.open_of_instance("instance_impaired", "i-0aaaaaaaaaaaaaaaa")
    uptime.farm.set("shop", status=503)
    uptime.runs(3, {**SHOP, "fix": INSTANCE})
    assert uptime.told() == ["ALARM target_down shop"]


def test_either_of_two_that_stand_behind_it_is_enough(uptime: UptimeWorld) -> None:
    uptime.host("gate")
    target = {**SHOP, "depends_on": "gate", "fix": INSTANCE}
    uptime.open_of_instance("instance_impaired", INSTANCE["instance"])
    uptime.farm.set("shop", status=503)
    uptime.runs(5, http("gate"), target)
    assert uptime.heard() == []
    uptime.close_of_instance("instance_impaired", INSTANCE["instance"])
    uptime.farm.set("gate", status=503)
    uptime.runs(4, http("gate"), target)
    assert "ALARM target_down gate" in uptime.told()


def test_nothing_is_asked_of_an_instance_that_is_being_repaired(uptime: UptimeWorld) -> None:
    uptime.open_of_instance("instance_impaired", INSTANCE["instance"])
    uptime.farm.set("shop", status=503)
    uptime.runs(6, {**SHOP, "fix": INSTANCE})
    assert uptime.asked == []
