"""What changes between the plan and the touch: it is seen, and the instance stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.crashes import at_call
from tests.support.restore_ends import assert_restored
from tests.support.restore_world import BAD, RestoreWorld, a_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, SeededInstance, StrictCloud
    from tests.support.stack import Stack

ASKED = "DescribeAutoScalingInstances"
IGNORE = {"caretaker:ignore": "true"}


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> RestoreWorld:
    """An empty account."""
    return a_world(cloud, clock, stack, account, monkeypatch)


def in_standby(world: RestoreWorld) -> SeededInstance:
    web = world.server(group=world.account.scaling_group(name="web"))
    world.account.lifecycle(web.id, "Standby")
    return web


def assert_untouched(world: RestoreWorld, web: SeededInstance, said: str) -> None:
    """Nothing was changed of it, nothing is left, and the history says what came between."""
    journal = world.journal(web.id)
    assert (journal["ending"], journal["problem"]) == ("rolled_back", "changed_meanwhile")
    assert any(line.endswith(said) for line in journal["history"]), journal["history"]
    assert (world.state(web.id), world.contents(web.id)) == ("running", [BAD, BAD])
    assert world.account.power_log(web.id) == []
    assert world.made() == []


@pytest.mark.parametrize("how", ["swap", "root"])
def test_a_member_that_has_left_standby_is_not_stopped(world: RestoreWorld, how: str) -> None:
    web = in_standby(world)
    plan = str(world.start(web.id, how=how)["plan_id"])
    world.account.lifecycle(web.id, "InService")
    world.play(plan)
    assert_untouched(world, web, "in scaling group")


def test_a_member_that_leaves_standby_while_its_volumes_are_made_is_not_stopped(
    world: RestoreWorld,
) -> None:
    web = in_standby(world)
    at_call(world.cloud, "CreateVolume", lambda: world.account.lifecycle(web.id, "InService"))
    world.restore(web.id, how="swap")
    assert_untouched(world, web, "in scaling group")


def test_a_group_is_asked_once_just_before_the_touch(world: RestoreWorld) -> None:
    web = in_standby(world)
    world.restore(web.id, how="swap")
    assert_restored(world, web)
    of_plans = sum(
        answer["mode"] == "report" or "execution" in str(answer["outcomes"])
        for answer in world.answers
    )
    asked = [call.at for call in world.cloud.calls.of(ASKED)]
    assert len(asked) == of_plans + 1
    assert world.cloud.calls.of("CreateVolume")[-1].at < asked[-1]
    assert asked[-1] <= world.cloud.calls.of("StopInstances")[0].at


def test_of_what_is_in_no_group_no_group_is_asked(world: RestoreWorld) -> None:
    web = world.server()
    world.restore(web.id, how="swap")
    assert_restored(world, web)
    assert world.cloud.calls.of(ASKED) == []


def test_a_group_that_cannot_be_asked_keeps_it_untouched_until_it_can(
    world: RestoreWorld,
) -> None:
    web = in_standby(world)
    plan = str(world.start(web.id, how="swap")["plan_id"])
    denied = world.cloud.faults.add("denied", operation=ASKED, times=2)
    world.play(plan)
    assert denied.fired == 2
    assert_restored(world, web)


def _ignore_instance(world: RestoreWorld, web: SeededInstance) -> None:
    world.account.tag(web.id, IGNORE)


def _ignore_volume(world: RestoreWorld, web: SeededInstance) -> None:
    world.account.tag(web.volume_ids[0], IGNORE)


def _manage(world: RestoreWorld, web: SeededInstance) -> None:
    world.account.manage(web.id)


@pytest.mark.parametrize("how", ["swap", "root"])
@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (_ignore_instance, "ignored"),
        (_ignore_volume, "ignored"),
        (_manage, "managed by service"),
    ],
)
def test_what_was_opted_out_since_the_plan_is_not_touched(
    world: RestoreWorld,
    meanwhile: Callable[[RestoreWorld, SeededInstance], None],
    said: str,
    how: str,
) -> None:
    web = world.server()
    plan = str(world.start(web.id, how=how)["plan_id"])
    meanwhile(world, web)
    world.play(plan)
    assert_untouched(world, web, said)
