"""Decide which changes are sent by one call: pure."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch, Decision

from .facts import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

TAGGED_AT_ONCE: Final = 50
"""EC2 takes a thousand and advises to send fewer.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
"""
_LANES: Final = {
    Action.DELETE: ("DeleteSnapshot", 1),
    Action.MARK: ("CreateTags", TAGGED_AT_ONCE),
    Action.UNMARK: ("DeleteTags", TAGGED_AT_ONCE),
}


def plan_units(decisions: Iterable[Decision]) -> list[Batch]:
    """Group the changes into calls, the oldest snapshots first."""
    changes = sorted(
        (decision for decision in decisions if decision.is_change),
        key=lambda decision: (str(decision.detail["started"]), decision.target),
    )
    return [
        Batch(lane, members)
        for action, (lane, size) in _LANES.items()
        for members in batched((d for d in changes if d.action == action), size, strict=False)
    ]
