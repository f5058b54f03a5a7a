"""Shapes of CloudTrail's answers as accounts see them; ids and names are of the examples."""

from __future__ import annotations

from typing import Any

import pytest

from functions.tagging.birth import Birth, Identity
from tests.support.builders import ACCOUNT

REQUEST = {"requestId": "7f2e5c1a-1111-2222-3333-444455556666"}
RUN_INSTANCES = {
    **REQUEST,
    "reservationId": "r-0123456789abcdef0",
    "ownerId": ACCOUNT,
    "groupSet": {},
    "instancesSet": {
        "items": [
            {
                "instanceId": f"i-0123456789abcdef{n}",
                "imageId": "ami-0fedcba9876543210",
                "instanceState": {"code": 0, "name": "pending"},
                "networkInterfaceSet": {
                    "items": [{"networkInterfaceId": "eni-01", "vpcId": "vpc-0123456789abcdef0"}]
                },
                "blockDeviceMapping": {},
                "tagSet": {"items": [{"key": "instanceId", "value": "i-0ffffffffffffffff"}]},
                "subnetId": "subnet-0123456789abcdef0",
            }
            for n in (1, 0)
        ]
    },
    "requesterId": "227514211111",
}
CREATE_VOLUME = {
    **REQUEST,
    "volumeId": "vol-0123456789abcdef0",
    "size": "8",
    "snapshotId": "snap-0fedcba9876543210",
    "zone": "eu-west-1a",
    "status": "creating",
    "createTime": 1795230000000,
    "volumeType": "gp3",
    "tagSet": {},
}
CREATE_SNAPSHOT = {
    **REQUEST,
    "snapshotId": "snap-0123456789abcdef0",
    "volumeId": "vol-0123456789abcdef0",
    "status": "pending",
    "startTime": 1795230000000,
    "ownerId": ACCOUNT,
}
COPY_SNAPSHOT = {**REQUEST, "snapshotId": "snap-0123456789abcdef0"}
CREATE_IMAGE = {**REQUEST, "imageId": "ami-0123456789abcdef0"}


def create_snapshots(items: object) -> dict[str, Any]:
    """A newer call stands under its own name, and a list of one is that one."""
    schema = "http://ec2.amazonaws.com/doc/2016-11-15/"
    return {"CreateSnapshotsResponse": {"xmlns": schema, **REQUEST, "snapshotSet": {"item": items}}}


def a_member(digit: int) -> dict[str, str]:
    return {
        "snapshotId": f"snap-0123456789abcdef{digit}",
        "volumeId": f"vol-0123456789abcdef{digit}",
        "state": "pending",
    }


def born(call: str, answer: object, **more: Any) -> tuple[str, ...]:
    told = {"eventName": call, "responseElements": answer, "awsRegion": "eu-west-1", **more}
    return Birth.model_validate(told).ids


@pytest.mark.parametrize(
    ("call", "answer", "ids"),
    [
        ("RunInstances", RUN_INSTANCES, ["i-0123456789abcdef0", "i-0123456789abcdef1"]),
        ("CreateVolume", CREATE_VOLUME, ["vol-0123456789abcdef0"]),
        ("CreateSnapshot", CREATE_SNAPSHOT, ["snap-0123456789abcdef0"]),
        ("CopySnapshot", COPY_SNAPSHOT, ["snap-0123456789abcdef0"]),
        ("CreateImage", CREATE_IMAGE, ["ami-0123456789abcdef0"]),
        (
            "CreateSnapshots",
            create_snapshots([a_member(2), a_member(1)]),
            ["snap-0123456789abcdef1", "snap-0123456789abcdef2"],
        ),
        ("CreateSnapshots", create_snapshots(a_member(7)), ["snap-0123456789abcdef7"]),
        ("CreateVolume", {"volumeId": "vol-0a1b2c3d"}, ["vol-0a1b2c3d"]),
    ],
    ids=["instances", "volume", "snapshot", "copy", "image", "snapshots", "one alone", "short"],
)
def test_knows_what_a_call_made(call: str, answer: object, ids: list[str]) -> None:
    assert born(call, answer) == tuple(ids)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"instancesSet": {}},
        {"instancesSet": {"items": []}},
        {"instancesSet": None},
        {"instanceId": 7},
        {"instanceId": ["i-0123456789abcdef0"]},
        {"instanceId": "i-0123456789abcdef0 "},
        {"instanceId": "i-0123456789ABCDEF0"},
        {"instanceId": "i-0123456"},
        {"instanceId": "i-0123456789abcdef01"},
        {"instanceId": "*"},
        {"instanceId": "x i-0123456789abcdef0"},
        {"imageId": "ami-0123456789abcdef0"},
    ],
    ids=str,
)
def test_takes_nothing_that_is_no_id_of_what_was_made(answer: object) -> None:
    assert born("RunInstances", answer) == ()


def test_a_call_that_failed_made_nothing() -> None:
    failed = {"errorCode": "Client.InstanceLimitExceeded"}

    assert born("RunInstances", RUN_INSTANCES, **failed) == ()
    assert born("CreateVolume", CREATE_VOLUME, errorCode="") == ()


@pytest.mark.parametrize(
    ("identity", "names"),
    [
        (
            {
                "type": "IAMUser",
                "principalId": "AIDA0123456789ABCDEFG",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
                "accountId": ACCOUNT,
                "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
                "userName": "ann",
            },
            ("ann",),
        ),
        (
            {
                "type": "IAMUser",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/sales/ann",
                "userName": "ann",
            },
            ("ann", "sales/ann"),
        ),
        (
            {
                "type": "IAMUser",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
                "userName": "ann",
                "invokedBy": "signin.amazonaws.com",
            },
            ("ann",),
        ),
        (
            {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/"
                "AWSReservedSSO_Admin_0123456789abcdef/ann@example.com",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "userName": "AWSReservedSSO_Admin_0123456789abcdef",
                    }
                },
            },
            (
                "AWSReservedSSO_Admin_0123456789abcdef/ann@example.com",
                "ann@example.com",
                "AWSReservedSSO_Admin_0123456789abcdef",
            ),
        ),
        (
            {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy"},
            ("Deploy", "Deploy"),
        ),
        (
            {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/ann"},
            ("ann",),
        ),
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, ("root",)),
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "userName": "alias"}, ("root",)),
        ({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, ()),
        ({"type": "AWSService", "invokedBy": "AWS Internal"}, ()),
        (
            {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/"
                "AWSServiceRoleForAutoScaling/AutoScaling",
                "invokedBy": "autoscaling.amazonaws.com",
            },
            (),
        ),
        (
            {
                "type": "IAMUser",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
                "userName": "ann",
                "invokedBy": "cloudformation.amazonaws.com",
            },
            (),
        ),
        ({"type": "AWSAccount", "accountId": ACCOUNT}, ()),
        ({}, ()),
    ],
    ids=str,
)
def test_knows_what_the_caller_may_be_called(
    identity: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert Identity.model_validate(identity).names == names


def test_an_event_without_an_identity_has_no_creator() -> None:
    assert Birth.model_validate({"eventName": "CreateVolume"}).userIdentity.names == ()
