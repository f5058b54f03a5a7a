"""How the pacer gets on with others who use the same bucket: many workers, in virtual time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from botocore.exceptions import ClientError

from caretaker.aws.pacing import Bucket, Buckets, Pacer, documented_rate
from caretaker.clock import Deadline
from tests.support.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable

ACTION: Final = "DeleteSnapshot"
RATE: Final = documented_rate(ACTION)
CALLS: Final = 1_000
WORKERS: Final = 16
FOREVER: Final = 10**9


@dataclass
class SharedAws:
    """AWS's bucket, of which others leave us a part: `left(now)`; an answer takes a while."""

    clock: VirtualTime
    left: Callable[[float], float]
    seed: int = 0
    sent: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._tokens = RATE.burst * self.left(0)
        self._at = 0.0

    def __call__(self) -> None:
        now = self.clock.monotonic()
        left = self.left(now)
        grown = self._tokens + (now - self._at) * RATE.refill * left
        self._tokens, self._at = min(RATE.burst * left, grown), now
        if self._tokens < 1 - 1e-9:
            self.refused.append(now)
            self.clock.sleep(self._chance.uniform(0.005, 0.015))
            raise ClientError({"Error": {"Code": "RequestLimitExceeded", "Message": ""}}, ACTION)
        self._tokens -= 1
        self.sent.append(now)
        self.clock.sleep(self._chance.uniform(0.15, 0.3))

    @property
    def share_refused(self) -> float:
        return len(self.refused) / (len(self.sent) + len(self.refused))


@dataclass
class Played:
    """How it went: the wall time, AWS's side, and how long each call was under way."""

    seconds: float
    aws: SharedAws
    took: list[float]


def play(left: Callable[[float], float], *, pace: float = 1, seed: int = 0) -> Played:
    """Let the workers send all calls."""
    clock = VirtualTime()
    aws, todo, took = SharedAws(clock, left, seed), iter(range(CALLS)), list[float]()
    pacer = Pacer(Buckets(), clock, Deadline(clock, FOREVER), pace)

    def work() -> None:
        for _ in todo:
            began = clock.monotonic()
            pacer.call(ACTION, aws)
            took.append(clock.monotonic() - began)

    clock.run([work] * WORKERS)
    return Played(clock.monotonic(), aws, took)


def unavoidable(left: float) -> float:
    """Return the seconds that AWS's own rate makes of so many calls."""
    return (CALLS - RATE.burst * left) / (RATE.refill * left)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("left", "refused", "wall"), [(1.0, 0.005, 1.03), (0.5, 0.025, 1.05), (0.25, 0.06, 1.12)]
)
def test_settles_at_what_others_leave(left: float, refused: float, wall: float, seed: int) -> None:
    played = play(lambda _: left, seed=seed)

    assert len(played.aws.sent) == CALLS
    assert played.aws.share_refused <= refused
    assert played.seconds <= wall * unavoidable(left)


def test_at_half_its_pace_it_leaves_others_their_half() -> None:
    played = play(lambda _: 0.5, pace=0.5)

    assert played.aws.share_refused <= 0.005
    assert played.seconds <= 1.05 * unavoidable(0.5)


def test_takes_what_others_give_back() -> None:
    """Others use half of the bucket for 150 seconds, then none of it."""
    played = play(lambda now: 0.5 if now < 150 else 1.0)

    unavoidable_then = 150 + (CALLS - RATE.burst * 0.5 - 150 * RATE.refill * 0.5) / RATE.refill
    assert played.aws.share_refused <= 0.03
    assert played.seconds <= 1.25 * unavoidable_then


def test_yields_when_others_come() -> None:
    """The bucket is ours for a minute, then others take half of it."""
    played = play(lambda now: 1.0 if now < 60 else 0.5)

    late = [now for now in played.aws.refused if now > 60]
    assert len(late) <= 0.04 * CALLS


def test_no_call_starves_behind_the_others() -> None:
    """In its turn every worker waits for the others', and a few times for a new one."""
    played = play(lambda _: 0.5)

    one_round = WORKERS / (RATE.refill * 0.5)
    assert len(played.took) == CALLS
    assert max(played.took) <= 4 * one_round


