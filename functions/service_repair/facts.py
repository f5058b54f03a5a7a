"""What a run judges by, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.failures import Failure
    from caretaker.tags import Tags

    from .attempt import Attempt


class Action(StrEnum):
    """What may happen to a resource."""

    STOP_TASK = "stop_task"
    DEPLOY = "deploy"
    SEND_COMMAND = "send_command"
    REPORT = "report"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    ASKED = "asked"

    REPAIR_UNDER_WAY = "repair_under_way"
    COOLDOWN = "cooldown"
    DAILY_BUDGET = "daily_budget"
    AT_ONCE_BUDGET = "at_once_budget"

    NOT_FOUND = "not_found"
    IGNORED = "ignored"
    OPTED_OUT = "opted_out"
    NOT_OPTED_IN = "not_opted_in"
    REMEDIATE_UNREADABLE = "remediate_unreadable"

    NOT_ACTIVE = "not_active"
    DAEMON = "daemon"
    DEPLOYMENT_CONTROLLER = "deployment_controller"
    DESIRED_ZERO = "desired_zero"
    DEPLOYMENT_UNDER_WAY = "deployment_under_way"
    START_FAILURES = "start_failures"
    TASKS_STARTING = "tasks_starting"
    LOAD_BALANCER_SEES_HEALTHY = "load_balancer_sees_healthy"
    NOT_ROLLING = "not_rolling"
    NO_ROOM = "no_room"

    DOCUMENT_NOT_ALLOWED = "document_not_allowed"
    NOT_RUNNING = "not_running"
    NOT_ONLINE = "not_online"

    LISTING_FAILED = "listing_failed"
    INCIDENT_NOT_OPEN = "incident_not_open"
    CHANGED_MEANWHILE = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Task:
    """A task that runs; one that does not carry its service's tags may not be stopped by itself."""

    arn: str
    started: datetime
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment; `rollout` is empty where ECS tells none."""

    is_primary: bool
    rollout: str = ""
    failed_tasks: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """One of the last events of a service, as ECS words it."""

    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service of ECS: words and counts are those of DescribeServices.

    `tasks` are those that run. `healthy_targets` counts what its load balancers see as healthy.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    """

    status: str
    desired: int
    pending: int = 0
    tags: Tags = field(default_factory=dict)
    scheduling: str = "REPLICA"
    controller: str = "ECS"
    strategy: str = "ROLLING"
    minimum_percent: int = 100
    maximum_percent: int = 200
    deployments: Sequence[Deployment] = ()
    happenings: Sequence[Happening] = ()
    tasks: Sequence[Task] = ()
    healthy_targets: int = 0


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance; `ping` is the word of SSM about its agent, empty where SSM knows none."""

    state: str
    tags: Tags
    ping: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What people were told of: a target, what is repaired for it, and the incident."""

    target: str
    resource: str
    incident: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read.

    `open_incidents` are those asked for and told of, with the times they opened. Of the resource
    asked for: what it is, its last repair, the state of its last command, and which documents the
    stack names; or else how reading it failed.
    """

    open_incidents: Mapping[str, datetime] = field(default_factory=dict)
    tellings: Sequence[Telling] = ()
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    service: Service | None = None
    machine: Machine | None = None
    command_state: str = ""
    documents: frozenset[str] = frozenset()
    unread: Failure | None = None
