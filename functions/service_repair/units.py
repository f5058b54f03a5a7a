"""Decide which changes are sent by one call: a run has one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch

from .facts import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.decisions import Decision

LANES: Final = {
    Action.STOP_TASK: "StopTask",
    Action.DEPLOY: "UpdateService",
    Action.SEND_COMMAND: "SendCommand",
}


def plan_units(decisions: Iterable[Decision]) -> list[Batch]:
    """Return the calls."""
    return [Batch(LANES[Action(d.action)], (d,)) for d in decisions if d.is_change]
