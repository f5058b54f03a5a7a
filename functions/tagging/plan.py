"""Decide what happens to every resource, and whether the run may happen at all: pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json, Refusal
from caretaker.plans import approvable
from caretaker.report import plan_id

from .case import Case, open_case
from .compliance import Tally
from .facts import STEPS, Action, Facts, Reason
from .rules import INSTANCE, Finding
from .verdict import judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from .request import TaggingRequest
    from .verdict import Lacking

STOPPING: Final = frozenset({Action.MARK, Action.STOP})
"""What the blast radius bounds, and what an approval lets through."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions about every resource; `refusal` says why none of them may be carried out."""

    decisions: Sequence[Decision]
    case: Case
    tally: Tally
    refusal: Refusal | None

    @property
    def id(self) -> str:
        """Return the name by which the plan can be approved."""
        return plan_id(self.decisions)

    @property
    def stopping(self) -> list[str]:
        """Return the instances that are to be marked or stopped."""
        return [decision.target for decision in self.decisions if decision.action in STOPPING]


def plan_tagging(facts: Facts, request: TaggingRequest, *, slot: str, now: datetime) -> Plan:
    """Return the plan of a run, its decisions sorted by resource."""
    case = open_case(facts, request, slot=slot, now=now)
    tally, groups = Tally(), _Groups()
    decisions: list[Decision] = []
    for resource in sorted(facts.resources, key=attrgetter("id")):
        if resource.type in case.rules:
            verdict = judge(resource, case)
            decisions += (_as_approved(decision, facts) for decision in verdict.decisions)
            groups.add(verdict.lacking)
            if verdict.findings is not None:
                rules = case.rules[resource.type]
                tally.count(verdict.subject, rules, verdict.findings, verdict.pending)
    decisions += groups.decisions()
    refusal = _too_many(decisions, case, tally)
    # Of 200,000 resources the steps need a few, and what follows the memory of the rest.
    case = case.only({d.target for d in decisions if d.action in STEPS})
    return Plan(decisions, case, tally, approvable(refusal, decisions) if refusal else None)


class _Groups:
    """What groups and launch templates lack, each told once for all their resources."""

    def __init__(self) -> None:
        self._lacking: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, lacking: Lacking) -> None:
        if lacking.keys:
            self._lacking[lacking.target].update(lacking.keys)

    def decisions(self) -> Iterator[Decision]:
        for target, counted in sorted(self._lacking.items()):
            findings: dict[str, Json] = dict.fromkeys(sorted(counted), Finding.MISSING.value)
            detail: dict[str, Json] = {
                "type": target.partition("/")[0],
                "owner": "",
                "findings": findings,
                "resources": max(counted.values()),
            }
            yield Decision(target, Action.REPORT, Reason.MISSING, detail)


def _as_approved(decision: Decision, facts: Facts) -> Decision:
    """Leave what is not in the plan that the event approves."""
    if facts.plan is None or decision.action not in STOPPING:
        return decision
    if decision.target in facts.plan.targets:
        return decision
    return replace(decision, action=Action.REPORT, reason=Reason.NOT_APPROVED)


def _too_many(decisions: Sequence[Decision], case: Case, tally: Tally) -> Refusal | None:
    """Refuse to escalate against more than the event allows; what was approved counts no more."""
    if case.facts.plan is not None:
        return None
    counted = Counter(d.action for d in decisions if d.target not in case.facts.approved)
    changes = {"marks": counted[Action.MARK], "stops": counted[Action.STOP]}
    return case.request.blast_radius.refusal(changes, tally.number_of(INSTANCE))
