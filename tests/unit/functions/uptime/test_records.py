from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from functions.uptime.records import Closed, Record, account, counted, moved, timed
from functions.uptime.spans import DAY, HOUR, NOTHING, ROLLUP, SPANS, State, Sum
from tests.unit.functions.uptime.building import SECONDS, a_record

GAP: Final = 600


def after(record: Record, *steps: tuple[State, int]) -> tuple[Record, list[Closed]]:
    """Return a record after runs that found these states so many seconds apart."""
    closed: list[Closed] = []
    now = record.seen or SECONDS
    for state, seconds in steps:
        now += seconds
        record, more = account(record, now, GAP)
        closed += more
        record = moved(record, state, now, str(now))
    return record, closed


def test_times_begin_with_the_first_run() -> None:
    record, closed = after(Record(), (State.UP, 0))

    assert (record.state, record.seen, record.first) == (State.UP, SECONDS, SECONDS)
    assert (record.running, closed) == ((NOTHING,) * 3, [])


def test_a_state_lasts_until_the_next_run_tells_otherwise() -> None:
    record, closed = after(Record(), (State.UP, 0), (State.DOWN, 60), (State.UP, 60))

    assert closed == []
    assert record.running == (Sum(up=60, down=60),) * 3


def test_of_a_longer_gap_nobody_knows() -> None:
    record, closed = after(Record(), (State.UP, 0), (State.UP, GAP + 1000))

    assert closed == [
        Closed(ROLLUP, SECONDS, Sum(up=300)),
        Closed(ROLLUP, SECONDS + 300, Sum(up=300)),
    ]
    assert record.running == (NOTHING, Sum(up=GAP), Sum(up=GAP))


def test_a_gap_of_exactly_the_longest_is_known() -> None:
    record, _ = after(Record(), (State.UP, 0), (State.UP, GAP))

    assert record.running[2] == Sum(up=GAP)


def test_a_span_closes_with_its_share_of_the_time() -> None:
    late = SECONDS + HOUR - 30
    record, closed = after(Record(seen=late, state=State.DOWN), (State.UP, 90))

    assert closed == [
        Closed(ROLLUP, SECONDS + HOUR - 300, Sum(down=30)),
        Closed(HOUR, SECONDS, Sum(down=30)),
    ]
    assert record.running == (Sum(down=60), Sum(down=60), Sum(down=90))


def test_a_day_closes_at_midnight() -> None:
    midnight = SECONDS - SECONDS % DAY + DAY
    before = Record(State.UP, midnight - 60, running=(NOTHING, Sum(up=7), Sum(up=11, down=2)))
    record, closed = after(before, (State.UP, 60))

    assert [each for each in closed if each.length == DAY] == [
        Closed(DAY, midnight - DAY, Sum(up=71, down=2))
    ]
    assert [each for each in closed if each.length == HOUR] == [
        Closed(HOUR, midnight - HOUR, Sum(up=67))
    ]
    assert record.running == (NOTHING,) * 3


def test_a_span_closes_with_its_probes_though_a_gap_followed() -> None:
    before = replace(a_record(minutes=1), running=(Sum(probes=3, ms=90, slowest=40),) * 3)
    _, closed = after(before, (State.UP, 5 * DAY))

    assert {each.length for each in closed} == set(SPANS)
    assert all(each.sum.probes in {3, 0} for each in closed)
    assert sum(each.sum.probes for each in closed) == 9


@pytest.mark.parametrize("seconds", [0, -1, -HOUR, -DAY])
def test_no_time_has_passed_when_the_clock_says_so(seconds: int) -> None:
    before = a_record(running=(Sum(up=5),) * 3)

    assert account(before, before.seen + seconds, GAP) == (before, [])


@pytest.mark.parametrize("back", [30, 90, 4000, 2 * DAY])
def test_a_clock_that_is_set_back_is_waited_for(back: int) -> None:
    start = Record(State.UP, SECONDS + 30)
    record, closed = after(
        start, (State.UP, 30), (State.UP, -back), (State.UP, back), (State.UP, 60)
    )

    assert closed == []
    assert record.running == (Sum(up=90),) * 3
    assert record.seen == SECONDS + 120


