from __future__ import annotations

from datetime import UTC

import pytest

from caretaker.clock import Deadline, SystemClock
from tests.support.builders import FakeClock


def test_a_deadline_keeps_a_reserve_for_the_end() -> None:
    assert Deadline(FakeClock(), 900).remaining() == 840


def test_a_deadline_comes_nearer() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 100, reserve_seconds=60)
    clock.sleep(41)

    assert deadline.remaining() == -1
    assert not deadline.allows()


@pytest.mark.parametrize(("wait", "allowed"), [(0, True), (39, True), (40, False), (41, False)])
def test_allows_only_what_starts_before_it(wait: float, *, allowed: bool) -> None:
    assert Deadline(FakeClock(), 100).allows(wait) is allowed


def test_the_machine_s_clock_is_aware_and_grows() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.001)

    assert clock.now().tzinfo is UTC
    assert clock.monotonic() > before
