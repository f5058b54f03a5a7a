from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.windows import Weekday, Window

MINUTE = timedelta(minutes=1)


def a_window(start: str = "22:00", minutes: int = 60, zone: str = "UTC", **more: Any) -> Window:
    known = {"start": start, "duration_minutes": minutes, "zone": zone, **more}
    return Window.model_validate(known)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def spans(window: Window, begin: str, *, hours: int = 48) -> list[tuple[str, str]]:
    """Return when a window is open, in UTC: the first and the last minute of each time."""
    start, found, was_open = at(begin), [], False
    for n in range(hours * 60):
        now = start + n * MINUTE
        is_open = window.is_open(now)
        if is_open and not was_open:
            found.append([now, now])
        if is_open:
            found[-1][1] = now
        was_open = is_open
    return [(f"{a:%a %H:%M}", f"{b:%a %H:%M}") for a, b in found]


def test_a_window_is_open_from_its_first_second_and_not_in_the_one_after_its_last() -> None:
    window = a_window()

    assert not window.is_open(at("2026-11-21T21:59:59.999999+00:00"))
    assert window.is_open(at("2026-11-21T22:00:00+00:00"))
    assert window.is_open(at("2026-11-21T22:59:59.999999+00:00"))
    assert not window.is_open(at("2026-11-21T23:00:00+00:00"))


def test_the_zone_of_the_clock_that_asks_does_not_matter() -> None:
    window = a_window(zone="Asia/Kolkata")

    assert window.is_open(at("2026-11-21T16:30:00+00:00"))
    assert window.is_open(at("2026-11-21T08:30:00-08:00"))
    assert not window.is_open(at("2026-11-21T22:30:00+00:00"))


def test_a_window_may_end_on_the_next_day() -> None:
    assert spans(a_window("23:30", 120), "2026-11-21T12:00:00+00:00", hours=24) == [
        ("Sat 23:30", "Sun 01:29")
    ]


def test_a_window_of_a_weekday_that_ends_on_the_next_is_that_of_its_start() -> None:
    window = a_window("23:30", 120, weekdays=["sat"])

    assert spans(window, "2026-11-20T00:00:00+00:00", hours=96) == [("Sat 23:30", "Sun 01:29")]


def test_the_weekday_is_the_one_of_the_windows_own_zone() -> None:
    window = a_window("01:00", 30, "Asia/Tokyo", weekdays=["sun"])

    assert spans(window, "2026-11-20T00:00:00+00:00", hours=96) == [("Sat 16:00", "Sat 16:29")]


def test_the_weekdays_are_in_the_order_of_the_calendar() -> None:
    monday = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)

    for n, day in enumerate(Weekday):
        window = a_window(weekdays=[day])
        assert [window.is_open(monday + timedelta(days=d)) for d in range(7)].index(True) == n


def test_a_window_with_a_date_is_open_on_it_alone() -> None:
    window = a_window("23:30", 60, date="2026-11-21")

    assert spans(window, "2026-11-19T00:00:00+00:00", hours=120) == [("Sat 23:30", "Sun 00:29")]
    assert not window.is_open(at("2027-11-21T23:30:00+00:00"))


def test_a_whole_day_is_open_all_day() -> None:
    assert spans(a_window("00:00", 1440), "2026-11-21T00:00:00+00:00") == [
        ("Sat 00:00", "Sun 23:59")
    ]


def test_a_start_that_clocks_skip_is_moved_on_by_what_they_skip() -> None:
    window = a_window("01:30", 60, "Europe/Dublin")

    assert spans(window, "2027-03-27T12:00:00+00:00", hours=24) == [("Sun 01:30", "Sun 02:29")]


def test_a_window_over_a_change_of_clocks_is_as_long_as_ever() -> None:
    forward = a_window("00:30", 120, "Europe/Dublin")
    back = a_window("00:30", 120, "Europe/Dublin")

    assert spans(forward, "2027-03-27T12:00:00+00:00", hours=24) == [("Sun 00:30", "Sun 02:29")]
    assert spans(back, "2026-10-24T12:00:00+00:00", hours=24) == [("Sat 23:30", "Sun 01:29")]


def test_of_two_equal_times_the_earlier_counts() -> None:
    window = a_window("01:30", 15, "Europe/Dublin")

    assert spans(window, "2026-10-24T12:00:00+00:00", hours=24) == [("Sun 00:30", "Sun 00:44")]


def test_a_date_may_name_a_time_that_comes_twice() -> None:
    window = a_window("01:30", 15, "Europe/Dublin", date="2026-10-25")

    assert spans(window, "2026-10-24T12:00:00+00:00", hours=24) == [("Sun 00:30", "Sun 00:44")]


def test_a_date_may_name_the_minutes_around_what_clocks_skip() -> None:
    assert a_window("00:59", 15, "Europe/Dublin", date="2027-03-28").date == "2027-03-28"
    assert a_window("02:00", 15, "Europe/Dublin", date="2027-03-28").date == "2027-03-28"
    with pytest.raises(ValueError, match="clocks skip 01:59"):
        a_window("01:59", 15, "Europe/Dublin", date="2027-03-28")


def test_a_long_window_before_a_short_day_is_open_until_its_end() -> None:
    window = a_window("23:59", 1440, "Europe/Dublin", weekdays=["sat"])

    assert spans(window, "2027-03-27T00:00:00+00:00", hours=72) == [("Sat 23:59", "Sun 23:58")]


@settings(max_examples=100, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.sampled_from(["UTC", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe"]),
    st.sets(st.sampled_from(list(Weekday)), min_size=1),
)
def test_a_window_is_open_when_one_of_its_last_starts_is_not_long_ago(
    now: datetime, start: int, minutes: int, zone: str, weekdays: set[Weekday]
) -> None:
    window = a_window(f"{start // 60:02}:{start % 60:02}", minutes, zone, weekdays=sorted(weekdays))
    time = datetime.strptime(window.start, "%H:%M").time()  # noqa: DTZ007 - a time alone
    days = [now.date() + timedelta(days=d) for d in range(-4, 4)]
    starts = [
        datetime.combine(day, time, ZoneInfo(zone)).astimezone(UTC)
        for day in days
        if tuple(Weekday)[day.weekday()] in weekdays
    ]

    length = timedelta(minutes=minutes)
    assert window.is_open(now) == any(begun <= now < begun + length for begun in starts)
