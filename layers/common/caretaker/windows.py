"""Maintenance windows: when people are at work on the machines. Pure."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from caretaker.request import Part


class Weekday(StrEnum):
    """Days of the week, in the order of `date.weekday`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _zone(name: str) -> str:
    """Refuse what the IANA time zone database does not know."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(_ZONE_EXPECTED) from None
    return name


_ZONE_EXPECTED = "must be a name from the IANA time zone database, as Europe/Dublin"
_DAY = dt.timedelta(days=1)


class Window(Part):
    """A span of local time, on some weekdays or on one date.

    On the day when clocks go forward, a start that does not exist is moved on by the hour that is
    left out; one with a `date` is refused, for it would never come. Where clocks go back, the
    earlier of two equal times counts.
    """

    start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    duration_minutes: Annotated[int, Field(ge=1, le=1440)]
    zone: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_zone)] = "UTC"
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = tuple(Weekday)
    date: Annotated[str, Field(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$")] | None = None

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.date is None:
            return self
        if "weekdays" in self.model_fields_set:
            msg = "must have weekdays or a date, not both"
            raise ValueError(msg)
        try:
            day = dt.date.fromisoformat(self.date)
        except ValueError:
            msg = "must have a date of the calendar, as 2026-11-21"
            raise ValueError(msg) from None
        start = self._start(day)
        if start.astimezone(ZoneInfo(self.zone)).time() != dt.time.fromisoformat(self.start):
            msg = f"must have a time that exists: on {self.date} clocks skip {self.start}"
            raise ValueError(msg)
        return self

    def is_open(self, now: dt.datetime) -> bool:
        """Tell whether `now` is within it.

        One may have begun the day before, or earlier, where that day has lost an hour.
        """
        today = now.astimezone(ZoneInfo(self.zone)).date()
        days = (today - number * _DAY for number in range(3))
        length = dt.timedelta(minutes=self.duration_minutes)
        return any(
            dt.timedelta() <= now - self._start(day) < length for day in days if self._is_on(day)
        )

    def _is_on(self, day: dt.date) -> bool:
        if self.date is not None:
            return day.isoformat() == self.date
        return tuple(Weekday)[day.weekday()] in self.weekdays

    def _start(self, day: dt.date) -> dt.datetime:
        local = dt.datetime.combine(day, dt.time.fromisoformat(self.start), ZoneInfo(self.zone))
        return local.astimezone(dt.UTC)
