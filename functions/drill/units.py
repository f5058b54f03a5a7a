"""Decide what is carried out together: each backup alone, and each sweep. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.apply import WORKERS_PER_LANE
from caretaker.decisions import Batch

from .facts import Action, How

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caretaker.decisions import Decision
    from caretaker.ec2 import Snapshot, Volume

    from .cases import Case
    from .facts import Disk, Proof, Proven
    from .plan import Plan
    from .request import DrillRequest

_LANES: Final = {How.BLOCKS: "GetSnapshotBlock", How.VOLUME: "CreateVolume"}
WORKERS: Final = {How.BLOCKS: WORKERS_PER_LANE, How.VOLUME: 4}
"""So many backups are drilled at once; volumes count against the account's quota of storage."""
_SWEEP: Final = "DeleteVolume"


@dataclass(frozen=True, slots=True)
class Unit(Batch):
    """A backup to drill, with its case."""

    case: Case | None = None

    @property
    def decision(self) -> Decision:
        """Return its only decision."""
        return self.decisions[0]

    @property
    def disk(self) -> Disk:
        """Return the volume whose backup it is."""
        assert self.case  # noqa: S101 - only a sweep has none
        return self.case.disk

    @property
    def snapshot(self) -> Snapshot:
        """Return the backup."""
        assert self.case and self.case.backup  # noqa: S101 PT018 - else there is nothing to drill
        return self.case.backup

    @property
    def adopted(self) -> Volume | None:
        """Return the volume that an earlier run has made of it."""
        return self.case.begun if self.case else None

    @property
    def instance(self) -> str:
        """Return the instance that the backup is of, empty where there was none."""
        return self.snapshot.tags.get(tag.INSTANCE, "")

    @property
    def last(self) -> Proven | None:
        """Return what was last proven of its volume."""
        return self.case.last if self.case else None

    @property
    def proof(self) -> Proof | None:
        """Return what is remembered of the volume itself."""
        proof = self.case.proof if self.case else None
        return proof if proof and proof.volume == self.disk.id else None

    @property
    def found_before(self) -> tuple[str, ...]:
        """Return what the last reading found."""
        return self.case.proof.found if self.case and self.case.proof else ()


def plan_units(plan: Plan, request: DrillRequest) -> Iterator[Unit]:
    """Yield a unit for each change, in the order of the decisions."""
    for decision in plan.decisions:
        if decision.action == Action.SWEEP:
            yield Unit(_SWEEP, (decision,))
        elif decision.action == Action.DRILL:
            yield Unit(_LANES[request.how], (decision,), {}, plan.cases[decision.target])
