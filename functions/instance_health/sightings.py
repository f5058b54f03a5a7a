"""What was seen at earlier polls of an instance that is in trouble. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker.slots import slot_time

from .facts import PENDING, STOPPING

if TYPE_CHECKING:
    from datetime import datetime

    from .facts import Status

_LONGEST_GAP: Final = timedelta(minutes=15)
"""Between polls: after a longer one nobody knows what was in between."""


class Trouble(StrEnum):
    """What may be the matter, as a poll sees it."""

    IMPAIRED = "impaired"
    UNKNOWN = "unknown"
    STOPPING = "stopping"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Trouble that lasts: `since` its first poll, `polls` of it so far, the last in `slot`."""

    trouble: Trouble
    since: datetime
    polls: int
    slot: str


def trouble_of(status: Status) -> Trouble | None:
    """Return what is the matter with an instance, if anything is."""
    if status.cause:
        return Trouble.IMPAIRED
    if status.is_unknown:
        return Trouble.UNKNOWN
    return {STOPPING: Trouble.STOPPING, PENDING: Trouble.PENDING}.get(status.state)


def observe(status: Status, known: Sighting | None, *, slot: str, now: datetime) -> Sighting | None:
    """Return what is now known of an instance's trouble; None when there is none.

    A slot is one poll, however often it is run.
    """
    trouble = trouble_of(status)
    if trouble is None:
        return None
    if known is None or known.trouble is not trouble or _is_torn(known, slot):
        return Sighting(trouble, now, 1, slot)
    if slot <= known.slot:
        return known
    return replace(known, polls=known.polls + 1, slot=slot)


def _is_torn(known: Sighting, slot: str) -> bool:
    return slot_time(slot) - slot_time(known.slot) > _LONGEST_GAP
