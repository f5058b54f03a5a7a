"""What `keep` means, said once more: slow, in plain words, and sharing nothing with `keep.py`.

Slots are compared as the texts they are, so all of them have to be written alike.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _monday(slot: str) -> str:
    """An ISO week is the days from one Monday to the next, whichever year they are in."""
    day = date.fromisoformat(slot[:10])
    while day.strftime("%a") != "Mon":
        day -= timedelta(days=1)
    return day.isoformat()


PERIOD: Mapping[str, Callable[[str], str]] = {
    "last": lambda slot: slot,
    "hourly": lambda slot: slot[: len("2026-11-21T03")],
    "daily": lambda slot: slot[: len("2026-11-21")],
    "weekly": _monday,
    "monthly": lambda slot: slot[: len("2026-11")],
    "yearly": lambda slot: slot[: len("2026")],
}


def kept_in_plain_words(
    slots: Sequence[str], keep: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """Ask every slot of every rule whether it stays."""
    answers = {
        slot: [
            *(_place(slot, slots, rule, keep.get(rule, 0)) for rule in PERIOD),
            _is_within(slot, slots, keep.get("within_days", 0)),
        ]
        for slot in slots
    }
    told = {slot: tuple(filter(None, given)) for slot, given in answers.items()}
    return {slot: rules for slot, rules in told.items() if rules}


def _place(slot: str, slots: Sequence[str], rule: str, number: int) -> str:
    """Is it the newest of its period, and are there fewer than `number` newer periods?"""
    period_of = PERIOD[rule]
    of_its_period = [each for each in slots if period_of(each) == period_of(slot)]
    newer_periods = {period_of(each) for each in slots if each > slot} - {period_of(slot)}
    is_newest = all(each <= slot for each in of_its_period)
    if is_newest and len(newer_periods) < number:
        return f"{rule} {len(newer_periods) + 1}"
    return ""


def _is_within(slot: str, slots: Sequence[str], days: int) -> str:
    """Are there fewer than so many days between it and the newest slot?"""
    minutes = (_time(max(slots)) - _time(slot)).total_seconds() / 60
    return "within_days" if minutes < days * 24 * 60 else ""


def _time(slot: str) -> datetime:
    return datetime.fromisoformat(slot)
