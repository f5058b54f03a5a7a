"""A turn of one target: what is done next, or waited for; and how long anything may take. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import AVAILABLE, IN_USE
from .journal import Ending, Goal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .facts import Sight
    from .journal import Journal

SOON: Final = 5
LATER: Final = 60
SHOWN_WITHIN: Final = timedelta(minutes=2)
"""EC2's listings come after its answers:

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""
GIVEN_UP_AFTER: Final = timedelta(hours=24)


_GOING: Final = frozenset({"deleting", "deleted"})


class Step(StrEnum):
    """A call that changes something; each is safe to send again by what is looked at before."""

    CREATE = "create"
    DISCARD = "discard"
    STOP = "stop"
    DETACH = "detach"
    ATTACH = "attach"
    PROTECT = "protect"
    START = "start"
    TAG = "tag"
    REPLACE_ROOT = "replace_root"


@dataclass(frozen=True, slots=True)
class Move:
    """One step, and the part, by its key, and the volume that it is about; empty where none is."""

    step: Step
    key: str = ""
    disk: str = ""

    @property
    def said(self) -> str:
        """Return it in words."""
        return " ".join(filter(None, (self.step.replace("_", " "), self.disk, self.key)))


@dataclass(frozen=True, slots=True)
class Turn:
    """What comes next: moves to make, or seconds to wait; neither is another look at once.

    `journal` is to be written before any of it.
    """

    journal: Journal
    moves: Sequence[Move] = ()
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a target on its way, and how a turn may end."""

    journal: Journal
    sight: Sight

    def moves(self, moves: Iterable[Move]) -> Turn:
        """Make moves, unless it has been tried for too long."""
        turned = self.journal.turned
        if turned is not None and self.sight.at - turned >= GIVEN_UP_AFTER:
            if self.journal.goal is Goal.FORWARD:
                return self.go_back("took_too_long")
            return self.left(self.journal.problem)
        return self.last(moves)

    def last(self, moves: Iterable[Move]) -> Turn:
        """Make moves from which nothing leads back, however late."""
        return Turn(self.journal.waits("", self.sight.at), tuple(moves))

    def wait(self, what: str, within: timedelta, problem: str, *, seconds: int = SOON) -> Turn:
        """Wait; what takes too long goes back, and on the way back is told and waited for.

        Without a `problem` there is no way back from it.
        """
        if not self.is_late(what, within):
            return Turn(self.journal.waits(what, self.sight.at), seconds=self._pause(what, seconds))
        if self.journal.goal is Goal.FORWARD and problem:
            return self.go_back(problem)
        if self.is_late(what, GIVEN_UP_AFTER):
            return self.left(problem or "took_too_long")
        return Turn(replace(self.journal, problem=self.journal.problem or problem), seconds=LATER)

    def _pause(self, what: str, least: int) -> int:
        """Return when to look again: the longer it takes, the less often."""
        since = self.journal.since if self.journal.waiting_for == what else None
        waited = (self.sight.at - since).total_seconds() if since else 0
        return max(least, min(LATER, int(waited / 8)))

    def is_late(self, what: str, within: timedelta) -> bool:
        """Tell whether something has been waited for that long."""
        since = self.journal.since if self.journal.waiting_for == what else None
        return since is not None and self.sight.at - since >= within

    def go_back(self, problem: str) -> Turn:
        """Turn round."""
        return Turn(self.journal.goes_back(problem, self.sight.at))

    def restored(self) -> Turn:
        """Be over, and well: what was in the way has passed."""
        new = {part.new for part in self.journal.parts}
        return self._over(Ending.RESTORED, "", keep=new)

    def rolled_back(self) -> Turn:
        """Be over, and as before."""
        return self._over(Ending.ROLLED_BACK, self.journal.problem, keep=set())

    def left(self, problem: str) -> Turn:
        """Be over as nothing more can be done: a person has to."""
        target = self.journal.target
        seated = {each.id for each in self.sight.disks.values() if each.seat_at(target)}
        return self._over(Ending.LEFT, problem, keep=seated)

    def _over(self, ending: Ending, problem: str, *, keep: set[str]) -> Turn:
        """End, and tell of each new volume that stays and is not to."""
        journal, new = self.journal, {part.new for part in self.journal.parts}
        left = sorted(
            disk.id
            for disk in self.sight.disks.values()
            if (disk.id in new or disk.tags.get(tag.RUN) == journal.run_tag)
            and disk.id not in keep
            and disk.state not in _GOING
        )
        over = replace(journal, problem=problem, left_over=tuple(left))
        return Turn(over.ends(ending, self.sight.at))

    def is_available(self, disk: str) -> bool:
        """Tell whether a volume is there and free."""
        found = self.sight.disks.get(disk)
        return found is not None and found.state == AVAILABLE

    def sits(self, disk: str, device: str) -> bool:
        """Tell whether a volume is attached to the target as a device."""
        found = self.sight.disks.get(disk)
        seat = found.seat_at(self.journal.target) if found else None
        return bool(found and found.state == IN_USE and seat and seat.device == device)
