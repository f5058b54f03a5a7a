from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.report import plan_id
from caretaker.request import MAX_ROUNDS, BaseRequest, effective_mode, parse_request
from caretaker.settings import Mode
from caretaker.slots import slot_of, slot_time
from tests.support.builders import a_decision


def errors_of(event: Any) -> tuple[dict[str, str], ...]:
    with pytest.raises(RefusedError) as refused:
        parse_request(BaseRequest, event)
    assert refused.value.reason == "event_invalid"
    return refused.value.errors


def test_an_empty_event_has_defaults() -> None:
    request = parse_request(BaseRequest, {})

    assert (request.policy, request.mode, request.pace) == ("default", None, 0.5)
    assert (request.round, request.approve, request.lease_scope) == (0, None, "")


def test_takes_every_field() -> None:
    event = {
        "policy": "weekly-2",
        "mode": "report",
        "scheduled_time": "2026-11-21T04:00:00+01:00",
        "target": {"account": "123456789012", "region": "us-gov-west-1"},
        "pace": 1,
        "approve": plan_id([a_decision()]),
        "round": MAX_ROUNDS,
    }

    request = parse_request(BaseRequest, event)

    assert request.mode is Mode.REPORT
    assert request.scheduled_time == datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert request.target.region == "us-gov-west-1"


@pytest.mark.parametrize(
    "region", ["eu-west-1", "ap-southeast-7", "us-iso-east-1", "cn-north-1", "eusc-de-east-1"]
)
def test_takes_every_region_there_is(region: str) -> None:
    assert parse_request(BaseRequest, {"target": {"region": region}}).target.region == region


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"Policy": "daily"}, "Policy"),
        ({"": 1}, ""),
        ({"mode": "ACT"}, "mode"),
        ({"scheduled_time": "2026-11-21T03:00:00"}, "scheduled_time"),
        ({"scheduled_time": "2026-11-21"}, "scheduled_time"),
        ({"scheduled_time": "<aws.scheduler.scheduled-time>"}, "scheduled_time"),
        ({"scheduled_time": 1763694000}, "scheduled_time"),
        ({"scheduled_time": "1763694000"}, "scheduled_time"),
        ({"scheduled_time": "0001-01-01T00:00:00+14:00"}, "scheduled_time"),
        ({"scheduled_time": "0999-01-01T00:00:00Z"}, "scheduled_time"),
        ({"scheduled_time": "9999-12-31T23:59:59-14:00"}, "scheduled_time"),
        ({"target": {"account": 123456789012}}, "target.account"),
        ({"target": {"account": "12345678901"}}, "target.account"),
        ({"target": {"region": "eu-west-1.evil.example"}}, "target.region"),
        ({"target": {"role": "arn:aws:iam::123456789012:role/admin"}}, "target.role"),
        ({"pace": 0}, "pace"),
        ({"pace": 1.01}, "pace"),
        ({"pace": float("nan")}, "pace"),
        ({"pace": "fast"}, "pace"),
        ({"pace": True}, "pace"),
        ({"approve": "p-1"}, "approve"),
        ({"round": -1}, "round"),
        ({"round": MAX_ROUNDS + 1}, "round"),
        ({"round": True}, "round"),
    ],
    ids=str,
)
def test_refuses_a_wrong_field_and_says_which(event: dict[str, Any], path: str) -> None:
    (error,) = errors_of(event)

    assert error["path"] == (path or "event")
    assert error["problem"]


@pytest.mark.parametrize("event", [[], None, "x", 5, ["ab"], True], ids=repr)
def test_refuses_what_is_no_object(event: object) -> None:
    assert errors_of(event)


def test_says_what_was_expected() -> None:
    assert errors_of({"pace": 2})[0]["expected"] == "at most 1.0"
    assert "mode" in errors_of({"mode": "x"})[0]["path"]
    assert errors_of({"x": 1})[0]["problem"] == "unknown field"


@pytest.mark.parametrize("text", ["2026-11-21T03:00Z", "2000-01-01T00:00Z", "2099-12-31T23:59Z"])
def test_a_slot_is_a_scheduled_time(text: str) -> None:
    request = parse_request(BaseRequest, {"scheduled_time": text})

    assert request.scheduled_time is not None
    assert slot_of(request.scheduled_time) == text
    assert slot_time(text) == request.scheduled_time


@pytest.mark.parametrize(
    ("asked", "allowed", "mode"),
    [
        (None, Mode.ACT, Mode.ACT),
        (None, Mode.REPORT, Mode.REPORT),
        (Mode.REPORT, Mode.ACT, Mode.REPORT),
        (Mode.ACT, Mode.ACT, Mode.ACT),
    ],
)
def test_an_event_may_lower_the_mode(asked: Mode | None, allowed: Mode, mode: Mode) -> None:
    assert effective_mode(asked, allowed) is mode


def test_an_event_never_raises_the_mode() -> None:
    with pytest.raises(RefusedError) as refused:
        effective_mode(Mode.ACT, Mode.REPORT)

    assert refused.value.reason == "mode_not_allowed"
    assert [error["path"] for error in refused.value.errors] == ["mode"]


def test_ten_thousand_wrong_fields_are_named_as_far_as_they_fit() -> None:
    errors = errors_of({f"{'x' * 500}-{n}": 1 for n in range(10_000)})

    assert errors[-1]["problem"] == f"{10_000 - (len(errors) - 1)} more"
    assert len(json.dumps(errors)) < 32_000
