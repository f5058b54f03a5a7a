"""The strict cloud's ECS looks at services and restarts them as AWS does."""

from __future__ import annotations

from collections import Counter
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, Bucket, ManualClock, StrictCloud
from tests.cloud.asking import ONCE, code_of

CLUSTER = "main"


@pytest.fixture
def ecs(cloud: StrictCloud) -> Any:
    return boto3.client("ecs", REGION, config=ONCE)


def look(ecs: Any, name: str = "web") -> dict[str, Any]:
    answer = ecs.describe_services(cluster=CLUSTER, services=[name], include=["TAGS"])
    return dict(answer["services"][0])


def rollouts(ecs: Any) -> list[tuple[str, str]]:
    return [(each["status"], each["rolloutState"]) for each in look(ecs)["deployments"]]


def restart(ecs: Any) -> None:
    ecs.update_service(cluster=CLUSTER, service="web", forceNewDeployment=True)


def messages(ecs: Any) -> str:
    return " ".join(each["message"] for each in look(ecs)["events"])


def test_a_service_is_steady_and_has_its_tags(account: Account, ecs: Any) -> None:
    arn = account.ecs_service(tags={"caretaker:remediate": "restart"}, target_groups=["arn:tg"])
    found = look(ecs)
    assert (found["serviceArn"], found["runningCount"], found["pendingCount"]) == (arn, 2, 0)
    assert found["tags"] == [{"key": "caretaker:remediate", "value": "restart"}]
    assert found["loadBalancers"][0]["targetGroupArn"] == "arn:tg"
    assert rollouts(ecs) == [("PRIMARY", "COMPLETED")]
    assert "has reached a steady state" in messages(ecs)
    bare = ecs.describe_services(cluster=CLUSTER, services=["web"])["services"][0]
    assert "tags" not in bare
    assert found["createdAt"] < account.cloud.clock.now()


def test_what_is_missing_is_told_beside_what_is_there(account: Account, ecs: Any) -> None:
    account.ecs_service()
    answer = ecs.describe_services(cluster=CLUSTER, services=["web", "gone"])
    assert [each["serviceName"] for each in answer["services"]] == ["web"]
    (failure,) = answer["failures"]
    assert failure["reason"] == "MISSING"
    assert failure["arn"].endswith("service/main/gone")
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=["0" * 32])
    assert [each["reason"] for each in tasks["failures"]] == ["MISSING"]


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("describe_services", {"cluster": "none", "services": ["a"]}, "ClusterNotFoundException"),
        ("describe_services", {"services": ["a"] * 11}, "InvalidParameterException"),
        ("describe_services", {"services": []}, "InvalidParameterException"),
        ("describe_tasks", {"tasks": ["a"] * 101}, "InvalidParameterException"),
        ("list_tasks", {"serviceName": "gone"}, "ServiceNotFoundException"),
        ("list_tasks", {"maxResults": 101}, "InvalidParameterException"),
        ("list_tasks", {"desiredStatus": "BUSY"}, "InvalidParameterException"),
        ("list_tasks", {"nextToken": "made-up"}, "InvalidParameterException"),
        ("stop_task", {"task": "0" * 32}, "InvalidParameterException"),
        ("update_service", {"service": "gone"}, "ServiceNotFoundException"),
    ],
)
def test_it_refuses_as_aws_does(
    account: Account, ecs: Any, operation: str, asked: dict[str, Any], code: str
) -> None:
    account.ecs_service()
    assert code_of(lambda: getattr(ecs, operation)(**{"cluster": CLUSTER, **asked})) == code


def test_tasks_come_in_pages(account: Account, ecs: Any) -> None:
    account.ecs_service(running=5)
    pages = list(ecs.get_paginator("list_tasks").paginate(cluster=CLUSTER, serviceName="web"))
    assert [len(each["taskArns"]) for each in pages] == [2, 2, 1]
    arns = [arn for page in pages for arn in page["taskArns"]]
    assert sorted(arns) == sorted(account.ecs_tasks("web"))
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns, include=["TAGS"])["tasks"]
    assert {(each["group"], each["lastStatus"]) for each in tasks} == {("service:web", "RUNNING")}


def test_a_stopped_task_ends_in_time_and_is_replaced(
    account: Account, ecs: Any, clock: ManualClock
) -> None:
    account.ecs_service(tags={"a": "b"})
    first, second = account.ecs_tasks("web")

    def one() -> tuple[str, str]:
        (task,) = ecs.describe_tasks(cluster=CLUSTER, tasks=[first])["tasks"]
        return task["desiredStatus"], task["lastStatus"]

    ecs.stop_task(cluster=CLUSTER, task=first, reason="tried")
    assert one() == ("STOPPED", "DEACTIVATING")
    assert (look(ecs)["runningCount"], look(ecs)["pendingCount"]) == (1, 1)
    clock.advance(15)
    assert one() == ("STOPPED", "STOPPED")
    clock.advance(30)
    assert (look(ecs)["runningCount"], look(ecs)["pendingCount"]) == (2, 0)
    assert set(account.ecs_tasks("web")) - {first, second}
    clock.advance(3600)
    assert ecs.describe_tasks(cluster=CLUSTER, tasks=[first])["failures"]


