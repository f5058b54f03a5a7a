"""An attempt: the last repair of one resource, as far as it has come. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DAY: Final = timedelta(days=1)
_MAX_HISTORY: Final = 4


class Stand(StrEnum):
    """How it stands: `taken` is written before the call that it speaks of."""

    TAKEN = "taken"
    REFUSED = "refused"
    ENDED = "ended"


class Ending(StrEnum):
    """How it ended, by the incident that it was asked for."""

    FIXED = "fixed"
    NOT_FIXED = "not_fixed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last repair of a service or an instance.

    `subject` is the task that was stopped, or the command that was sent. `incident`, open since
    `opened`, is what it was asked for. `begun` are the repairs of the last day, this one included;
    `streak` counts those in a row, of which none held for a day. `history` tells people how earlier
    ones ended. `version` guards it in the table.
    """

    action: str
    target: str
    incident: str
    opened: datetime
    at: datetime
    stand: Stand = Stand.TAKEN
    subject: str = ""
    begun: tuple[datetime, ...] = ()
    streak: int = 1
    ended: datetime | None = None
    ending: Ending | None = None
    history: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether its outcome is not known yet."""
        return self.stand is Stand.TAKEN

    def still_asked(self, open_incidents: Mapping[str, datetime]) -> bool:
        """Tell whether the incident is open, and was all the time since."""
        return open_incidents.get(self.incident) == self.opened

    def begun_within_a_day(self, now: datetime) -> tuple[datetime, ...]:
        """Return when the repairs of the last day were sent."""
        return tuple(each for each in self.begun if now - each < DAY)

    def ended_as(self, ending: Ending, now: datetime) -> Attempt:
        """Return it judged."""
        noted = self.noted(ending.replace("_", " "))
        return replace(noted, stand=Stand.ENDED, ended=now, ending=ending)

    def refused(self, code: str, before: Attempt | None) -> Attempt:
        """Return it as one that AWS did not take: it counts for the cooldown alone."""
        begun, streak = (before.begun, before.streak) if before else ((), 0)
        return replace(self.noted(code), stand=Stand.REFUSED, begun=begun, streak=streak)

    def noted(self, word: str) -> Attempt:
        """Return it with a word on how it ended."""
        line = f"{self.action.replace('_', ' ')} at {self.at:%H:%M}: {word}"
        return replace(self, history=(*self.history, line)[-_MAX_HISTORY:])

    def streak_after(self, opened: datetime) -> int:
        """Return which repair in a row the next one is; one that held for a day ends the row."""
        held = self.ending is Ending.FIXED and opened - self.at >= DAY
        return 1 if held else self.streak + 1

    def rested_at(self, cooldown: timedelta) -> datetime:
        """Return when the next one may be sent: the wait doubles with each in a row."""
        doubled = cooldown * (1 << min(max(self.streak - 1, 0), 10))
        return self.at + min(doubled, DAY)