@pytest.mark.parametrize(
    ("seen", "median"),
    [
        ([], 0),
        ([100], 0),
        ([100] * 4, 0),
        ([100, 200, 300, 400, 500], 300),
        ([500, 100, 400, 200, 300], 300),
        ([900, 100, 100, 100, 900, 900], 100),
        ([1, 1, 900, 900, 900], 900),
        ([0.4, 0.6, 1.4, 2.6, 3.5], 1),
    ],
)
def test_a_median_is_that_of_the_last_five_times(seen: list[float], median: int) -> None:
    record = Record()
    for ms in seen:
        record = timed(record, ms)

    assert record.median_ms == median
    assert len(record.latencies) == min(5, len(seen))


def test_a_probe_counts_in_all_spans_that_go_on() -> None:
    record = timed(timed(Record(), 40), 30)

    assert record.running == (Sum(probes=2, ms=70, slowest=40),) * 3


def test_a_time_that_does_not_count_leaves_all_as_it_was() -> None:
    record = a_record(latencies=(1, 2))

    assert timed(record, None) is record


def count(record: Record, run: str, failures: int = 3, successes: int = 2, now: int = 9) -> Record:
    """Return a record after one run more; `x` is one that failed."""
    failed = run == "x"
    return counted(record, failed=failed, failures=failures, successes=successes, now=now)


def stands(failures: int, successes: int, runs: str) -> str:
    """Return, run by run, whether people are told that it is down."""
    record, told = Record(), ""
    for run in runs:
        record = count(record, run, failures, successes)
        told += "D" if record.is_down else "-"
    return told


@pytest.mark.parametrize(
    ("failures", "successes", "runs", "told"),
    [
        (3, 2, "xxx", "--D"),
        (3, 2, "xx.xx.xx", "--------"),
        (3, 2, "xx.xxx", "-----D"),
        (3, 2, "xxxx..", "--DDD-"),
        (3, 2, "xxx.x.x.x..", "--DDDDDDDD-"),
        (3, 2, "xxx..xx", "--DD---"),
        (3, 2, "xxx..xxx", "--DD---D"),
        (1, 1, "x.x.", "D-D-"),
        (1, 3, "x..x...", "DDDDDD-"),
        (10, 10, "xxxxxxxxx.xxxxxxxxxx", "-------------------D"),
        (3, 2, "......", "------"),
    ],
)
def test_so_many_failures_in_a_row_open_and_so_many_successes_close(
    failures: int, successes: int, runs: str, told: str
) -> None:
    assert stands(failures, successes, runs) == told


def test_runs_in_a_row_are_counted() -> None:
    record = Record()
    seen = []
    for run in "xx...x":
        record = count(record, run)
        seen.append((record.bad, record.good))

    assert seen == [(1, 0), (2, 0), (0, 1), (0, 2), (0, 3), (1, 0)]


@pytest.mark.parametrize(
    ("runs", "since"),
    [
        ("", 0),
        ("...", 0),
        ("x", 1),
        ("xxxx", 1),
        ("..xxxx", 3),
        ("xx.xx", 4),
        ("xxx.", 1),
        ("xxx.x", 1),
        ("xxx..", 0),
        ("xxx..x", 6),
    ],
)
def test_an_outage_is_as_old_as_its_first_failure(runs: str, since: int) -> None:
    record = Record()
    for number, run in enumerate(runs, 1):
        record = moved(count(record, run, now=number), State.UNKNOWN, number, "")

    assert record.since == since


def test_a_target_is_as_old_as_the_first_run_that_saw_it() -> None:
    record, _ = after(Record(), (State.UP, 0), (State.DOWN, 60), (State.UNKNOWN, 9999))

    assert record.first == SECONDS


def test_a_run_leaves_its_time_and_its_slot() -> None:
    record = moved(a_record(), State.DOWN, SECONDS, "2026-11-21T03:00Z")

    assert (record.state, record.seen, record.slot) == (State.DOWN, SECONDS, "2026-11-21T03:00Z")


@pytest.mark.parametrize(("asked", "owed"), [(0, False), (SECONDS, True)])
def test_when_an_outage_is_over_so_are_its_repairs(asked: int, *, owed: bool) -> None:
    record = a_record(State.DOWN, bad=4, is_down=True, asked=asked)
    recovering = count(record, ".")
    over = count(recovering, ".")

    assert (recovering.asked, recovering.is_owed) == (asked, False)
    assert (over.is_down, over.asked, over.is_owed) == (False, 0, owed)
