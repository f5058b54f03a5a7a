"""What people must know of a run. Pure."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Final

from caretaker.incidents import Check, Severity
from caretaker.report import Breakdown, Findings

from .facts import Reason
from .spans import State, total
from .telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .ended import Ended
    from .verdict import Verdict

JUDGED: Final = frozenset(
    {
        "target_down",
        "target_slow",
        "target_partial",
        "target_wrong",
        "certificate_expiring",
        "slo_missed",
    }
)
"""Kinds of which a run knows every resource there is."""


def findings_of(ended: Ended) -> Findings:
    """Return what the run came to, for the harness.

    A look by hand at what a stack that acts would do tells nobody: its next run does it.
    """
    regular = ended.modes.are_regular
    return Findings(
        ended.with_figures,
        list(_checks(ended)) if regular else [],
        JUDGED if regular else frozenset(),
        ended.gauges,
        may_continue=False,  # the next run is near
        summary=ended.summary,
        breakdowns=_breakdowns(ended),
    )


def _checks(ended: Ended) -> Iterator[Check]:
    outcomes = {outcome.decision.target: outcome for outcome in ended.outcomes}
    for verdict in ended.plan.verdicts:
        yield from Telling(ended, verdict, outcomes[verdict.name]).checks()
    yield from _wrong(ended)
    facts = ended.plan.case.facts
    yield Check(
        kind="prober_blind",
        resource="run",
        healthy=not facts.is_blind,
        severity=Severity.CRITICAL,
        what="nearly nothing answers, and the canary neither: the prober itself is cut off",
        done="no target is called down, and no repair is asked for",
        next="look at the function's network; resolved when it can see again",
    )


def _wrong(ended: Ended) -> Iterator[Check]:
    """Yield the targets that cannot be probed; whether they are well nobody knows."""
    for wrong in ended.plan.case.facts.wrong:
        yield Check(
            kind="target_wrong",
            resource=wrong.name,
            healthy=False,
            what=f"cannot be probed: {'; '.join(e['path'] for e in wrong.errors[:3])}",
            evidence={error["path"]: error["expected"] for error in wrong.errors[:5]},
            done="the other targets are probed",
            next="correct it",
            cause="wrong",
        )
    for verdict in ended.plan.verdicts:
        if verdict.target.auth and verdict.state in {State.MAINTENANCE, State.UNKNOWN}:
            yield Check(kind="target_wrong", resource=verdict.name, healthy=None)
        if verdict.decision.reason == Reason.SECRET_UNREADABLE:
            code = ended.plan.case.facts.unreadable[verdict.name]
            yield Check(
                kind="target_wrong",
                resource=verdict.name,
                healthy=False,
                what="cannot be probed: its secret cannot be read",
                evidence={"error": code},
                done="the other targets are probed",
                next="see that the secret exists and is among UptimeSecretArns",
                cause="secret",
            )


def _breakdowns(ended: Ended) -> list[Breakdown]:
    """Return the metrics by group, and by target where one opts in."""
    groups: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in ended.plan.verdicts:
        groups[verdict.target.group].append(verdict)
    alone = {v.name: [v] for v in ended.plan.verdicts if v.target.metrics}
    return [
        *_measured(ended, "Group", groups),
        *_measured(ended, "Target", alone),
        Breakdown("PhaseMs", "Phase", _phases(ended)),
    ]


def _phases(ended: Ended) -> dict[str, float]:
    """Return the median of each phase over the targets that answered as they should."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for verdict in ended.plan.verdicts:
        for tried in verdict.tries:
            if tried.failure is None:
                for phase, ms in tried.phases.items():
                    times[phase.value].append(ms)
    return {phase: round(median(each), 1) for phase, each in times.items()}


def _measured(
    ended: Ended, dimension: str, parts: Mapping[str, Sequence[Verdict]]
) -> Iterator[Breakdown]:
    shares = {
        name: total(ended.figures(each).sums["24h"] for each in part).share_up
        for name, part in parts.items()
    }
    times = {
        name: [v.record.median_ms for v in part if v.record.median_ms]
        for name, part in parts.items()
    }
    yield Breakdown(
        "UptimePercent", dimension, {n: s * 100 for n, s in shares.items() if s is not None}
    )
    yield Breakdown("LatencyMs", dimension, {n: median(each) for n, each in times.items() if each})
