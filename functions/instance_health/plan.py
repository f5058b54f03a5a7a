"""Decide what happens to every instance: pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caretaker.report import plan_id

from .beginning import begin
from .case import Case, Item, open_case
from .climbing import go_on
from .facts import Reason, Status
from .owed import finish, is_owed
from .sightings import observe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from caretaker.decisions import Decision

    from .facts import Facts, Machine
    from .ladder import Ladder
    from .request import InstanceHealthRequest
    from .sightings import Sighting
    from .verdict import Verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """The verdicts on every instance, sorted by it."""

    verdicts: Sequence[Verdict]
    case: Case

    @property
    def decisions(self) -> list[Decision]:
        """Return the decisions alone."""
        return [verdict.decision for verdict in self.verdicts]

    @property
    def id(self) -> str:
        """Return the name of exactly these changes."""
        return plan_id(self.decisions)

    @property
    def sightings(self) -> Mapping[str, Sighting]:
        """Return the trouble that is there now, by instance."""
        return {v.id: v.item.sighting for v in self.verdicts if v.item.sighting}

    @property
    def moved(self) -> Mapping[str, Ladder]:
        """Return the ladders that stand otherwise than before, without any step."""
        return {v.id: v.ladder for v in self.verdicts if v.ladder and v.ladder != v.item.ladder}


def plan_health(facts: Facts, request: InstanceHealthRequest, *, slot: str, now: datetime) -> Plan:
    """Return the plan of a run."""
    case = open_case(facts, request, slot=slot, now=now)
    verdicts = [judge(item, case) for item in _items(facts, slot=slot, now=now)]
    return Plan(_within_budgets(verdicts, case), case)


def judge(item: Item, case: Case) -> Verdict:
    """Return what happens to one instance: what is owed comes before all else."""
    ladder = item.ladder
    if ladder is None or not ladder.is_open:
        return begin(item, case)
    return finish(item, ladder, case) if is_owed(item, case) else go_on(item, ladder, case)


def still_stands(verdict: Verdict, machine: Machine | None, case: Case) -> Reason | None:
    """Return why a step is not taken against an instance that was read again; None if it is."""
    if machine is None:
        return Reason.GONE
    facts = replace(case.facts, machines={**case.facts.machines, machine.id: machine})
    status = replace(verdict.item.status, state=machine.state)
    again = judge(replace(verdict.item, status=status), replace(case, facts=facts))
    same = again.decision.action == verdict.decision.action
    return None if same else Reason.CHANGED_MEANWHILE


def _items(facts: Facts, *, slot: str, now: datetime) -> Iterator[Item]:
    """Yield every instance that is listed, was in trouble, or has a ladder at work, sorted."""
    listed = {status.id: status for status in facts.statuses}
    at_work = {each for each, ladder in facts.ladders.items() if ladder.is_open}
    for instance_id in sorted({*listed, *facts.sightings, *at_work}):
        status = listed.get(instance_id) or Status(instance_id, "", "")
        known = facts.sightings.get(instance_id)
        sighting = observe(status, known, slot=slot, now=now)
        yield Item(status, sighting, facts.ladders.get(instance_id))


def _within_budgets(verdicts: Sequence[Verdict], case: Case) -> list[Verdict]:
    """Hold back the ladders that are too many at once in their group: the oldest trouble first."""
    at_work: Counter[str] = Counter()
    for verdict in verdicts:
        if verdict.ladder and verdict.ladder.is_open:
            at_work[_group(verdict, case)] += 1
    held = set()
    for verdict in sorted((v for v in verdicts if v.is_new), key=_longest_first):
        group = _group(verdict, case)
        if at_work[group] >= case.group_limit(group):
            held.add(verdict.id)
        else:
            at_work[group] += 1
    return [
        v.held(Reason.GROUP_BUDGET, is_paged=not case.group_limit(_group(v, case)) or v.is_paged)
        if v.id in held
        else v
        for v in verdicts
    ]


def _group(verdict: Verdict, case: Case) -> str:
    return case.group_of(verdict.id, verdict.item.status.zone)


def _longest_first(verdict: Verdict) -> tuple[float, str]:
    """Sort by since when EC2 says that it is impaired, or else by when a poll first saw it."""
    status, sighting = verdict.item.status, verdict.item.sighting
    since = status.since or (sighting.since if sighting else None)
    return (since.timestamp() if since else float("inf")), verdict.id
