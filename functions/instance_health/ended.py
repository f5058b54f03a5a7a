"""How a run ended, instance by instance. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caretaker.decisions import Result
from caretaker.report import is_complete
from caretaker.settings import Mode

from .facts import RUNNING, Action, Reason
from .outcomes import unlisted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caretaker.decisions import Decision, Json, Outcome
    from caretaker.verdicts import Modes

    from .case import Case
    from .ladder import Ladder
    from .plan import Plan
    from .request import InstanceHealthRequest
    from .verdict import Verdict


@dataclass(frozen=True, slots=True)
class Told:
    """An instance that something may have to be said of; `ladder` is as it stands after the run."""

    verdict: Verdict
    outcome: Outcome
    ladder: Ladder | None
    case: Case
    region: str
    mode: Mode

    @property
    def decision(self) -> Decision:
        """Return the decision, as it ended."""
        return self.outcome.decision

    @property
    def reason(self) -> str:
        """Return why it was decided so."""
        return self.decision.reason

    @property
    def is_planned(self) -> bool:
        """Tell whether a step was due that this run must not take."""
        return self.outcome.result is Result.PLANNED

    @property
    def has_failed(self) -> bool:
        """Tell whether a step was refused."""
        return self.outcome.result is Result.FAILED or self.reason == Reason.STOP_PROTECTED

    @property
    def is_owed(self) -> bool:
        """Tell whether we stopped it, or began to, and it is not seen running again."""
        return self.decision.action == Action.START or (
            self.ladder is not None and self.ladder.is_owed
        )

    @property
    def is_left_stopped(self) -> bool:
        """Tell whether it is stopped by us and will not run without people."""
        return self.is_owed and self.needs_people and self.verdict.item.status.state != RUNNING

    @property
    def needs_people(self) -> bool:
        """Tell whether nobody else is going to put it right.

        After a step that was refused the next one follows; a start has none after it.
        """
        not_started = self.has_failed and self.decision.action == Action.START
        return self.verdict.is_paged or self.is_planned or not_started


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that decided, and how its steps ended."""

    plan: Plan
    outcomes: Sequence[Outcome]
    ladders: Mapping[str, Ladder]
    modes: Modes
    region: str
    is_stopped: bool
    unlisted: str = ""

    def cut_short(self, error: Exception) -> Ended:
        """Return the same where nothing more than what was owed could be read."""
        said = str(error)
        outcomes = [*self.outcomes, unlisted(type(error).__name__, said)]
        return replace(self, outcomes=outcomes, unlisted=said)

    @property
    def has_tried(self) -> bool:
        """Tell whether there was a step to take; how that ended has to be told."""
        return any(outcome.decision.is_change for outcome in self.outcomes)

    @property
    def request(self) -> InstanceHealthRequest:
        """Return what was asked."""
        return self.plan.case.request

    @property
    def is_regular(self) -> bool:
        """Tell whether the next scheduled run works like this one."""
        return self.modes.are_regular

    @property
    def tried_all(self) -> bool:
        """Tell whether every step was tried that there was."""
        return self.modes.run is Mode.ACT and is_complete(self.outcomes)

    @property
    def told(self) -> list[Told]:
        """Return the instances that are, or were, in trouble or under repair."""
        outcomes = {outcome.decision.target: outcome for outcome in self.outcomes}
        case, mode = self.plan.case, self.modes.run
        return [
            Told(v, outcomes[v.id], self.ladders.get(v.id, v.ladder), case, self.region, mode)
            for v in self.plan.verdicts
            if v.is_remarkable or v.id in case.facts.sightings or v.id in case.facts.machines
        ]

    @property
    def gauges(self) -> dict[str, float]:
        """Return the chore's own metrics; one that saw a part alone has none."""
        if not self.plan.case.facts.is_whole:
            return {}
        counts = self._counts()
        return {
            "InstancesWatched": counts["watched"],
            "InstancesImpaired": counts["impaired"],
            "RepairsUnderWay": counts["under_repair"],
        }

    @property
    def summary(self) -> dict[str, Json]:
        """Return the totals."""
        return {**self._counts(), "breaker": [*sorted(self.plan.case.closed)]}

    def _counts(self) -> Counter[str]:
        counted: Counter[str] = Counter(watched=len(self.plan.verdicts), impaired=0, under_repair=0)
        for verdict in self.plan.verdicts:
            ladder = self.ladders.get(verdict.id, verdict.ladder)
            counted["impaired"] += verdict.item.status.cause is not None
            counted["under_repair"] += ladder is not None and ladder.is_open
        return counted
