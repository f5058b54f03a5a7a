from __future__ import annotations

import json
import zlib
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.uptime.records import Closed, Record
from functions.uptime.shelves import (
    DAYS_KEPT,
    HOURS_KEPT,
    TARGETS_AN_ITEM,
    Past,
    names_of_items,
    pack,
    read_past,
    read_record,
    unpack,
    write_past,
    write_record,
)
from functions.uptime.spans import DAY, HOUR, ROLLUP, State, Sum
from tests.unit.functions.uptime.building import SECONDS, a_past, a_record

FULL: Final = Record(
    State.DEGRADED,
    SECONDS,
    SECONDS - 6000,
    SECONDS - 60,
    bad=1,
    good=2,
    is_down=True,
    asked=SECONDS - 600,
    is_owed=True,
    slot="2026-11-21T03:00Z",
    latencies=(1, 2, 3),
    running=(Sum(1, 2, 3, 4, 5, 6), Sum(up=7), Sum()),
)

sums = st.builds(Sum, *[st.integers(0, 10**6)] * 6)
records = st.builds(
    Record,
    st.sampled_from(State),
    *[st.integers(0, 2**33)] * 5,
    st.booleans(),
    st.integers(0, 2**33),
    st.booleans(),
    st.text(max_size=20),
    st.lists(st.integers(0, 90_000), max_size=5).map(tuple),
    st.tuples(sums, sums, sums),
)
spans = st.dictionaries(st.integers(0, 2**32 - 1), sums, max_size=5)


def kept(written: Any) -> Any:
    """Return what comes back from the table."""
    return json.loads(json.dumps(written))


@pytest.mark.parametrize("record", [FULL, Record(), a_record(), a_record(State.MAINTENANCE)])
def test_a_record_is_read_back_as_it_was(record: Record) -> None:
    assert read_record(kept(write_record(record))) == record


@settings(max_examples=100, deadline=None)
@given(records)
def test_any_record_is_read_back_as_it_was(record: Record) -> None:
    assert read_record(kept(write_record(record))) == record


@settings(max_examples=100, deadline=None)
@given(st.builds(a_past, spans, spans))
def test_any_past_is_read_back_as_it_was(past: Past) -> None:
    assert read_past(kept(write_past(past))) == past


def test_every_field_that_another_version_leaves_out_is_as_in_a_new_record() -> None:
    written = kept(write_record(FULL))

    assert read_record({}) == Record()
    for field in written:
        less = {name: value for name, value in written.items() if name != field}
        assert getattr(read_record(less), field) == getattr(Record(), field)
        assert read_record({**less, field: written[field]}) == FULL


def test_what_a_later_version_writes_more_is_left_alone() -> None:
    written = kept(write_record(FULL))

    assert read_record({**written, "mood": ["good"]}) == FULL
    assert read_record({**written, "state": "dreaming"}).state is State.UNKNOWN


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250, 1000])
def test_a_hundred_targets_go_into_an_item(number: int) -> None:
    values = {f"t{each:04}": (each, "x") for each in range(number)}
    items = dict(pack(values, list))

    assert TARGETS_AN_ITEM == 100
    assert list(items) == names_of_items(values)
    assert len(items) == -(-number // 100)
    assert list(items)[:1] == ["000"][: len(items)]
    back: dict[str, Any] = {}
    for content in items.values():
        part = unpack(content)
        assert len(part) <= TARGETS_AN_ITEM
        back |= part
    assert back == {name: list(each) for name, each in values.items()}


def test_the_same_values_are_packed_the_same_in_any_order() -> None:
    values = {f"t{each}": each for each in range(250)}

    assert list(pack(values, str)) == list(pack(dict(reversed(values.items())), str))


def test_an_item_of_full_records_is_small() -> None:
    many = {f"target-number-{each:03}": a_record(seen=each) for each in range(100)}
    ((_, content),) = pack(many, write_record)

    assert len(content) < len(json.dumps(unpack(content))) / 4
    assert zlib.decompress(content)


def test_names_of_items_sort_as_their_numbers() -> None:
    assert names_of_items(range(100_000)) == sorted(names_of_items(range(100_000)))


def test_the_past_has_the_hours_and_days_that_are_over() -> None:
    closed = [
        Closed(ROLLUP, 300, Sum(up=1)),
        Closed(HOUR, HOUR, Sum(up=2)),
        Closed(DAY, 0, Sum(up=3)),
    ]
    past = a_past({0: Sum(up=9)}).after(closed)

    assert past == a_past({0: Sum(up=9), HOUR: Sum(up=2)}, {0: Sum(up=3)})
    assert dict(past.hours.items()) == {0: Sum(up=9), HOUR: Sum(up=2)}
    assert dict(past.days.items()) == {0: Sum(up=3)}


def test_the_oldest_of_the_past_are_forgotten() -> None:
    past = Past()
    for number in range(200):
        hour, day = Closed(HOUR, number * HOUR, Sum(up=number)), Closed(DAY, number * DAY, Sum())
        past = past.after([hour, day])

    assert (HOURS_KEPT, DAYS_KEPT) == (24, 90)
    assert [begun for begun, _ in past.hours.items()] == [n * HOUR for n in range(176, 200)]
    assert [begun for begun, _ in past.days.items()] == [n * DAY for n in range(110, 200)]
    assert dict(past.hours.items())[199 * HOUR] == Sum(up=199)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (0, Sum(7, 70, 700, 7, 7, 4)),
        (10, Sum(7, 70, 700, 7, 7, 4)),
        (11, Sum(6, 60, 600, 6, 6, 4)),
        (20, Sum(6, 60, 600, 6, 6, 4)),
        (30, Sum(4, 40, 400, 4, 4, 3)),
        (31, Sum()),
    ],
)
def test_what_began_then_or_later_is_added_up(since: int, expected: Sum) -> None:
    past = a_past(
        {
            30: Sum(4, 40, 400, 4, 4, 3),
            10: Sum(1, 10, 100, 1, 1, 1),
            20: Sum(2, 20, 200, 2, 2, 4),
        }
    )

    assert past.hours.total(since) == expected
    assert past.days.total(since) == Sum()


def test_a_span_that_closes_again_is_what_it_came_to_last() -> None:
    past = a_past({10: Sum(up=1)}).after([Closed(HOUR, 10, Sum(up=2))])

    assert dict(past.hours.items()) == {10: Sum(up=2)}


def test_where_nothing_is_over_the_past_is_the_same() -> None:
    past = a_past({10: Sum(up=1)})

    assert past.after([]) is past
    assert past.after([Closed(ROLLUP, 10, Sum(up=2))]) is past
