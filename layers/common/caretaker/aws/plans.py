"""Refused plans in the state table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker.plans import PLAN_WAITS, StoredPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from caretaker.aws.notes import Notes
    from caretaker.aws.state import Item

_PLANS: Final = "plans"
_PART: Final = 5_000
"""Targets in one item, which DynamoDB limits to 400 KB."""


@dataclass(frozen=True, slots=True)
class PlanStore:
    """The refused plans among the notes of one chore, policy and place.

    `StateError` when the table is out of reach.
    """

    notes: Notes

    def plans(self) -> dict[str, StoredPlan]:
        """Return the plans that still can be approved, or are, by their ids."""
        return {plan_id: _stored(parts) for plan_id, parts in self._parts().items()}

    def store(self, plan_id: str, reason: str, targets: Iterable[str]) -> None:
        """Remember a plan as it is, to be approved."""
        parts = [" ".join(part) for part in batched(targets, _PART, strict=False)] or [""]
        for number, part in enumerate(parts):
            name = f"{plan_id}#{number}"
            self.notes.put(_PLANS, name, PLAN_WAITS, reason=reason, targets=part, approved=0)

    def approve(self, plan_id: str, holds: timedelta) -> None:
        """Remember for how long a person let this plan through."""
        for item in self._parts().get(plan_id, []):
            said = {key: item[key] for key in ("reason", "targets")}
            self.notes.put(_PLANS, str(item["sk"]), holds, **said, approved=1)

    def _parts(self) -> dict[str, list[Item]]:
        parts: defaultdict[str, list[Item]] = defaultdict(list)
        for item in self.notes.list(_PLANS):
            if item["expires_at"] > self.notes.seconds:
                parts[str(item["sk"]).partition("#")[0]].append(item)
        return parts


def _stored(parts: Sequence[Item]) -> StoredPlan:
    targets = frozenset(each for item in parts for each in str(item["targets"]).split())
    approved = all(item["approved"] for item in parts)
    return StoredPlan(str(parts[0]["reason"]), targets, approved)
