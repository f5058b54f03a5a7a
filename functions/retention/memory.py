"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker.errors import FieldError, RefusedError
from caretaker.settings import Mode

from .facts import Population, StoredPlan

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
SHARED_HOLDS: Final = timedelta(days=30)
"""How long, at least, a snapshot that was seen to be shared is not looked at again."""
_KEPT: Final = timedelta(days=400)
_PART: Final = 5_000
"""Snapshots in one item, which DynamoDB limits to 400 KB."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run's policy and place; `StateError` when the table is out of reach."""

    run: Run[RetentionRequest]

    def last_seen(self) -> Population | None:
        """Return what the last run that was not refused saw."""
        found = list(self._table.query(self._key("population")))
        return Population(found[0]["good"], found[0]["volumes"]) if found else None

    def remember(self, plan: Plan) -> None:
        """Write before anything is changed.

        A refused plan is stored as it is, to be approved; of any other, what it leaves: a run that
        is killed must not make the next one think that half had vanished. A report by hand, where
        the stack acts, is no run to compare the next one with.
        """
        if plan.refusal:
            self._store(plan, plan.refusal.reason)
            return
        if self.run.mode is not self.run.scene.settings.mode:
            return
        left = plan.population(after_deleting=self.run.mode is Mode.ACT)
        item = {"pk": self._key("population"), "sk": "-"}
        self._put({**item, "good": left.good, "volumes": left.volumes}, _KEPT)

    def plans(self) -> dict[str, StoredPlan]:
        """Return the plans that still can be approved, or are, by their ids."""
        return {plan_id: _stored(parts) for plan_id, parts in self._parts().items()}

    def approve(self, plan_id: str) -> None:
        """Remember that a person let this plan through."""
        for item in self._parts().get(plan_id, []):
            self._put({**item, "approved": 1}, APPROVAL_HOLDS)

    def shared(self) -> set[str]:
        """Return the snapshots that were seen to be shared lately."""
        found = self._table.query(self._key("shared"))
        return {item["sk"] for item in found if item["expires_at"] > self._seconds}

    def saw_shared(self, snapshot_id: str) -> None:
        """Remember that a snapshot is shared: there is no listing that would tell.

        Those seen on one day are forgotten over a month, not all at once.
        """
        spread = timedelta(days=int(snapshot_id[-2:], 16) % SHARED_HOLDS.days)
        self._put({"pk": self._key("shared"), "sk": snapshot_id}, SHARED_HOLDS + spread)

    def deleted(self, snapshot_id: str, at: datetime) -> None:
        """Remember a deletion: the snapshot may come back from the Recycle Bin with its mark."""
        item = {"pk": self._key(f"deleted/{snapshot_id}"), "sk": "-"}
        self._put({**item, "deleted_at": int(at.timestamp())}, _KEPT)

    def deleted_at(self, snapshot_id: str) -> datetime | None:
        """Return when a snapshot that is there now had been deleted."""
        found = self._table.query(self._key(f"deleted/{snapshot_id}"))
        return next((datetime.fromtimestamp(i["deleted_at"], UTC) for i in found), None)

    def in_open_restores(self) -> set[str]:
        """Return the snapshots that a restore which has not ended may need again."""
        place = self.run.scene.account.place
        found = self._table.query(f"restores#{place.account}/{place.region}")
        return {each for item in found for each in item.get("snapshots", "").split()}

    def _store(self, plan: Plan, reason: str) -> None:
        parts = [" ".join(part) for part in batched(plan.going, _PART, strict=False)] or [""]
        for number, snapshots in enumerate(parts):
            item = {"pk": self._key("plans"), "sk": f"{plan.id}#{number}", "reason": reason}
            self._put({**item, "snapshots": snapshots, "approved": 0}, PLAN_WAITS)

    def _parts(self) -> dict[str, list[Item]]:
        parts: defaultdict[str, list[Item]] = defaultdict(list)
        for item in self._table.query(self._key("plans")):
            if item["expires_at"] > self._seconds:
                parts[str(item["sk"]).partition("#")[0]].append(item)
        return parts

    def _put(self, item: Item, keep: timedelta) -> None:
        self._table.put({**item, "expires_at": self._seconds + int(keep.total_seconds())})

    @property
    def _table(self) -> Table:
        return self.run.scene.state.table

    @property
    def _seconds(self) -> int:
        return int(self.run.scene.now.timestamp())

    def _key(self, kind: str) -> str:
        place = self.run.scene.account.place
        return f"{kind}#retention/{self.run.request.policy}/{place.account}/{place.region}"


def _stored(parts: Sequence[Item]) -> StoredPlan:
    snapshots = frozenset(each for item in parts for each in str(item["snapshots"]).split())
    approved = all(item["approved"] for item in parts)
    return StoredPlan(str(parts[0]["reason"]), snapshots, approved)


def asked_plan(plans: dict[str, StoredPlan], plan_id: str | None) -> StoredPlan | None:
    """Return the plan that an event approves; `RefusedError` when there is none of this name."""
    if plan_id is None or plan_id in plans:
        return plans.get(plan_id or "")
    problem = FieldError(
        "approve",
        f"{plan_id} is no refused plan of this policy, or one of more than 7 days ago",
        "the plan_id of a refused answer",
    )
    raise RefusedError("plan_unknown", [problem])
