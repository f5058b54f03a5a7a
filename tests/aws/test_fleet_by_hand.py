"""What a start by hand says of the schedule's: nothing, neither bad nor good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fleet_world import MEMBERS, FleetWorld
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> FleetWorld:
    made = FleetWorld(cloud, clock, stack, account, monkeypatch)
    made.has_members()
    return made


@pytest.mark.parametrize(("mode", "severity"), [("act", "critical"), ("report", "warning")])
def test_a_refusal_is_critical_where_the_cells_would_have_acted(
    world: FleetWorld, mode: str, severity: str
) -> None:
    world.cloud.access.close(MEMBERS[0])
    answer = world.ask(accounts={"ids": [MEMBERS[0]]}, mode=mode)

    assert answer["reason"] == "no_account_reachable"
    (told,) = [each["incidents"][0] for each in world.stack.alerts()]
    assert (told["kind"], told["severity"]) == ("fleet_refused", severity)


def test_a_report_by_hand_does_not_end_what_the_schedule_was_refused_for(
    world: FleetWorld,
) -> None:
    world.cloud.access.close(MEMBERS[0])
    world.ask(accounts={"ids": [MEMBERS[0]]})
    assert kinds(world.stack.alerts()) == ["fleet_refused"]

    by_hand = world.ask(accounts={"ids": [MEMBERS[1]]}, mode="report", scheduled_time=None)
    assert by_hand["status"] == "ok"
    assert kinds(world.stack.alerts(), "OK") == []

    world.cloud.access.reopen(MEMBERS[0])
    world.ask(accounts={"ids": [MEMBERS[0]]}, scheduled_time="2026-11-22T03:00:00Z")
    assert kinds(world.stack.alerts(), "OK") == ["fleet_refused"]
