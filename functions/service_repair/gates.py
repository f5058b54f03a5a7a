"""What must hold before something is restarted: who allowed it, and whether it could help. Pure."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

from .facts import Action, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.tags import Tags

    from .facts import Machine, Service, Task

_RESTART: Final = "restart"
_NONE: Final = "none"
_ON_SERVICES: Final = frozenset({_RESTART})
_ON_INSTANCES: Final = frozenset({"reboot", "stop-start", _RESTART})
_TOLD_FOR: Final = timedelta(hours=6)
"""How long an event speaks: ECS may leave out the same one for six hours.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html
"""
_STEADY: Final = "has reached a steady state"
_CANNOT_START: Final = ("unable to place a task", "unable to consistently start tasks")
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html"""


def why_not_allowed(tags: Tags, values: frozenset[str]) -> Reason | None:
    """Return why the users of a resource do not want it repaired."""
    if tag.is_ignored(tags):
        return Reason.IGNORED
    said = tags.get(tag.REMEDIATE)
    if said is None:
        return Reason.NOT_OPTED_IN
    if said == _NONE:
        return Reason.OPTED_OUT
    return None if said in values else Reason.REMEDIATE_UNREADABLE


def why_not_service(service: Service | None, now: datetime) -> Reason | None:
    """Return why a service is not restarted."""
    if service is None or service.status == "INACTIVE":
        return Reason.NOT_FOUND
    reason = why_not_allowed(service.tags, _ON_SERVICES) or _why_unfit(service)
    return reason or _why_unsteady(service, now)


def action_for(service: Service) -> Action:
    """Return the gentlest restart: one of several tasks, or else a deployment of the same."""
    several = len(service.tasks) > 1
    return Action.STOP_TASK if several and stoppable(service) else Action.DEPLOY


def stoppable(service: Service) -> list[Task]:
    """Return the tasks that carry the tags of an opt-in, the one that runs for longest first.

    They have them from their service, where that hands them on:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
    """
    allowed = (each for each in service.tasks if not why_not_allowed(each.tags, _ON_SERVICES))
    return sorted(allowed, key=lambda task: (task.started, task.arn))


def why_not_machine(
    machine: Machine | None, document: str, documents: frozenset[str]
) -> Reason | None:
    """Return why a document is not run on an instance."""
    if document not in documents:
        return Reason.DOCUMENT_NOT_ALLOWED
    if machine is None:
        return Reason.NOT_FOUND
    reason = why_not_allowed(machine.tags, _ON_INSTANCES)
    if reason:
        return reason
    if machine.state != "running":
        return Reason.NOT_RUNNING
    return None if machine.ping == "Online" else Reason.NOT_ONLINE


def _why_unfit(service: Service) -> Reason | None:
    """Return what about a service itself speaks against it.

    A forced deployment is a rolling one; CodeDeploy and others have calls of their own:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    if service.status != "ACTIVE":
        return Reason.NOT_ACTIVE
    if service.scheduling != "REPLICA":
        return Reason.DAEMON
    if service.controller != "ECS":
        return Reason.DEPLOYMENT_CONTROLLER
    return Reason.DESIRED_ZERO if service.desired == 0 else None


def _why_unsteady(service: Service, now: datetime) -> Reason | None:
    """Return what is under way in a service, or who sees it healthy."""
    deployments = service.deployments
    if len(deployments) > 1 or any(each.rollout == "IN_PROGRESS" for each in deployments):
        return Reason.DEPLOYMENT_UNDER_WAY
    if _cannot_start(service, now):
        return Reason.START_FAILURES
    if service.pending:
        return Reason.TASKS_STARTING
    if service.healthy_targets:
        return Reason.LOAD_BALANCER_SEES_HEALTHY
    return _why_no_deployment(service) if action_for(service) is Action.DEPLOY else None


def _cannot_start(service: Service, now: datetime) -> bool:
    """Tell whether what is started in its place would not start either."""
    if any(each.is_primary and each.failed_tasks for each in service.deployments):
        return True
    steady = max((h.at for h in service.happenings if _STEADY in h.message), default=None)
    return any(
        now - each.at < _TOLD_FOR and (steady is None or each.at > steady)
        for each in service.happenings
        if any(words in each.message for words in _CANNOT_START)
    )


def _why_no_deployment(service: Service) -> Reason | None:
    """Return why a forced deployment would come to nothing.

    It hangs where no task may be started beside the one that runs, nor that be stopped first:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    """
    if service.strategy != "ROLLING":
        return Reason.NOT_ROLLING
    running = len(service.tasks)
    most = service.desired * service.maximum_percent // 100
    least = math.ceil(service.desired * service.minimum_percent / 100)
    return None if most > running or least < running else Reason.NO_ROOM
