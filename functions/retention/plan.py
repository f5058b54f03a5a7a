"""Decide what happens to every snapshot, and whether the run may happen at all: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.decisions import Decision, Json, Refusal
from caretaker.ec2 import Snapshot, SnapshotState
from caretaker.errors import FieldError
from caretaker.plans import approvable
from caretaker.report import plan_id

from .case import Case, open_case
from .facts import OUT_OF_SCOPE, Action, Facts, Population, Reason
from .gates import Stop, closed_gate, why_it_goes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .request import RetentionRequest

GRACE: Final = timedelta(hours=48)
"""Between the mark and the deletion, and between a snapshot's start and any mark that counts."""
GOING: Final = frozenset({Action.MARK, Action.DELETE})


@dataclass(frozen=True, slots=True)
class Plan:
    """One decision for every snapshot; `refusal` says why none of them may be carried out."""

    decisions: Sequence[Decision]
    case: Case
    refusal: Refusal | None

    @property
    def id(self) -> str:
        """Return the name by which the plan can be approved."""
        return plan_id(self.decisions)

    @property
    def going(self) -> list[str]:
        """Return the snapshots that are to go."""
        return [decision.target for decision in self.decisions if decision.action in GOING]

    def population(self, *, after_deleting: bool) -> Population:
        """Return what the next run is compared with: what is there, less what this one deletes."""
        deleted = len(_deletions(self.decisions)) if after_deleting else 0
        return Population(self.case.good - deleted, len(self.case.facts.volumes))


def plan_retention(facts: Facts, request: RetentionRequest, *, now: datetime) -> Plan:
    """Return the plan of a run, its decisions sorted by snapshot."""
    case = open_case(facts, request, now)
    judged = [judge(s, case) for s in sorted(facts.snapshots, key=lambda s: s.id)]
    decisions = [_as_approved(decision, facts) for decision in judged]
    refusal = _refusal(decisions, case)
    return Plan(decisions, case, approvable(refusal, decisions) if refusal else None)


def judge(snapshot: Snapshot, case: Case) -> Decision:
    """Return what is to happen to one snapshot."""
    stop = closed_gate(snapshot, case)
    if stop is None:
        return _send_away(snapshot, case)
    if stop.reason in OUT_OF_SCOPE:
        return _decision(snapshot, Action.SKIP, stop)
    return _decision(snapshot, Action.UNMARK if _is_marked(snapshot) else Action.KEEP, stop)


def _send_away(snapshot: Snapshot, case: Case) -> Decision:
    """Mark first; delete what was marked two days ago. What failed never was a backup."""
    reason, price = why_it_goes(snapshot, case), case.request.price_per_gib_month
    detail: dict[str, Json] = {"saving_per_month": round(snapshot.size_gib * price, 2)}
    if snapshot.state == SnapshotState.ERROR:
        return _decision(snapshot, Action.DELETE, Stop(reason, detail))
    due = marked_until(snapshot)
    if due is not None and is_back(snapshot, due, case):
        return _decision(snapshot, Action.MARK, Stop(reason, {**detail, "came_back": True}))
    if due is None:
        return _decision(snapshot, Action.MARK, Stop(reason, detail))
    detail["delete_after"] = snapshot.tags[tag.DELETE_AFTER]
    if due > case.now:
        detail["because"] = reason
        return _decision(snapshot, Action.KEEP, Stop(Reason.MARKED, detail))
    return _decision(snapshot, Action.DELETE, Stop(reason, detail))


def _decision(snapshot: Snapshot, action: Action, stop: Stop) -> Decision:
    shown: dict[str, Json] = {
        "volume": snapshot.volume_id,
        "started": snapshot.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "gib": snapshot.size_gib,
    }
    return Decision(snapshot.id, action, stop.reason, {**shown, **stop.detail})


def delete_after(now: datetime) -> str:
    """Return the value of the mark: two days from now, up to the next full second."""
    until = (now + GRACE + timedelta(microseconds=999_999)).astimezone(UTC)
    return until.strftime("%Y-%m-%dT%H:%M:%SZ")


def marked_until(snapshot: Snapshot) -> datetime | None:
    """Return when a marked snapshot may go; None without a mark that can be ours."""
    try:
        until = datetime.fromisoformat(snapshot.tags.get(tag.DELETE_AFTER, ""))
    except ValueError:
        return None
    if until.tzinfo is None or until < snapshot.started + GRACE:
        return None
    return until


def is_back(snapshot: Snapshot, due: datetime, case: Case) -> bool:
    """Tell whether a mark is older than a deletion that somebody has undone since."""
    deleted = case.deleted_at.get(snapshot.id)
    return deleted is not None and due - GRACE < deleted


def _is_marked(snapshot: Snapshot) -> bool:
    return tag.DELETE_AFTER in snapshot.tags


def _as_approved(decision: Decision, facts: Facts) -> Decision:
    """Keep what is not in the plan that the event approves."""
    if facts.plan is None or decision.action not in GOING:
        return decision
    if decision.target in facts.plan.targets:
        return decision
    return replace(decision, action=Action.KEEP, reason=Reason.NOT_APPROVED)


def _refusal(decisions: Sequence[Decision], case: Case) -> Refusal | None:
    """Return what speaks against the whole run; a person has answered what a plan was refused for.

    How many may go is not asked of an approved plan: it has none but its own snapshots.
    """
    plan, implausible = case.facts.plan, _implausible(case)
    if plan is None:
        return implausible or _too_many(decisions, case)
    return implausible if implausible and implausible.reason != plan.reason else None


def _implausible(case: Case) -> Refusal | None:
    """Refuse to judge by evidence that can hardly be whole."""
    seen, before = len(case.facts.volumes), case.facts.last_seen
    if before is None:
        return None
    if before.volumes and not seen:
        problem = FieldError("volumes", f"none seen, {before.volumes} the last time", "at least 1")
        return Refusal("no_volumes_seen", (problem,))
    if case.good * 2 < before.good:
        problem = FieldError(
            "snapshots",
            f"{case.good} good ones of this policy, {before.good} the last time",
            "at least half as many",
        )
        return Refusal("population_halved", (problem,))
    return None


def _too_many(decisions: Iterable[Decision], case: Case) -> Refusal | None:
    """Refuse to let more go than the event allows; what was approved is not counted again."""
    decisions = [d for d in decisions if d.target not in case.facts.approved]
    marks = sum(d.action == Action.MARK for d in decisions)
    deletions = len(_deletions(decisions))
    going = {"marks": marks, "deletions": deletions}
    return case.request.blast_radius.refusal(going, case.good)


def _deletions(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the deletions of good snapshots; a failed one was none."""
    return [d for d in decisions if d.action == Action.DELETE and d.reason != Reason.FAILED]
