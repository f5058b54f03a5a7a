"""What `keep` does to any row of slots, beside a second implementation of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.slots import slot_of
from functions.retention.keep import kept_slots
from functions.retention.request import Keep
from tests.support.retention import ask
from tests.unit.functions.retention.keep_oracle import kept_in_plain_words

quick = settings(max_examples=150, deadline=None)

RULES: Final = ("last", "hourly", "daily", "weekly", "monthly", "yearly", "within_days")
CORNERS: Final = [
    datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
    datetime(2024, 2, 29, 0, 0, tzinfo=UTC),  # a leap day
    datetime(2021, 1, 3, 23, 59, tzinfo=UTC),  # the last minute of an ISO week 53
    datetime(2025, 12, 29, 0, 0, tzinfo=UTC),  # the first minute of the next ISO year
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # Europe puts its clocks back
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # and forward
]
steps = st.one_of(
    st.sampled_from([1, 59, 60, 1440, 7 * 1440, 30 * 1440, 365 * 1440]),
    st.integers(0, 3 * 1440),
    st.integers(0, 3 * 365 * 1440),
)
rows = st.builds(
    lambda corner, minutes: [slot_of(corner - timedelta(minutes=each)) for each in minutes],
    st.sampled_from(CORNERS),
    st.lists(st.builds(lambda each, times: each * times, steps, st.integers(0, 9)), max_size=25),
)
keeps = (
    st.dictionaries(st.sampled_from(RULES), st.integers(0, 12), min_size=1)
    .filter(lambda keep: any(keep.values()))
    .map(lambda keep: ask(keep).keep)
)


@settings(max_examples=600, deadline=None)
@given(rows, keeps)
def test_keeps_what_plain_words_would_keep(slots: list[str], keep: Keep) -> None:
    assert kept_slots(slots, keep) == kept_in_plain_words(slots, keep.model_dump())


@quick
@given(rows, keeps, st.integers(0, 999))
def test_the_order_of_the_slots_does_not_matter(slots: list[str], keep: Keep, seed: int) -> None:
    shuffled = random.Random(seed).sample(slots, len(slots))

    assert kept_slots(shuffled, keep) == kept_slots(slots, keep)


@quick
@given(rows.filter(bool), keeps)
def test_the_newest_slot_stays_by_any_rule(slots: list[str], keep: Keep) -> None:
    assert max(slots) in kept_slots(slots, keep)


@quick
@given(rows, keeps, st.sampled_from(RULES))
def test_a_rule_with_more_in_it_never_keeps_less(slots: list[str], keep: Keep, rule: str) -> None:
    more = keep.model_copy(update={rule: getattr(keep, rule) + 1})

    assert kept_slots(slots, keep).keys() <= kept_slots(slots, more).keys()


@quick
@given(rows, keeps)
def test_what_was_let_go_is_not_missed_by_the_next_run(slots: list[str], keep: Keep) -> None:
    kept = kept_slots(slots, keep)

    assert kept_slots(kept, keep) == kept


@quick
@given(rows, keeps)
def test_never_keeps_more_than_the_rules_count(slots: list[str], keep: Keep) -> None:
    counted = keep.model_copy(update={"within_days": 0})

    kept = kept_slots(slots, counted)

    assert len(kept) <= sum(counted.model_dump().values())
