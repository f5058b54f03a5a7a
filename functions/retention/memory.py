"""What the chore remembers between runs: the population, and plans that wait for a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker.errors import FieldError, RefusedError

from .facts import Population

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.aws.state import Item, Table
    from caretaker.run import Run

    from .plan import Plan
    from .request import RetentionRequest

PLAN_WAITS: Final = timedelta(days=7)
"""How long a refused plan can be approved."""
APPROVAL_HOLDS: Final = timedelta(days=14)
"""Long enough for the deletions, which come two days after the marks."""
_KEPT: Final = timedelta(days=400)
_PART: Final = 5_000
"""Snapshots in one item, which DynamoDB limits to 400 KB."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A refused plan: its snapshots, and until when it stands approved."""

    snapshots: frozenset[str]
    parts: tuple[Item, ...]
    approved: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run's policy and place; `StateError` when the table is out of reach."""

    run: Run[RetentionRequest]

    def last_seen(self) -> Population | None:
        """Return what the last run that was not refused saw."""
        found = list(self._table.query(self._population))
        return Population(found[0]["good"], found[0]["volumes"]) if found else None

    def saw(self, population: Population) -> None:
        """Remember what there is."""
        self._table.put(
            {
                "pk": self._population,
                "sk": "-",
                "good": population.good,
                "volumes": population.volumes,
                "expires_at": self._seconds + int(_KEPT.total_seconds()),
            }
        )

    def plans(self) -> dict[str, StoredPlan]:
        """Return the plans that still can be approved, or are, by their ids."""
        parts: defaultdict[str, list[Item]] = defaultdict(list)
        for item in self._table.query(self._plans):
            if item["expires_at"] > self._seconds:
                parts[str(item["sk"]).partition("#")[0]].append(item)
        return {plan_id: _stored(found) for plan_id, found in parts.items()}

    def keep(self, plan: Plan) -> None:
        """Store a refused plan, so that it can be approved just as it is."""
        parts = [" ".join(part) for part in batched(plan.going, _PART, strict=False)] or [""]
        for number, snapshots in enumerate(parts):
            item = {"pk": self._plans, "sk": f"{plan.id}#{number}", "snapshots": snapshots}
            self._write(item, PLAN_WAITS, approved=False)

    def approve(self, plan: StoredPlan) -> None:
        """Remember that a person let this plan through."""
        for item in plan.parts:
            self._write(item, APPROVAL_HOLDS, approved=True)

    def in_open_restores(self) -> set[str]:
        """Return the snapshots that a restore which has not ended may need again."""
        place = self.run.scene.account.place
        found = self._table.query(f"restores#{place.account}/{place.region}")
        return {each for item in found for each in item.get("snapshots", "").split()}

    def _write(self, item: Item, keep: timedelta, *, approved: bool) -> None:
        until = self._seconds + int(keep.total_seconds())
        self._table.put({**item, "approved": int(approved), "expires_at": until})

    @property
    def _table(self) -> Table:
        return self.run.scene.state.table

    @property
    def _seconds(self) -> int:
        return int(self.run.scene.now.timestamp())

    @property
    def _population(self) -> str:
        return f"population#{self._scope}"

    @property
    def _plans(self) -> str:
        return f"plans#{self._scope}"

    @property
    def _scope(self) -> str:
        place = self.run.scene.account.place
        return f"retention/{self.run.request.policy}/{place.account}/{place.region}"


def _stored(parts: Sequence[Item]) -> StoredPlan:
    snapshots = frozenset(each for item in parts for each in str(item["snapshots"]).split())
    return StoredPlan(snapshots, tuple(parts), all(item["approved"] for item in parts))


def approved_plan(plans: dict[str, StoredPlan], plan_id: str | None) -> StoredPlan | None:
    """Return the plan that an event approves; `RefusedError` when there is none of this name."""
    if plan_id is None or plan_id in plans:
        return plans.get(plan_id or "")
    problem = FieldError(
        "approve",
        f"{plan_id} is no refused plan of this policy, or one of more than 7 days ago",
        "the plan_id of a refused answer",
    )
    raise RefusedError("plan_unknown", [problem])
