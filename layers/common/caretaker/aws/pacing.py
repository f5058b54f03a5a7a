"""Keep to a share of AWS's documented API rates, and yield when others use the same bucket.

EC2 gives each account and region a token bucket per API action; every tool in the account draws on
it. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from botocore.exceptions import ClientError

from caretaker.aws.errors import classify
from caretaker.clock import Deadline
from caretaker.errors import OutOfTimeError
from caretaker.failures import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from caretaker.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """A documented bucket: `burst` requests at once, `refill` per second."""

    burst: float
    refill: float


DOCUMENTED: Final = {
    "CreateSnapshot": Rate(100, 5),
    "CreateSnapshots": Rate(100, 5),
    "DeleteSnapshot": Rate(100, 5),
    "CreateVolume": Rate(100, 5),
    "DeleteVolume": Rate(100, 5),
    "CreateTags": Rate(100, 10),
    "DeleteTags": Rate(100, 10),
    "StartInstances": Rate(5, 2),
    "GetResources": Rate(15, 15),
    "TagResources": Rate(5, 5),
    "ListCommandInvocations": Rate(10, 5),
    "SendCommand": Rate(10, 2),
    "DescribeServices": Rate(100, 20),
    "DescribeTasks": Rate(100, 20),
    "ListTasks": Rate(100, 20),
    "StopTask": Rate(100, 40),
    "UpdateService": Rate(50, 5),
    "GetSnapshotBlock": Rate(1000, 1000),
    "ListSnapshotBlocks": Rate(50, 50),
}
"""Default rates; an account may have others. Those of the tagging API and of Run Command are

cautious guesses: AWS publishes none. The five of ECS:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
The last two are quotas of requests in a second, per account and per snapshot alike:
https://docs.aws.amazon.com/general/latest/gr/ebs-service.html
"""
READING: Final = Rate(100, 20)
"""Describe actions with a filter or with pages."""
CHANGING: Final = Rate(50, 5)
"""Mutating actions that have no bucket of their own in the table."""

_BACKOFF: Final = 0.7
_SMALLEST_SHARE: Final = 0.05
_RECOVERY_PER_SECOND: Final = 0.04
_SLOWEST_RECOVERY: Final = 0.004
_RECOVERY_HALVES: Final = 0.5
_RECOVERY_GROWS_PER_SECOND: Final = _RECOVERY_PER_SECOND / 600
_SPARE: Final = 2.0
"""Tokens of the burst that are left alone: calls that come some ms early find the bucket empty."""
_CUT_EVERY_SECONDS: Final = 1.0


def documented_rate(action: str) -> Rate:
    """Return AWS's default bucket of an EC2 action."""
    return DOCUMENTED.get(action, READING if action.startswith("Describe") else CHANGING)


class Bucket:
    """Our side of one action's bucket: what we used of it, and how much others leave us.

    `share` falls when AWS throttles although we kept to the rate (somebody else draws on it), and
    grows back with time: the slower, the more often it had to fall lately, so that it settles at
    what others leave instead of asking for more again and again. `refusals` counts what AWS
    refused.
    """

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._used = 0.0
        self._share = 1.0
        self._recovery = _RECOVERY_PER_SECOND
        self.refusals = 0
        self._at = now
        self._cut_at = now - _CUT_EVERY_SECONDS

    def reserve(self, now: float, pace: float) -> float:
        """Take one token and return the seconds to wait before the call may be sent."""
        self._drain(now, pace)
        over = self._used + 1 - max(1.0, self._rate.burst * pace - _SPARE)
        self._used += 1
        return max(0.0, over / self._refill(pace))

    def give_back(self) -> None:
        """Return a token whose call is not sent after all."""
        self._used -= 1

    def throttled(self, now: float, pace: float) -> None:
        """Learn that AWS's bucket is empty: no burst is left, and our share shrinks."""
        self._drain(now, pace)
        self.refusals += 1
        if now - self._cut_at >= _CUT_EVERY_SECONDS:
            self._share = max(_SMALLEST_SHARE, self._share * _BACKOFF)
            self._recovery = max(_SLOWEST_RECOVERY, self._recovery * _RECOVERY_HALVES)
            self._cut_at = now
        self._used = max(self._used, self._rate.burst * pace)

    def _drain(self, now: float, pace: float) -> None:
        passed, self._at = max(0.0, now - self._at), now
        self._used = max(0.0, self._used - passed * self._refill(pace))
        self._share = min(1.0, self._share + passed * self._recovery)
        grown = self._recovery + passed * _RECOVERY_GROWS_PER_SECOND
        self._recovery = min(_RECOVERY_PER_SECOND, grown)

    def _refill(self, pace: float) -> float:
        return self._rate.refill * pace * self._share


