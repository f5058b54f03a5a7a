"""What may be asked, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import Target, parse_request
from functions.restore.facts import How
from functions.restore.request import RestoreRequest
from tests.support.restoring import ID, OLD, PLAN

STEP: dict[str, Any] = {"plan": PLAN, "do": "wave"}


def parsed(**event: Any) -> RestoreRequest:
    return parse_request(RestoreRequest, event)


def wrong(**event: Any) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        parsed(**event)
    assert refused.value.reason == "event_invalid"
    return {error["path"] for error in refused.value.errors}


def test_an_empty_event_asks_for_nothing() -> None:
    request = parsed()

    assert (request.policy, request.how, request.wave) == ("daily", How.VOLUMES, 10)
    assert (request.check_minutes, request.at, request.order) == (10, None, None)
    assert not request.is_asked


@pytest.mark.parametrize(
    "select",
    [{"instances": [ID]}, {"volumes": [OLD[0]]}, {"everything": True}, {"tags_any": ["a=b"]}],
)
def test_whatever_is_selected_is_asked_for(select: dict[str, Any]) -> None:
    assert parsed(select=select).is_asked
    assert not parsed(select=select, step=STEP).is_asked


def test_what_is_left_out_alone_selects_nothing() -> None:
    assert not parsed(select={"exclude_volumes": [OLD[0]]}).is_asked


def test_a_step_is_about_its_target() -> None:
    assert parsed(step={**STEP, "do": "advance", "target": ID}).lease_scope == ID
    assert parsed(step={**STEP, "do": "advance", "target": OLD[0]}).lease_scope == OLD[0]


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ({**STEP, "target": ID}, "step"),
        ({**STEP, "do": "advance"}, "step"),
        ({**STEP, "do": "stop"}, "step.do"),
        ({"do": "wave"}, "step.plan"),
        ({**STEP, "plan": "p-1"}, "step.plan"),
        ({**STEP, "force": True}, "step.force"),
    ],
)
def test_a_wrong_step_is_refused_by_its_path(step: dict[str, Any], path: str) -> None:
    assert wrong(step=step) == {path}


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"how": "clone"}, "how"),
        ({"wave": 0}, "wave"),
        ({"wave": 1_001}, "wave"),
        ({"check_minutes": -1}, "check_minutes"),
        ({"check_minutes": 61}, "check_minutes"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-11-20T02:00"}, "at"),
        ({"zone": "eu-west-1"}, "zone"),
        ({"price_per_gib_month": -1}, "price_per_gib_month"),
        ({"order": {"tag": "tier"}}, "order.values"),
        ({"order": {"tag": "tier", "values": []}}, "order.values"),
        ({"order": {"tag": "", "values": ["db"]}}, "order.tag"),
        ({"approve": "yes"}, "approve"),
        ({"instance": ID}, "instance"),
        ({"target": {"account": "123456789013", "region": "eu-west-1"}}, "target"),
        ({"target": {"region": "us-east-1"}}, "target"),
    ],
)
def test_a_wrong_event_is_refused_by_its_path(event: dict[str, Any], path: str) -> None:
    assert wrong(**event) == {path}


@pytest.mark.parametrize("zone", ["eu-west-1a", "us-gov-west-1b", "ap-southeast-2c"])
def test_a_zone_is_named_as_ec2_names_it(zone: str) -> None:
    assert parsed(zone=zone, select={"volumes": [OLD[0]]}).zone == zone


@pytest.mark.parametrize(
    "field",
    [
        {"at": "2026-11-20T03:00Z"},
        {"approve": PLAN, "how": "swap"},
        {"check_minutes": 5},
        {"how": "swap"},
        {"order": {"tag": "Role", "values": ["db"]}},
        {"price_per_gib_month": 0.1},
        {"wave": 5},
        {"zone": "eu-west-1a"},
    ],
)
def test_what_says_nothing_without_a_selection_is_refused_without_one(
    field: dict[str, Any],
) -> None:
    assert wrong(**field) == wrong(**field, select={}) == {"select"}
    assert parsed(**field, select={"instances": [ID]}).is_asked


def test_an_approval_alone_takes_up_what_was_started() -> None:
    request = parsed(approve=PLAN, mode="act")

    assert (request.is_asked, request.lease_scope) == (True, PLAN)
    assert not parsed(mode="act").is_asked


def test_what_is_approved_is_carried_out_or_refused_and_never_only_reported() -> None:
    event = {"select": {"instances": [ID]}, "approve": PLAN}

    assert wrong(**event, mode="report") == {"mode"}
    assert parsed(**event, mode="act").approve == parsed(**event).approve == PLAN


def test_a_plan_is_named_as_it_was_copied() -> None:
    copied = f" {PLAN.upper()}\n"

    assert parsed(select={"instances": [ID]}, approve=copied).approve == PLAN


def test_what_is_asked_for_goes_beside_the_watch_and_the_steps() -> None:
    steps = [{"step": {**STEP, "do": "advance", "target": ID}}, {"step": STEP}]
    asked = parsed(select={"instances": [ID]})

    scopes = [parsed(**event).lease_scope for event in ({}, *steps)]
    assert [*scopes, asked.lease_scope] == ["", ID, PLAN, "asked"]
    assert not asked.is_spared_by("2026-11-21T03:00Z", "2026-11-21T03:00Z")
    approval = parsed(select={"instances": [ID]}, approve=PLAN)
    assert approval.lease_scope == PLAN
    assert approval.is_spared_by("2026-11-21T03:00Z", "2026-11-21T03:00Z")
    assert parsed().is_spared_by("2026-11-21T03:00Z", "2026-11-21T03:00Z")
    assert not parsed().is_spared_by("2026-11-21T03:00Z", "2026-11-21T03:01Z")


def test_a_target_that_names_no_place_is_where_the_stack_is() -> None:
    assert parsed(target={}).target == Target()
