"""How a run ended, target by target. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .past import figures_of
from .shelves import Past
from .spans import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Json, Outcome
    from caretaker.verdicts import Modes

    from .past import Figures
    from .plan import Plan
    from .verdict import Verdict


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that decided, and how the repairs that it asked for were taken."""

    plan: Plan
    outcomes: Sequence[Outcome]
    past: dict[str, Past]
    modes: Modes

    def figures(self, verdict: Verdict) -> Figures:
        """Return how available a target was."""
        past = self.past.get(verdict.name, Past())
        return figures_of(verdict.record, past, verdict.target.slo, self.plan.case.seconds)

    @property
    def with_figures(self) -> list[Outcome]:
        """Return the outcomes with how available each target was."""
        figures = {each.name: self.figures(each).detail for each in self.plan.verdicts}
        return [
            outcome.with_detail(uptime=figures[outcome.decision.target])
            if outcome.decision.target in figures
            else outcome
            for outcome in self.outcomes
        ]

    @property
    def counts(self) -> Counter[str]:
        """Return how many targets are in each state."""
        return Counter(verdict.state.value for verdict in self.plan.verdicts)

    @property
    def gauges(self) -> dict[str, float]:
        """Return the chore's own metrics."""
        counts = self.counts
        return {
            "TargetsProbed": counts.total() - counts[State.UNKNOWN] - counts[State.MAINTENANCE],
            "TargetsDown": sum(verdict.record.is_down for verdict in self.plan.verdicts),
        }

    @property
    def summary(self) -> dict[str, Json]:
        """Return the totals."""
        facts, counts = self.plan.case.facts, self.counts
        return {
            "targets": len(facts.targets),
            **{state.value: counts[state.value] for state in State},
            "wrong": len(facts.wrong),
            "blind": facts.is_blind,
        }
