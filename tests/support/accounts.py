"""Accounts beside the stack's own: a role in one, and clients that have assumed it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.cloud import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

MEMBER = "111111111111"
OTHER = "222222222222"
ROLE = "caretaker-target"
ARN = f"arn:aws:iam::{MEMBER}:role/{ROLE}"
ONCE = Config(retries={"total_max_attempts": 1})
READS = {"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "*"}


def error_of(ask: Callable[[], object]) -> tuple[str, str, int]:
    """Return code, message and status of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        ask()
    told = caught.value.response
    return (
        told["Error"]["Code"],
        told["Error"]["Message"],
        told["ResponseMetadata"]["HTTPStatusCode"],
    )


def code_of(ask: Callable[[], object]) -> str:
    """Return the code of the error that a call ends in."""
    return error_of(ask)[0]


def assume(role: str = ARN, *, region: str = REGION, **asked: str) -> dict[str, str]:
    """Assume a role; return what a session is made with."""
    sts: Any = boto3.client("sts", region, config=ONCE)
    given = sts.assume_role(RoleArn=role, RoleSessionName="caretaker", **asked)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def client(service: str, region: str = REGION, *, statements: list[Any] | None = None) -> Any:
    """Return a client inside the member account, under a session policy where there is one."""
    policy = {"Version": "2012-10-17", "Statement": statements}
    asked = {"Policy": json.dumps(policy)} if statements else {}
    made: Any = boto3.Session
    return made(**assume(**asked)).client(service, region, config=ONCE)


def volumes(ec2: Any) -> set[str]:
    """Return the ids of all volumes that a client lists."""
    return {each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]}
