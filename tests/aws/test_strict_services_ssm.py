"""The strict cloud's Run Command, Parameter Store and Secrets Manager answer as AWS does."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.cloud import ACCOUNT, REGION, Account, ManualClock, StrictCloud
from tests.cloud.asking import ONCE, code_of

UNCHECKED = ONCE.merge(Config(parameter_validation=False))
DOCUMENT = "restart-unit"


@pytest.fixture
def ssm(cloud: StrictCloud) -> Any:
    return boto3.client("ssm", REGION, config=UNCHECKED)


@pytest.fixture
def secrets(cloud: StrictCloud) -> Any:
    return boto3.client("secretsmanager", REGION, config=UNCHECKED)


@pytest.fixture
def machine(account: Account) -> str:
    made = account.instance().id
    account.agent(made)
    account.document(DOCUMENT, needs=["Unit"], takes=["Signal"])
    return made


def send(ssm: Any, machine: str, **more: Any) -> str:
    asked = {"DocumentName": DOCUMENT, "Parameters": {"Unit": ["web"]}, **more}
    return str(ssm.send_command(InstanceIds=[machine], **asked)["Command"]["CommandId"])


def states(ssm: Any, clock: ManualClock, command: str, *seconds: float) -> list[str]:
    """Return how a command is listed after so many seconds each; empty where it is not."""
    told = []
    for each in seconds:
        clock.advance(each)
        listed = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
        told.append(listed[0]["Status"] if listed else "")
    return told


def test_a_command_goes_its_course(
    ssm: Any, machine: str, account: Account, clock: ManualClock
) -> None:
    command = send(ssm, machine, Comment="for books")
    assert states(ssm, clock, command, 0, 3, 10) == ["Pending", "InProgress", "Success"]
    (sent,) = account.commands(machine)
    assert (sent["document"], sent["parameters"]) == (DOCUMENT, {"Unit": ["web"]})
    assert (sent["comment"], sent["state"]) == ("for books", "Success")


@pytest.mark.parametrize("end", ["Failed", "TimedOut", "Cancelled"])
def test_a_command_ends_as_it_is_told(
    ssm: Any, machine: str, account: Account, clock: ManualClock, end: str
) -> None:
    account.command_course(DOCUMENT, end=end, ends=20)
    command = send(ssm, machine)
    assert states(ssm, clock, command, 5, 16) == ["InProgress", end]
    answer = ssm.get_command_invocation(CommandId=command, InstanceId=machine)
    assert (answer["Status"], answer["ResponseCode"]) == (end, 1 if end == "Failed" else -1)


def test_one_may_never_end(ssm: Any, machine: str, account: Account, clock: ManualClock) -> None:
    account.command_course(machine, end="")
    assert states(ssm, clock, send(ssm, machine), 24 * 3600) == ["InProgress"]


def test_one_that_is_pending_is_not_found_by_its_instance(
    ssm: Any, machine: str, clock: ManualClock
) -> None:
    asked = {"CommandId": send(ssm, machine), "InstanceId": machine}
    assert ssm.list_command_invocations(**asked)["CommandInvocations"] == []
    clock.advance(3)
    assert ssm.list_command_invocations(**asked)["CommandInvocations"][0]["Status"] == "InProgress"


def test_it_may_be_known_late(ssm: Any, machine: str, account: Account, clock: ManualClock) -> None:
    account.command_course(late=5)
    command = send(ssm, machine)
    asked = {"CommandId": command, "InstanceId": machine}
    assert code_of(lambda: ssm.get_command_invocation(**asked)) == "InvocationDoesNotExist"
    assert states(ssm, clock, command, 0, 6) == ["", "InProgress"]


def test_an_agent_that_is_lost_never_takes_it(
    ssm: Any, machine: str, account: Account, clock: ManualClock
) -> None:
    account.agent(machine, "ConnectionLost")
    command = send(ssm, machine, TimeoutSeconds=60)
    assert states(ssm, clock, command, 59, 1) == ["Pending", "TimedOut"]
    (listed,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    assert listed["StatusDetails"] == "DeliveryTimedOut"
    told = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [machine]}])[
        "InstanceInformationList"
    ]
    assert [each["PingStatus"] for each in told] == ["ConnectionLost"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"DocumentName": "unknown-one"}, "InvalidDocument"),
        ({"Parameters": {}}, "InvalidParameters"),
        ({"Parameters": {"Unit": ["a"], "Other": ["b"]}}, "InvalidParameters"),
        ({"Comment": "x" * 101}, "ValidationException"),
        ({"TimeoutSeconds": 29}, "ValidationException"),
        ({"DocumentName": "two words"}, "ValidationException"),
        ({"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidInstanceId"),
        ({"InstanceIds": ["i-0123456789abcdef0"] * 2}, "DuplicateInstanceId"),
        ({"InstanceIds": ["i-0123456789abcdef0"] * 51}, "ValidationException"),
    ],
)
def test_commands_are_refused(ssm: Any, machine: str, asked: dict[str, Any], code: str) -> None:
    usual = {
        "DocumentName": DOCUMENT,
        "InstanceIds": [machine],
        "Parameters": {"Unit": ["web"]},
    }
    assert code_of(lambda: ssm.send_command(**(usual | asked))) == code


def test_one_without_an_agent_or_gone_is_refused(ssm: Any, account: Account, machine: str) -> None:
    bare = account.instance().id
    assert code_of(lambda: send(ssm, bare)) == "InvalidInstanceId"
    account.terminate(machine)
    assert code_of(lambda: send(ssm, machine)) == "InvalidInstanceId"
    assert (
        ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [bare]}])[
            "InstanceInformationList"
        ]
        == []
    )


def test_listings_are_refused_and_come_in_pages(ssm: Any, account: Account) -> None:
    wrong = "0" * 36
    assert code_of(lambda: ssm.list_command_invocations(CommandId=wrong)) == "InvalidCommandId"
    too_many = {"MaxResults": 51}
    assert code_of(lambda: ssm.list_command_invocations(**too_many)) == "ValidationException"
    for number in range(5):
        account.agent(f"i-{number:017x}")
    pages = list(ssm.get_paginator("describe_instance_information").paginate())
    assert [len(each["InstanceInformationList"]) for each in pages] == [2, 2, 1]
    stale = {"NextToken": "made-up"}
    assert code_of(lambda: ssm.describe_instance_information(**stale)) == "InvalidNextToken"


def test_an_answer_that_is_lost_has_sent_it_all_the_same(
    ssm: Any, machine: str, account: Account, cloud: StrictCloud
) -> None:
    cloud.faults.add("answer_lost", operation="SendCommand")
    with pytest.raises(Exception, match="Read timeout"):
        send(ssm, machine)
    assert len(account.commands()) == 1


def test_a_parameter_is_read_by_its_arn(ssm: Any, account: Account) -> None:
    arn = account.parameter("/shop/token", "one")
    assert arn == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/token"
    read = ssm.get_parameter(Name=arn, WithDecryption=True)["Parameter"]
    assert (read["Value"], read["Type"]) == ("one", "SecureString")
    assert ssm.get_parameter(Name=arn)["Parameter"]["Value"] != "one"
    elsewhere = arn.replace(REGION, "us-east-1")
    locked = account.parameter("/shop/locked", "two", locked=True)
    for name, code in {
        f"{arn}x": "ParameterNotFound",
        elsewhere: "ParameterNotFound",
        "": "ValidationException",
        locked: "AccessDeniedException",
    }.items():
        assert code_of(partial(ssm.get_parameter, Name=name)) == code


def test_a_secret_is_read_by_its_arn(secrets: Any, account: Account) -> None:
    arn = account.secret("shop/token", '{"key": "one"}')
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == '{"key": "one"}'
    gone = arn.replace(REGION, "us-east-1")
    for each, code in {
        gone: "ResourceNotFoundException",
        "none": "ResourceNotFoundException",
        "": "ValidationException",
        account.secret("locked", "two", locked=True): "AccessDeniedException",
    }.items():
        assert code_of(partial(secrets.get_secret_value, SecretId=each)) == code
    secrets.delete_secret(SecretId=arn)
    assert code_of(lambda: secrets.get_secret_value(SecretId=arn)) == "InvalidRequestException"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttled", "ThrottlingException"),
        ("denied", "AccessDeniedException"),
        ("internal_error", "InternalServiceError"),
    ],
)
def test_faults_strike_secrets(
    secrets: Any, account: Account, cloud: StrictCloud, kind: str, code: str
) -> None:
    arn = account.secret("shop/token", "one")
    cloud.faults.add(kind, service="secretsmanager", match=arn)
    assert code_of(lambda: secrets.get_secret_value(SecretId=arn)) == code
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "one"
    assert cloud.calls.actions() == {"secretsmanager:GetSecretValue"}
