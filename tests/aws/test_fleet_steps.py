"""The steps of a fleet's state machine: its waves are written down, one after the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.errors import BusyError
from tests.cloud import REGION
from tests.support.crashes import KilledError, killed_at
from tests.support.fleet_world import (
    EVERYWHERE,
    MEMBERS,
    FleetWorld,
    run_wave,
    said,
)
from tests.support.fleets import CALLER, RUN

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


def test_the_first_wave_is_the_canary_and_the_second_all_others(world: FleetWorld) -> None:
    world.ask(**SIX, concurrency=7)
    first = world.step("wave")["summary"]
    assert (first["number"], first["more"], first["cells"]) == (1, True, 1)
    assert (first["concurrency"], first["express"]) == (7, False)
    assert first["results"] == f"fleet/runs/{RUN}/ended-1"

    world.write_children(first["results"], [said(item) for item in world.read(first["key"])])
    second = world.step("wave", 1)["summary"]
    assert (second["number"], second["cells"]) == (2, 5)
    world.write_children(second["results"], [said(item) for item in world.read(second["key"])])
    assert world.step("wave", 2)["summary"] == {"run": RUN, "number": 2, "more": False}


def test_what_a_wave_says_fits_into_a_step_however_many_cells_it_has(world: FleetWorld) -> None:
    world.ask(**SIX)

    assert len(json.dumps(world.step("wave"))) < 2_048


def test_an_item_is_the_chore_s_function_and_its_event(world: FleetWorld) -> None:
    world.ask(**SIX)
    (item,) = world.read(world.step("wave")["summary"]["key"])

    assert item == {
        "function": world.manifest()["function"],
        "event": {
            "policy": "daily",
            "scheduled_time": "2026-11-21T03:00:00+00:00",
            "target": {"account": MEMBERS[0], "region": REGION},
            **CALLER,
        },
    }


def test_a_step_that_is_sent_twice_writes_the_same_and_says_the_same(world: FleetWorld) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    first = world.step("wave", 1)
    written = world.read(first["summary"]["key"])
    world.clock.advance(60)

    again = world.step("wave", 1)
    assert again["summary"] == first["summary"]
    assert world.read(again["summary"]["key"]) == written


def test_a_late_duplicate_of_an_earlier_step_changes_no_later_wave(world: FleetWorld) -> None:
    world.ask(**SIX)
    run_wave(world, 1)
    run_wave(world, 2)
    before = {key: world.read(key) for key in world.objects()}

    world.step("wave")
    assert {key: world.read(key) for key in world.objects()} == before


@pytest.mark.parametrize("do", ["wave", "judge"])
def test_a_run_that_nobody_started_is_refused(world: FleetWorld, do: str) -> None:
    answer = world.step(do, run="snapshot-daily-20261121T0301Z")

    assert (answer["status"], answer["reason"]) == ("refused", "run_unknown")
    assert answer["errors"][0]["path"] == "step.run"


@pytest.mark.parametrize("do", ["wave", "judge"])
def test_a_step_whose_first_try_was_killed_is_taken_once_its_lease_ends(
    world: FleetWorld, do: str
) -> None:
    """An answer `skipped` would end the machine: it asks again within seconds of the death."""
    world.ask(**SIX)
    with killed_at(world.cloud, "GetObject", 1, effective=True), pytest.raises(KilledError):
        world.step(do)
    world.clock.advance(3)
    with pytest.raises(BusyError):
        world.step(do)

    world.clock.advance(60)
    assert world.step(do)["status"] in {"ok", "partial"}


def test_steps_of_one_run_do_not_wait_for_those_of_another(world: FleetWorld) -> None:
    world.ask(**SIX)
    following = "snapshot-daily-20261122T0300Z"
    world.ask(**SIX, scheduled_time="2026-11-22T03:00:00Z")
    with killed_at(world.cloud, "GetObject", 1, effective=True), pytest.raises(KilledError):
        world.step("wave")

    assert world.step("wave", run=following)["status"] == "ok"
