"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from caretaker.aws.notes import Notes
from caretaker.aws.plans import PlanStore
from caretaker.settings import Mode

from .facts import Population

if TYPE_CHECKING:
    from caretaker.run import Run

    from .plan import Plan
    from .request import RetentionRequest

APPROVAL_HOLDS: Final = timedelta(days=14)
"""Long enough for the deletions, which come two days after the marks."""
SHARED_HOLDS: Final = timedelta(days=30)
"""How long, at least, a snapshot that was seen to be shared is not looked at again."""
_KEPT: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run's policy and place; `StateError` when the table is out of reach."""

    run: Run[RetentionRequest]

    def last_seen(self) -> Population | None:
        """Return what the last run that was not refused saw."""
        found = list(self._notes.list("population"))
        return Population(found[0]["good"], found[0]["volumes"]) if found else None

    def remember(self, plan: Plan) -> None:
        """Write before anything is changed.

        A refused plan is stored as it is, to be approved; of any other, what it leaves: a run that
        is killed must not make the next one think that half had vanished. A report by hand, where
        the stack acts, is no run to compare the next one with.
        """
        if plan.refusal:
            self.plans.store(plan.id, plan.refusal.reason, plan.going)
            return
        if self.run.mode is not self.run.scene.settings.mode:
            return
        left = plan.population(after_deleting=self.run.mode is Mode.ACT)
        self._notes.put("population", "-", _KEPT, good=left.good, volumes=left.volumes)

    @property
    def plans(self) -> PlanStore:
        """Return the plans that were refused."""
        return PlanStore(self._notes)

    def shared(self) -> set[str]:
        """Return the snapshots that were seen to be shared lately."""
        notes = self._notes
        return {i["sk"] for i in notes.list("shared") if i["expires_at"] > notes.seconds}

    def saw_shared(self, snapshot_id: str) -> None:
        """Remember that a snapshot is shared: there is no listing that would tell.

        Those seen on one day are forgotten over a month, not all at once.
        """
        spread = timedelta(days=int(snapshot_id[-2:], 16) % SHARED_HOLDS.days)
        self._notes.put("shared", snapshot_id, SHARED_HOLDS + spread)

    def deleted(self, snapshot_id: str, at: datetime) -> None:
        """Remember a deletion: the snapshot may come back from the Recycle Bin with its mark."""
        self._notes.put(f"deleted/{snapshot_id}", "-", _KEPT, deleted_at=int(at.timestamp()))

    def deleted_at(self, snapshot_id: str) -> datetime | None:
        """Return when a snapshot that is there now had been deleted."""
        found = self._notes.list(f"deleted/{snapshot_id}")
        return next((datetime.fromtimestamp(i["deleted_at"], UTC) for i in found), None)

    @property
    def _notes(self) -> Notes:
        return Notes.of_policy("retention", self.run)
