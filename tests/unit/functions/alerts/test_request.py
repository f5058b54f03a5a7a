"""What the alerts chore may be asked, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.alerts.request import AlertsRequest

UNTIL = "2026-11-22T00:00:00Z"


def test_an_empty_event_looks_after_everything() -> None:
    request = parse_request(AlertsRequest, {})

    hours = request.remind_critical_hours, request.remind_warning_hours
    assert (*hours, request.escalate_after_hours) == (4, 24, 72)
    assert (request.test, request.silence, request.close, request.lease_scope) == (
        False, None, None, "",
    )  # fmt: skip


def test_a_silence_has_a_pattern_and_an_end() -> None:
    event = {"silence": {"match": "caretaker/*/stale/vol-?", "until": UNTIL, "reason": "moving"}}

    asked = parse_request(AlertsRequest, event).silence

    assert asked is not None
    assert (asked.match, asked.reason) == ("caretaker/*/stale/vol-?", "moving")
    assert asked.until == datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"test": True, "silence": {"match": "*", "until": UNTIL}}, "event"),
        ({"test": True, "close": {"match": "*"}}, "event"),
        ({"close": {"match": "*"}, "silence": {"match": "*", "until": UNTIL}}, "event"),
        ({"silence": {"match": "*"}}, "silence.until"),
        ({"silence": {"until": UNTIL}}, "silence.match"),
        ({"silence": {"match": "my bucket", "until": UNTIL}}, "silence.match"),
        ({"silence": {"match": "", "until": UNTIL}}, "silence.match"),
        ({"silence": {"match": "größe", "until": UNTIL}}, "silence.match"),
        ({"silence": {"match": "x\n", "until": UNTIL}}, "silence.match"),
        ({"silence": {"match": "x" * 256, "until": UNTIL}}, "silence.match"),
        ({"silence": {"match": "*", "until": "tomorrow"}}, "silence.until"),
        ({"silence": {"match": "*", "until": "2026-11-22T00:00:00"}}, "silence.until"),
        ({"silence": {"match": "*", "until": 1_800_000_000}}, "silence.until"),
        ({"silence": {"match": "*", "until": UNTIL, "reason": "x" * 257}}, "silence.reason"),
        ({"silence": {"match": "*", "until": UNTIL, "for": "8h"}}, "silence.for"),
        ({"silence": "*"}, "silence"),
        ({"silence": []}, "silence"),
        ({"close": {}}, "close.match"),
        ({"close": {"match": "a b"}}, "close.match"),
        ({"remind_critical_hours": -1}, "remind_critical_hours"),
        ({"remind_critical_hours": 0}, "remind_critical_hours"),
        ({"remind_warning_hours": 8_785}, "remind_warning_hours"),
        ({"escalate_after_hours": 1.5}, "escalate_after_hours"),
        ({"escalate_after_hours": "72"}, "escalate_after_hours"),
        ({"test": "yes"}, "test"),
        ({"test": 1}, "test"),
        ({"target": {"account": "999999999999"}}, "event"),
        ({"tset": True}, "tset"),
    ],
)
def test_a_wrong_event_is_refused_and_its_field_named(event: dict[str, Any], path: str) -> None:
    with pytest.raises(RefusedError, match="event_invalid") as refused:
        parse_request(AlertsRequest, event)

    assert [error["path"] for error in refused.value.errors] == [path]
    assert refused.value.errors[0]["problem"]


@pytest.mark.parametrize(
    "event",
    [{"test": True}, {"silence": {"match": "a*", "until": UNTIL}}, {"close": {"match": "a*"}}],
    ids=lambda event: next(iter(event)),
)
def test_what_is_asked_by_hand_holds_a_lease_of_its_own(event: dict[str, Any]) -> None:
    assert parse_request(AlertsRequest, event).lease_scope
