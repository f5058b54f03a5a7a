"""A service of ECS: what it is, its tasks, and what its load balancers see of it."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.ec2 import list_pages
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import ListingError
from caretaker.failures import Kind
from functions.service_repair.facts import Deployment, Happening, Service, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_ecs.type_defs import ServiceTypeDef

    from caretaker.repairs import EcsService
    from caretaker.run import Scene

_TASKS_AT_ONCE: Final = 100
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""
_RUNNING: Final = "RUNNING"
_HEALTHY: Final = "healthy"


def find_service(scene: Scene, asked: EcsService) -> Service | None:
    """Return a service with its tasks that run; None where there is no such service or cluster."""
    item = _find(scene, asked)
    if item is None:
        return None
    if item["status"] != "ACTIVE":
        return _service(item, [], 0)
    tasks = list_tasks(scene, asked)
    return _service(item, tasks, count_healthy(scene, _target_groups(item)))


def list_tasks(scene: Scene, asked: EcsService) -> list[Task]:
    """Return the tasks of a service that run and are meant to."""
    arns = list_pages(
        scene.pacer,
        scene.account.ecs.list_tasks,
        "ListTasks",
        "taskArns",
        size=_TASKS_AT_ONCE,
        size_key="maxResults",
        token_key="nextToken",  # noqa: S106 - the name of a page's token
        cluster=asked.cluster,
        serviceName=asked.service,
        desiredStatus=_RUNNING,
    )
    found: list[Task] = []
    for part in batched(arns, _TASKS_AT_ONCE, strict=False):
        found += _described(scene, asked, part)
    return found


def count_healthy(scene: Scene, groups: Iterable[str]) -> int:
    """Return how many targets of these target groups are healthy."""
    client, healthy = scene.account.load_balancers, 0
    for group in groups:
        action = "DescribeTargetHealth"
        try:
            answer = scene.pacer.call(
                action,
                lambda: client.describe_target_health(TargetGroupArn=group),  # noqa: B023
            )
        except AWS_ERRORS as error:
            raise ListingError(action, classify(error)) from error
        states = [each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]]
        healthy += states.count(_HEALTHY)
    return healthy


def _find(scene: Scene, asked: EcsService) -> ServiceTypeDef | None:
    client = scene.account.ecs
    try:
        answer = scene.pacer.call(
            "DescribeServices",
            lambda: client.describe_services(
                cluster=asked.cluster, services=[asked.service], include=["TAGS"]
            ),
        )
    except AWS_ERRORS as error:
        failure = classify(error)
        if failure.kind is Kind.GONE:
            return None
        raise ListingError("DescribeServices", failure) from error
    return next(iter(answer["services"]), None)


def _described(scene: Scene, asked: EcsService, arns: Sequence[str]) -> Iterator[Task]:
    client = scene.account.ecs
    try:
        answer = scene.pacer.call(
            "DescribeTasks",
            lambda: client.describe_tasks(
                cluster=asked.cluster, tasks=list(arns), include=["TAGS"]
            ),
        )
    except AWS_ERRORS as error:
        raise ListingError("DescribeTasks", classify(error)) from error
    for task in answer["tasks"]:
        runs = task.get("lastStatus") == _RUNNING and task.get("desiredStatus") == _RUNNING
        if runs and task.get("group") == f"service:{asked.service}":
            yield Task(task["taskArn"], task.get("startedAt") or task["createdAt"], _tags(task))


def _target_groups(item: ServiceTypeDef) -> list[str]:
    """Return the target groups of a service, the ones of its other colour included."""
    groups: dict[str, None] = {}
    for each in item.get("loadBalancers", []):
        other = each.get("advancedConfiguration", {}).get("alternateTargetGroupArn", "")
        groups |= dict.fromkeys(filter(None, (each.get("targetGroupArn", ""), other)))
    return list(groups)


def _service(item: Mapping[str, Any], tasks: Sequence[Task], healthy: int) -> Service:
    limits = item.get("deploymentConfiguration", {})
    return Service(
        status=item["status"],
        desired=item.get("desiredCount", 0),
        pending=item.get("pendingCount", 0),
        tags=_tags(item),
        scheduling=item.get("schedulingStrategy", "REPLICA"),
        controller=item.get("deploymentController", {}).get("type", "ECS"),
        strategy=limits.get("strategy", "ROLLING"),
        minimum_percent=limits.get("minimumHealthyPercent", 100),
        maximum_percent=limits.get("maximumPercent", 200),
        deployments=tuple(map(_deployment, item.get("deployments", []))),
        happenings=tuple(
            Happening(each["createdAt"], each.get("message", "")) for each in item.get("events", [])
        ),
        tasks=tuple(tasks),
        healthy_targets=healthy,
    )


def _tags(item: Mapping[str, Any]) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in item.get("tags", [])}


def _deployment(item: Mapping[str, Any]) -> Deployment:
    return Deployment(
        item.get("status") == "PRIMARY", item.get("rolloutState", ""), item.get("failedTasks", 0)
    )
