"""Plans that were refused, and how a person lets one through. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker.errors import FieldError, RefusedError
from caretaker.report import plan_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.decisions import Decision, Refusal

PLAN_WAITS: Final = timedelta(days=7)
"""How long a refused plan can be approved."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan that was refused: why, its targets, and whether a person has let it through."""

    reason: str
    targets: frozenset[str]
    is_approved: bool = False


def approvable(refusal: Refusal, decisions: Iterable[Decision]) -> Refusal:
    """Say how a person lets the plan through."""
    way = FieldError("approve", "not given", f"{plan_id(decisions)}, to carry out just this plan")
    return replace(refusal, errors=(*refusal.errors, way))


def asked_plan(plans: Mapping[str, StoredPlan], plan_id: str | None) -> StoredPlan | None:
    """Return the plan that an event approves; `RefusedError` when there is none of this name."""
    if plan_id is None or plan_id in plans:
        return plans.get(plan_id or "")
    problem = FieldError(
        "approve",
        f"{plan_id} is no refused plan of this policy, or one of more than 7 days ago",
        "the plan_id of a refused answer",
    )
    raise RefusedError("plan_unknown", [problem])


def approved_targets(plans: Mapping[str, StoredPlan]) -> frozenset[str]:
    """Return the targets of all plans that were let through."""
    return frozenset().union(*(plan.targets for plan in plans.values() if plan.is_approved))
