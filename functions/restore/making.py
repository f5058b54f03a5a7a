"""The new volumes: all are made, and available, before anything else is touched. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import AVAILABLE
from .turns import GIVEN_UP_AFTER, SHOWN_WITHIN, Move, Step, Turn

if TYPE_CHECKING:
    from datetime import datetime

    from .facts import Disk
    from .journal import Journal, Part
    from .turns import Look

_CREATING: Final = "creating"
_MADE_WITHIN: Final = timedelta(minutes=30)
_MOST_BURNED: Final = 2


def make(look: Look) -> Turn | None:
    """Make what is not made; None once all new volumes are available."""
    journal = look.journal
    unmade = [part for part in journal.parts if not part.new]
    if unmade:
        return look.moves(Move(Step.CREATE, part.key) for part in unmade)
    if all(look.is_available(part.new) for part in journal.parts):
        return None
    for part in journal.parts:
        problem = _why_burned(look, part)
        if problem:
            return burned(journal, part.key, problem, look.sight.at)
    if all(part.new in look.sight.disks for part in journal.parts):
        return look.wait("volumes to be made", _MADE_WITHIN, "volumes_not_made")
    return look.wait(_LISTED, GIVEN_UP_AFTER, "volume_vanished")


_LISTED: Final = "volumes to be listed"


def _why_burned(look: Look, part: Part) -> str:
    """Return what became of a new volume that comes to nothing: EC2 tells so only afterwards.

    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-volume.html
    """
    disk = look.sight.disks.get(part.new)
    if disk is None:
        return "volume_vanished" if look.is_late(_LISTED, SHOWN_WITHIN) else ""
    return "" if disk.state in {_CREATING, AVAILABLE} else "volume_failed"


def burned(journal: Journal, key: str, problem: str, now: datetime) -> Turn:
    """Give a new volume up; another is made by another token, or else it goes back.

    What was made by the first is deleted at the end, however late it shows.
    """
    part = journal.part(key)
    if part.burned >= _MOST_BURNED:
        return Turn(journal.goes_back(problem, now))
    again = journal.with_part(
        key, lambda one: replace(one, new="", is_sent=False, burned=one.burned + 1)
    )
    return Turn(again.noted(f"{problem.replace('_', ' ')}: {part.new}", now).waits("", now))


def discard(look: Look, *, keep: frozenset[str]) -> Turn | None:
    """Delete what this restore made and is not kept; None once it is gone. Others never are."""
    ours = [disk for disk in look.sight.disks.values() if _may_go(look, disk, keep)]
    ready = [Move(Step.DISCARD, disk=disk.id) for disk in ours if disk.state not in _ON_THE_WAY]
    if ready:
        return look.last(ready)
    unseen = any(part.burned or (part.is_sent and not part.new) for part in look.journal.parts)
    if not (ours or unseen) or look.is_late(_SPARE, _MADE_WITHIN if ours else SHOWN_WITHIN):
        return None
    return look.wait(_SPARE, GIVEN_UP_AFTER, "")


_ON_THE_WAY: Final = frozenset({_CREATING, "deleting", "deleted"})
_SPARE: Final = "what was made to be listed"


def _may_go(look: Look, disk: Disk, keep: frozenset[str]) -> bool:
    """A new volume whose original is gone is the last there is of its data."""
    parts, there = look.journal.parts, look.sight.disks
    is_ours = disk.tags.get(tag.RUN) == look.journal.run_tag and not disk.seats
    is_last = any(p.new == disk.id and p.original and p.original not in there for p in parts)
    return (
        is_ours
        and not is_last
        and disk.id
        not in {
            *keep,
            *look.journal.kept,
            *(part.original for part in parts),
        }
    )
