"""Every second is accounted for once, in the span that it was in, or nobody knows of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.uptime.records import Closed, Record, account, moved, timed
from functions.uptime.shelves import Past
from functions.uptime.spans import DAY, HOUR, SPANS, State, Sum, lasted
from tests.unit.functions.uptime.building import SECONDS

GAP: Final = 600
type Interval = tuple[State, int, int]

steps = st.tuples(
    st.sampled_from(State),
    st.one_of(
        st.integers(1, 120),
        st.integers(1, 2 * GAP),
        st.integers(-2 * HOUR, 0),
        st.integers(HOUR, 3 * DAY),
        st.just(60),
    ),
)


def known(begin: int, seen: list[tuple[State, int]]) -> list[Interval]:
    """Return what is known, as an onlooker writes it down: states with their begin and end."""
    intervals = []
    at, state = begin, State.UP
    now = begin
    for following, seconds in seen:
        now += seconds
        if now > at:
            intervals.append((state, at, min(now, at + GAP)))
            at = now
        state = following
    return intervals


def shares(intervals: list[Interval], length: int) -> dict[int, Sum]:
    """Return the seconds of each span, second by second at its edges."""
    spans: defaultdict[int, Sum] = defaultdict(Sum)
    for state, begin, end in intervals:
        for span in range(begin - begin % length, end, length):
            seconds = min(end, span + length) - max(begin, span)
            spans[span] += lasted(state, seconds)
    return {span: each for span, each in spans.items() if each != Sum()}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, DAY), st.lists(steps, max_size=30))
def test_every_second_is_in_its_span_once(start: int, seen: list[tuple[State, int]]) -> None:
    begin = SECONDS + start
    record = Record(State.UP, begin)
    closed: list[Closed] = []
    now = begin
    for state, seconds in seen:
        now += seconds
        record, more = account(record, now, GAP)
        closed += more
        assert account(moved(record, state, now, ""), now, GAP)[1] == []
        record = moved(record, state, now, "")

    keys = [(each.length, each.begun) for each in closed]
    assert len(set(keys)) == len(keys)
    intervals = known(begin, seen)
    for length, running in zip(SPANS, record.running, strict=True):
        spans = {each.begun: each.sum for each in closed if each.length == length}
        spans[record.seen - record.seen % length] = running
        assert {begun: each for begun, each in spans.items() if each != Sum()} == shares(
            intervals, length
        )


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=20), st.integers(-HOUR, HOUR))
def test_the_same_run_again_changes_nothing(seen: list[tuple[State, int]], last: int) -> None:
    record, now = Record(State.UP, SECONDS), SECONDS
    past = Past()
    for state, seconds in [*seen, (State.DOWN, last)]:
        now += seconds
        record, closed = account(record, now, GAP)
        record, past = moved(record, state, now, "slot"), past.after(closed)

    again, closed = account(record, now, GAP)
    assert (moved(again, record.state, now, "slot"), past.after(closed)) == (record, past)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2 * HOUR), st.integers(0, 30_000)), max_size=30))
def test_every_probe_is_in_one_span_of_each_length(seen: list[tuple[int, int]]) -> None:
    record, now = Record(), SECONDS
    closed: list[Closed] = []
    for seconds, ms in seen:
        now += seconds
        record, more = account(record, now, GAP)
        closed += more
        record = moved(timed(record, ms), State.UP, now, "")

    for number, length in enumerate(SPANS):
        all_ = sum((c.sum for c in closed if c.length == length), record.running[number])
        assert (all_.probes, all_.ms) == (len(seen), sum(ms for _, ms in seen))
        assert all_.slowest == max((ms for _, ms in seen), default=0)
