"""ECS on the wire (JSON), as far as services are looked at and restarted.

Source: ECS API reference, "DescribeServices" (10 services), "ListTasks" and "DescribeTasks" (100),
"StopTask", "UpdateService", "API failure reasons".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tests.cloud.ecs_life import PRIMARY, EcsDeployment, EcsService, EcsTask
from tests.cloud.json_services import JsonService, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.cloud.calls import Params

View = dict[str, Any]

_MOST_SERVICES, _MOST_TASKS, _MOST_RESULTS, _MOST_REASON = 10, 100, 100, 1024
_PLAYED = frozenset({"cluster", "service", "forceNewDeployment", "desiredCount"})
_INVALID = "InvalidParameterException"


class StrictEcs(JsonService):
    """Answers for one account and region."""

    name = "ecs"
    invalid = _INVALID
    invalid_token = _INVALID

    def _describe_services(self, asked: Params) -> View:
        wanted = list(asked["services"])
        if not 1 <= len(wanted) <= _MOST_SERVICES:
            raise RefusedError(_INVALID, f"Services must have 1 to {_MOST_SERVICES} entries.")
        known = self._services(asked)
        found, failures = [], []
        for each in wanted:
            service = known.get(_name(each))
            if service is None:
                failures.append({"arn": self._arn("service", asked, each), "reason": "MISSING"})
            else:
                found.append(_service_view(service, with_tags="TAGS" in asked.get("include", ())))
        return {"services": found, "failures": failures}

    def _list_tasks(self, asked: Params) -> View:
        size = asked.get("maxResults", _MOST_RESULTS)
        if not 1 <= size <= _MOST_RESULTS:
            raise RefusedError(_INVALID, f"maxResults must be between 1 and {_MOST_RESULTS}.")
        services = self._services(asked)
        if "serviceName" in asked:
            services = {asked["serviceName"]: self._service(asked, asked["serviceName"])}
        runs = asked.get("desiredStatus", "RUNNING") != "STOPPED"
        tasks = (each for service in services.values() for each in service.tasks)
        arns = [each.arn for each in tasks if each.is_wanted == runs]
        page, token = self.page("ListTasks", arns, size, asked.get("nextToken"))
        return {"taskArns": page, **({"nextToken": token} if token else {})}

    def _describe_tasks(self, asked: Params) -> View:
        wanted = list(asked["tasks"])
        if not 1 <= len(wanted) <= _MOST_TASKS:
            raise RefusedError(_INVALID, f"Tasks must have 1 to {_MOST_TASKS} entries.")
        known = self._tasks(asked)
        views, failures = [], []
        for each in wanted:
            if _name(each) in known:
                views.append(
                    _task_view(*known[_name(each)], with_tags="TAGS" in asked.get("include", ()))
                )
            else:
                failures.append({"arn": self._arn("task", asked, each), "reason": "MISSING"})
        return {"tasks": views, "failures": failures}

    def _stop_task(self, asked: Params) -> View:
        if len(asked.get("reason", "")) > _MOST_REASON:
            raise RefusedError(_INVALID, "Reason is too long.")
        known = self._tasks(asked).get(_name(asked["task"]))
        if known is None:
            raise RefusedError(_INVALID, "The referenced task was not found.")
        service, task = known
        service.stop(task, asked.get("reason", "Task stopped by user"), "UserInitiated", self.now)
        return {"task": _task_view(service, task, with_tags=False)}

    def _update_service(self, asked: Params) -> View:
        service = self._service(asked, asked["service"])
        if service.status != "ACTIVE":
            raise RefusedError("ServiceNotActiveException", "Service was not ACTIVE.")
        beyond = set(asked) - _PLAYED
        if beyond:
            raise RefusedError(_INVALID, f"Not played here: {', '.join(sorted(beyond))}")
        if "desiredCount" in asked:
            service.rescale(asked["desiredCount"], self.now)
        if asked.get("forceNewDeployment"):
            if service.controller != "ECS":
                raise RefusedError(
                    _INVALID,
                    f"Cannot force a new deployment on services with a {service.controller} "
                    "deployment controller.",
                )
            service.deploy(self.now)
        return {"service": _service_view(service, with_tags=False)}

    def _services(self, asked: Params) -> dict[str, EcsService]:
        cluster = _name(asked.get("cluster", "default"))
        known = self.cloud.extras.ecs.clusters.get((*self.where, cluster))
        if known is None:
            raise RefusedError("ClusterNotFoundException", "Cluster not found.")
        for each in known.values():
            each.settle(self.now)
        return known

    def _service(self, asked: Params, name: str) -> EcsService:
        service = self._services(asked).get(_name(name))
        if service is None:
            raise RefusedError("ServiceNotFoundException", "Service not found.")
        return service

    def _tasks(self, asked: Params) -> dict[str, tuple[EcsService, EcsTask]]:
        services = self._services(asked).values()
        return {_name(task.arn): (each, task) for each in services for task in each.tasks}

    def _arn(self, kind: str, asked: Params, name: str) -> str:
        account, region = self.where
        cluster = _name(asked.get("cluster", "default"))
        return f"arn:aws:ecs:{region}:{account}:{kind}/{cluster}/{_name(name)}"

    operations: ClassVar[Mapping[str, Callable[..., View]]] = {
        "DescribeServices": _describe_services,
        "ListTasks": _list_tasks,
        "DescribeTasks": _describe_tasks,
        "StopTask": _stop_task,
        "UpdateService": _update_service,
    }


def _name(asked: str) -> str:
    """Return a short name for a name or an ARN."""
    return asked.rpartition("/")[2]


def _service_view(service: EcsService, *, with_tags: bool) -> View:
    tasks = service.wanted()
    view = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": f"{service.arn.partition(':service/')[0]}:cluster/{service.cluster}",
        "loadBalancers": [
            {"targetGroupArn": each, "containerName": "main", "containerPort": 80}
            for each in service.target_groups
        ],
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": sum(each.runs for each in tasks),
        "pendingCount": sum(not each.runs for each in tasks),
        "launchType": "FARGATE",
        "taskDefinition": _definition(service),
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": service.circuit_breaker, "rollback": False},
            "maximumPercent": service.maximum_percent,
            "minimumHealthyPercent": service.minimum_percent,
            "strategy": service.strategy,
        },
        "deployments": [_deployment_view(service, each) for each in service.deployments],
        "events": [
            {"id": one, "createdAt": at, "message": text} for one, at, text in service.events
        ],
        "createdAt": service.created,
        "schedulingStrategy": service.scheduling,
        "deploymentController": {"type": service.controller},
        "propagateTags": "SERVICE" if service.propagates_tags else "NONE",
    }
    return view | ({"tags": _tags(service.tags)} if with_tags else {})


def _deployment_view(service: EcsService, deployment: EcsDeployment) -> View:
    tasks = service.wanted(deployment.id)
    view = {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": _definition(service),
        "desiredCount": service.desired if deployment.status == PRIMARY else 0,
        "pendingCount": sum(not each.runs for each in tasks),
        "runningCount": sum(each.runs for each in tasks),
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created,
        "updatedAt": deployment.updated,
        "launchType": "FARGATE",
    }
    if service.controller == "ECS":  # others have no rolloutState
        view["rolloutState"] = deployment.rollout
    return view


def _task_view(service: EcsService, task: EcsTask, *, with_tags: bool) -> View:
    view = {
        "taskArn": task.arn,
        "clusterArn": f"{service.arn.partition(':service/')[0]}:cluster/{service.cluster}",
        "group": f"service:{service.name}",
        "startedBy": task.deployment,
        "lastStatus": _last_status(task),
        "desiredStatus": "RUNNING" if task.is_wanted else "STOPPED",
        "createdAt": task.created,
        "startedAt": task.started,
        "stoppingAt": task.stopping,
        "stoppedAt": task.stopped,
        "stoppedReason": task.reason or None,
        "stopCode": task.code or None,
        "taskDefinitionArn": _definition(service),
        "tags": _tags(task.tags) if with_tags else None,
    }
    return {key: value for key, value in view.items() if value is not None}


def _last_status(task: EcsTask) -> str:
    if task.stopped is not None:
        return "STOPPED"
    if task.stopping is not None:
        return "DEACTIVATING" if task.started else "STOPPING"
    return "RUNNING" if task.started else "PENDING"


def _definition(service: EcsService) -> str:
    return f"{service.arn.partition(':service/')[0]}:task-definition/{service.name}:1"


def _tags(tags: Mapping[str, str]) -> Iterable[View]:
    return [{"key": key, "value": value} for key, value in tags.items()]
