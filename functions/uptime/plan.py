"""Decide how every target stands, and what is asked to be repaired: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Result

from .facts import Action, Reason
from .records import account
from .verdict import Case, is_cut_off, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from caretaker.decisions import Outcome

    from .facts import Facts
    from .probing import Probed
    from .records import Closed, Record
    from .request import UptimeRequest
    from .verdict import Verdict

_MANY: Final = 80
"""Percent of the targets that nothing comes back from, when the prober itself is suspected."""
_FEW: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """The verdicts on all targets, sorted by name; `closed` are the spans of time that are over."""

    verdicts: Sequence[Verdict]
    closed: Mapping[str, Sequence[Closed]]
    case: Case

    @property
    def decisions(self) -> list[Decision]:
        """Return the decisions, those about wrong targets included."""
        wrong = (
            Decision(
                each.name, Action.SKIP, Reason.WRONG, {"errors": [dict(e) for e in each.errors]}
            )
            for each in self.case.facts.wrong
        )
        return [*(verdict.decision for verdict in self.verdicts), *wrong]

    def after(self, outcomes: Iterable[Outcome]) -> Plan:
        """Return it as it is once it was tried: what was not asked for is not remembered so."""
        done = {o.decision.target for o in outcomes if o.result is Result.DONE}
        verdicts = [
            replace(each, record=each.unasked) if each.unasked and each.name not in done else each
            for each in self.verdicts
        ]
        return replace(self, verdicts=verdicts)


def plan_uptime(facts: Facts, request: UptimeRequest, *, slot: str, now: datetime) -> Plan:
    """Return the plan of a run: the time since the last one is accounted for first."""
    seconds, longest = int(now.timestamp()), request.longest_gap_minutes * 60
    records: dict[str, Record] = dict(facts.records)
    closed: dict[str, Sequence[Closed]] = {}
    for name in facts.targets:
        if name in facts.records:
            records[name], closed[name] = account(facts.records[name], seconds, longest)
    case = Case(facts.with_records(records), request, slot, now)
    verdicts = [judge(target, case) for _, target in sorted(facts.targets.items())]
    return Plan(verdicts, closed, case)


def is_suspect(probed: Iterable[Probed]) -> bool:
    """Tell whether so little comes back that the prober itself may be cut off."""
    cut_off = [is_cut_off(each) for each in probed]
    return sum(cut_off) >= _FEW and sum(cut_off) * 100 >= _MANY * len(cut_off)