def test_a_refusal_makes_those_who_wait_take_a_new_turn() -> None:
    clock, buckets, sent = VirtualTime(), Buckets(), list[float]()
    while buckets.reserve(ACTION, 0, 1).seconds <= 0:
        pass
    buckets.give_back(ACTION, 0, 1)
    pacer = Pacer(buckets, clock, Deadline(clock, FOREVER), 1)

    def refuse() -> None:
        clock.sleep(0.1)
        buckets.throttled(ACTION, clock.monotonic(), 1)

    def work() -> None:
        pacer.call(ACTION, lambda: sent.append(clock.monotonic()))

    clock.run([work, work, refuse])

    first, second = sent
    assert first > 1 / RATE.refill, "its first turn was timed by the old share"
    assert second > 2 / RATE.refill


def seconds_for(workers: int, refusals: int) -> float:
    """Return when the last of 140 calls was sent; somebody else meets the refusals."""
    clock, buckets, todo = VirtualTime(), Buckets(), iter(range(140))
    pacer = Pacer(buckets, clock, Deadline(clock, FOREVER), 1)
    sent: list[float] = []

    def refuse() -> None:
        for _ in range(refusals):
            clock.sleep(2)
            buckets.throttled(ACTION, clock.monotonic(), 1)

    def work() -> None:
        for _ in todo:
            pacer.call(ACTION, lambda: sent.append(clock.monotonic()))

    clock.run([*[work] * workers, refuse])
    assert len(sent) == 140
    return max(sent)


@pytest.mark.parametrize("refusals", [0, 1, 3])
def test_no_token_is_lost_by_turns_that_are_taken_anew(refusals: int) -> None:
    """Ten that wait give ten turns back at a refusal, and are done as soon as one would be."""
    alone, together = seconds_for(1, refusals), seconds_for(10, refusals)

    assert together == pytest.approx(alone, abs=2 * (1 + refusals) / RATE.refill)


def test_a_turn_given_back_at_the_deadline_is_anothers() -> None:
    """Of two that wait, the refusal leaves time for none: nobody has used a token."""
    clock, buckets = VirtualTime(), Buckets()
    while buckets.reserve(ACTION, 0, 1).seconds <= 0:
        pass
    before = buckets.reserve(ACTION, 0, 1).seconds
    buckets.give_back(ACTION, 0, 1)
    hurried = Pacer(buckets, clock, Deadline(clock, 60.1), 1)
    gave_up: list[int] = []

    def work() -> None:
        try:
            hurried.call(ACTION, lambda: pytest.fail("sent after the deadline"))
        except Exception:  # noqa: BLE001 - OutOfTimeError is what is counted
            gave_up.append(1)

    clock.run([work, work])

    assert len(gave_up) == 2
    assert buckets.reserve(ACTION, clock.monotonic(), 1).seconds == pytest.approx(before)


def rate_left(bucket: Bucket, now: float) -> float:
    """Return which part of the documented refill it uses by now; uses its burst up."""
    for _ in range(int(RATE.burst)):
        bucket.reserve(now, 1)
    return 1 / ((bucket.reserve(now, 1) - bucket.reserve(now, 1)) * -RATE.refill)


def test_recovers_the_slower_the_more_often_it_was_refused() -> None:
    def gained_after(*refusals: float) -> float:
        bucket = Bucket(RATE, 0)
        for second in refusals:
            bucket.throttled(second, 1)
        return rate_left(bucket, 105) - 0.7 * rate_left(bucket_before(*refusals), 100)

    def bucket_before(*refusals: float) -> Bucket:
        bucket = Bucket(RATE, 0)
        for second in refusals[:-1]:
            bucket.throttled(second, 1)
        return bucket

    once, often = gained_after(100), gained_after(91, 94, 97, 100)

    assert once == pytest.approx(5 * 0.02, rel=0.1)
    assert 0 < often < 0.3 * once


def test_recovers_fully_in_time_however_often_it_was_refused() -> None:
    bucket = Bucket(RATE, 0)
    for second in range(0, 60, 2):
        bucket.throttled(second, 1)
    assert rate_left(bucket, 60) < 0.2

    assert rate_left(bucket, 1_000) == pytest.approx(1)
    bucket.throttled(2_000, 1)
    assert rate_left(bucket, 2_000) == pytest.approx(0.7), "as if it had never been refused"
    assert rate_left(bucket, 2_015) == pytest.approx(1, rel=0.02)
