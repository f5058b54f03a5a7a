"""The strict cloud behind its server serves what stands behind web services."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.aws.test_strict_tagging_server import JsonWire
from tests.cloud import ACCOUNT, StrictCloud

TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "secretsmanager": "secretsmanager",
    "ssm": "AmazonSSM",
}


class ServicesWire(JsonWire):
    """Speaks to these services."""

    targets: Mapping[str, str] = TARGETS


@pytest.fixture
def wire(cloud: StrictCloud) -> ServicesWire:
    return ServicesWire(cloud)


def test_ecs_is_served(cloud: StrictCloud, wire: ServicesWire) -> None:
    group = wire.strict("account/target_group", args=["web", "unhealthy"])
    wire.strict("account/ecs_service", args=["web"], running=3, target_groups=[group])
    asked = {"cluster": "main", "services": ["web"]}
    (found,) = wire.json("ecs", "DescribeServices", **asked)["services"]
    assert (found["runningCount"], found["loadBalancers"][0]["targetGroupArn"]) == (3, group)
    task, *_ = wire.strict("account/ecs_tasks", args=["web"])
    wire.json("ecs", "StopTask", cluster="main", task=task)
    (found,) = wire.json("ecs", "DescribeServices", **asked)["services"]
    assert (found["runningCount"], found["pendingCount"]) == (2, 1)
    wire.strict("age", hours=1)
    (found,) = wire.json("ecs", "DescribeServices", **asked)["services"]
    assert found["runningCount"] == 3
    assert cloud.calls[0].params == asked
    assert cloud.calls[0].account == ACCOUNT


def test_run_command_is_served(wire: ServicesWire) -> None:
    machine = wire.strict("account/instance")["id"]
    wire.strict("account/agent", args=[machine])
    wire.strict("account/document", args=["restart"], needs=["Unit"])
    wire.strict("account/command_course", args=["*"], end="Failed")
    asked = {"DocumentName": "restart", "InstanceIds": [machine], "Parameters": {"Unit": ["a"]}}
    command = wire.json("ssm", "SendCommand", **asked)["Command"]["CommandId"]
    wire.strict("age", hours=1)
    listed = wire.json("ssm", "ListCommandInvocations", CommandId=command, InstanceId=machine)
    assert [each["Status"] for each in listed["CommandInvocations"]] == ["Failed"]
    assert wire.strict("account/commands")[0]["parameters"] == {"Unit": ["a"]}
    answer = wire.json("ssm", "SendCommand", **(asked | {"DocumentName": "none"}))
    assert answer["__type"] == "InvalidDocument"


def test_load_balancers_are_served(wire: ServicesWire) -> None:
    arn = wire.strict("account/load_balancer", args=["web"], tags={"caretaker:probe": "http/"})
    version = "2015-12-01"
    asked = {"ResourceArns.member.1": arn}
    assert "caretaker:probe" in wire.query("elasticloadbalancing", version, "DescribeTags", **asked)
    many = {f"ResourceArns.member.{number}": arn for number in range(1, 22)}
    refused = wire.query("elasticloadbalancing", version, "DescribeTags", **many)
    assert "ValidationError" in refused
    group = wire.strict("account/target_group", args=["web", "unhealthy"])
    asked = {"TargetGroupArn": group}
    told = wire.query("elasticloadbalancing", version, "DescribeTargetHealth", **asked)
    assert "<State>unhealthy</State>" in told


def test_secrets_are_served(wire: ServicesWire) -> None:
    arn = wire.strict("account/secret", args=["token", "one"])
    assert wire.json("secretsmanager", "GetSecretValue", SecretId=arn)["SecretString"] == "one"
    locked = wire.strict("account/secret", args=["locked", "two"], locked=True)
    refused = wire.json("secretsmanager", "GetSecretValue", SecretId=locked)
    assert refused["__type"] == "AccessDeniedException"
    kept = wire.strict("account/parameter", args=["/token", "three"])
    read = wire.json("ssm", "GetParameter", Name=kept, WithDecryption=True)
    assert read["Parameter"]["Value"] == "three"


@pytest.mark.parametrize("service", ["ecs", "ssm", "secretsmanager"])
def test_faults_strike_them(wire: ServicesWire, service: str) -> None:
    operation = {"ecs": "DescribeServices", "ssm": "GetParameter"}.get(service, "GetSecretValue")
    wire.strict("faults", kind="throttled", service=service, operation=operation)
    asked = {"services": ["a"], "Name": "a", "SecretId": "a"}
    assert wire.json(service, operation, **asked)["__type"] == "ThrottlingException"
