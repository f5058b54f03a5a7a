"""The life of a service of ECS: its tasks start and stop in time, and deployments replace them.

Source: ECS developer guide, "Deploy Amazon ECS services by replacing tasks" (what minimum and
maximum percent allow), "Amazon ECS service event messages", "How the Amazon ECS deployment circuit
breaker detects failures"; API reference, "Deployment".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

PRIMARY = "PRIMARY"
IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"
_EVENTS = 100
_TOLD_EVERY = timedelta(hours=6)
_RETRY, _LONGEST_RETRY = timedelta(seconds=20), timedelta(minutes=15)
SHOWN_FOR = timedelta(hours=1)
"""How long a stopped task is described."""


@dataclass
class EcsTask:
    """A task: pending from `created`, running from `started` until it is stopped."""

    arn: str
    deployment: str
    created: datetime
    starts_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    started: datetime | None = None
    stopping: datetime | None = None
    stops_at: datetime | None = None
    stopped: datetime | None = None
    reason: str = ""
    code: str = ""

    @property
    def is_wanted(self) -> bool:
        """Tell whether it is meant to run."""
        return self.stopping is None and self.stopped is None

    @property
    def runs(self) -> bool:
        """Tell whether it runs and is meant to."""
        return self.is_wanted and self.started is not None

    @property
    def changes_at(self) -> datetime | None:
        """When something becomes of it by itself."""
        if self.stopped is not None:
            return None
        if self.stopping is not None:
            return self.stops_at
        return None if self.started is not None else self.starts_at


@dataclass
class EcsDeployment:
    """A deployment of a service."""

    id: str
    created: datetime
    updated: datetime
    status: str = PRIMARY
    rollout: str = IN_PROGRESS
    failed_tasks: int = 0


@dataclass
class EcsService:
    """A service; `start_fails` and `no_room` are what its tasks meet from now on."""

    arn: str
    name: str
    cluster: str
    desired: int
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "ACTIVE"
    scheduling: str = "REPLICA"
    controller: str = "ECS"
    strategy: str = "ROLLING"
    minimum_percent: int = 100
    maximum_percent: int = 200
    target_groups: tuple[str, ...] = ()
    propagates_tags: bool = True
    circuit_breaker: bool = False
    start_seconds: float = 30.0
    stop_seconds: float = 10.0
    start_fails: bool = False
    no_room: bool = False
    deployments: list[EcsDeployment] = field(default_factory=list)
    events: list[tuple[str, datetime, str]] = field(default_factory=list)
    tasks: list[EcsTask] = field(default_factory=list)
    _retry_at: datetime | None = None
    _wait: timedelta = _RETRY
    _is_steady: bool = True

    @property
    def primary(self) -> EcsDeployment:
        """The deployment that counts."""
        return self.deployments[0]

    def wanted(self, deployment: str = "") -> list[EcsTask]:
        """Return the tasks that are meant to run, of one deployment or all."""
        return [e for e in self.tasks if e.is_wanted and deployment in {"", e.deployment}]

    def deploy(self, now: datetime) -> EcsDeployment:
        """Begin a deployment; those before it go on until it has taken their place."""
        for each in self.deployments:
            each.status = "ACTIVE"
        made = EcsDeployment(f"ecs-svc/{uuid4().int % 10**19:019}", now, now)
        self.deployments.insert(0, made)
        self._schedule(now)
        return made

    def rescale(self, desired: int, now: datetime) -> None:
        """Have another number of tasks run."""
        self.desired = desired
        self._schedule(now)

    def stop(self, task: EcsTask, reason: str, code: str, now: datetime) -> None:
        """Stop a task; another one is started in its place."""
        if task.is_wanted:
            self._stop(task, reason, code, now)
            self._schedule(now)

    def settle(self, now: datetime) -> None:
        """Let happen what happens until now, in its order."""
        while self.status == "ACTIVE":
            times = [each.changes_at for each in self.tasks] + [self._retry_at]
            moment = min((each for each in times if each is not None), default=None)
            if moment is None or moment > now:
                break
            self._pass(moment)
        self.tasks = [e for e in self.tasks if e.stopped is None or now - e.stopped < SHOWN_FOR]

    def say(self, text: str, now: datetime) -> None:
        """Add an event; ECS leaves out one that it has told of not long ago."""
        message = f"(service {self.name}) {text}"
        told = (at for _, at, old in self.events if old == message)
        if any(now - at < _TOLD_EVERY for at in told) and "unable" in text:
            return
        self.events = [(str(uuid4()), now, message), *self.events][:_EVENTS]

    def age(self, shift: timedelta) -> None:
        """Move everything into the past."""
        self.created -= shift
        self._retry_at = self._retry_at and self._retry_at - shift
        self.events = [(one, at - shift, text) for one, at, text in self.events]
        for each in self.deployments:
            each.created, each.updated = each.created - shift, each.updated - shift
        for task in self.tasks:
            task.created, task.starts_at = task.created - shift, task.starts_at - shift
            task.started = task.started and task.started - shift
            task.stopping = task.stopping and task.stopping - shift
            task.stops_at = task.stops_at and task.stops_at - shift
            task.stopped = task.stopped and task.stopped - shift

    def _pass(self, moment: datetime) -> None:
        for task in [each for each in self.tasks if each.changes_at == moment]:
            if task.stopping is not None:
                task.stopped = moment
            elif self.start_fails:
                self._fail(task, moment)
            else:
                task.started, self._wait = moment, _RETRY
        if self._retry_at == moment:
            self._retry_at = None
        self._schedule(moment)

    def _fail(self, task: EcsTask, moment: datetime) -> None:
        task.stopping = task.stops_at = task.stopped = moment
        task.reason, task.code = "Essential container in task exited", "EssentialContainerExited"
        deployment = next((e for e in self.deployments if e.id == task.deployment), self.primary)
        deployment.failed_tasks += 1
        self._wait_for_room(moment)
        if deployment.failed_tasks < 3:
            return
        self.say("is unable to consistently start tasks successfully.", moment)
        if self.circuit_breaker and deployment.rollout == IN_PROGRESS:
            deployment.rollout, deployment.updated = FAILED, moment

    def _wait_for_room(self, moment: datetime) -> None:
        self._retry_at = moment + self._wait
        self._wait = min(self._wait * 2, _LONGEST_RETRY)

    def _schedule(self, moment: datetime) -> None:
        """Start and stop as far as the percentages allow."""
        new, every = self.wanted(self.primary.id), self.wanted()
        old = [each for each in every if each not in new]
        most = max(1, self.desired * self.maximum_percent // 100) if self.desired else 0
        least = math.ceil(self.desired * self.minimum_percent / 100)
        spare = sum(each.runs for each in every) - least
        for task in old[: max(0, spare)]:
            self._stop(task, "Scaling activity initiated by deployment", "ServiceScheduler", moment)
        room = most - len(self.wanted())
        self._start(min(self.desired - len(new), room), moment)
        for task in new[self.desired :]:
            self._stop(task, "Scaling activity", "ServiceScheduler", moment)
        self._look_whether_steady(moment)

    def _start(self, number: int, moment: datetime) -> None:
        if number <= 0 or self._retry_at is not None or self.primary.rollout == FAILED:
            return
        if self.no_room:
            self.say("was unable to place a task.", moment)
            self._wait_for_room(moment)
            return
        for _ in range(number):
            self.tasks.append(self.new_task(moment))
        self._is_steady = False
        self.say(f"has started {number} tasks.", moment)

    def new_task(self, moment: datetime) -> EcsTask:
        """Return a task of the primary deployment that is about to start."""
        place = self.arn.partition(":service/")[0]
        arn = f"{place}:task/{self.cluster}/{uuid4().hex}"
        tags = dict(self.tags) if self.propagates_tags else {}
        starts_at = moment + timedelta(seconds=self.start_seconds)
        return EcsTask(arn, self.primary.id, moment, starts_at, tags)

    def _stop(self, task: EcsTask, reason: str, code: str, moment: datetime) -> None:
        task.stopping, task.reason, task.code = moment, reason, code
        task.stops_at = moment + timedelta(seconds=self.stop_seconds)
        self._is_steady = False

    def _look_whether_steady(self, moment: datetime) -> None:
        running = sum(each.runs for each in self.wanted(self.primary.id))
        others = [e for e in self.tasks if e.stopped is None and e.deployment != self.primary.id]
        if running != self.desired or others or self._is_steady:
            return
        self._is_steady = True
        if self.primary.rollout == IN_PROGRESS:
            self.primary.rollout, self.primary.updated = COMPLETED, moment
            self.deployments = self.deployments[:1]
            self.say(f"(deployment {self.primary.id}) deployment completed.", moment)
        self.say("has reached a steady state.", moment)


@dataclass
class Ecs:
    """Services by account, region and cluster, then by name."""

    clusters: dict[tuple[str, str, str], dict[str, EcsService]] = field(default_factory=dict)

    def age(self, shift: timedelta) -> None:
        """Move all of it into the past."""
        for services in self.clusters.values():
            for each in services.values():
                each.age(shift)
