"""Sentences of the alerts, by reason. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .facts import Action, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_HAND: Final = "repair it by hand: "
_AGAIN: Final = "asked for again as long as the target is down; "
NEXT: Final[Mapping[Reason, str]] = {
    Reason.COOLDOWN: _AGAIN + "begins when the last repair is long enough ago",
    Reason.DAILY_BUDGET: _BY_HAND + "its repairs of today are used up",
    Reason.AT_ONCE_BUDGET: _AGAIN + "begins when others are judged",
    Reason.NOT_FOUND: "correct the target's fix: there is no such service or instance",
    Reason.IGNORED: _BY_HAND + "caretaker:ignore is set",
    Reason.OPTED_OUT: _BY_HAND + "caretaker:remediate is none",
    Reason.NOT_OPTED_IN: _BY_HAND + "it has no tag caretaker:remediate",
    Reason.REMEDIATE_UNREADABLE: _BY_HAND
    + "caretaker:remediate has a value that does not allow it",
    Reason.NOT_ACTIVE: _BY_HAND + "the service is being deleted",
    Reason.DAEMON: _BY_HAND + "a daemon service is not restarted",
    Reason.DEPLOYMENT_CONTROLLER: _BY_HAND + "its deployments are not made by ECS",
    Reason.DESIRED_ZERO: "scale the service up: it is meant to have no task",
    Reason.DEPLOYMENT_UNDER_WAY: "look at the deployment under way: nothing is restarted in it",
    Reason.START_FAILURES: "look at the service's events: its tasks do not start",
    Reason.TASKS_STARTING: _AGAIN + "begins when no task is starting",
    Reason.LOAD_BALANCER_SEES_HEALTHY: "look at DNS, certificate and load balancer: "
    "the load balancer sees healthy targets",
    Reason.NOT_ROLLING: _BY_HAND + "its deployments are not rolling ones",
    Reason.NO_ROOM: _BY_HAND + "its limits leave a deployment no room to start or stop a task",
    Reason.DOCUMENT_NOT_ALLOWED: "name the document in the stack's UptimeDocuments",
    Reason.NOT_RUNNING: _BY_HAND + "the instance does not run",
    Reason.NOT_ONLINE: "look at the agent of Systems Manager: it does not answer",
}
_SAID: Final[Mapping[Reason, str]] = {
    Reason.COOLDOWN: "the last repair was too short a while ago",
    Reason.DAILY_BUDGET: "today's repairs are used up",
    Reason.AT_ONCE_BUDGET: "too many are under repair",
    Reason.LOAD_BALANCER_SEES_HEALTHY: "the load balancer sees healthy targets",
    Reason.START_FAILURES: "its tasks fail to start",
    Reason.DESIRED_ZERO: "it is scaled to no task",
    Reason.NOT_ONLINE: "the agent of Systems Manager does not answer",
}
_TO_DO: Final = {
    Action.STOP_TASK: "to stop one of its tasks",
    Action.DEPLOY: "to force a new deployment",
    Action.SEND_COMMAND: "to run a document",
}
_PAST: Final = {
    Action.STOP_TASK: "one task stopped, to be replaced",
    Action.DEPLOY: "new deployment forced",
    Action.SEND_COMMAND: "document sent",
}


def why_not(reason: Reason) -> str:
    """Return why nothing is done, in a few words."""
    return f"not repaired: {_SAID.get(reason) or reason.replace('_', ' ')}"


def to_do(action: str) -> str:
    """Return what a step would do."""
    return _TO_DO[Action(action)]


def past(action: str) -> str:
    """Return what a step has done."""
    return _PAST[Action(action)]
