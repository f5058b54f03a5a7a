"""Stand-ins for the services beside EC2: S3, SNS, Lambda, STS, Auto Scaling, Recycle Bin."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from bench.ec2bed.http import Answer
from bench.ec2bed.options import ACCOUNT
from bench.ec2bed.watching import answer_json

if TYPE_CHECKING:
    from bench.ec2bed.http import Request
    from bench.ec2bed.world import World

_HOUR: Final = 3600


def answer(
    request: Request, delay: float, world: World, objects: dict[str, bytes]
) -> tuple[str, Answer]:
    """Return the name of the call and its answer; objects are S3's, by their path."""
    match request.service:
        case "s3":
            found = _object(request, delay, objects)
        case "lambda":
            found = "lambda:Invoke", Answer(b"", 202, delay, "application/json")
        case "rbin":
            found = _recycle_bin(request, delay)
        case "kms" | "monitoring" | "servicequotas" | "states":
            found = answer_json(request, delay, world)
        case _:
            found = _query(request, delay, world)
    return found


def _object(request: Request, delay: float, objects: dict[str, bytes]) -> tuple[str, Answer]:
    """Put or get an object; only the last one of a path is kept."""
    if request.method == "GET":
        body = objects.get(request.path)
        return "s3:GetObject", Answer(body or b"", 404 if body is None else 200, delay)
    objects[request.path] = request.body
    return "s3:PutObject", Answer(b"", delay=delay, headers={"ETag": '"0"'})


def _query(request: Request, delay: float, world: World) -> tuple[str, Answer]:
    """Answer in the query protocol."""
    params = dict(parse_qsl(request.body.decode()))
    action = params.get("Action", "")
    name = f"{request.service}:{action or request.method + request.path}"
    if action == "DescribeAutoScalingGroups":
        return name, Answer(_groups(world).encode(), 200, delay)
    body = _ANSWERS.get(action)
    if body is None:
        return name, Answer(b"<ErrorResponse/>", 404, delay)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _HOUR))
    return name, Answer(body.format(id=uuid4(), account=ACCOUNT, until=until).encode(), 200, delay)


def _recycle_bin(request: Request, delay: float) -> tuple[str, Answer]:
    """Answer ListRules and GetRule: one rule keeps all that is managed by Caretaker."""
    content: dict[str, object]
    kept: dict[str, object] = {
        "Identifier": "bench",
        "RetentionPeriod": {"RetentionPeriodValue": 14, "RetentionPeriodUnit": "DAYS"},
    }
    if request.path == "/list-rules":
        name, content = "rbin:ListRules", {"Rules": [kept]}
    else:
        tags = [{"ResourceTagKey": "caretaker:managed-by", "ResourceTagValue": "caretaker"}]
        name = "rbin:GetRule"
        content = kept | {"ResourceType": "EBS_SNAPSHOT", "ResourceTags": tags}
        content["Status"] = "available"
    return name, Answer(json.dumps(content).encode(), 200, delay, "application/json")


def _groups(world: World) -> str:
    """Render all Auto Scaling groups in one page."""
    versions = world.versions[: 2 * world.groups : 2]
    members = "".join(
        f"<member><AutoScalingGroupName>group-{each.template_id}</AutoScalingGroupName>"
        f"<MinSize>0</MinSize><MaxSize>2</MaxSize><DesiredCapacity>1</DesiredCapacity>"
        f"<LaunchTemplate><LaunchTemplateId>{each.template_id}</LaunchTemplateId>"
        f"<Version>{each.number}</Version></LaunchTemplate></member>"
        for each in versions
    )
    return (
        '<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">'
        f"<DescribeAutoScalingGroupsResult><AutoScalingGroups>{members}</AutoScalingGroups>"
        "</DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
    )


_META: Final = "<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>"
_ANSWERS: Final = {
    "Publish": (
        "<PublishResponse><PublishResult><MessageId>{id}</MessageId></PublishResult>"
        f"{_META}</PublishResponse>"
    ),
    "GetCallerIdentity": (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        "<Arn>arn:aws:sts::{account}:assumed-role/bench/bench</Arn>"
        "<UserId>AROA:bench</UserId><Account>{account}</Account>"
        f"</GetCallerIdentityResult>{_META}</GetCallerIdentityResponse>"
    ),
    "AssumeRole": (
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>bench</AccessKeyId>"
        "<SecretAccessKey>bench</SecretAccessKey><SessionToken>bench</SessionToken>"
        "<Expiration>{until}</Expiration></Credentials></AssumeRoleResult>"
        f"{_META}</AssumeRoleResponse>"
    ),
}
