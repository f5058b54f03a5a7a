"""What one run of a chore takes in one account and region: a model of a cell.

It makes its calls one after the other until it changes something; then the scarcest of three sets
the time: the bucket of the changing calls at the chore's pace, the processor, and sixteen workers
that wait for answers. `python -m bench fleet` plays the chores themselves beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from bench.ec2bed.buckets import limits

PACE: Final = 0.5
"""The default of an event."""
SPARE: Final = 2
"""Tokens of a burst that the pacer leaves alone."""
WORKERS: Final = 16
READ_SECONDS: Final = 0.055
CHANGE_SECONDS: Final = 0.225
STATE_SECONDS: Final = 0.0055
OTHER_SECONDS: Final = 0.04
"""Means of what the bed takes."""
NEW_WORK_SECONDS: Final = 840
"""An invocation has 900 s, and begins nothing in the last 60."""
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Chore:
    """A chore's cell: its calls and processor seconds, those of every cell and those of an item.

    `lanes` are its changing actions, with the calls of each that an item needs. `other_calls` are
    those of STS, S3 and the like; `listed_each` is how many resources are listed for an item.
    """

    name: str
    lanes: tuple[tuple[str, float], ...]
    reads: int
    state_calls: int
    other_calls: int
    cpu_seconds: float
    cpu_each: float
    reads_each: int = 0
    state_each: int = 0
    listed_each: int = 1


CHORES: Final = {
    "snapshot": Chore(
        "snapshot",
        (("CreateSnapshots", 0.9 / 4), ("CreateSnapshot", 0.1)),
        reads=3, state_calls=5, other_calls=2, cpu_seconds=0.10, cpu_each=0.0028,
    ),
    "snapshot singly": Chore(
        "snapshot singly",
        (("CreateSnapshot", 1.0),),
        reads=3, state_calls=5, other_calls=2, cpu_seconds=0.10, cpu_each=0.004,
    ),
    "report": Chore(
        "report", (), reads=3, state_calls=4, other_calls=2, cpu_seconds=0.10, cpu_each=0.0004,
    ),
    "retention": Chore(
        "retention",
        (("DeleteSnapshot", 1.0),),
        reads=7, state_calls=8, other_calls=5, cpu_seconds=0.12, cpu_each=0.0145,
        reads_each=1, state_each=2, listed_each=13,
    ),
}  # fmt: skip
"""Counted and measured by `fleet_checked`; the processor's on a whole core."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell runs: its share of a core, and how long it may begin new changes."""

    share: float
    seconds: float = NEW_WORK_SECONDS


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a cell: its seconds, those that the processor worked included."""

    seconds: float
    cpu_seconds: float
    items: int
    changes: float
    reads: int
    state_calls: int
    other_calls: int


def rounds_of(chore: Chore, items: int, place: Place) -> list[Round]:
    """Return the runs that it takes until all items of a cell are done."""
    left, rounds = items, list[Round]()
    while left or not rounds:
        done = min(left, _most(chore, items, place))
        rounds.append(_round(chore, items, done, place))
        left -= done
    return rounds


def bucket_seconds(chore: Chore, items: int) -> float:
    """Return what the buckets make the changes of a cell wait, all lanes beside each other."""
    return max((_wait(action, items * share) for action, share in chore.lanes), default=0.0)


def _wait(action: str, calls: float) -> float:
    burst, refill = limits(action)
    return max(0.0, (calls - (burst * PACE - SPARE)) / (refill * PACE))


def _most(chore: Chore, items: int, place: Place) -> int:
    """Return how many items can be begun in one run."""
    left = place.seconds - _before(chore, items, place)
    rates = []
    for action, share in chore.lanes:
        burst, refill = limits(action)
        rates.append((burst * PACE - SPARE + refill * PACE * left) / share)
    busy = left * place.share / chore.cpu_each
    return max(1, int(min([*rates, busy])))


def _before(chore: Chore, items: int, place: Place) -> float:
    """Return what a run takes before its first change."""
    waits = chore.state_calls * STATE_SECONDS + chore.other_calls * OTHER_SECONDS
    return waits + _reads(chore, items) * READ_SECONDS + chore.cpu_seconds / place.share


def _reads(chore: Chore, items: int) -> int:
    pages = max(0, ceil(items * chore.listed_each / _PAGE) - 1)
    return chore.reads + pages


def _round(chore: Chore, items: int, done: int, place: Place) -> Round:
    calls = sum(done * share for _, share in chore.lanes)
    each = CHANGE_SECONDS + chore.reads_each * READ_SECONDS + chore.state_each * STATE_SECONDS
    cpu = done * chore.cpu_each
    took = max(bucket_seconds(chore, done) + each, cpu / place.share, ceil(calls / WORKERS) * each)
    return Round(
        seconds=_before(chore, items, place) + (took if done else 0.0),
        cpu_seconds=chore.cpu_seconds + cpu,
        items=done,
        changes=calls,
        reads=_reads(chore, items) + done * chore.reads_each,
        state_calls=chore.state_calls + done * chore.state_each,
        other_calls=chore.other_calls,
    )
