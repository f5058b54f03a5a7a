"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker.aws.notes import Notes
from caretaker.aws.plans import PlanStore

from .facts import MAX_VIOLATIONS, Compliance, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.run import Run

    from .request import TaggingRequest

_ESCALATIONS: Final = "escalations"
_COMPLIANCE: Final = "compliance"
_KEPT: Final = timedelta(days=400)
_PART: Final = 25_000
"""Names of violations in one item, which DynamoDB limits to 400 KB."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run's policy and place; `StateError` when the table is out of reach."""

    run: Run[TaggingRequest]

    @property
    def plans(self) -> PlanStore:
        """Return the plans that were refused."""
        return PlanStore(self._notes)

    def approve(self, plan_id: str) -> None:
        """Remember that a person let a plan through: long enough for its stops."""
        self.plans.approve(plan_id, timedelta(days=self.run.request.stop_after_days + 7))

    def steps(self) -> dict[str, Step]:
        """Return how far the escalation of each instance has come."""
        return {
            item["sk"]: Step(item["told"], _time(item["marked_until"]), _time(item["stopped"]))
            for item in self._notes.list(_ESCALATIONS)
        }

    def remember_step(self, instance_id: str, step: Step) -> None:
        """Write how far it has come."""
        self._notes.put(
            _ESCALATIONS,
            instance_id,
            _KEPT,
            told=step.told,
            marked_until=_seconds(step.marked_until),
            stopped=_seconds(step.stopped),
        )

    def forget_step(self, instance_id: str) -> None:
        """Begin anew, should it ever be escalated again."""
        self._notes.forget(_ESCALATIONS, [instance_id])

    def last_seen(self) -> Compliance | None:
        """Return what the last run told people of; None before the first."""
        found = list(self._notes.list(_COMPLIANCE))
        if not found:
            return None
        names = (name for item in found for name in item["violations"].split())
        return Compliance(found[0]["tenths"] / 10, frozenset(names), found[0]["stage"])

    def remember(self, seen: Compliance, *, told: Iterable[str], opted_out: Iterable[str]) -> None:
        """Write what people have been told of now, and of which instances' escalation.

        That of one that was opted out would begin anew, with all its notice.
        """
        for instance_id in told:
            self.remember_step(instance_id, Step(self.run.slot))
        for instance_id in opted_out:
            self.forget_step(instance_id)
        self._remember_seen(seen)

    def _remember_seen(self, seen: Compliance) -> None:
        """Write the list in parts; those of an older one that is longer go."""
        names = sorted(seen.violations)[:MAX_VIOLATIONS]
        parts = [" ".join(part) for part in batched(names, _PART, strict=False)] or [""]
        for number, part in enumerate(parts):
            tenths = round(seen.percent * 10)
            self._notes.put(
                _COMPLIANCE,
                f"{number:02}",
                _KEPT,
                violations=part,
                tenths=tenths,
                stage=seen.stage,
            )
        last = MAX_VIOLATIONS // _PART
        self._notes.forget(_COMPLIANCE, [f"{n:02}" for n in range(len(parts), last)])

    @property
    def _notes(self) -> Notes:
        return Notes.of_policy("tagging", self.run)


def _seconds(time: datetime | None) -> int:
    return int(time.timestamp()) if time else 0


def _time(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
