"""What people must know of a run, and its totals. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.incidents import Check
from caretaker.report import is_complete
from caretaker.settings import Mode
from caretaker.verdicts import Modes, breaker_check, refusal_check

from .facts import Action, Reason
from .plan import GOING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Json, Outcome

    from .plan import Plan
    from .request import RetentionRequest


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
    kind, policy = "retention_stopped", request.policy
    checks = (
        _refused(plan, request, modes),
        breaker_check(kind, policy, stopped=stopped, tried_all=all_tried),
    )
    return Verdict((*checks, *failed), frozenset({"snapshot_unchangeable"} if all_tried else ()))


def _refused(plan: Plan, request: RetentionRequest, modes: Modes) -> Check:
    cause = plan.refusal.reason if plan.refusal else ""
    what = f"{len(plan.going)} snapshots not let go: {_IN_WORDS.get(cause, '')}"
    kind, policy = "retention_refused", request.policy
    return refusal_check(kind, policy, plan.refusal, modes, plan_id=plan.id, what=what)


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
