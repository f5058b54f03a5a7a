"""What people must know of a run, and its totals. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.incidents import Check, Severity
from caretaker.settings import Mode

from .facts import Action
from .plan import GOING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Json, Outcome

    from .plan import Plan
    from .request import RetentionRequest

KINDS: Final = frozenset({"retention_refused", "retention_stopped", "snapshot_unchangeable"})


def judge_run(
    plan: Plan, outcomes: Sequence[Outcome], request: RetentionRequest, mode: Mode, *, stopped: bool
) -> tuple[Check, ...]:
    """Return whether the plan was refused, whether the run was stopped, and what failed."""
    failed = [_failed(outcome) for outcome in outcomes if outcome.error is not None]
    return (_refused(plan, request, mode), _stopped(request, stopped=stopped), *failed)


def _refused(plan: Plan, request: RetentionRequest, mode: Mode) -> Check:
    refusal = plan.refusal
    errors = refusal.errors if refusal else ()
    return Check(
        kind="retention_refused",
        resource=request.policy,
        healthy=refusal is None,
        severity=Severity.CRITICAL if mode is Mode.ACT else Severity.WARNING,
        what=f"{len(plan.going)} snapshots not let go: {refusal.reason if refusal else ''}",
        evidence={"plan": plan.id, **{e["path"]: e["problem"] for e in errors}},
        done="nothing was marked or deleted",
        next=f"look at the report; an event with approve={plan.id} lets exactly this plan through",
        cause=refusal.reason if refusal else "",
    )


def _stopped(request: RetentionRequest, *, stopped: bool) -> Check:
    return Check(
        kind="retention_stopped",
        resource=request.policy,
        healthy=not stopped,
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


def summarise(
    plan: Plan, outcomes: Sequence[Outcome], recycle_bin_days: int | None
) -> dict[str, Json]:
    """Return the totals: what there is, what goes, and what that can save at most.

    Deleting one frees only the blocks that no other snapshot needs: its size is an upper bound.
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html
    """
    going = [o.decision for o in outcomes if o.decision.action in GOING]
    waiting = [o.decision for o in outcomes if o.decision.reason == "marked"]
    return {
        "good_snapshots": plan.case.good,
        "marks": sum(d.action == Action.MARK for d in going),
        "deletions": sum(d.action == Action.DELETE for d in going),
        "waiting": len(waiting),
        "gib_at_most": round(sum(_number(d.detail["gib"]) for d in [*going, *waiting]), 2),
        "saving_per_month_at_most": round(
            sum(_number(d.detail["saving_per_month"]) for d in [*going, *waiting]), 2
        ),
        "recycle_bin_days": recycle_bin_days,
    }


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
