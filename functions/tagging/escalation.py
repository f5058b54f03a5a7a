"""The next step against an instance that nobody tags: told, marked, judged again, stopped. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker import tags as tag
from caretaker.decisions import NOTHING, Detail

from .facts import Action, Reason
from .rules import INSTANCE

if TYPE_CHECKING:
    from .case import Case
    from .facts import Resource, Step

RUNNING: Final = "running"
STOPPING: Final = "stopping"
STOPPED: Final = "stopped"
STALE: Final = timedelta(days=14)
"""A mark that nobody acted on for so long has been forgotten: it is written anew."""


class Move(NamedTuple):
    """A step of the escalation; without a reason it is that of what is wrong."""

    action: Action
    reason: Reason | None = None
    detail: Detail = NOTHING


def may_escalate(resource: Resource, keys: frozenset[str], case: Case) -> bool:
    """Tell whether a resource may be stopped for these keys in the end.

    An instance of an Auto Scaling group would be replaced; one that lives on instance store, or a
    one-time spot instance, cannot be stopped.
    """
    if resource.type != INSTANCE or resource.links.group or not resource.is_stoppable:
        return False
    rules = case.rules[INSTANCE]
    return any(rules[key].escalate for key in keys)


def next_step(resource: Resource, case: Case) -> Move:
    """Return the next step against an instance; each takes a run of a later slot than the last."""
    step = case.facts.steps.get(resource.id)
    if resource.state != RUNNING:
        stopped = step is not None and step.stopped is not None
        return Move(Action.REPORT, Reason.STOPPED if stopped else None)
    if step is None or _was_started_since(resource, step):
        return Move(Action.TELL)
    if case.slot <= step.told or not case.request.stop_after_days:
        return Move(Action.REPORT, Reason.TOLD)
    return _marked(resource, step, case)


def _marked(resource: Resource, step: Step, case: Case) -> Move:
    """Return what follows on a mark; people may move it into the future, never into the past."""
    written = resource.tags.get(tag.STOP_AFTER)
    if written is None:
        return Move(Action.MARK)
    try:
        said = moment(written)
    except ValueError:
        return Move(Action.REPORT, Reason.MARK_UNREADABLE, {"stop_after": written})
    ours = step.marked_until or stop_after(case.now, case.request.stop_after_days)
    due = max(said, ours)
    if step.marked_until is None and said < ours:
        return Move(Action.MARK)
    if due > case.now:
        return Move(Action.REPORT, Reason.WAITING, {"stop_after": as_text(due)})
    if case.now - due > STALE:
        return Move(Action.MARK)
    return Move(Action.STOP, detail={"stop_after": as_text(due)})


def undone(resource: Resource, case: Case) -> Action | None:
    """Return how to undo what was done to an instance that has nothing to be stopped for."""
    step = case.facts.steps.get(resource.id)
    if step is None:
        return None
    stopped_by_us = step.stopped is not None and not _was_started_since(resource, step)
    if resource.state == STOPPED and stopped_by_us and tag.STOP_AFTER in resource.tags:
        return Action.START
    return None if resource.state == STOPPING and stopped_by_us else Action.UNMARK


def _was_started_since(resource: Resource, step: Step) -> bool:
    """Tell whether somebody started an instance that this chore had stopped."""
    if step.stopped is None or resource.launched is None:
        return False
    return resource.launched > step.stopped


def moment(text: str) -> datetime:
    """Read a time with its zone, as UTC; `ValueError` for anything else."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def as_text(time: datetime) -> str:
    """Return a time as it stands in a tag."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stop_after(now: datetime, days: int) -> datetime:
    """Return when an instance that is marked now is to be stopped, to the full second."""
    return (now + timedelta(days=days)).replace(microsecond=0) + timedelta(seconds=1)
