"""Many workers at EC2's buckets, in simulated time: each comes, has to wait, and comes again."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, cast

from caretaker.aws.pacing import documented_rate
from caretaker.aws.state import ConditionFailedError
from caretaker.clock import Deadline
from functions.restore.aws.pacing import FarTurnError, SharedBuckets, SharedPacer
from tests.support.builders import NOW
from tests.support.restore_sim import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.restore.journal import Booked

_LAMBDA_SECONDS: Final = 300


class Shelf:
    """The table, as far as buckets use it: each update in one piece, on its condition.

    `taken` are the milliseconds of all tokens, less those that were given back.
    """

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], int] = {}
        self.refused: dict[tuple[str, str], int] = {}
        self.taken = 0

    def update(
        self, pk: str, sk: str, expression: str, values: dict[str, int], condition: str = ""
    ) -> dict[str, Any]:
        used = self.items.get((pk, sk))
        if ":less" in values:
            self.items[pk, sk] = (used or 0) + values[":less"]
            self.taken += values[":less"]
            return {"used_until": self.items[pk, sk]}
        if ":ago" in values:
            if self.refused.get((pk, sk), 0) > values[":ago"]:
                raise _FAILED
            self.refused[pk, sk] = values[":at"]
            return {}
        is_ahead = used is not None and used > values[":at"]
        if is_ahead is not (condition == "used_until > :at"):
            raise _FAILED
        now = (used or 0) + values[":more"] if is_ahead else values[":then"]
        assert "expires_at" in expression
        self.items[pk, sk] = now
        self.taken += values.get(":more", values.get(":then", 0) - values[":at"])
        return {"used_until": now}


_FAILED: Final = ConditionFailedError("UpdateItem", refusal("ConditionalCheckFailedException"))


@dataclass
class Visit:
    """The clock of one worker's visit: others go on beside it."""

    at: float
    slept: float = 0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept = max(self.slept, seconds)


@dataclass
class Worker:
    """One target: what it still has to send, and the turns in its journal."""

    name: int
    left: list[tuple[str, int]]
    booked: tuple[Booked, ...] = ()
    visits: int = 0
    refused: int = 0
    ended: float = 0
    slept: float = 0


@dataclass
class Queue:
    """Workers that come at `starts`; `is_drained` tells when others leave nothing of a bucket."""

    pace: float
    jobs: list[tuple[str, int]]
    starts: list[float]
    is_drained: Callable[[float], bool] = lambda _: False
    comes_at: Callable[[float], float] = lambda at: at
    shelf: Shelf = field(default_factory=Shelf)
    sent: dict[str, list[float]] = field(default_factory=dict)

    def play(self) -> list[Worker]:
        """Return all workers, as they are once all has been sent."""
        workers = [Worker(number, list(self.jobs)) for number in range(len(self.starts))]
        events = sorted((at, number) for number, at in enumerate(self.starts))
        while events:
            at, number = heappop(events)
            again = self._visit(workers[number], self.comes_at(at))
            if again is not None:
                heappush(events, (again, number))
        return workers

    def _visit(self, worker: Worker, at: float) -> float | None:
        """Let a worker send what it can; return when it comes again."""
        clock = Visit(at)
        buckets = SharedBuckets(cast("Any", self.shelf), "pace#1/r", clock)
        pacer = SharedPacer(buckets, clock, Deadline(clock, _LAMBDA_SECONDS), self.pace)
        worker.visits += 1
        try:
            while worker.left:
                self._work(worker, pacer, clock)
        except FarTurnError as far:
            return clock.at + far.seconds
        finally:
            pacer.let_go()
            worker.slept = max(worker.slept, clock.slept)
        worker.ended = clock.at
        return None

    def _work(self, worker: Worker, pacer: SharedPacer, clock: Visit) -> None:
        (action, count), *_ = worker.left
        worker.booked = pacer.book({action: count}, worker.booked)
        pacer.wait(worker.booked)
        worker.booked = ()
        for _ in range(count):
            try:
                pacer.call(action, lambda: self._take(worker, action, clock.at))
            except FarTurnError:
                return
        worker.left.pop(0)

    def _take(self, worker: Worker, action: str, at: float) -> None:
        """Have EC2 grant one call, or refuse it."""
        granted = self.sent.setdefault(action, [])
        if self.is_drained(at) or not _holds(sorted([*granted, at]), action):
            worker.refused += 1
            raise refusal("RequestLimitExceeded")
        insort(granted, at)
        (name, count), *_ = worker.left
        worker.left[0] = (name, count - 1)


def _holds(times: list[float], action: str) -> bool:
    """Tell whether AWS's bucket never runs dry by calls at these times."""
    rate, since = documented_rate(action), times[0]
    level = rate.burst
    for at in times:
        level = min(rate.burst, level + (at - since) * rate.refill) - 1
        since = at
        if level < -1e-6:
            return False
    return True
