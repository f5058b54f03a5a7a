"""What is written down after a run, and what the past came to. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .memory import History
from .shelves import Past
from .spans import DAY, HOUR, Sum, budget_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.decisions import Json

    from .plan import Plan
    from .records import Record
    from .spans import Budget
    from .verdict import Verdict

_FORGOTTEN_AFTER: Final = 30 * DAY
_DAYS: Final = {"24h": 1, "30d": 30, "90d": 90}
OBJECTIVE: Final = "30d"


@dataclass(frozen=True, slots=True)
class Figures:
    """How available a target was over the last 24 hours, 30 and 90 days.

    `unknown` are the seconds of the 30 days, since it was first seen, of which nothing is known.
    """

    sums: Mapping[str, Sum]
    budget: Budget | None
    unknown: int

    @property
    def uptime(self) -> dict[str, float | None]:
        """Return the percentages; a share that is not whole is never shown as 100."""
        return {name: _percent(each.share_up) for name, each in self.sums.items()}

    @property
    def detail(self) -> dict[str, Json]:
        """Return what a report says: percentages, and the seconds of 30 days that make them."""
        over = self.sums[OBJECTIVE]
        return {
            **self.uptime,
            "down_seconds": over.down,
            "maintenance_seconds": over.maintenance,
            "unknown_seconds": self.unknown,
        }


def _percent(share: float | None) -> float | None:
    if share is None:
        return None
    return 100.0 if share == 1 else min(round(share * 100, 3), 99.999)


def figures_of(record: Record, past: Past, slo: float | None, now: int) -> Figures:
    """Return the figures of a target: of whole hours and days that are over, and of those now."""
    _, hour, day = record.running
    sums = {"24h": past.hours.total(now - DAY + HOUR - now % HOUR) + hour}
    for name, days in _DAYS.items():
        if days > 1:
            sums[name] = past.days.total(now - days * DAY + DAY - now % DAY) + day
    over, days = sums[OBJECTIVE], _DAYS[OBJECTIVE]
    begun = now - days * DAY + DAY - now % DAY
    elapsed = now - max(record.first, begun) if record.first else 0
    unknown = max(0, elapsed - over.up - over.down - over.maintenance)
    return Figures(sums, None if slo is None else budget_of(over, slo, days), unknown)


def records_after(plan: Plan) -> dict[str, Record]:
    """Return all records to keep: those of targets that are not listed now for a month more."""
    case = plan.case
    oldest = case.seconds - _FORGOTTEN_AFTER
    kept = {name: each for name, each in case.facts.records.items() if each.seen > oldest}
    return kept | {verdict.name: verdict.record for verdict in plan.verdicts}


def past_after(plan: Plan) -> dict[str, Past]:
    """Return the past of all targets with the spans that are over now."""
    kept = records_after(plan)
    past = {name: each for name, each in plan.case.facts.past.items() if name in kept}
    for name, closed in plan.closed.items():
        past[name] = past.get(name, Past()).after(closed)
    return past


def history_of(plan: Plan) -> History:
    """Return what this run adds to the history."""
    raw = {verdict.name: _raw(verdict) for verdict in plan.verdicts}
    sums: defaultdict[tuple[int, int], dict[str, Any]] = defaultdict(dict)
    for name, closed in plan.closed.items():
        for each in closed:
            sums[each.length, each.begun][name] = each.sum.values
    return History(raw, dict(sums))


def _raw(verdict: Verdict) -> list[Any]:
    """Return one result as it is kept: state, milliseconds by phase, fault."""
    shown = verdict.shown
    phases = [round(ms) for ms in shown.phases.values()] if shown else []
    return [verdict.state.value, phases, verdict.failure.fault.value if verdict.failure else ""]
