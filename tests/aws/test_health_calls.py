"""The calls of the instance health chore are exactly those that its role was written for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from functions.instance_health import app
from tests.cloud import Account
from tests.support.health_world import REBOOT, STOP_START, HealthWorld
from tests.support.tour import CALLED_BY, Witness

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

ELSEWHERE: Final = "210987654321"


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_a_tour_through_every_path_calls_every_listed_action_and_no_other(
    stack: Stack, cloud: StrictCloud, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = Witness(cloud)
    witness.attend(monkeypatch)
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    cloud.pages.size = None
    account = Account(cloud)
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", key := account.key())
    world = HealthWorld(cloud, clock, stack, account)
    world.run(repair="i-0a1")
    for zone in "ab":
        account.crowd("instance", 60, zone=zone)
    _moved_and_replaced(world, key)
    _rounds(world)
    Account(cloud, account=ELSEWHERE).instance({})
    stack.run(app.CHORE, {"target": {"account": ELSEWHERE}})

    assert witness.seen[app.CHORE.name] == CALLED_BY[app.CHORE.name]


def _moved_and_replaced(world: HealthWorld, key: str) -> None:
    """Let one be stopped and started, and another be given up for its group to replace."""
    account = world.account
    group = account.scaling_group(name="web", tags=REBOOT)
    moved = account.instance({}, zone="a", kms_key=key, tags=STOP_START).id
    member = account.instance({}, zone="b", group=group, tags=REBOOT).id
    account.impair(moved, which="system", until_repaired_by="stop-start")
    account.impair(member, until_repaired_by="nothing")
    world.polls(30)
    assert account.power_log(moved) == ["stop", "start"]
    assert member not in {each["InstanceId"] for each in account.members(group)}


def _rounds(world: HealthWorld) -> None:
    """Let a poll have time for one of two reboots alone."""
    ids = [world.account.instance({}, zone=zone, tags=REBOOT).id for zone in "ab"]
    world.account.impair(ids, until_repaired_by="reboot")
    world.polls(3)
    world.cloud.seconds_per_call = 5
    answer = world.run(seconds=60 + 60)
    world.cloud.seconds_per_call = 0
    assert answer["counts"]["reboot"] == {"done": 1, "deferred": 1}
