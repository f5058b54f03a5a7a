"""Slots: the scheduled minute that all tries of one run share."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_SLOT: Final = "%Y-%m-%dT%H:%MZ"
_COMPACT: Final = "%Y-%m-%dT%H%MZ"


def slot_of(time: datetime) -> str:
    """Return the slot of a moment: its minute in UTC, as `2026-11-21T03:00Z`."""
    return time.astimezone(UTC).strftime(_SLOT)


@lru_cache(maxsize=4096)
def slot_time(slot: str) -> datetime:
    """Return the moment a slot stands for, as a thousand snapshots may; `ValueError` of no slot."""
    return datetime.strptime(slot, _SLOT).replace(tzinfo=UTC)


def is_slot(text: str) -> bool:
    """Tell whether a text is a slot."""
    try:
        slot_time(text)
    except ValueError:
        return False
    return True


def compact_slot(slot: str) -> str:
    """Return the slot for use in object keys, as `2026-11-21T0300Z`."""
    return slot_time(slot).strftime(_COMPACT)


def age_hours(since: datetime, now: datetime) -> float:
    """Return the hours from `since` to `now`."""
    return (now - since).total_seconds() / 3600
