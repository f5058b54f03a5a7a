"""What people must know of a run, and its totals. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json, Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.report import Breakdown, is_complete
from caretaker.settings import Mode
from caretaker.verdicts import Modes, breaker_check, refusal_check

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
from .facts import Action, Compliance, Reason

if TYPE_CHECKING:
    from .plan import Plan
    from .request import TaggingRequest

NOTHING_SEEN: Final = Compliance(100, frozenset())
METRIC: Final = "TagCompliancePercent"
OTHERS: Final = "other"
_MAX_SHOWN: Final = 5
_STEPS: Final = frozenset({Action.TELL, Action.MARK, Action.STOP})
_STAGES: Final = frozenset(
    {Reason.TOLD, Reason.WAITING, Reason.STOPPED, Reason.MARK_UNREADABLE, Reason.NOT_APPROVED}
)


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
    def is_whole(self) -> bool:
        """Tell whether every resource was seen, by a run that people are told of."""
        return self.modes.are_regular and not (self.plan.case.facts.unlisted or self.request.birth)

    @property
    def tried_all(self) -> bool:
        """Tell whether nothing was left out."""
        return self.is_whole and self.modes.run is Mode.ACT and is_complete(self.outcomes)

    @cached_property
    def scores(self) -> Mapping[Dimension, Score]:
        """Return how many tags are right now."""
        return {ALL: Score(0, 0), **self.plan.tally.scores(self.outcomes)}

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
        return Compliance(self.scores[ALL].percent, frozenset(self.violations))

    @cached_property
    def new_violations(self) -> list[tuple[Decision, str]]:
        """Return those that people have not been told of."""
        last = self.plan.case.facts.last_seen or NOTHING_SEEN
        new = last.new_among(self.violations)
        return [each for name, each in self.violations.items() if name in new]


def judge_run(ended: Ended) -> tuple[list[Check], frozenset[str]]:
    """Return the checks of a run, and the kinds that it judged for every resource there is."""
    checks = [*_failed(ended), *_steps(ended)]
    if ended.request.birth:
        return checks, frozenset()
    policy, plan = ended.request.policy, ended.plan
    what = f"{len(plan.stopping)} instances not marked or stopped: too many at once"
    checks += [
        _violated(ended),
        *_unlisted(ended),
        refusal_check(
            "tagging_refused", policy, plan.refusal, ended.modes, plan_id=plan.id, what=what
        ),
        breaker_check(
            "tagging_stopped", policy, stopped=ended.is_stopped, tried_all=ended.tried_all
        ),
    ]
    whole = {"type_unlisted"} if ended.modes.are_regular else set()
    tried = {"resource_untaggable", "owner_unreachable", "instance_escalated"}
    return checks, frozenset(whole | (tried if ended.tried_all else set()))


def _violated(ended: Ended) -> Check:
    """People hear of it once, and again when there is more of it; not of the same list each day."""
    last, percent = ended.plan.case.facts.last_seen, ended.scores[ALL].percent
    new = ended.new_violations
    fell = last is not None and percent < last.percent
    right = not ended.violations
    told = ended.modes.are_regular and (ended.is_whole or not right)
    return Check(
        kind="tags_violated",
        resource=ended.request.policy,
        healthy=right if told else None,
        has_news=bool(new) or fell,
        severity=Severity.NOTICE,
        what=f"{len(ended.violations)} tags missing or wrong, {len(new)} new: {percent} % right",
        evidence={
            "before": f"{last.percent} % right" if last else "no run before",
            **{f"new {n}": _shown(*each) for n, each in enumerate(new[:_MAX_SHOWN], start=1)},
            "by key": ", ".join(_worst(ended, KEY)),
            "list": ended.list_at,
        },
        done="what could be derived was set; the list says so for each resource",
        next="told again when new ones appear or fewer are right",
    )


def _shown(decision: Decision, key: str) -> str:
    findings = decision.detail["findings"]
    finding = findings.get(key) if isinstance(findings, dict) else ""
    return f"{decision.target} {key} {finding}, owner {decision.detail['owner'] or 'unknown'}"


def _worst(ended: Ended, name: str) -> list[str]:
    scores = {each.value: score for each, score in ended.scores.items() if each.name == name}
    wrong = sorted((score.right - score.of, value) for value, score in scores.items())
    return [f"{value} {-number} wrong" for number, value in wrong[:_MAX_SHOWN] if number]


def _unlisted(ended: Ended) -> Iterator[Check]:
    unlisted = ended.plan.case.facts.unlisted
    for each in sorted({*ended.request.types, *unlisted}):
        failure = unlisted.get(each)
        yield Check(
            kind="type_unlisted",
            resource=each,
            healthy=failure is None,
            what=f"{each} could not be listed: {failure.code if failure else ''}",
            evidence={"error": failure.message, "request": failure.request_id} if failure else {},
            done="the other types were judged; of this one nothing was changed",
            next="the next scheduled run tries again",
            cause=failure.code if failure else "",
        )


def _failed(ended: Ended) -> Iterator[Check]:
    for outcome in ended.outcomes:
        if outcome.error is None or outcome.decision.reason == Reason.LISTING_FAILED:
            continue
        is_letter = outcome.decision.action == Action.TELL
        code = outcome.error["code"]
        yield Check(
            kind="owner_unreachable" if is_letter else "resource_untaggable",
            resource=str(outcome.detail["told_at"]) if is_letter else outcome.decision.target,
            healthy=False,
            what=f"{outcome.decision.action} failed: {code}",
            evidence={
                "error": outcome.error["message"],
                "request": outcome.error.get("request_id", ""),
            },
            done="nothing was changed; who was not told is not marked",
            next="the next scheduled run tries again",
            cause=code,
        )


def _steps(ended: Ended) -> Iterator[Check]:
    """Tell of each step against an instance; while it waits, the incident stays open."""
    if ended.modes.run is not Mode.ACT:
        return
    for outcome in ended.outcomes:
        decision = outcome.decision
        took_step = decision.action in _STEPS and outcome.result is Result.DONE
        if took_step or decision.reason in _STAGES:
            yield Check(
                kind="instance_escalated",
                resource=decision.target,
                healthy=False,
                has_news=took_step,
                severity=Severity.NOTICE,
                what=_what(outcome, ended.request),
                evidence={key: _shown(decision, key) for key in keys_in(decision, "findings")},
                done=_DONE.get(Action(decision.action), "nothing in this run"),
                next="its tags set right, or caretaker:ignore, end this",
            )


_DONE: Final = {
    Action.TELL: "its owner was told",
    Action.MARK: "caretaker:stop-after was written",
    Action.STOP: "it was stopped; it was not terminated",
}


def _what(outcome: Outcome, request: TaggingRequest) -> str:
    keys = ", ".join(keys_in(outcome.decision, "findings"))
    date = outcome.detail.get("stop_after") or outcome.decision.detail.get("stop_after")
    said = f"{keys} missing or wrong"
    if outcome.decision.action == Action.STOP:
        return f"{said}: stopped"
    if outcome.decision.action == Action.TELL and request.stop_after_days:
        return f"{said}: stopped {request.stop_after_days} day(s) after the next run"
    return f"{said}: to be stopped after {date}" if date else said


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
    return {each.value: score.percent for each, score in scores.items() if each.name == name}


def _of_owners(ended: Ended) -> dict[str, float]:
    """Return the named owners' numbers, and one for all others: each metric has its price."""
    named, others = {}, Score(0, 0)
    for each, score in ended.scores.items():
        if each.name == OWNER and each.value in ended.request.owners:
            named[each.value] = score.percent
        elif each.name == OWNER:
            others = Score(others.right + score.right, others.of + score.of)
    return {**named, OTHERS: others.percent} if ended.request.owners else {}
