"""The fleet's ready events and schedules: each asks its cells for what their chore takes."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.request import parse_request
from functions.fleet.facts import Cell
from functions.fleet.request import FleetRequest
from tests.contract.template import (
    EXTRA_FLEET,
    ROOT,
    environment,
    with_values,
    written,
)
from tests.support.docs_pages import page_of, request_of, section
from tests.support.fleets import manifest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES: Final = [
    path
    for path in sorted((ROOT / "events" / "fleet").glob("*.json"))
    if path.stem not in {"empty", "wrong-event"}
]
CELL: Final = Cell("111111111111", "eu-west-1")


def _chores() -> set[str]:
    told = environment("FleetFunction")["CARETAKER_FLEET_CHORES"]["Fn::Sub"]
    return set(json.loads(told))


def _item(request: FleetRequest, mode: str) -> Mapping[str, Any]:
    run = manifest_of([CELL], chore=request.chore, event=request.event, mode=mode)
    asked: Mapping[str, Any] = run.item_of(CELL)["event"]
    return asked


@pytest.mark.parametrize("mode", ["act", "report"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_cell_is_asked_for_what_its_chore_takes(path: Path, mode: str) -> None:
    request = parse_request(FleetRequest, json.loads(path.read_text(encoding="utf-8")))

    cell = parse_request(request_of(str(request.chore)), _item(request, mode))

    assert cell.target.account == CELL.account
    assert cell.caller is not None


@pytest.mark.parametrize("fleet", ["SnapshotFleet", "RetentionFleet"])
@pytest.mark.parametrize("limit", ["Default", "MinValue", "MaxValue"])
def test_a_schedules_cells_are_asked_for_what_their_chore_takes(fleet: str, limit: str) -> None:
    template = written(EXTRA_FLEET)
    numbers = {
        name: str(each[limit])
        for name, each in template["Parameters"].items()
        if each["Type"] == "Number"
    }
    longest = {"Policy": "a" * 22, **numbers}
    text = with_values(
        template["Resources"][fleet]["Properties"]["Target"]["Input"], template, **longest
    )
    asked = json.loads(text.replace("<aws.scheduler.scheduled-time>", "2026-11-21T02:00:00Z"))
    request = parse_request(FleetRequest, asked)

    cell = parse_request(request_of(str(request.chore)), _item(request, "act"))

    assert cell.policy == longest["Policy"]


def test_the_chores_that_a_fleet_runs_are_those_that_may_work_elsewhere_and_are_named() -> None:
    named = section(page_of("fleet"), "## The event")

    assert _chores() == {"drill", "retention", "snapshot", "tagging"}
    assert all(import_module(f"functions.{each}.app").CHORE.rights for each in _chores())
    assert all(f"`{each}`" in named for each in _chores())


def test_a_ready_event_shows_each_of_them() -> None:
    shown = {json.loads(path.read_text(encoding="utf-8"))["chore"] for path in FILES}

    assert shown == _chores()
