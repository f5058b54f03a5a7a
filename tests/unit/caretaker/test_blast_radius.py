from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caretaker.blast_radius import FEW, MAX_PERCENT, BlastRadius
from caretaker.errors import FieldError


@pytest.mark.parametrize(
    ("asked", "population", "limit"),
    [
        ({}, 0, 10),
        ({}, 43, 10),
        ({}, 44, 11),
        ({"count": 0}, 7, 1),
        ({"count": 0, "percent": 0}, 1_000, 0),
        ({"count": 12, "percent": 0}, 24, 12),
        ({"count": 13, "percent": 0}, 24, 12),
        ({"count": 100_000}, 19, 10),
        ({"count": 100_000}, 23, 11),
        ({"percent": 50}, 23, 11),
    ],
)
def test_the_greater_counts_but_beyond_ten_never_more_than_half(
    asked: dict[str, int], population: int, limit: int
) -> None:
    assert BlastRadius(**asked).limit(population) == limit


def test_ten_are_few_and_half_is_most() -> None:
    assert (FEW, MAX_PERCENT) == (10, 50)
    assert BlastRadius() == BlastRadius(count=10, percent=25)


def test_as_many_as_the_limit_may_be_changed() -> None:
    assert BlastRadius().refusal({"marks": 10, "stops": 10}, 40) is None
    assert BlastRadius().refusal({}, 40) is None


def test_one_more_is_refused_and_named() -> None:
    refusal = BlastRadius().refusal({"marks": 11, "stops": 10, "deletions": 12}, 40)

    assert refusal is not None
    assert refusal.reason == "blast_radius"
    assert refusal.errors == (
        FieldError("blast_radius", "11 marks", "at most 10 of 40"),
        FieldError("blast_radius", "12 deletions", "at most 10 of 40"),
    )


@given(
    st.integers(0, 100_000),
    st.integers(0, 50),
    st.integers(0, 10_000),
    st.dictionaries(st.sampled_from(["marks", "stops"]), st.integers(0, 10_000)),
)
def test_no_kind_of_change_ever_exceeds_the_limit(
    count: int, percent: int, population: int, changes: dict[str, int]
) -> None:
    blast_radius = BlastRadius(count=count, percent=percent)

    limit = blast_radius.limit(population)

    assert limit <= max(10, population / 2)
    assert limit <= max(count, population * percent / 100)
    refused = blast_radius.refusal(changes, population) is not None
    assert refused is any(number > limit for number in changes.values())
