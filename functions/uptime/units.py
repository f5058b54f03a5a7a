"""Decide which repairs are asked for by one call: each target's by one of its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.decisions import Decision

INVOKE: Final = "Invoke"


def plan_units(decisions: Iterable[Decision]) -> list[Batch]:
    """Return the calls."""
    return [Batch(INVOKE, (decision,)) for decision in decisions if decision.is_change]
