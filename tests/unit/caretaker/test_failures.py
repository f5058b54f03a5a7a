from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.failures import Failure, Kind, kind_of, short_message


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("RequestLimitExceeded", 503, Kind.THROTTLED),
        ("ThrottlingException", 400, Kind.THROTTLED),
        ("SnapshotCreationPerVolumeRateExceeded", 400, Kind.BUSY),
        ("ConcurrentSnapshotLimitExceeded", 400, Kind.BUSY),
        ("IncorrectState", 400, Kind.BUSY),
        ("PendingSnapshotLimitExceeded", 400, Kind.FULL),
        ("ResourceLimitExceeded", 400, Kind.FULL),
        ("SnapshotLimitExceeded", 400, Kind.FULL),
        ("InvalidVolume.NotFound", 400, Kind.GONE),
        ("ResourceNotFoundException", 400, Kind.GONE),
        ("UnauthorizedOperation", 403, Kind.DENIED),
        ("KMSInvalidStateException", 400, Kind.DENIED),
        ("InvalidKmsKey", 400, Kind.DENIED),
        ("InvalidSnapshot.InUse", 400, Kind.PROTECTED),
        ("SnapshotLocked", 400, Kind.PROTECTED),
        ("InternalError", 500, Kind.UNKNOWN),
        ("RequestTimeout", 400, Kind.UNKNOWN),
        ("NobodyKnows", 500, Kind.UNKNOWN),
        ("NobodyKnows", 400, Kind.INVALID),
        ("", 0, Kind.INVALID),
    ],
)
def test_a_code_asks_for_one_thing(code: str, status: int, kind: Kind) -> None:
    assert kind_of(code, status) is kind


def test_a_message_leaves_out_the_encoded_blob() -> None:
    message = "You are not authorized. Encoded authorization failure message: f1Zk"

    assert short_message(message) == "You are not authorized."


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.integers(1, 40))
def test_a_message_is_one_short_line(text: str, times: int) -> None:
    short = short_message(text * times)

    assert len(short) <= 300
    assert len(short.splitlines()) <= 1


def test_a_failure_becomes_the_error_of_an_item() -> None:
    failure = Failure(Kind.DENIED, "AccessDenied", "no", "r-1")

    assert failure.as_error() == {"code": "AccessDenied", "message": "no", "request_id": "r-1"}
