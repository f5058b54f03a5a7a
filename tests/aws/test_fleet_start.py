"""A fleet is asked for: what is written down, what is started, and what comes of asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caretaker.aws import session
from caretaker.errors import CallError
from tests.cloud import ACCOUNT, REGION
from tests.support.crashes import FIRST, SECOND
from tests.support.fleet_world import EVERYWHERE, FUNCTIONS, MEMBERS, STARTED, FleetWorld
from tests.support.fleets import RUN, SLOT_TEXT
from tests.support.snapshots import metrics

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


def test_a_fleet_is_planned_written_down_and_started(world: FleetWorld) -> None:
    answer = world.ask()

    assert (answer["status"], answer["reason"], answer["complete"]) == ("ok", None, True)
    assert answer["counts"] == {"run": {"done": 1}}
    assert answer["summary"]["run"] == RUN
    assert answer["summary"]["cells"] == 1
    assert answer["summary"]["execution"].endswith(f":execution:caretaker-fleet:{RUN}")
    assert world.executions() == STARTED


def test_the_manifest_says_what_the_run_is_to_do(world: FleetWorld) -> None:
    answer = world.ask(event={"policy": "daily", "pace": 0.2})

    written = world.manifest()
    assert written["run"] == RUN
    assert (written["chore"], written["function"]) == ("snapshot", FUNCTIONS["snapshot"])
    assert (written["mode"], written["slot"]) == ("act", "2026-11-21T03:00Z")
    assert written["cells"] == [[ACCOUNT, REGION]]
    assert written["event"] == {"policy": "daily", "pace": 0.2}
    assert written["plan"] == answer["plan_id"]


def test_the_manifest_stands_in_the_bucket_before_anything_begins(world: FleetWorld) -> None:
    world.ask()

    calls = [call.operation for call in world.cloud.calls]
    assert calls.index("PutObject") < calls.index("StartExecution")


def test_ids_make_one_cell_for_each_account_and_region(world: FleetWorld) -> None:
    world.has_members()
    names = [REGION, "us-east-1"]

    answer = world.ask(accounts=EVERYWHERE, regions={"names": names})
    assert answer["counts"] == {"run": {"done": 6}}
    assert world.manifest()["cells"] == [
        [account, region] for account in sorted([ACCOUNT, *MEMBERS]) for region in names
    ]


def test_the_same_event_twice_is_one_run(world: FleetWorld) -> None:
    first = world.ask(request=FIRST)
    world.clock.advance(600)
    again = world.ask(request=SECOND)

    assert world.executions() == STARTED
    assert again["summary"] == first["summary"]
    assert (again["status"], again["reason"]) == ("ok", None)


def test_a_run_that_has_ended_is_not_begun_again(world: FleetWorld) -> None:
    world.ask()
    world.end()
    again = world.ask()

    assert (again["status"], again["reason"]) == ("ok", "already_ended")
    assert again["counts"] == {"run": {"unchanged": 1}}
    assert again["summary"]["execution"] == ""
    assert len(world.executions()) == 1


def test_a_slot_that_has_ended_is_run_once_more_when_that_is_asked(world: FleetWorld) -> None:
    world.ask()
    world.end()
    answer = world.ask(again=2)

    assert answer["summary"]["run"] == f"{RUN}-r2"
    assert set(world.executions()) == {RUN, f"{RUN}-r2"}
    assert world.manifest(f"{RUN}-r2")["run"] == f"{RUN}-r2"


def test_the_next_slot_is_another_run(world: FleetWorld) -> None:
    world.ask()
    world.ask(scheduled_time="2026-11-22T03:00:00Z")

    assert set(world.executions()) == {RUN, "snapshot-daily-20261122T0300Z"}


def test_a_manifest_that_was_written_before_the_run_was_killed_is_kept(world: FleetWorld) -> None:
    """Between the manifest and the start the plan may change: the first one written is the run."""
    world.has_members()
    world.cloud.faults.add("denied", operation="StartExecution")
    assert world.ask(accounts=EVERYWHERE)["status"] == "failed"
    before = world.manifest()
    world.cloud.access.remove_role(MEMBERS[1], "caretaker-member")
    session.forget()  # another process has no credentials yet

    answer = world.ask(accounts=EVERYWHERE)
    assert answer["counts"]["run"] == {"done": 2}
    assert answer["summary"]["cells"] == 3
    assert world.manifest() == before
    assert len(before["cells"]) == 3
    assert world.executions() == STARTED


def test_a_stack_that_may_only_report_starts_cells_that_report(world: FleetWorld) -> None:
    world.env.setenv("CARETAKER_MODE", "report")
    answer = world.ask()

    assert (answer["status"], answer["mode"]) == ("ok", "report")
    assert world.executions() == STARTED
    wave = world.step("wave")["summary"]
    (item,) = world.read(wave["key"])
    assert item["event"]["mode"] == "report"


def test_an_event_may_ask_for_a_report_where_the_stack_may_act(world: FleetWorld) -> None:
    world.ask(mode="report")

    assert world.manifest()["mode"] == "report"
    assert world.manifest()["is_regular"] is False


def test_one_account_that_shuts_itself_refuses_no_fleet(world: FleetWorld) -> None:
    """What is compared with the last run is what is meant, not what can be reached."""
    world.has_members()
    world.ask(accounts=EVERYWHERE)
    world.cloud.access.remove_role(MEMBERS[0], "caretaker-member")
    session.forget()  # the next day's process has no credentials yet

    answer = world.ask(accounts=EVERYWHERE, scheduled_time="2026-11-22T03:00:00Z")
    assert (answer["status"], answer["counts"]["run"]) == ("ok", {"done": 2})


def test_the_usual_choice_is_what_a_schedule_asked_for_last(world: FleetWorld) -> None:
    """A look at a few accounts, however often, must not end the incidents of all others."""
    world.has_members()
    world.ask(accounts=EVERYWHERE)
    assert world.manifest()["is_usual"] is False, "nobody knows yet"
    for _ in range(2):
        world.clock.advance(3_600)
        few = world.ask(accounts={"ids": list(MEMBERS)}, scheduled_time=None)
        run = few["summary"]["run"]
        assert world.manifest(run)["is_usual"] is False

    run = world.ask(accounts=EVERYWHERE, scheduled_time="2026-11-22T03:00:00Z")["summary"]["run"]
    assert world.manifest(run)["is_usual"] is True


def test_who_cannot_be_reached_is_left_out_of_the_cells_and_stands_in_the_manifest(
    world: FleetWorld,
) -> None:
    world.has_members()
    world.cloud.access.remove_role(MEMBERS[0], "caretaker-member")

    answer = world.ask(accounts=EVERYWHERE)
    assert answer["counts"] == {"run": {"done": 2}, "skip": {"unchanged": 1}}
    ((account, region, reason, error),) = world.manifest()["unreached"]
    assert (account, region, reason) == (MEMBERS[0], "", "unreachable")
    assert error["code"] == "AccessDenied"


def test_a_canary_that_cannot_be_reached_is_no_cell(world: FleetWorld) -> None:
    world.has_members()
    world.cloud.access.remove_role(MEMBERS[0], "caretaker-member")

    canary = {"account": MEMBERS[0], "region": REGION}
    world.ask(accounts=EVERYWHERE, canary=canary)
    (item,) = world.read(world.step("wave")["summary"]["key"])
    assert item["event"]["target"]["account"] in {ACCOUNT, MEMBERS[1]}


def test_a_start_beats_for_the_fleet_and_nothing_for_its_chore(
    world: FleetWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ask()
    printed = capsys.readouterr().out

    assert metrics(printed)["Heartbeat"] == 1
    assert '"Chore": "snapshot"' not in printed


def test_without_a_time_the_minute_of_the_first_try_is_the_slot(world: FleetWorld) -> None:
    """Lambda's own retries share the request id."""
    world.cloud.faults.add("throttled", operation="StartExecution", times=9)
    with pytest.raises(CallError):
        world.ask(request=FIRST, scheduled_time=None)
    world.cloud.faults.clear()
    world.clock.advance(61)

    assert world.ask(request=FIRST, scheduled_time=None)["slot"] == SLOT_TEXT
    assert world.executions() == STARTED
