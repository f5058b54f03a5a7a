from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.aws.pacing import Bucket, Buckets, Pacer, Rate, Turn, documented_rate
from caretaker.clock import Deadline
from caretaker.errors import OutOfTimeError
from tests.support.builders import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

ACTION = "CreateSnapshot"
RATE = documented_rate(ACTION)
SPARE = 2
"""Tokens of AWS's burst that are left alone."""
paces = st.floats(0.01, 1)


def refusal(code: str = "RequestLimitExceeded") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, ACTION)


class FakeAws:
    """AWS's own bucket: refuses what is above its rate, of which others may use a share."""

    def __init__(self, clock: FakeClock, rate: Rate, *, ours: float = 1) -> None:
        self._clock = clock
        self._refill = rate.refill * ours
        self._burst = rate.burst * ours
        self._tokens = self._burst
        self._at = 0.0
        self.sent: list[float] = []
        self.refused = 0

    def __call__(self) -> int:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._refill)
        self._at = now
        if self._tokens < 1 - 1e-9:
            self.refused += 1
            raise refusal()
        self._tokens -= 1
        self.sent.append(now)
        return len(self.sent)


def a_pacer(clock: FakeClock, *, pace: float = 1, seconds: float = 10**9) -> Pacer:
    return Pacer(Buckets(), clock, Deadline(clock, seconds), pace)


@pytest.mark.parametrize(
    ("action", "rate"),
    [
        ("CreateSnapshot", Rate(100, 5)),
        ("CreateTags", Rate(100, 10)),
        ("DescribeVolumes", Rate(100, 20)),
        ("StopInstances", Rate(50, 5)),
    ],
)
def test_knows_the_documented_rates(action: str, rate: Rate) -> None:
    assert documented_rate(action) == rate


def test_returns_what_was_sent_for() -> None:
    assert a_pacer(FakeClock()).call(ACTION, lambda: "answer") == "answer"


def test_sends_a_burst_at_once_and_then_keeps_to_the_refill() -> None:
    clock = FakeClock()
    pacer = a_pacer(clock, pace=0.5)

    for _ in range(50 - SPARE):
        pacer.call(ACTION, lambda: None)
    assert clock.monotonic() == 0
    for _ in range(10):
        pacer.call(ACTION, lambda: None)

    assert clock.monotonic() == pytest.approx(4)


@settings(max_examples=60, deadline=None)
@given(paces, st.lists(st.floats(0, 30), min_size=1, max_size=300))
def test_never_sends_more_than_its_share_of_burst_and_refill(
    pace: float, pauses: list[float]
) -> None:
    clock = FakeClock()
    pacer = a_pacer(clock, pace=pace)
    sent: list[float] = []
    for pause in pauses:
        clock.sleep(pause if pause > 25 else 0)
        pacer.call(ACTION, lambda: sent.append(clock.monotonic()))

    for first in range(0, len(sent), 7):
        for last in range(first, len(sent), 7):
            allowed = max(1, RATE.burst * pace) + RATE.refill * pace * (sent[last] - sent[first])
            assert last - first + 1 <= allowed + 1e-6


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1), st.floats(0.1, 1), st.integers(1, 400))
def test_loses_no_call_while_others_use_the_bucket(pace: float, ours: float, calls: int) -> None:
    clock = FakeClock()
    aws = FakeAws(clock, RATE, ours=ours)
    pacer = a_pacer(clock, pace=pace)

    answers = [pacer.call(ACTION, aws) for _ in range(calls)]

    assert answers == list(range(1, calls + 1))


def test_is_never_refused_when_nobody_else_uses_the_bucket() -> None:
    clock = FakeClock()
    aws = FakeAws(clock, RATE)
    pacer = a_pacer(clock)

    for _ in range(500):
        pacer.call(ACTION, aws)

    assert aws.refused == 0
    assert clock.monotonic() == pytest.approx((400 + SPARE) / RATE.refill)


def wait_after(bucket: Bucket, now: float) -> float:
    """Return how far apart two calls are now, with the burst used up."""
    first = bucket.reserve(now, 1)
    return bucket.reserve(now, 1) - first


def test_slows_down_when_throttled_and_recovers() -> None:
    bucket = Bucket(RATE, 0)
    bucket.throttled(10, 1)
    slowed = wait_after(bucket, 10)

    assert slowed > 1.3 / RATE.refill
    bucket.throttled(20, 1)
    bucket.throttled(21.5, 1)
    bucket.throttled(23, 1)
    assert wait_after(bucket, 23) > slowed
    bucket.reserve(10_000, 1)
    bucket.throttled(10_000, 1)
    assert wait_after(bucket, 10_000) == pytest.approx(slowed)


def test_throttling_leaves_no_burst() -> None:
    bucket = Bucket(RATE, 0)
    assert bucket.reserve(0, 1) == 0

    bucket.throttled(0, 1)

    assert bucket.reserve(0, 1) > 0


