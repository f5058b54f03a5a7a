"""Fleets that are not started: refused, or failed, and always told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caretaker.errors import CallError
from tests.cloud import ACCOUNT
from tests.support.crashes import FIRST
from tests.support.fleet_world import MEMBERS, STARTED, FleetWorld
from tests.support.fleets import RUN
from tests.support.snapshots import kinds, metrics

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
    return FleetWorld(cloud, clock, stack, account, monkeypatch)


@pytest.mark.parametrize(
    "other",
    [
        {"event": {"policy": "weekly"}},
        {"chore": "retention"},
        {"mode": "report"},
        {"concurrency": 7},
    ],
)
def test_another_event_in_a_slot_that_is_taken_is_refused_and_told(
    world: FleetWorld, other: dict[str, Any]
) -> None:
    world.ask()
    before = world.manifest()
    answer = world.ask(**other)

    assert (answer["status"], answer["reason"]) == ("refused", "slot_taken")
    (error,) = answer["errors"]
    assert error["path"] == "policy"
    assert RUN in error["problem"]
    assert '"again": 2' in error["expected"]
    assert world.manifest() == before
    assert world.executions() == STARTED
    assert kinds(world.stack.alerts()) == ["event_refused"]


def test_a_start_that_is_denied_fails_the_run_and_is_told(
    world: FleetWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.cloud.faults.add("denied", operation="StartExecution")
    answer = world.ask()

    assert (answer["status"], answer["complete"]) == ("failed", False)
    (error,) = answer["errors"]
    assert error["path"] == "StartExecution"
    assert world.executions() == {}
    assert kinds(world.stack.alerts()) == ["run_failed"]
    assert "Heartbeat" not in metrics(capsys.readouterr().out), "no fleet has begun"


def test_a_start_that_may_pass_is_left_to_lambda_s_retry(world: FleetWorld) -> None:
    world.cloud.faults.add("throttled", operation="StartExecution", times=9)
    with pytest.raises(CallError):
        world.ask(request=FIRST)
    assert (world.executions(), world.stack.alerts()) == ({}, [])

    world.cloud.faults.clear()
    world.clock.advance(61)
    assert world.ask(request=FIRST)["counts"] == {"run": {"done": 1}}
    assert world.executions() == STARTED


def test_a_stack_that_may_only_report_refuses_to_act(world: FleetWorld) -> None:
    world.env.setenv("CARETAKER_MODE", "report")
    answer = world.ask(mode="act")

    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")
    assert (world.executions(), world.objects()) == ({}, [])


def test_a_chore_that_no_fleet_runs_is_refused_with_those_that_one_can(world: FleetWorld) -> None:
    answer = world.ask(chore="restore")

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    (error,) = answer["errors"]
    assert (error["path"], error["expected"]) == ("chore", "retention, snapshot, tagging")
    assert (world.executions(), world.objects()) == ({}, [])


def test_express_workflows_are_for_reports_alone(world: FleetWorld) -> None:
    refused = world.ask(express=True)
    assert (refused["status"], refused["reason"]) == ("refused", "event_invalid")
    assert world.objects() == []

    world.ask(express=True, mode="report")
    assert world.step("wave")["summary"]["express"] is True


def test_express_needs_no_word_in_the_event_where_the_stack_may_only_report(
    world: FleetWorld,
) -> None:
    world.env.setenv("CARETAKER_MODE", "report")
    world.ask(express=True)

    assert world.manifest()["express"] is True
    assert world.manifest()["is_regular"] is True, "a schedule of reports beats"


def test_a_slip_of_the_pen_is_refused_as_any_wrong_event_is(world: FleetWorld) -> None:
    world.has_members()
    answer = world.ask(accounts={"ids": [MEMBERS[0]]}, regions={"names": ["eu-west-9"]})

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert answer["errors"][0]["path"] == "regions.names"
    assert kinds(world.stack.alerts()) == ["event_refused"]


def test_a_plan_that_is_refused_starts_nothing_and_is_told_once(world: FleetWorld) -> None:
    world.has_members()
    for account in (ACCOUNT, *MEMBERS):
        world.cloud.access.remove_role(account, "caretaker-member")

    for _ in range(2):
        answer = world.ask(accounts={"ids": list(MEMBERS)})
        assert answer["status"] == "refused"
    assert (world.executions(), world.objects()) == ({}, [])
    assert kinds(world.stack.alerts()) == ["fleet_refused"]


def test_a_fleet_that_is_planned_again_ends_its_refusal(world: FleetWorld) -> None:
    world.has_members()
    world.cloud.access.close(MEMBERS[0])
    world.ask(accounts={"ids": [MEMBERS[0]]})
    world.stack.alerts()
    world.cloud.access.reopen(MEMBERS[0])

    world.ask(accounts={"ids": [MEMBERS[0]]})
    assert kinds(world.stack.alerts(), "OK") == ["fleet_refused"]
    assert world.incidents() == []