def test_a_forced_deployment_takes_its_time(account: Account, ecs: Any, clock: ManualClock) -> None:
    account.ecs_service(running=1)
    before = account.ecs_tasks("web")
    restart(ecs)
    assert rollouts(ecs) == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]
    assert [each["runningCount"] for each in look(ecs)["deployments"]] == [0, 1]
    clock.advance(35)
    assert len(rollouts(ecs)) == 2  # the old task is still being stopped
    clock.advance(15)
    assert rollouts(ecs) == [("PRIMARY", "COMPLETED")]
    assert not set(before) & set(account.ecs_tasks("web"))
    assert look(ecs)["runningCount"] == 1


def test_one_without_room_hangs(account: Account, ecs: Any, clock: ManualClock) -> None:
    account.ecs_service(running=1, minimum_percent=100, maximum_percent=100)
    restart(ecs)
    clock.advance(24 * 3600)
    assert rollouts(ecs)[0] == ("PRIMARY", "IN_PROGRESS")
    assert look(ecs)["runningCount"] == 1


def test_one_may_stop_first_where_the_minimum_allows_it(
    account: Account, ecs: Any, clock: ManualClock
) -> None:
    account.ecs_service(running=1, minimum_percent=0, maximum_percent=100)
    restart(ecs)
    assert look(ecs)["runningCount"] == 0
    clock.advance(60)
    assert rollouts(ecs) == [("PRIMARY", "COMPLETED")]


def test_tasks_that_do_not_start_are_told_of(
    account: Account, ecs: Any, clock: ManualClock
) -> None:
    account.ecs_service(running=1, circuit_breaker=True)
    account.change_ecs_service("web", start_fails=True)
    restart(ecs)
    clock.advance(600)
    assert rollouts(ecs)[0] == ("PRIMARY", "FAILED")
    assert look(ecs)["deployments"][0]["failedTasks"] >= 3
    assert "unable to consistently start tasks" in messages(ecs)
    assert look(ecs)["runningCount"] == 1  # the old one goes on


def test_without_a_circuit_breaker_it_is_tried_for_ever_less_and_less_often(
    account: Account, ecs: Any, clock: ManualClock
) -> None:
    account.ecs_service(running=1)
    account.change_ecs_service("web", start_fails=True)
    restart(ecs)
    clock.advance(24 * 3600)
    assert rollouts(ecs)[0] == ("PRIMARY", "IN_PROGRESS")
    assert 50 < look(ecs)["deployments"][0]["failedTasks"] < 150
    account.change_ecs_service("web", start_fails=False)
    clock.advance(3600)
    assert rollouts(ecs) == [("PRIMARY", "COMPLETED")]


def test_a_task_that_finds_no_place_is_told_of(
    account: Account, ecs: Any, clock: ManualClock
) -> None:
    account.ecs_service(running=2)
    account.change_ecs_service("web", no_room=True)
    ecs.stop_task(cluster=CLUSTER, task=account.ecs_tasks("web")[0])
    clock.advance(120)
    assert "unable to place a task" in messages(ecs)
    assert look(ecs)["runningCount"] == 1


def test_others_deploy_too_and_other_controllers_refuse(account: Account, ecs: Any) -> None:
    account.ecs_service()
    account.deploy_ecs_service("web")
    assert rollouts(ecs)[0] == ("PRIMARY", "IN_PROGRESS")
    account.ecs_service("blue", controller="CODE_DEPLOY")
    asked = {"cluster": CLUSTER, "service": "blue", "forceNewDeployment": True}
    assert code_of(lambda: ecs.update_service(**asked)) == "InvalidParameterException"
    assert "rolloutState" not in look(ecs, "blue")["deployments"][0]
    account.change_ecs_service("blue", status="DRAINING")
    assert code_of(lambda: ecs.update_service(**asked)) == "ServiceNotActiveException"


def test_faults_throttling_and_time_strike_it_as_any_other(
    account: Account, cloud: StrictCloud, ecs: Any
) -> None:
    account.ecs_service()
    cloud.faults.add("throttled", service="ecs", operation="DescribeServices")
    assert code_of(lambda: look(ecs)) == "ThrottlingException"
    cloud.faults.add("denied", service="ecs", operation="StopTask")
    stop = {"cluster": CLUSTER, "task": account.ecs_tasks("web")[0]}
    assert code_of(lambda: ecs.stop_task(**stop)) == "AccessDeniedException"
    cloud.faults.add("answer_lost", operation="UpdateService")
    with pytest.raises(Exception, match="Read timeout"):
        restart(ecs)
    assert rollouts(ecs)[0] == ("PRIMARY", "IN_PROGRESS")
    cloud.age(hours=1)
    assert rollouts(ecs) == [("PRIMARY", "COMPLETED")]
    counted = Counter(each.outcome for each in cloud.calls.of("DescribeServices"))
    assert counted == {"ThrottlingException": 1, "ok": 2}
    assert cloud.calls.of("UpdateService")[0].params["forceNewDeployment"] is True


def test_a_bucket_that_is_empty_throttles(account: Account, cloud: StrictCloud, ecs: Any) -> None:
    account.ecs_service()
    cloud.buckets["DescribeServices"] = Bucket(1, 1)
    look(ecs)
    assert code_of(lambda: look(ecs)) == "ThrottlingException"