def test_many_refusals_of_one_moment_slow_down_once() -> None:
    once, often = Bucket(RATE, 0), Bucket(RATE, 0)
    once.throttled(10, 1)
    for _ in range(16):
        often.throttled(10.5, 1)

    assert wait_after(often, 10.5) == pytest.approx(wait_after(once, 10), rel=0.01)


def test_never_slows_down_to_a_halt() -> None:
    bucket = Bucket(RATE, 0)
    for second in range(0, 400, 2):
        bucket.throttled(second, 1)

    assert wait_after(bucket, 400) <= 1 / (RATE.refill * 0.05)


def test_sends_again_until_aws_takes_it() -> None:
    clock = FakeClock()
    refusals = iter([True] * 7)

    def send() -> float:
        if next(refusals, False):
            raise refusal()
        return clock.monotonic()

    assert a_pacer(clock).call(ACTION, send) > 0


def test_is_out_of_time_when_throttled_until_the_deadline() -> None:
    clock = FakeClock()
    aws = FakeAws(clock, Rate(0, 0))

    with pytest.raises(OutOfTimeError):
        a_pacer(clock, seconds=120).call(ACTION, aws)

    assert aws.refused > 1
    assert clock.monotonic() <= 60


@pytest.mark.parametrize("code", ["InvalidVolume.NotFound", "InternalError", "AccessDenied"])
def test_any_other_error_is_raised_after_one_call(code: str) -> None:
    sent: list[int] = []

    def send() -> None:
        sent.append(1)
        raise refusal(code)

    with pytest.raises(ClientError):
        a_pacer(FakeClock()).call(ACTION, send)

    assert len(sent) == 1


def never() -> None:
    pytest.fail("a call was sent after the deadline")


def test_sends_nothing_after_the_deadline() -> None:
    with pytest.raises(OutOfTimeError):
        a_pacer(FakeClock(), seconds=60).call(ACTION, never)


def test_takes_no_token_when_the_wait_would_pass_the_deadline() -> None:
    clock, buckets = FakeClock(), Buckets()
    for _ in range(100 - SPARE):
        buckets.reserve(ACTION, 0, 1)
    expected = 1 / RATE.refill
    hurried = Pacer(buckets, clock, Deadline(clock, 60.1), 1)

    for _ in range(50):
        with pytest.raises(OutOfTimeError):
            hurried.call(ACTION, never)

    assert clock.monotonic() == 0
    assert buckets.reserve(ACTION, 0, 1).seconds == pytest.approx(expected)


def test_each_action_has_a_bucket_of_its_own() -> None:
    buckets = Buckets()
    for _ in range(200):
        buckets.reserve(ACTION, 0, 1)
    buckets.throttled(ACTION, 0, 1)

    assert buckets.reserve("CreateSnapshots", 0, 1).seconds == 0


def test_buckets_outlive_a_run() -> None:
    clock, buckets = FakeClock(), Buckets()
    for _ in range(150 - SPARE):
        Pacer(buckets, clock, Deadline(clock, 900), 1).call(ACTION, lambda: None)

    assert clock.monotonic() == pytest.approx(10)


def in_threads(number: int, work: Callable[[], None]) -> None:
    threads = [Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_share_a_bucket_without_losing_tokens() -> None:
    buckets = Buckets()

    def work() -> None:
        for _ in range(200):
            buckets.reserve(ACTION, 0, 1)

    in_threads(8, work)

    waits = (1600 + 1 - (RATE.burst - SPARE)) / RATE.refill
    assert buckets.reserve(ACTION, 0, 1).seconds == pytest.approx(waits)


class OneByOne:
    """Tokens that anybody may hand out: here one a minute, of which the second does not hold."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def reserve(self, action: str, now: float, pace: float) -> Turn:
        self.told.append("reserved")
        return Turn(60, 0)

    def still_holds(self, action: str, turn: Turn) -> bool:
        return self.told.count("reserved") != 2

    def give_back(self, action: str, now: float, pace: float) -> None:
        self.told.append("given back")

    def throttled(self, action: str, now: float, pace: float) -> None:
        self.told.append("refused")


def test_tokens_may_be_anybodys() -> None:
    clock, tokens, refusals = FakeClock(), OneByOne(), [refusal()]
    pacer = Pacer(tokens, clock, Deadline(clock, 10**6), 1)

    def send() -> str:
        if refusals:
            raise refusals.pop()
        return "answer"

    assert pacer.call(ACTION, send) == "answer"
    assert tokens.told == ["reserved", "refused", "reserved", "given back", "reserved"]
    assert clock.monotonic() == 180


def test_a_turn_beyond_the_deadline_is_given_back() -> None:
    clock, tokens = FakeClock(), OneByOne()
    pacer = Pacer(tokens, clock, Deadline(clock, 100), 1)

    with pytest.raises(OutOfTimeError):
        pacer.call(ACTION, lambda: "answer")
    assert tokens.told == ["reserved", "given back"]
