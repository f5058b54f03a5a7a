"""A run that has ended: what came of it, and its totals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json, Outcome, Result
from caretaker.report import Breakdown, is_complete
from caretaker.settings import Mode
from caretaker.verdicts import Modes

from .compliance import (
    ALL,
    KEY,
    OWNER,
    TYPE,
    Dimension,
    Score,
    is_violation,
    keys_in,
    name_of,
    worst_by,
)
from .facts import Compliance, Reason
from .units import ALERTS

if TYPE_CHECKING:
    from .plan import Plan
    from .request import TaggingRequest

NOTHING_SEEN: Final = Compliance(100, frozenset())
METRIC: Final = "TagCompliancePercent"
OTHERS: Final = "other"


@dataclass(frozen=True)
class Ended:
    """A run whose decisions were carried out, or not; `list_at` is where its list stands."""

    plan: Plan
    outcomes: Sequence[Outcome]
    modes: Modes
    is_stopped: bool
    list_at: str

    @property
    def request(self) -> TaggingRequest:
        """Return what was asked."""
        return self.plan.case.request

    @property
    def is_regular(self) -> bool:
        """Tell whether people are told by this run what is wrong in all."""
        return self.modes.are_regular and not self.request.birth

    @property
    def is_whole(self) -> bool:
        """Tell whether such a run saw every resource."""
        return self.is_regular and not self.plan.case.facts.unlisted

    @property
    def tried_all(self) -> bool:
        """Tell whether nothing was left out."""
        return self.is_whole and self.modes.run is Mode.ACT and is_complete(self.outcomes)

    @cached_property
    def scores(self) -> Mapping[Dimension, Score]:
        """Return how many tags are right now."""
        types = {Dimension(TYPE, each): Score(0, 0) for each in self.request.types}
        return {ALL: Score(0, 0), **types, **self.plan.tally.scores(self.outcomes)}

    @cached_property
    def violations(self) -> Mapping[str, tuple[Decision, str]]:
        """Return the tags that are still wrong, each by its short name."""
        return {
            name_of(outcome.decision, key): (outcome.decision, key)
            for outcome in self.outcomes
            if is_violation(outcome)
            for key in keys_in(outcome.decision, "findings")
        }

    @property
    def seen(self) -> Compliance:
        """Return what the next run is compared with."""
        last, now = self.plan.case.facts.last_seen, frozenset(self.violations)
        if last is None or self.is_comparable:
            return Compliance(self.scores[ALL].percent, now, self.stage)
        return Compliance(last.percent, last.violations | now, self.stage)

    @cached_property
    def new_violations(self) -> list[tuple[Decision, str]]:
        """Return those that people have not been told of."""
        last = self.plan.case.facts.last_seen or NOTHING_SEEN
        new = last.new_among(self.violations)
        return [each for name, each in self.violations.items() if name in new]

    @property
    def told_by_alert(self) -> list[str]:
        """Return the instances whose owners hear of their escalation by the alert of the run."""
        return [
            outcome.decision.target
            for outcome in self.outcomes
            if outcome.result is Result.DONE and outcome.detail.get("told_at") == ALERTS
        ]

    @property
    def opted_out(self) -> list[str]:
        """Return the instances whose escalation ends as somebody opted them out."""
        steps = self.plan.case.facts.steps
        ignored = (o.decision.target for o in self.outcomes if o.decision.reason == Reason.IGNORED)
        return [each for each in ignored if each in steps]

    @property
    def is_comparable(self) -> bool:
        """Tell whether it saw all that there is, and left nothing to a next round."""
        return self.is_whole and is_complete(self.outcomes)

    @property
    def stage(self) -> str:
        """Return a name for the last time that it became worse: now, or before this run."""
        last, percent = self.plan.case.facts.last_seen or NOTHING_SEEN, self.scores[ALL].percent
        fell = self.is_comparable and percent < last.percent
        if not (self.new_violations or fell):
            return last.stage
        new = sorted(name_of(*each) for each in self.new_violations)
        text = f"{self.plan.case.slot} {percent} {new}"
        return blake2b(text.encode(), digest_size=6).hexdigest()


def summarise(ended: Ended) -> dict[str, Json]:
    """Return the totals: what was judged, what is wrong, and how many tags are right."""
    before = {ALL: Score(0, 0), **ended.plan.tally.scores()}
    return {
        "resources": ended.plan.tally.resources,
        "violations": len(ended.violations),
        "new_violations": len(ended.new_violations),
        "compliance": {"before": before[ALL].percent, "after": ended.scores[ALL].percent},
        "by_key": worst_by(ended.scores, KEY),
        "by_type": worst_by(ended.scores, TYPE),
        "by_owner": worst_by(ended.scores, OWNER),
        "list": ended.list_at or None,
    }


def measure(ended: Ended) -> tuple[dict[str, float], list[Breakdown]]:
    """Return the metric in all, by key and type, and by the owners that the event names."""
    if not ended.is_whole:
        return {}, []
    by_name = {name: _percents(ended.scores, name) for name in (KEY, TYPE)}
    by_name[OWNER] = _of_owners(ended)
    breakdowns = [Breakdown(METRIC, name, values) for name, values in by_name.items()]
    return {METRIC: ended.scores[ALL].percent}, breakdowns


def _percents(scores: Mapping[Dimension, Score], name: str) -> dict[str, float]:
    return {d.value: score.percent for d, score in scores.items() if d.name == name and score.of}


def _of_owners(ended: Ended) -> dict[str, float]:
    """Return the named owners' numbers, and one for all others: each metric has its price."""
    named, others = {}, Score(0, 0)
    for each, score in ended.scores.items():
        if each.name == OWNER and each.value in ended.request.owners:
            named[each.value] = score.percent
        elif each.name == OWNER:
            others = Score(others.right + score.right, others.of + score.of)
    return {**named, OTHERS: others.percent} if ended.request.owners else {}
