"""What people must know of a run, and its totals. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.incidents import Check, Severity
from caretaker.report import is_complete
from caretaker.settings import Mode

from .facts import Action, Reason
from .plan import GOING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Json, Outcome

    from .plan import Plan
    from .request import RetentionRequest


class Modes(NamedTuple):
    """The mode of the run, and that of the stack, in which scheduled runs work."""

    run: Mode
    stack: Mode


class Verdict(NamedTuple):
    """The checks of a run, and the kinds that it judged for every snapshot there is."""

    checks: tuple[Check, ...]
    judged: frozenset[str]


_IN_WORDS: Final = {
    "blast_radius": "too many at once",
    "population_halved": "half of the backups are missing",
    "no_volumes_seen": "no volume was seen",
}


def judge_run(
    plan: Plan,
    outcomes: Sequence[Outcome],
    request: RetentionRequest,
    modes: Modes,
    *,
    stopped: bool,
) -> Verdict:
    """Judge whether the plan was refused, the run was stopped, or a change failed.

    Only a run that tried every change knows that none of them fails any more, and only one in the
    stack's own mode that the next scheduled one will not be refused.
    """
    failed = [_failed(outcome) for outcome in outcomes if outcome.error is not None]
    all_tried = modes.run is Mode.ACT and is_complete(outcomes)
    checks = (_refused(plan, request, modes), _stopped(request, stopped=stopped, tried=all_tried))
    return Verdict((*checks, *failed), frozenset({"snapshot_unchangeable"} if all_tried else ()))


def _refused(plan: Plan, request: RetentionRequest, modes: Modes) -> Check:
    refusal = plan.refusal
    cause, errors = (refusal.reason, refusal.errors) if refusal else ("", ())
    passed = True if modes.run is modes.stack else None
    return Check(
        kind="retention_refused",
        resource=request.policy,
        healthy=False if refusal else passed,
        severity=Severity.CRITICAL if modes.run is Mode.ACT else Severity.NOTICE,
        what=f"{len(plan.going)} snapshots not let go: {_IN_WORDS[cause] if cause else ''}",
        evidence={
            "plan": plan.id,
            "why": "; ".join(f"{e['problem']}, {e['expected']}" for e in errors[:-1]),
        },
        done="nothing was marked or deleted",
        next=f'look at the report; the same event with "approve": "{plan.id}" lets just these go',
        cause=cause,
    )


def _stopped(request: RetentionRequest, *, stopped: bool, tried: bool) -> Check:
    return Check(
        kind="retention_stopped",
        resource=request.policy,
        healthy=False if stopped else (True if tried else None),
        what="too many changes failed, the rest was not tried",
        done="what had been changed before stands in the report",
        next="the next scheduled run tries again",
    )


def _failed(outcome: Outcome) -> Check:
    error = outcome.error or {}
    return Check(
        kind="snapshot_unchangeable",
        resource=outcome.decision.target,
        healthy=False,
        what=f"{outcome.decision.action} failed: {error.get('code', '')}",
        evidence={"error": error.get("message", ""), "request": error.get("request_id", "")},
        done="the snapshot is as it was",
        next="the next scheduled run tries again",
        cause=error.get("code", ""),
    )


def summarise(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Json]:
    """Return the totals: what there is, what goes, and what that can save at most.

    Deleting one frees only the blocks that no other snapshot needs: its size is an upper bound.
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html
    """
    going = [o.decision for o in outcomes if o.decision.action in GOING]
    waiting = [o.decision for o in outcomes if o.decision.reason == Reason.MARKED]
    gib = sum(_number(decision.detail["gib"]) for decision in [*going, *waiting])
    return {
        "good_snapshots": plan.case.good,
        "marks": sum(d.action == Action.MARK for d in going),
        "deletions": sum(d.action == Action.DELETE for d in going),
        "waiting": len(waiting),
        "gib_at_most": round(gib, 2),
        "saving_per_month_at_most": round(gib * plan.case.request.price_per_gib_month, 2),
        "recycle_bin_days": plan.case.facts.recycle_bin_days,
    }


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
