"""What is done next, as texts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.support.builders import NOW
from tests.support.restoring import free_originals, new_ones_seated

if TYPE_CHECKING:
    from functions.restore.journal import Journal
    from functions.restore.turns import Turn

SEATED_BY_NOW: Final = [*free_originals(), *new_ones_seated()]


def steps(turn: Turn) -> list[tuple[str, str, str]]:
    """Return the moves as texts."""
    return [(move.step.value, move.key, move.disk) for move in turn.moves]


def waiting(journal: Journal, what: str, minutes: float) -> Journal:
    """Return it as it has been waiting at NOW for that long."""
    return journal.waits(what, NOW - timedelta(minutes=minutes))
