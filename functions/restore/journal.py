"""The journal of one instance, or lone volume, on its way back: written before each change. Pure.

All that a worker needs to go on is in it and in what EC2 shows: whoever is killed, the next one
sees the same and does the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from .facts import How

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .facts import Make

_MAX_HISTORY: Final = 60
_LOOKED_AT: Final = timedelta(minutes=30)


class Goal(StrEnum):
    """Where it is going: on to the new volumes, or back to the originals."""

    FORWARD = "forward"
    BACK = "back"


class Ending(StrEnum):
    """How it ended."""

    RESTORED = "restored"
    ROLLED_BACK = "rolled_back"
    LEFT = "left"
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True)
class Part:
    """One volume: the original, empty where it is gone, and what takes its place.

    `new` is known once its creation was answered; `is_sent` is set before it is asked for. `burned`
    counts creations that came to nothing: EC2 remembers the token of each.
    """

    original: str
    device: str
    snapshot: str
    make: Make
    deletes_on_termination: bool = False
    new: str = ""
    is_sent: bool = False
    burned: int = 0

    @property
    def key(self) -> str:
        """Return what tells it from the other parts: its device, where it has one."""
        return self.device or self.snapshot


@dataclass(frozen=True, slots=True)
class Booked:
    """Tokens of an action's bucket that are taken and not used: `at`, in Unix time, they may be."""

    action: str
    count: int
    at: float


@dataclass(frozen=True, slots=True)
class Journal:
    """How far an instance has come; `name` is its Name tag.

    `since` is when `waiting_for` began, `refused_since` when EC2 first refused the step that it
    now refuses and `said` what it said, `turned` when it began to go where it goes, `moved` when it
    was written last, `about_to` what was about to be sent then.

    `ran` is whether it ran before it was `touched`, `served` since when it runs on what is new,
    `unlike` are devices that EC2 would not let go, or stay, with the instance as before.
    `starts` counts starts that were asked for,
    `task` is the one that replaces its root volume. `kept` are volumes that EC2 does not let us
    delete, `left_over` those that stay at the end though nobody needs them. `problem` is why it
    goes back, or what holds it up. `booked` are its turns that are still to come. `version` guards
    it in the table.
    """

    plan: str
    target: str
    how: How
    policy: str
    slot: str
    wave: int
    parts: tuple[Part, ...]
    name: str = ""
    check_minutes: int = 0
    goal: Goal = Goal.FORWARD
    is_touched: bool = False
    ran: bool = False
    served: datetime | None = None
    unlike: tuple[str, ...] = ()
    starts: int = 0
    task: str = ""
    tagged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    problem: str = ""
    about_to: str = ""
    booked: tuple[Booked, ...] = ()
    waiting_for: str = ""
    since: datetime | None = None
    refused: str = ""
    said: str = ""
    refused_since: datetime | None = None
    turned: datetime | None = None
    moved: datetime | None = None
    ended: datetime | None = None
    ending: Ending | None = None
    history: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether it is not over."""
        return self.ending is None

    @property
    def is_instance(self) -> bool:
        """Tell whether an instance is touched, and no volume is only made beside."""
        return self.how is not How.VOLUMES

    @property
    def has_served(self) -> bool:
        """Tell whether people had time to work with what is new, before it turned round."""
        given = _LOOKED_AT + timedelta(minutes=self.check_minutes)
        return bool(self.served and self.turned and self.turned - self.served >= given)

    @property
    def run_tag(self) -> str:
        """Return what its new volumes carry, so that they are found whatever was answered."""
        return f"{self.plan}/{self.target}"

    def token(self, part: Part) -> str:
        """Return the client token of a creation: the same for each time that it is asked for.

        https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
        """
        name = f"{self.plan}/{self.target}/{part.snapshot}/{part.key}/{part.burned}"
        return sha256(name.encode()).hexdigest()

    def part(self, key: str) -> Part:
        """Return a part by its key."""
        return next(part for part in self.parts if part.key == key)

    def with_part(self, key: str, change: Callable[[Part], Part]) -> Journal:
        """Return it with one part changed."""
        parts = tuple(change(part) if part.key == key else part for part in self.parts)
        return replace(self, parts=parts)

    def waits(self, what: str, now: datetime) -> Journal:
        """Return it waiting for something; the time runs from when it first did."""
        if what == self.waiting_for:
            return self
        return replace(self, waiting_for=what, since=now if what else None)

    def goes_back(self, problem: str, now: datetime) -> Journal:
        """Return it on its way back to the originals."""
        back = replace(
            self, goal=Goal.BACK, turned=now, problem=problem, starts=0, waiting_for="", since=None
        )
        return back.noted(f"goes back: {problem.replace('_', ' ')}", now)

    def ends(self, ending: Ending, now: datetime) -> Journal:
        """Return it at its end."""
        over = replace(self, ending=ending, ended=now, waiting_for="", since=None)
        return over.noted(ending.replace("_", " "), now)

    def noted(self, word: str, now: datetime) -> Journal:
        """Return it with a line of its history more."""
        line = f"{now:%H:%M:%S} {word}"
        return replace(self, history=(*self.history, line)[-_MAX_HISTORY:])
