"""Two policies watch one place, and one stack watches several: what is shared, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.cloud import Account
from tests.support.health_world import REBOOT, HealthWorld, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

ELSEWHERE: Final = "210987654321"


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> HealthWorld:
    """A fleet of twenty that is well; the stack may work elsewhere."""
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    cloud.pages.size = None
    account.crowd("instance", 20)
    return HealthWorld(cloud, clock, stack, account)


def test_two_policies_that_watch_one_place_take_one_ladder(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT).id
    world.account.impair(one, until_repaired_by="nothing")
    for _ in range(8):
        world.run(policy="other")
        world.poll()

    assert world.repairs() == ["RebootInstances"]


@pytest.mark.parametrize("where", [{"account": ELSEWHERE}, {"region": "eu-central-1"}])
def test_an_instance_elsewhere_is_repaired_there_by_the_role_and_remembered_at_home(
    world: HealthWorld, where: dict[str, Any]
) -> None:
    there = Account(world.cloud, **where)
    there.crowd("instance", 20)
    mine, theirs = (each.instance(tags=REBOOT).id for each in (world.account, there))
    there.impair([mine, theirs])

    answers = world.polls(6, target=where)

    assert told(answers[3], theirs) == ("reboot", "impaired", "done")
    assert told(answers[5], theirs)[1] in {"fixed", "healthy"}
    (reboot,) = world.cloud.calls.of("RebootInstances")
    assert (reboot.params["InstanceIds"], reboot.region, reboot.account) == (
        [theirs],
        where.get("region", "eu-west-1"),
        where.get("account", "123456789012"),
    )
    (pk,) = {str(i["pk"]) for i in world.stack.items() if str(i["pk"]).startswith("ladders#")}
    assert pk == f"ladders#instance_health/{reboot.account}/{reboot.region}"
    assert kinds(world.stack.alerts(), "OK") == ["instance_impaired"]


def test_a_role_that_may_not_be_assumed_fails_the_run_and_is_told(world: HealthWorld) -> None:
    world.cloud.faults.add("denied", operation="AssumeRole", times=None)

    answer = world.poll(target={"account": ELSEWHERE})

    assert answer["status"] == "failed"
    assert kinds(world.stack.alerts()) == ["run_failed"]


def test_what_is_seen_at_home_ends_nothing_elsewhere(world: HealthWorld) -> None:
    there = Account(world.cloud, account=ELSEWHERE)
    there.crowd("instance", 20)
    theirs = there.instance().id
    there.impair(theirs)
    world.polls(4, target={"account": ELSEWHERE})
    world.stack.alerts()

    world.polls(2)

    assert world.stack.alerts() == []
    assert world.open_incidents == [f"instance_impaired/{theirs}"]
