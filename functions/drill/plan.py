"""Decide whose backups are drilled, and what is swept: pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json
from caretaker.slots import slot_of

from .cases import Case, cases_of
from .facts import Action, How, Reason
from .leftovers import sweep_decisions, under_way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .facts import Facts
    from .request import DrillRequest

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """One decision for every volume, and its case.

    Decisions are in the order in which they are carried out.
    """

    decisions: Sequence[Decision]
    cases: Mapping[str, Case]


def plan_drill(facts: Facts, request: DrillRequest, *, slot: str, now: datetime) -> Plan:
    """Return the plan of a run: the sample first, the least recently tried of it at its head."""
    begun = under_way(facts, request.policy) if request.how is How.VOLUME else {}
    cases = cases_of(facts, request, now, begun)
    cases.sort(key=lambda case: (_last_try(case, slot), case.disk.id))
    chosen = _Choice(request, slot).reasons(cases)
    drills = [_decision(case, chosen[case.disk.id], request) for case in cases]
    judged = {
        case.begun.id for case in cases if case.begun and chosen[case.disk.id] == Reason.UNDER_WAY
    }
    decisions = [*drills, *_not_found(facts, request), *sweep_decisions(facts, now, judged)]
    return Plan(decisions, {case.disk.id: case for case in cases})


def _last_try(case: Case, slot: str) -> datetime:
    """Return when a backup last had its turn.

    What is put off has had it: or else what can never be drilled would keep all others out. Only in
    a later round of the same run it is still at the head.
    """
    proof = case.proof
    if proof and proof.run_slot < slot <= slot_of(proof.tried):
        return _NEVER
    return case.tried or _NEVER


def _not_found(facts: Facts, request: DrillRequest) -> list[Decision]:
    """Tell of ids that are named and not there."""
    there = {disk.id for disk in facts.disks} | set(facts.instances)
    named = dict.fromkeys((*request.select.volumes, *request.select.instances))
    return [Decision(each, Action.SKIP, Reason.NOT_FOUND) for each in named if each not in there]


class _Choice:
    """Chooses the sample.

    A backup that failed is drilled in every run that can tell whether it, or a newer one, is well:
    on top of the sample, of which it would else keep the others out; as many as the sample holds.
    """

    def __init__(self, request: DrillRequest, slot: str) -> None:
        self._request = request
        self._slot = slot

    def reasons(self, cases: Sequence[Case]) -> dict[str, str]:
        """Return, for each volume, why it is drilled or not; the cases are in their order."""
        groups: defaultdict[str, list[Case]] = defaultdict(list)
        seen: set[str] = set()
        for case in cases:
            groups[self._reason(case, seen)].append(case)
        size = self._request.sample.of(sum(case.backup is not None for case in cases))
        taken = sum(case.proof.sampled for case in groups[Reason.SLOT_DRILLED] if case.proof)
        left = max(0, size - taken)
        for reason, most in ((Reason.SAMPLED, left), (Reason.FAILED_BEFORE, size)):
            groups[Reason.NOT_SAMPLED] += groups[reason][most:]
            del groups[reason][most:]
        return {case.disk.id: reason for reason, group in groups.items() for case in group}

    def _reason(self, case: Case, seen: set[str]) -> str:
        """A backup that two volumes continue is drilled once."""
        if case.backup is None:
            return case.reason
        if case.proof and case.proof.run_slot == self._slot:
            return Reason.SLOT_DRILLED
        if case.backup.id in seen:
            return Reason.NOT_SAMPLED
        seen.add(case.backup.id)
        if case.begun:
            return Reason.UNDER_WAY
        proof = case.proof
        again = proof and proof.problem and self._request.may_end(proof.problem, proof.how)
        return Reason.FAILED_BEFORE if again else Reason.SAMPLED


_DRILLED: Final = frozenset({Reason.SAMPLED, Reason.FAILED_BEFORE, Reason.UNDER_WAY})


def _decision(case: Case, reason: str, request: DrillRequest) -> Decision:
    backup = case.backup
    if backup is None or reason not in _DRILLED:
        return Decision(case.disk.id, Action.SKIP, reason)
    detail: dict[str, Json] = {
        "how": request.how.value,
        "snapshot_id": backup.id,
        "slot": backup.slot,
        "last_proven": case.proven.isoformat(timespec="seconds") if case.proven else None,
    }
    return Decision(case.disk.id, Action.DRILL, reason, detail, f"{request.how}/{backup.id}")
