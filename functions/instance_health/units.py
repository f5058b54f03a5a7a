"""Decide which changes are sent by one call: each instance by one of its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch

from .facts import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.decisions import Decision

REBOOT_INSTANCES: Final = "RebootInstances"
STOP_INSTANCES: Final = "StopInstances"
START_INSTANCES: Final = "StartInstances"
SET_INSTANCE_HEALTH: Final = "SetInstanceHealth"
LANES: Final = {
    Action.REBOOT: REBOOT_INSTANCES,
    Action.STOP: STOP_INSTANCES,
    Action.START: START_INSTANCES,
    Action.REPLACE: SET_INSTANCE_HEALTH,
}


def plan_units(decisions: Iterable[Decision]) -> list[Batch]:
    """Return the calls: their lanes go beside each other."""
    return [Batch(LANES[Action(d.action)], (d,)) for d in decisions if d.is_change]
