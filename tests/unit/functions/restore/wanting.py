"""What is asked for, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.restore.targets import targets_of
from tests.support.builders import NOW
from tests.support.restoring import ask, gathered

if TYPE_CHECKING:
    from functions.restore.wanted import Target


def targets(*things: Any, at: Any = NOW, facts: Any = None, **event: Any) -> dict[str, Target]:
    """Return what is asked for, by id."""
    found = targets_of(gathered(*things, **(facts or {})), ask(**event), at=at)
    assert len({each.id for each in found}) == len(found)
    return {each.id: each for each in found}


def why(*things: Any, **how: Any) -> dict[str, str]:
    """Return why each is brought back or left."""
    return {name: each.reason.value for name, each in targets(*things, **how).items()}
