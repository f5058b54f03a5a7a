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

    from caretaker.aws.state import Item, Table

_PART: Final = 5_000
"""Targets in one item, which DynamoDB limits to 400 KB."""


@dataclass(frozen=True, slots=True)
class PlanStore:
    """The refused plans of one chore, policy and place; `seconds` is the run's now.

    `StateError` when the table is out of reach.
    """

    table: Table
    scope: str
    seconds: int

    def plans(self) -> dict[str, StoredPlan]:
        """Return the plans that still can be approved, or are, by their ids."""
        return {plan_id: _stored(parts) for plan_id, parts in self._parts().items()}

    def store(self, plan_id: str, reason: str, targets: Iterable[str]) -> None:
        """Remember a plan as it is, to be approved."""
        parts = [" ".join(part) for part in batched(targets, _PART, strict=False)] or [""]
        for number, part in enumerate(parts):
            item = {"pk": self._pk, "sk": f"{plan_id}#{number}", "reason": reason}
            self._put({**item, "targets": part, "approved": 0}, PLAN_WAITS)

    def approve(self, plan_id: str, holds: timedelta) -> None:
        """Remember for how long a person let this plan through."""
        for item in self._parts().get(plan_id, []):
            self._put({**item, "approved": 1}, holds)

    def _parts(self) -> dict[str, list[Item]]:
        parts: defaultdict[str, list[Item]] = defaultdict(list)
        for item in self.table.query(self._pk):
            if item["expires_at"] > self.seconds:
                parts[str(item["sk"]).partition("#")[0]].append(item)
        return parts

    def _put(self, item: Item, keep: timedelta) -> None:
        self.table.put({**item, "expires_at": self.seconds + int(keep.total_seconds())})

    @property
    def _pk(self) -> str:
        return f"plans#{self.scope}"


def _stored(parts: Sequence[Item]) -> StoredPlan:
    targets = frozenset(each for item in parts for each in str(item["targets"]).split())
    approved = all(item["approved"] for item in parts)
    return StoredPlan(str(parts[0]["reason"]), targets, approved)
