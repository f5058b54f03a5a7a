"""A ladder: the repairs of one instance in turn, as far as they have come. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .request import Rung

if TYPE_CHECKING:
    from datetime import datetime

    from .facts import Cause

DAY: Final = timedelta(days=1)
JUDGED_WITHIN: Final = timedelta(minutes=15)
"""A repair is judged when so much time has passed since it, whatever is known by then."""
LOST_AFTER: Final = timedelta(minutes=2)
"""An instance that does not begin to stop within it was never told to."""
_MAX_HISTORY: Final = 8


class Stand(StrEnum):
    """How it stands with the last step: written before the call that it speaks of."""

    TAKEN = "taken"
    STOPPING = "stopping"
    STARTING = "starting"
    REFUSED = "refused"
    ENDED = "ended"


class Ending(StrEnum):
    """How a ladder ended, as far as anybody can tell."""

    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNKNOWN = "unknown"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Ladder:
    """The last ladder of an instance.

    `rung` counts the rungs that are behind it, `step` is the last one taken, `at` is when its last
    call was sent, of `tries`. `begun` are the ladders of the last day, this one included; `streak`
    are those since it was healthy for a day. `events` are the scheduled ones that were dealt with,
    `incident` is the one that it was asked for. `history` tells people what was tried. `version`
    guards it in the table.
    """

    cause: Cause
    began: datetime
    rung: int
    step: str
    stand: Stand
    at: datetime
    tries: int = 1
    begun: tuple[datetime, ...] = ()
    streak: int = 1
    ended: datetime | None = None
    ending: Ending | None = None
    events: tuple[str, ...] = ()
    incident: str = ""
    why: str = ""
    history: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether something of it is still to be done or judged."""
        return self.stand is not Stand.ENDED

    @property
    def is_settled(self) -> bool:
        """Tell whether what it is about is over."""
        return self.ending in {Ending.FIXED, Ending.GONE}

    @property
    def is_owed(self) -> bool:
        """Tell whether a stop was begun and the instance is not seen running again."""
        return self.stand in {Stand.STOPPING, Stand.STARTING}

    @property
    def may_be_stopped(self) -> bool:
        """Tell whether the instance may be stopped by us, be it by a stop that came late."""
        return self.is_owed or (self.stand is Stand.TAKEN and self.step == Rung.STOP_START)

    def begun_within_a_day(self, now: datetime) -> tuple[datetime, ...]:
        """Return when the ladders of the last day began."""
        return tuple(each for each in self.begun if now - each < DAY)

    def sent(self, stand: Stand, now: datetime) -> Ladder:
        """Return it with a call that is about to be sent, or sent once more."""
        tries = self.tries + 1 if stand is self.stand else 1
        return replace(self, stand=stand, at=now, tries=tries)

    def ended_as(self, ending: Ending, now: datetime, why: str = "") -> Ladder:
        """Return it ended."""
        stand = Stand.ENDED
        return replace(self.noted(ending), stand=stand, ended=now, ending=ending, why=why)

    def noted(self, word: str) -> Ladder:
        """Return it with a word on how its last step ended."""
        line = f"{self.step} at {self.at:%H:%M}: {word.replace('_', ' ')}"
        return replace(self, history=(*self.history, line)[-_MAX_HISTORY:])


def start_waits(ladder: Ladder) -> timedelta:
    """Return how long after a start that came to nothing the next one is sent: it doubles."""
    return timedelta(minutes=min(15, 2 ** (ladder.tries - 1)))
