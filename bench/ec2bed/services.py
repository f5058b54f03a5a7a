"""Stand-ins that accept what a run writes: S3, SNS, Lambda, STS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from bench.ec2bed.http import Answer
from bench.ec2bed.options import ACCOUNT

if TYPE_CHECKING:
    from bench.ec2bed.http import Request

_HOUR: Final = 3600


def answer(request: Request, delay: float) -> tuple[str, Answer]:
    """Return the name of the call and its answer."""
    if request.service == "s3":
        return "s3:PutObject", Answer(b"", delay=delay, headers={"ETag": '"0"'})
    if request.service == "lambda":
        return "lambda:Invoke", Answer(b"", 202, delay, "application/json")
    params = dict(parse_qsl(request.body.decode()))
    name = f"{request.service}:{params.get('Action', request.method + request.path)}"
    body = _ANSWERS.get(params.get("Action", ""))
    if body is None:
        return name, Answer(b"<ErrorResponse/>", 404, delay)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _HOUR))
    return name, Answer(body.format(id=uuid4(), account=ACCOUNT, until=until).encode(), 200, delay)


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
