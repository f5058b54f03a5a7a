"""What people must know of a run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.report import Findings
from caretaker.settings import Mode
from caretaker.verdicts import breaker_check, refusal_check

from .compliance import ALL, KEY, finding_of, keys_in
from .ended import Ended, measure, summarise
from .facts import STEPS, Action, Reason
from .units import ALERTS

if TYPE_CHECKING:
    from .request import TaggingRequest

_MAX_SHOWN: Final = 5
_SET: Final = "what could be derived was set; the list says so for each resource"


def findings_of(ended: Ended, remember: Callable[[], None]) -> Findings:
    """Return what the run came to, for the harness."""
    checks, judged = judge_run(ended)
    gauges, breakdowns = measure(ended)
    return Findings(
        ended.outcomes,
        checks,
        judged,
        gauges,
        refusal=ended.plan.refusal,
        may_continue=not ended.is_stopped,
        summary=summarise(ended),
        breakdowns=breakdowns,
        remember=remember if ended.is_regular else None,
    )


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
    right = not ended.violations
    told = ended.is_regular and (ended.is_comparable or not right)
    return Check(
        kind="tags_violated",
        resource=ended.request.policy,
        healthy=right if told else None,
        stage=ended.stage,
        severity=Severity.NOTICE,
        what=f"{len(ended.violations)} tags missing or wrong, {len(new)} new: {percent} % right",
        evidence={
            "before": f"{last.percent} % right" if last else "no run before",
            **{f"new {n}": _shown(*each) for n, each in enumerate(new[:_MAX_SHOWN], start=1)},
            "by key": ", ".join(_worst(ended, KEY)),
            "list": ended.list_at,
        },
        done=_SET if ended.modes.run is Mode.ACT else "nothing was set: this chore only reports",
        next="told again when new ones appear or fewer are right",
    )


def _shown(decision: Decision, key: str) -> str:
    who = f"{decision.detail.get('name', '')} {decision.target}".strip()
    return f"{who} {finding_of(decision, key)}, owner {decision.detail['owner'] or 'unknown'}"


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
            resource=str(outcome.detail.get("told_at", ALERTS))
            if is_letter
            else outcome.decision.target,
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
    """Tell of each step against an instance; while it waits, the incident stays as it is."""
    if ended.modes.run is not Mode.ACT:
        return
    for outcome in ended.outcomes:
        stage = _stage(outcome)
        if stage or (outcome.decision.action in STEPS and outcome.result is not Result.DONE):
            yield _step(outcome, stage, ended.request)


def _stage(outcome: Outcome) -> str:
    """Return how far the escalation has come; empty where there is none, or it is not known."""
    decision = outcome.decision
    if decision.action in _STAGE_AFTER and outcome.result is Result.DONE:
        return _STAGE_AFTER[Action(decision.action)]
    return _STAGE_AT.get(Reason(decision.reason), "")


_STAGE_AFTER: Final = {Action.TELL: "told", Action.MARK: "marked", Action.STOP: "stopped"}
_STAGE_AT: Final = {
    Reason.TOLD: "told",
    Reason.WAITING: "marked",
    Reason.STOPPED: "stopped",
    Reason.MARK_UNREADABLE: "mark unreadable",
    Reason.NOT_APPROVED: "not approved",
    Reason.STOP_PROTECTED: "stop protected",
}


def _step(outcome: Outcome, stage: str, request: TaggingRequest) -> Check:
    decision = outcome.decision
    return Check(
        kind="instance_escalated",
        resource=decision.target,
        name=str(decision.detail.get("name", "")),
        healthy=False if stage else None,
        stage=stage,
        severity=Severity.NOTICE,
        what=_what(outcome, request),
        evidence={key: _shown(decision, key) for key in keys_in(decision, "findings")},
        done=_done(outcome, stage),
        next="its tags set right, or caretaker:ignore, end this",
    )


def _done(outcome: Outcome, stage: str) -> str:
    if outcome.detail.get("told_at") == ALERTS:
        return "nobody else was told: no topic of its owner is known"
    return _DONE.get(stage, "nothing in this run")


_DONE: Final = {
    "told": "its owner was told",
    "marked": "caretaker:stop-after was written",
    "stopped": "it was stopped; it was not terminated",
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
