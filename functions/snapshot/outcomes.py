"""Say how a unit ended: pure, from what AWS answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caretaker.apply import fail, settle
from caretaker.decisions import Decision, Json, Outcome, Result
from caretaker.ec2 import Snapshot, SnapshotState
from caretaker.failures import Failure, Kind

from .plan import Action, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .units import Unit


def created(unit: Unit, made: Mapping[str, str], *, adopted: bool = False) -> list[Outcome]:
    """Report what AWS confirmed, member by member."""
    extra: dict[str, Json] = {"adopted": True} if adopted else {}
    missing = Failure(Kind.UNKNOWN, "NotListed", "EC2 does not name a snapshot of this volume yet")
    outcomes: list[Outcome] = []
    for decision in unit.decisions:
        if decision.target not in made:
            outcomes += unknown([decision], missing)
            continue
        detail = {"snapshot_id": made[decision.target], "state": SnapshotState.PENDING.value}
        outcomes.append(Outcome(decision, Result.DONE, {**unit.notes, **extra, **detail}))
    return outcomes


def unknown(decisions: Iterable[Decision], failure: Failure) -> list[Outcome]:
    """Leave it to the next round, which reads the slot before it creates anything."""
    why = {"deferred_by": "outcome_unknown", "message": f"{failure.code}: {failure.message}"}
    return settle(decisions, Result.DEFERRED, **why)


def skipped(unit: Unit, reason: Reason) -> list[Outcome]:
    """Report what turned out, since it was decided, not to be ours to do."""
    skips = [replace(d, action=Action.SKIP, reason=reason) for d in unit.decisions]
    return settle(skips, Result.UNCHANGED)


def given_up(unit: Unit, snapshots: Mapping[str, Snapshot]) -> list[Outcome]:
    """Report a slot that ends without a good snapshot, and what EBS said of the last failure."""
    reasons = [snapshots[snapshot_id].message for snapshot_id in unit.clear]
    message = next(filter(None, reasons), "every attempt of this slot ended in error")
    failure = Failure(Kind.INVALID, "SnapshotFailed", message)
    return fail(unit.decisions, failure.as_error(), unit.notes)
