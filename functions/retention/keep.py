"""Which slots of a lineage the rules keep. Pure.

The rules are those of restic's `forget`, on slots instead of snapshots:
https://restic.readthedocs.io/en/stable/060_forget.html
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from caretaker.slots import slot_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .request import Keep

type Rules = tuple[str, ...]
"""Which rules keep a slot, each with its place in the row: `daily 3` is the third newest day."""

_PERIODS: Final[Mapping[str, Callable[[datetime], object]]] = {
    "last": lambda time: time,
    "hourly": lambda time: (time.date(), time.hour),
    "daily": datetime.date,
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
    "yearly": lambda time: time.year,
}


def kept_slots(slots: Iterable[str], keep: Keep) -> dict[str, Rules]:
    """Return the slots that stay, each with the rules that keep it."""
    newest_first = sorted(set(slots), key=slot_time, reverse=True)
    kept: defaultdict[str, list[str]] = defaultdict(list)
    for rule, period_of in _PERIODS.items():
        for place, slot in enumerate(_newest(newest_first, period_of, getattr(keep, rule)), 1):
            kept[slot].append(f"{rule} {place}")
    for slot in _within(newest_first, keep.within_days):
        kept[slot].append("within_days")
    return {slot: tuple(rules) for slot, rules in kept.items()}


def _newest(
    newest_first: Iterable[str], period_of: Callable[[datetime], object], number: int
) -> list[str]:
    """Return the newest slot of each of the newest `number` periods that have one."""
    first: dict[object, str] = {}
    for slot in newest_first:
        if len(first) == number:
            break
        first.setdefault(period_of(slot_time(slot)), slot)
    return list(first.values())


def _within(newest_first: list[str], days: int) -> list[str]:
    """Return the slots of the last `days`, counted back from the newest one."""
    if not (days and newest_first):
        return []
    since = slot_time(newest_first[0]) - timedelta(days=days)
    return [slot for slot in newest_first if slot_time(slot) > since]
