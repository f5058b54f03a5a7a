"""What people must know of a run. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.report import Findings

from .attempt import Ending
from .facts import Action, Reason
from .words import NEXT, past, to_do, why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from caretaker.verdicts import Modes

    from .facts import Telling
    from .plan import Plan
    from .request import Asked

TOLD: Final = "service_repair"
FAILED: Final = "service_repair_failed"
WHOLE: Final = frozenset({"event_refused", "run_failed", "work_left_over"})
"""Incidents of whole runs: this chore has no schedule, so every run that ends resolves them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that decided, and how its step ended."""

    plan: Plan
    outcomes: Sequence[Outcome]
    modes: Modes


def findings_of(ended: Ended, forget: Callable[[Sequence[Telling]], None]) -> Findings:
    """Return what the run came to, for the harness.

    A look by hand at what a stack that acts would do tells nobody.
    """
    if not ended.modes.are_regular:
        return Findings(ended.outcomes, may_continue=False)
    over = ended.plan.over
    return Findings(
        ended.outcomes,
        [*_of_asked(ended), *_of_over(ended.plan)],
        WHOLE,
        may_continue=False,  # who asked asks again
        remember=(lambda: forget(over)) if over else None,
    )


def _of_asked(ended: Ended) -> Iterator[Check]:
    """Tell why nothing is repaired, or what failed.

    A repair that was sent is part of the incident that asked for it: how it ended is told there, or
    here by the next ask.
    """
    asked = ended.plan.request.repair
    outcome = next(iter(ended.outcomes), None)
    if asked is None or outcome is None:
        return
    if outcome.result is Result.FAILED:
        yield _failed(asked, outcome)
    elif outcome.result is Result.DONE:
        yield Check(kind=FAILED, resource=asked.target, healthy=True, ending="repaired since")
    elif outcome.result is Result.PLANNED or (
        outcome.decision.action == Action.REPORT and outcome.decision.reason in NEXT
    ):
        yield _told(asked, outcome, ended)


def _told(asked: Asked, outcome: Outcome, ended: Ended) -> Check:
    decision, attempt = outcome.decision, ended.plan.attempt_of(asked.resource)
    reason, is_planned = Reason(decision.reason), outcome.result is Result.PLANNED
    history = attempt.history if attempt and attempt.incident == asked.incident else ()
    said = f"{to_do(decision.action)} in mode act" if is_planned else why_not(reason)
    return Check(
        kind=TOLD,
        resource=asked.target,
        healthy=False,
        severity=Severity.NOTICE,
        stage=f"planned {decision.action}" if is_planned else str(reason),
        what=f"{asked.resource}: {said}",
        evidence=_evidence(asked, outcome),
        done="; ".join(history) or "nothing",
        next="repair it by hand: this stack only reports" if is_planned else NEXT[reason],
        cause=str(reason),
    )


def _failed(asked: Asked, outcome: Outcome) -> Check:
    error = outcome.error or {}
    code = error.get("code", "")
    is_unknown = outcome.detail.get("call") == "unknown"
    tried = {Action.REPORT: "reading it"}.get(Action(outcome.decision.action), "")
    tried = tried or outcome.decision.action.replace("_", " ")
    return Check(
        kind=FAILED,
        resource=asked.target,
        healthy=False,
        severity=Severity.WARNING,
        stage=code,
        what=f"{asked.resource}: {tried} failed: {code}",
        evidence={**_evidence(asked, outcome), "message": error.get("message", "")},
        done="nobody knows whether it happened: counted as done" if is_unknown else "nothing more",
        next="asked for again as long as the target is down; see the message",
        cause=code,
    )


def _evidence(asked: Asked, outcome: Outcome) -> dict[str, str]:
    detail = {**outcome.decision.detail, **outcome.detail}
    running, desired = detail.get("running"), detail.get("desired")
    said = {
        "repair": asked.resource,
        "document": asked.ssm_document.name if asked.ssm_document else "",
        "tasks": f"{running} of {desired} run" if desired is not None else "",
        "task": str(detail.get("task", "")),
        "command": str(detail.get("command", "")),
        "command state": str(detail.get("command_state", "")),
        "healthy targets": str(detail.get("healthy_targets") or ""),
        "incident": asked.incident,
    }
    return {key: value for key, value in said.items() if value}


def _of_over(plan: Plan) -> Iterator[Check]:
    """Tell that what a repair was asked for is over, and what may have ended it."""
    for telling in plan.over:
        attempt = plan.attempt_of(telling.resource)
        helped = attempt and attempt.ending is Ending.FIXED and attempt.incident == telling.incident
        ending = past(attempt.action) if attempt and helped else "over by itself"
        for kind in (TOLD, FAILED):
            yield Check(kind=kind, resource=telling.target, healthy=True, ending=ending)
