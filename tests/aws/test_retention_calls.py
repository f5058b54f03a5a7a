"""The calls of the retention chore are exactly those that its role was written for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.cloud import Account
from tests.support.retention_world import a_world
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
    world = a_world(cloud, clock, stack)
    world.account.bin_rule(14)
    world.expired()
    world.expired(marked_hours_ago=49)
    kept = world.expired(marked_hours_ago=49, tags={"caretaker:keep": "true"})
    world.account.scaling_group(world.account.launch_template([kept], []), "1")
    stack.run(world.chore, {"keep": {"nightly": 1}})
    world.sweep()

    due = [world.expired(marked_hours_ago=49) for _ in range(10)]
    cloud.seconds_per_call = 4
    answer = world.sweep(seconds=60 + 120)
    assert answer["complete"] is False
    assert not world.left >= set(due)
    cloud.seconds_per_call = 0
    Account(cloud, account=ELSEWHERE).volume()
    stack.run(world.chore, {"keep": {"last": 1}, "target": {"account": ELSEWHERE}})

    assert witness.seen["retention"] == CALLED_BY["retention"]
