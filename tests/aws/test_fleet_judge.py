"""A fleet's run is judged: what its cells came to, read from what the state machine wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.cloud import ACCOUNT, REGION
from tests.support.fleet_world import (
    EVERYWHERE,
    MEMBERS,
    FleetWorld,
    killed,
    ledger,
    run_wave,
    said,
)
from tests.support.fleets import RUN
from tests.support.snapshots import kinds, metrics

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

REGIONS: Final = [REGION, "us-east-1"]
SIX: Final[dict[str, Any]] = {"accounts": EVERYWHERE, "regions": {"names": REGIONS}}


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> FleetWorld:
    """A fleet of six cells can be asked for."""
    made = FleetWorld(cloud, clock, stack, account, monkeypatch)
    made.has_members()
    return made


def bad(world: FleetWorld) -> list[str]:
    """Return the open incidents of the fleet as `kind/resource`."""
    return sorted("/".join(key.split("/")[5:]) for key in world.incidents())


def test_every_cell_is_in_the_ledger_once(world: FleetWorld) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    items = run_wave(world, 2, lambda item: killed(item) if is_in(item, MEMBERS[1]) else said(item))
    answer = world.step("judge", 2)

    told = ledger(world.stack, answer)
    cells = {f"{account}/{region}" for account in (ACCOUNT, *MEMBERS) for region in REGIONS}
    assert set(told) == cells
    lost = {name for name, reason in told.items() if reason == "unanswered"}
    assert lost == {f"{MEMBERS[1]}/{region}" for region in REGIONS}
    assert len(items) == 5
    assert answer["status"] == "partial"
    assert answer["summary"]["ended"] == {"ended": 4, "unanswered": 2}


def is_in(item: dict[str, Any], account: str) -> bool:
    return bool(item["event"]["target"]["account"] == account)


def test_the_ledger_lies_below_the_slot_of_the_run_however_late_it_is_judged(
    world: FleetWorld,
) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    world.clock.advance(3 * 3_600)
    answer = world.step("judge", 1)

    assert answer["slot"] == "2026-11-21T03:00Z"
    assert "/fleet/snapshot-daily/2026-11-21T0300Z/" in answer["report"]


def test_results_are_read_from_all_files_of_all_map_runs(world: FleetWorld) -> None:
    """A map that is tried again writes a second set, beside the first."""
    world.ask(**SIX)
    run_wave(world, 1)
    items = run_wave(world, 2, killed, size=2)
    prefix = f"fleet/runs/{RUN}/ended-2"
    world.write_children(prefix, [said(item) for item in items[:4]], map_run="b2", size=1)

    told = ledger(world.stack, world.step("judge", 2))
    assert sorted(told.values()) == ["ended"] * 5 + ["unanswered"]


@pytest.mark.parametrize("status", ["FAILED", "PENDING", "ABORTED", "TIMED_OUT"])
def test_a_child_that_never_ended_is_named(world: FleetWorld, status: str) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    run_wave(world, 2, lambda item: killed(item, status) if is_in(item, ACCOUNT) else said(item))
    world.step("judge", 2)

    names = [f"cell_unanswered/{ACCOUNT}/{region}" for region in REGIONS]
    assert bad(world) == names
    (alarm,) = world.stack.alerts()
    assert [each["resource"] for each in alarm["incidents"]] == [
        f"{ACCOUNT}/{region}" for region in REGIONS
    ]


def test_children_that_were_never_written_are_named_too(world: FleetWorld) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    world.step("wave", 1)
    answer = world.step("judge", 2)

    assert answer["summary"]["ended"] == {"ended": 1, "unanswered": 5}
    assert len(bad(world)) == 5


def test_what_was_killed_is_well_again_after_a_run_in_which_it_answered(world: FleetWorld) -> None:
    world.ask(**SIX)
    run_wave(world, 1, killed)
    run_wave(world, 2)
    world.step("judge", 2)
    world.stack.alerts()
    following = "snapshot-daily-20261122T0300Z"
    world.clock.advance(86_400)
    world.ask(**SIX, scheduled_time="2026-11-22T03:00:00Z")

    for number in range(2):
        wave = world.step("wave", number, following)["summary"]
        world.write_children(wave["results"], [said(item) for item in world.read(wave["key"])])
    world.step("judge", 2, following)
    assert kinds(world.stack.alerts(), "OK") == ["cell_unanswered"]
    assert bad(world) == []


def test_a_careful_run_is_stopped_by_two_canaries_and_the_rest_never_begins(
    world: FleetWorld,
) -> None:
    world.ask(**SIX, chore="retention", event={"keep": {"last": 3}})
    for number in (1, 2):
        run_wave(world, number, lambda item: said(item, "failed"))
    assert world.step("wave", 2)["summary"]["more"] is False

    answer = world.step("judge", 2)
    assert answer["reason"] == "stopped"
    assert answer["counts"] == {"run": {"failed": 2, "refused": 4}}
    assert "fleet_stopped/snapshot-daily" in bad(world)
    assert "work_left_over/run" not in bad(world), "nothing takes it first"


def test_an_event_that_is_wrong_for_the_chore_is_sent_to_one_cell(world: FleetWorld) -> None:
    world.ask(**SIX, event={"polcy": "daily"})
    answer = world.play()

    assert answer["summary"]["begun"] == 1
    assert "refused the event: polcy" in answer["summary"]["stopped"]
    assert sorted(ledger(world.stack, answer).values()) == ["not_started"] * 5 + ["refused"]


def test_an_account_that_could_not_be_asked_is_named_by_the_judge(world: FleetWorld) -> None:
    world.cloud.access.remove_role(MEMBERS[1], "caretaker-member")
    world.ask(**SIX)
    run_wave(world, 1)
    run_wave(world, 2)
    answer = world.step("judge", 2)

    assert ledger(world.stack, answer)[MEMBERS[1]] == "unreachable"
    assert bad(world) == [f"account_unreachable/{MEMBERS[1]}"]


def test_the_judge_publishes_the_chore_s_metrics_of_all_cells(
    world: FleetWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    run_wave(world, 2, lambda item: said(item, gauges={"NewestBackupAgeHours": 3}, open=1))
    capsys.readouterr()
    world.step("judge", 2)

    (line,) = [
        each for each in capsys.readouterr().out.splitlines() if '"Chore":"snapshot"' in each
    ]
    assert metrics(line) == {
        "Heartbeat": 1,
        "ItemsDone": 12,
        "ItemsFailed": 0,
        "ItemsDeferred": 0,
        "NewestBackupAgeHours": 3,
        "OpenIncidents": 5,
    }
    assert json.loads(line)["Policy"] == "daily"


def test_a_run_that_only_reports_does_not_beat_for_the_chore(
    world: FleetWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ask(**SIX, mode="report")
    run_wave(world, 1)
    run_wave(world, 2)
    capsys.readouterr()
    world.step("judge", 2)

    printed = capsys.readouterr().out
    assert "Heartbeat" not in metrics(printed)
    assert metrics(printed)["ItemsDone"] == 12
