"""What the fleet may be asked, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.fleet.request import MAX_EVENT_BYTES, FleetRequest

ONE, OTHER = "111111111111", "222222222222"
UNIT, ROOT = "ou-ab12-c3d4e5f6", "r-ab12"
SLOT = "2026-11-21T03:00:00Z"


def parse(**event: Any) -> FleetRequest:
    return parse_request(FleetRequest, event)


def errors(**event: Any) -> list[dict[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse(**event)
    return [dict(each) for each in refused.value.errors]


def test_a_chore_alone_asks_for_the_function_s_own_account_and_region() -> None:
    request = parse(chore="snapshot")
    assert (request.accounts.ids, request.accounts.organization) == ((), False)
    assert (request.regions.names, request.regions.enabled) == ((), False)
    assert (request.event, request.concurrency, request.canary) == ({}, None, None)


def test_everything_can_be_asked_of_the_organization() -> None:
    asked = parse(
        chore="service_repair",
        event={"policy": "hourly", "select": {"everything": True}},
        accounts={
            "ids": [ONE],
            "organization": True,
            "units": [UNIT, ROOT],
            "tags": ["stage=prod"],
            "management": True,
            "left_out": {"ids": [OTHER], "units": [UNIT], "tags": ["owner"]},
        },
        regions={"names": ["eu-west-1", "us-gov-east-1"], "enabled": True, "left_out": []},
        concurrency=40,
        canary={"account": ONE, "region": "eu-west-1"},
        again=2,
    )
    assert asked.accounts.left_out.units == (UNIT,)
    assert asked.event["policy"] == "hourly"
    assert asked.canary is not None
    assert asked.canary.account == ONE


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({}, "chore"),
        ({"chore": "Snapshot"}, "chore"),
        ({"chore": ""}, "chore"),
        ({"chore": "snapshot", "accounts": {"ids": ["12345678901"]}}, "accounts.ids.0"),
        ({"chore": "snapshot", "accounts": {"ids": ONE}}, "accounts.ids"),
        ({"chore": "snapshot", "accounts": {"organization": "yes"}}, "accounts.organization"),
        (
            {"chore": "snapshot", "accounts": {"organization": True, "units": ["prod"]}},
            "accounts.units.0",
        ),
        (
            {"chore": "snapshot", "accounts": {"organization": True, "tags": [""]}},
            "accounts.tags.0",
        ),
        ({"chore": "snapshot", "accounts": {"exclude": [ONE]}}, "accounts.exclude"),
        ({"chore": "snapshot", "regions": {"names": ["Ireland"]}}, "regions.names.0"),
        ({"chore": "snapshot", "regions": {"left_out": ["eu-west"]}}, "regions.left_out.0"),
        ({"chore": "snapshot", "concurrency": 0}, "concurrency"),
        ({"chore": "snapshot", "concurrency": 10_001}, "concurrency"),
        ({"chore": "snapshot", "canary": {"account": ONE}}, "canary.region"),
        ({"chore": "snapshot", "again": 1}, "again"),
        ({"chore": "snapshot", "again": 100}, "again"),
        ({"chore": "snapshot", "step": {"do": "judge", "run": "a-20261121T0300Z"}}, "chore"),
        ({"step": {"do": "jump", "run": "a-20261121T0300Z"}}, "step.do"),
        ({"step": {"do": "wave", "run": "../other"}}, "step.run"),
        ({"step": {"do": "wave", "run": "a", "after": -1}}, "step.after"),
        ({"chore": "snapshot", "event": []}, "event"),
        ({"chore": "snapshot", "target": {"account": ONE}}, "target"),
        ({"step": {"do": "judge", "run": "a"}, "target": {"region": "eu-west-1"}}, "target"),
    ],
)
def test_a_wrong_event_is_refused_by_name(event: dict[str, Any], path: str) -> None:
    assert [each["path"] for each in errors(**event)] == [path]


@pytest.mark.parametrize(
    "asked",
    [
        {"units": [UNIT]},
        {"tags": ["stage"]},
        {"management": True},
        {"left_out": {"units": [UNIT]}},
        {"left_out": {"tags": ["stage"]}},
    ],
)
def test_what_the_organization_alone_knows_needs_it(asked: dict[str, Any]) -> None:
    (error,) = errors(chore="snapshot", accounts=asked)
    assert error["path"].startswith("accounts.")
    assert error["problem"] == "asked without the organization"
    assert error["expected"] == '"organization": true'
    accounts = {**asked, "organization": True}
    assert parse(chore="snapshot", accounts=accounts).accounts.organization


def test_accounts_can_be_left_out_without_the_organization() -> None:
    accounts = {"ids": [ONE, OTHER], "left_out": {"ids": [OTHER]}}
    assert parse(chore="snapshot", accounts=accounts).accounts.left_out.ids == (OTHER,)


@pytest.mark.parametrize("field", ["caller", "mode", "round", "scheduled_time", "target"])
def test_the_event_of_the_cells_holds_nothing_that_the_fleet_fills_in(field: str) -> None:
    (error,) = errors(chore="snapshot", event={field: "x", "policy": "daily"})
    assert error["path"] == "event"
    assert field in error["problem"]
    assert "the fleet fills that in" in error["problem"]


def test_the_event_of_the_cells_is_bounded() -> None:
    filler = "x" * (MAX_EVENT_BYTES - len('{"a": ""}'))
    assert parse(chore="snapshot", event={"a": filler}).event["a"] == filler
    (error,) = errors(chore="snapshot", event={"a": filler + "x"})
    assert (error["path"], error["expected"]) == ("event", f"at most {MAX_EVENT_BYTES} bytes")


@pytest.mark.parametrize("mode", [None, "report", "act"])
def test_whether_express_may_be_is_for_the_stack_s_mode_to_say(mode: str | None) -> None:
    """Where FleetMode is `report`, a schedule needs no mode in its event, so that it beats."""
    assert parse(chore="snapshot", express=True, mode=mode).express


@pytest.mark.parametrize(
    ("event", "is_scheduled"),
    [
        ({"scheduled_time": SLOT}, True),
        ({"scheduled_time": SLOT, "mode": "act"}, True),
        ({"scheduled_time": SLOT, "mode": "report"}, False),
        ({"scheduled_time": SLOT, "again": 2}, False),
        ({}, False),
        ({"mode": "act"}, False),
    ],
)
def test_what_a_schedule_sends_has_a_time_and_neither_only_looks_nor_repeats(
    event: dict[str, Any], *, is_scheduled: bool
) -> None:
    assert parse(chore="snapshot", **event).is_scheduled is is_scheduled


@pytest.mark.parametrize(
    ("event", "other", "is_spared"),
    [
        ({"chore": "snapshot"}, "2026-11-21T03:00Z", True),
        ({"chore": "snapshot"}, "2026-11-20T03:00Z", False),
        ({"step": {"do": "judge", "run": "a-20261121T0300Z"}}, "2026-11-21T03:00Z", False),
    ],
)
def test_a_start_leaves_its_slot_to_another_of_the_same_and_a_step_is_always_taken(
    event: dict[str, Any], other: str, *, is_spared: bool
) -> None:
    assert parse(**event).is_spared_by(other, "2026-11-21T03:00Z") is is_spared


def test_runs_are_stepped_beside_each_other_and_started_one_at_a_time() -> None:
    step = {"do": "wave", "run": "snapshot-daily-20261121T0300Z", "after": 2}
    assert parse(step=step).lease_scope == "snapshot-daily-20261121T0300Z"
    assert parse(chore="snapshot").lease_scope == ""
