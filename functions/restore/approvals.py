"""Why an approval carries out nothing: of a plan that nobody has read, or of another event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.decisions import Refusal
from caretaker.errors import FieldError

from .telling import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .journal import Journal
    from .memory import Restore
    from .request import RestoreRequest


def unapproved(plan_id: str, request: RestoreRequest) -> Refusal | None:
    """Return why a plan may not be carried out as nobody has read it; None where one has."""
    if request.approve == plan_id:
        return None
    if request.approve is None:
        problem = FieldError("approve", "not given", f"{plan_id}, to carry out just this plan")
        return Refusal("plan_needed", (problem,))
    problem = FieldError(
        "approve",
        f"{request.approve} is another plan: what is there has changed, or the event has",
        f"{plan_id}, once it has been read",
    )
    return Refusal("plan_changed", (problem,))


def no_such_plan(request: RestoreRequest) -> Refusal:
    """Return why an approval alone carries out nothing: it names nothing that was started."""
    problem = FieldError(
        "select",
        f"left out, and {request.approve} was not started here",
        "with approve: what the plan was asked for, and all else that its event said",
    )
    return Refusal("plan_unknown", (problem,))


def not_in_report(request: RestoreRequest) -> Refusal:
    """Return why an approval carries out nothing in a stack that only reports."""
    problem = FieldError(
        "mode",
        f"this stack reports alone, and {request.approve} is not carried out",
        "a stack with RestoreMode=act, or no approve",
    )
    return Refusal("mode_not_allowed", (problem,))


def another_than(
    restore: Restore, journals: Sequence[Journal], request: RestoreRequest
) -> Refusal | None:
    """Return why an event is not the one whose plan was started; None where it may be that.

    Of tags nothing is known: what they select may have changed since.
    """
    if request.select.is_by_policy:
        return None
    ids = {*request.select.instances, *request.select.volumes}
    differs: dict[str, tuple[str, str]] = {}
    if ids and not ids & {*restore.targets, *restore.volumes}:
        differs["select"] = (
            some_of(sorted(ids)),
            some_of(restore.targets),
        )
    if request.policy != restore.policy:
        differs["policy"] = (request.policy, restore.policy)
    hows = {journal.how for journal in journals}
    if hows and request.how not in hows:
        differs["how"] = (request.how, min(hows))
    problems = tuple(
        FieldError(
            path,
            f"{asked}; {restore.plan}, which {_started(restore)}, is of another event",
            f"{begun}, or the plan_id of this event's own plan",
        )
        for path, (asked, begun) in differs.items()
    )
    return Refusal("plan_changed", problems) if problems else None


def _started(restore: Restore) -> str:
    return "is under way" if restore.is_open else "is over"
