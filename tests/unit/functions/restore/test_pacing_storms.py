"""Many workers at the same buckets: in turn, at the rate, and none at the expense of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caretaker.aws.pacing import documented_rate
from functions.restore.aws.pacing import HELD_SECONDS, NEAR_SECONDS
from tests.support.restore_queue import Queue

if TYPE_CHECKING:
    from tests.support.restore_queue import Worker

DETACH, ATTACH, START = "DetachVolume", "AttachVolume", "StartInstances"
JOBS = [(DETACH, 3), (ATTACH, 3), (START, 1)]
COSTS = {name: 1000 / documented_rate(name).refill for name, _ in JOBS}
SPARE = 2


def wait_of(action: str, calls: int, pace: float) -> float:
    """Return how long the bucket makes so many calls wait, at this pace."""
    rate = documented_rate(action)
    return (calls - max(1, rate.burst * pace - SPARE)) / (rate.refill * pace)


def assert_all_sent(workers: list[Worker], queue: Queue) -> None:
    assert all(not each.left for each in workers)
    for name, count in queue.jobs:
        assert len(queue.sent[name]) == count * len(workers)
    assert max(each.slept for each in workers) <= NEAR_SECONDS


def tokens_lost(workers: list[Worker], queue: Queue) -> float:
    """Return the seconds of buckets that were taken and stand for no call."""
    used = sum(len(times) * COSTS[name] / queue.pace for name, times in queue.sent.items())
    return (queue.shelf.taken - used) / 1000


@pytest.mark.parametrize("pace", [0.1, 0.5, 1.0])
def test_a_hundred_at_once_go_on_in_the_order_in_which_they_came(pace: float) -> None:
    queue = Queue(pace, JOBS, [n * 0.01 for n in range(100)])
    workers = queue.play()

    assert_all_sent(workers, queue)
    assert sum(each.refused for each in workers) == 0
    assert abs(tokens_lost(workers, queue)) < 1
    ends = [each.ended for each in workers]
    apart = [later - end for end, later in zip(ends, sorted(ends), strict=True)]
    assert max(map(abs, apart)) <= 20 / pace
    assert max(ends) <= 1.1 * wait_of(DETACH, 300, pace) + 15
    assert max(each.visits for each in workers) <= 2 * len(JOBS) + 2 + max(ends) / 600


@pytest.mark.parametrize("pace", [0.1, 1.0])
def test_of_each_bucket_no_more_is_used_than_its_share(pace: float) -> None:
    queue = Queue(pace, JOBS, [n * 0.01 for n in range(100)])
    queue.play()

    for name, times in queue.sent.items():
        rate = documented_rate(name)
        for first in range(0, len(times), 7):
            for last in range(first, len(times), 7):
                allowed = max(1, rate.burst * pace) + rate.refill * pace * (
                    times[last] - times[first]
                )
                assert last - first + 1 <= allowed + 1 + rate.refill * pace * NEAR_SECONDS


@pytest.mark.parametrize("pace", [0.1, 0.5, 1.0])
def test_a_storm_of_refusals_slows_all_down_and_none_is_forgotten(pace: float) -> None:
    storm = (30.0, 90.0)
    queue = Queue(
        pace,
        JOBS,
        [n * 0.01 for n in range(100)],
        is_drained=lambda at: storm[0] <= at < storm[1],
    )
    workers = queue.play()

    assert_all_sent(workers, queue)
    refused = sum(each.refused for each in workers)
    assert 0 < refused <= 60 * 5 * pace * len(JOBS) + 60
    lasted = storm[1] - storm[0]
    assert max(each.refused for each in workers) <= lasted / 3
    calm = 1.1 * wait_of(DETACH, 300, pace) + 15
    assert max(each.ended for each in workers) <= calm + 5 * lasted


def test_refusals_at_the_same_moment_count_once() -> None:
    queue = Queue(1.0, [(DETACH, 1)], [0.0] * 40, is_drained=lambda at: at < 0.5)
    workers = queue.play()

    assert_all_sent(workers, queue)
    assert max(each.ended for each in workers) < 2 + 40 / 5 + 3


@pytest.mark.parametrize("late", [5.0, HELD_SECONDS - 1, HELD_SECONDS + 240])
def test_all_that_come_back_late_at_once_get_through(late: float) -> None:
    back = 40 + late
    queue = Queue(
        1.0,
        [(DETACH, 3)],
        [n * 0.01 for n in range(100)],
        comes_at=lambda at: back + at / 1000 if 40 < at < back else at,
    )
    workers = queue.play()

    assert_all_sent(workers, queue)
    assert max(each.ended for each in workers) <= back + wait_of(DETACH, 300, 1.0) + 30
    assert max(each.refused for each in workers) <= 6
