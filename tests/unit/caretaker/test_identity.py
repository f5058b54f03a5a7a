from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.identity import run_id
from tests.support.builders import NOW

entropies = st.binary(min_size=10, max_size=10)


def test_is_the_ulid_of_the_specification() -> None:
    # 01ARYZ6S41 is 1469918176385 ms in https://github.com/ulid/spec
    time = datetime.fromtimestamp(1469918176, UTC) + timedelta(milliseconds=385)

    assert run_id(time, bytes(10)) == "01ARYZ6S41" + "0" * 16
    assert run_id(time, b"\xff" * 10) == "01ARYZ6S41" + "Z" * 16


@settings(max_examples=50, deadline=None)
@given(entropies, entropies, st.integers(2, 10**9))
def test_sorts_by_time_whatever_the_entropy(one: bytes, other: bytes, later_ms: int) -> None:
    later = NOW + timedelta(milliseconds=later_ms)

    assert run_id(NOW, one) < run_id(later, other)


@settings(max_examples=50, deadline=None)
@given(entropies, entropies)
def test_two_runs_of_one_moment_have_two_names(one: bytes, other: bytes) -> None:
    assert (run_id(NOW, one) == run_id(NOW, other)) is (one == other)
