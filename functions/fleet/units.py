"""Decide what begins by one call: all cells of a run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.decisions import Decision

START: Final = "StartExecution"


def plan_units(decisions: Iterable[Decision]) -> list[Batch]:
    """Return the call."""
    changes = tuple(decision for decision in decisions if decision.is_change)
    return [Batch(START, changes)] if changes else []
