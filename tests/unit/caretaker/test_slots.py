from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.slots import age_hours, compact_slot, is_slot, slot_of, slot_time

times = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001 - ditto
    timezones=st.timezones(),
)


@pytest.mark.parametrize(
    ("time", "slot"),
    [
        (datetime(2026, 11, 21, 3, 0, tzinfo=UTC), "2026-11-21T03:00Z"),
        (datetime(2026, 11, 21, 3, 0, 59, 999, tzinfo=UTC), "2026-11-21T03:00Z"),
        (datetime(2026, 11, 21, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2026-11-20T22:30Z"),
    ],
)
def test_a_slot_is_the_minute_in_utc(time: datetime, slot: str) -> None:
    assert slot_of(time) == slot


@settings(max_examples=60, deadline=None)
@given(times)
def test_a_slot_reads_back_as_its_own_minute(time: datetime) -> None:
    slot = slot_of(time)

    assert is_slot(slot)
    assert slot_of(slot_time(slot)) == slot
    assert timedelta() <= time - slot_time(slot) < timedelta(minutes=1)


@settings(max_examples=60, deadline=None)
@given(times, times)
def test_slots_sort_like_the_moments_they_stand_for(one: datetime, other: datetime) -> None:
    if slot_of(one) < slot_of(other):
        assert one < other


@pytest.mark.parametrize("text", ["", "2026-11-21", "2026-11-21T03:00:00Z", "2026-11-21T03:00"])
def test_other_texts_are_no_slots(text: str) -> None:
    assert not is_slot(text)
    with pytest.raises(ValueError, match=r"does not match|unconverted"):
        slot_time(text)


def test_object_keys_hold_no_colon() -> None:
    assert compact_slot("2026-11-21T03:00Z") == "2026-11-21T0300Z"


def test_ages_are_in_hours() -> None:
    now = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

    assert age_hours(now - timedelta(minutes=90), now) == 1.5
