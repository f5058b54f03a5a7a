"""One pace for all workers, kept in the state table."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.aws.pacing import documented_rate
from caretaker.clock import Deadline
from caretaker.errors import OutOfTimeError
from functions.restore.aws.pacing import HELD_SECONDS, FarTurnError, SharedBuckets, SharedPacer
from tests.support.builders import NOW, FakeClock
from tests.support.restore_queue import Shelf
from tests.support.restore_sim import refusal

ACTION = "AttachVolume"
RATE = documented_rate(ACTION)
SPARE = 2


def workers(number: int = 1) -> tuple[FakeClock, list[SharedBuckets]]:
    clock, shelf = FakeClock(), Shelf()
    return clock, [SharedBuckets(cast("Any", shelf), "pace#1/r", clock) for _ in range(number)]


def test_all_workers_share_one_burst_and_one_refill() -> None:
    _, (one, other) = workers(2)
    burst = int(RATE.burst) - SPARE

    waits = [each.reserve(ACTION, 0, 1).seconds for _ in range(burst) for each in (one, other)]

    assert waits[:burst] == [0] * burst
    assert waits[burst:] == pytest.approx([(n + 1) / RATE.refill for n in range(burst)])


@settings(max_examples=60, deadline=None)
@given(
    pace=st.sampled_from([0.1, 0.25, 0.5, 1.0]),
    pauses=st.lists(st.floats(0, 20), min_size=1, max_size=80),
)
def test_never_more_is_sent_than_the_share_of_burst_and_refill(
    pace: float, pauses: list[float]
) -> None:
    clock, some = workers(3)
    sent: list[float] = []
    for number, pause in enumerate(pauses):
        clock.sleep(pause if pause > 15 else 0)
        turn = some[number % 3].reserve(ACTION, 0, pace)
        sent.append(clock.monotonic() + turn.seconds)

    sent.sort()
    for first in range(0, len(sent), 3):
        for last in range(first, len(sent), 3):
            allowed = max(1, RATE.burst * pace) + RATE.refill * pace * (sent[last] - sent[first])
            assert last - first + 1 <= allowed + 0.1


def test_another_action_has_a_bucket_of_its_own() -> None:
    _, (one,) = workers()
    for _ in range(int(RATE.burst)):
        one.reserve(ACTION, 0, 1)

    assert one.reserve(ACTION, 0, 1).seconds > 0
    assert one.reserve("DetachVolume", 0, 1).seconds == 0


def test_what_was_used_up_fills_with_time() -> None:
    clock, (one,) = workers()
    for _ in range(int(RATE.burst) - SPARE):
        one.reserve(ACTION, 0, 1)
    clock.sleep(3)

    free = [one.reserve(ACTION, 0, 1).seconds for _ in range(3 * int(RATE.refill) + 1)]
    assert free[:-1] == [0] * (3 * int(RATE.refill))
    assert free[-1] == pytest.approx(1 / RATE.refill)


def test_a_refusal_puts_off_all_workers() -> None:
    _, (one, other) = workers(2)
    turn = one.reserve(ACTION, 0, 1)
    assert turn.seconds == 0

    one.throttled(ACTION, 0, 1)

    assert other.reserve(ACTION, 0, 1).seconds == pytest.approx(2 + 1 / RATE.refill)
    assert one.still_holds(ACTION, turn)


def test_refusals_of_the_same_second_count_once() -> None:
    clock, (one, other) = workers(2)

    one.throttled(ACTION, 0, 1)
    other.throttled(ACTION, 0, 1)
    assert one.reserve(ACTION, 0, 1).seconds == pytest.approx(2 + 1 / RATE.refill)
    clock.sleep(1)
    other.throttled(ACTION, 0, 1)
    assert one.reserve(ACTION, 0, 1).seconds == pytest.approx(2 - 1 + 2 + 2 / RATE.refill)


def test_the_tokens_of_one_target_come_together_and_before_those_of_the_next() -> None:
    _, (one, other) = workers(2)
    for _ in range(int(RATE.burst) - SPARE):
        one.reserve(ACTION, 0, 1)

    assert one.reserve(ACTION, 0, 1, 3).seconds == pytest.approx(3 / RATE.refill)
    assert other.reserve(ACTION, 0, 1, 3).seconds == pytest.approx(6 / RATE.refill)
    one.give_back(ACTION, 0, 1, 3)
    assert other.reserve(ACTION, 0, 1).seconds == pytest.approx(4 / RATE.refill)


def pacer(clock: FakeClock, buckets: SharedBuckets, seconds: float = 300) -> SharedPacer:
    return SharedPacer(buckets, clock, Deadline(clock, seconds), 1.0)


def a_full_queue() -> tuple[FakeClock, SharedBuckets]:
    """Return buckets of which all is used for the next 40 seconds."""
    clock, (one,) = workers()
    one.reserve(ACTION, 0, 1, int(RATE.burst) - SPARE + 40 * int(RATE.refill))
    return clock, one


def test_a_turn_that_is_far_is_not_waited_for_and_stays_his() -> None:
    clock, buckets = a_full_queue()
    booked = pacer(clock, buckets).book({ACTION: 3}, ())
    with pytest.raises(FarTurnError) as far:
        pacer(clock, buckets).wait(booked)

    assert (far.value.seconds, clock.monotonic()) == (41, 0)
    clock.sleep(41)
    again = pacer(clock, buckets)
    assert again.book({ACTION: 3}, booked) == booked
    again.wait(booked)
    assert [again.call(ACTION, clock.monotonic) for _ in range(3)] == [41, 41, 41]


def test_a_turn_that_is_near_is_waited_for() -> None:
    clock, buckets = a_full_queue()
    clock.sleep(39)
    one = pacer(clock, buckets)
    one.wait(one.book({ACTION: 1}, ()))

    assert one.call(ACTION, clock.monotonic) == pytest.approx(40.2)


def test_a_turn_that_nobody_came_for_in_time_is_over() -> None:
    clock, buckets = a_full_queue()
    (old,) = pacer(clock, buckets).book({ACTION: 1}, ())
    clock.sleep(40.2 + HELD_SECONDS + 1)
    used = buckets.table.items.copy()  # type: ignore[attr-defined]
    pacer(clock, buckets).give_back([old])
    assert buckets.table.items == used  # type: ignore[attr-defined]

    (new,) = pacer(clock, buckets).book({ACTION: 1}, [old])
    assert new.at > old.at


def test_what_was_booked_for_more_is_given_back_and_for_less_is_added() -> None:
    clock, buckets = a_full_queue()
    one = pacer(clock, buckets)
    three = one.book({ACTION: 3}, ())
    (two,) = one.book({ACTION: 2}, three)
    assert (two.count, two.at) == (2, three[0].at)
    (four,) = one.book({ACTION: 4}, [two])
    assert four.count == 4
    assert four.at - two.at == pytest.approx(1 / RATE.refill, abs=1e-3)


def test_whoever_is_refused_by_rate_gives_back_what_he_holds_and_is_told_to_come_later() -> None:
    clock, (buckets,) = workers()
    one = pacer(clock, buckets)
    one.wait(one.book({ACTION: 3}, ()))

    def refuse() -> None:
        raise refusal("RequestLimitExceeded")

    with pytest.raises(FarTurnError) as far:
        one.call(ACTION, refuse)
    assert (far.value.seconds, clock.monotonic()) == (3, 0)
    assert pacer(clock, buckets).book({ACTION: 1}, ())[0].at - NOW.timestamp() == pytest.approx(2.2)


def test_in_the_last_minute_nothing_is_sent_though_it_has_its_turn() -> None:
    clock, (buckets,) = workers()
    one = pacer(clock, buckets, seconds=61)
    one.wait(one.book({ACTION: 1}, ()))
    clock.sleep(2)

    with pytest.raises(OutOfTimeError):
        one.call(ACTION, clock.monotonic)


def test_a_token_that_was_not_used_is_there_for_others() -> None:
    _, (one, other) = workers(2)
    for _ in range(int(RATE.burst) - SPARE):
        one.reserve(ACTION, 0, 1)
    one.give_back(ACTION, 0, 1)

    assert other.reserve(ACTION, 0, 1).seconds == 0
    assert other.reserve(ACTION, 0, 1).seconds > 0


def test_the_queue_does_not_grow_by_workers_that_do_not_wait_for_their_turn() -> None:
    _, (one, other) = workers(2)
    while one.reserve(ACTION, 0, 1).seconds < 60:
        pass
    for _ in range(500):
        one.reserve(ACTION, 0, 1)
        one.give_back(ACTION, 0, 1)

    assert other.reserve(ACTION, 0, 1).seconds < 61


def test_what_is_held_and_not_sent_is_there_for_others() -> None:
    clock, (buckets,) = workers()
    one = pacer(clock, buckets)
    one.wait(one.book({ACTION: 3}, ()))
    one.call(ACTION, clock.monotonic)
    one.let_go()

    assert cast("Shelf", buckets.table).taken == 1000 / RATE.refill