class Turn(NamedTuple):
    """When a token may be used: in so many seconds, by what was known after so many refusals."""

    seconds: float
    refusals: int


class Tokens(Protocol):
    """Whoever says when a call may be sent, and is told when AWS refused one."""

    def reserve(self, action: str, now: float, pace: float) -> Turn:
        """Take a token of this action's bucket; return when it may be used."""

    def still_holds(self, action: str, turn: Turn) -> bool:
        """Tell whether nothing was refused since; a turn from before that comes too early."""

    def give_back(self, action: str, now: float, pace: float) -> None:
        """Return a token that was not used."""

    def throttled(self, action: str, now: float, pace: float) -> None:
        """Learn that AWS refused this action by rate."""


class Buckets:
    """The buckets of one account and region; they outlive a run while the function stays warm."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._buckets: dict[str, Bucket] = {}

    def reserve(self, action: str, now: float, pace: float) -> Turn:
        """Take a token of this action's bucket; return when it may be used."""
        with self._lock:
            bucket = self._bucket(action, now)
            return Turn(bucket.reserve(now, pace), bucket.refusals)

    def still_holds(self, action: str, turn: Turn) -> bool:
        """Tell whether nothing was refused since; a turn from before that comes too early."""
        with self._lock:
            return self._buckets[action].refusals == turn.refusals

    def give_back(self, action: str, now: float, pace: float) -> None:  # noqa: ARG002 - one token
        """Return a token that was not used."""
        with self._lock:
            self._bucket(action, now).give_back()

    def throttled(self, action: str, now: float, pace: float) -> None:
        """Learn that AWS refused this action by rate."""
        with self._lock:
            self._bucket(action, now).throttled(now, pace)

    def _bucket(self, action: str, now: float) -> Bucket:
        if action not in self._buckets:
            self._buckets[action] = Bucket(documented_rate(action), now)
        return self._buckets[action]


class Pacer:
    """Sends calls of one run at its pace, within its deadline."""

    def __init__(self, buckets: Tokens, clock: Clock, deadline: Deadline, pace: float) -> None:
        self._buckets = buckets
        self._clock = clock
        self._deadline = deadline
        self._pace = pace

    def within(self, seconds: float) -> Pacer:
        """Return one that gives up sooner: for what the run can do without."""
        left = min(seconds, self._deadline.remaining())
        deadline = Deadline(self._clock, left, reserve_seconds=0)
        return Pacer(self._buckets, self._clock, deadline, self._pace)

    def call[T](self, action: str, send: Callable[[], T]) -> T:
        """Wait for a token and send; send again when AWS refused it by rate.

        Such a refusal comes before anything happened, so sending again is safe for every action.
        `OutOfTimeError` when the wait would pass the deadline.
        """
        while True:
            self._wait(action)
            try:
                return send()
            except ClientError as error:
                if classify(error).kind is not Kind.THROTTLED:
                    raise
                self._buckets.throttled(action, self._clock.monotonic(), self._pace)

    def _wait(self, action: str) -> None:
        """Wait for a turn; one that a refusal has overtaken is given back for a later one."""
        while True:
            turn = self._buckets.reserve(action, self._clock.monotonic(), self._pace)
            if not self._deadline.allows(turn.seconds):
                self._buckets.give_back(action, self._clock.monotonic(), self._pace)
                raise OutOfTimeError(action)
            if turn.seconds <= 0:
                return
            self._clock.sleep(turn.seconds)
            if self._buckets.still_holds(action, turn):
                return
            self._buckets.give_back(action, self._clock.monotonic(), self._pace)
