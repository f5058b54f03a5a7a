from __future__ import annotations

import pytest

from caretaker.errors import (
    BusyError,
    CallError,
    CaretakerError,
    FieldError,
    HaltError,
    ListingError,
    OutOfTimeError,
    RefusedError,
    SettingsError,
    StateError,
)
from caretaker.failures import Failure, Kind

FAILURE = Failure(Kind.DENIED, "AccessDenied", "not allowed")


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("event_invalid", [FieldError("pace", "too high")]),
        BusyError("snapshot/daily", "2026-11-21T03:00Z"),
        OutOfTimeError("CreateSnapshot"),
        HaltError(FAILURE),
        CallError("DescribeVolumes", FAILURE),
        ListingError("DescribeVolumes", FAILURE),
        StateError("GetItem", FAILURE),
        SettingsError("AWS_REGION is missing"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_is_ours_and_says_what_happened(error: Exception) -> None:
    assert isinstance(error, CaretakerError)
    assert str(error)


def test_a_failed_call_names_the_operation_and_the_code() -> None:
    assert str(CallError("DescribeVolumes", FAILURE)) == (
        "DescribeVolumes: AccessDenied: not allowed"
    )


@pytest.mark.parametrize(
    ("kind", "may_pass"),
    [(Kind.UNKNOWN, True), (Kind.THROTTLED, True), (Kind.DENIED, False), (Kind.GONE, False)],
)
def test_a_call_may_pass_later_when_it_was_not_refused_for_good(
    kind: Kind, *, may_pass: bool
) -> None:
    assert CallError("DescribeVolumes", Failure(kind, "x", "y")).may_pass is may_pass


def test_a_busy_lease_says_who_holds_it() -> None:
    busy = BusyError("snapshot/daily", "2026-11-21T03:00Z")

    assert "snapshot/daily" in str(busy)
    assert "2026-11-21T03:00Z" in str(busy)
