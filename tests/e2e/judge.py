"""A judge of drills as a user would write one: a function of its own, deployed beside the stack."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from tests.cloud.strict import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.cloud.stack import LocalCloud

NAME: Final = "judge-of-drills"
ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}"
_TRUST: Final = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
_MAY: Final = {"Effect": "Allow", "Action": "ec2:DescribeVolumes", "Resource": "*"}
_CODE: Final = '''
import boto3
def handler(asked, context):
    """Looks at the volume with its own rights, and has seen what it was asked about."""
    found = boto3.client("ec2").describe_volumes(VolumeIds=[asked["volume_id"]])["Volumes"][0]
    if "%(answer)s" == "raise":
        raise RuntimeError("cannot mount it")
    is_it = found["State"] == "available" and found["SnapshotId"] == asked["snapshot_id"]
    return {"proven": is_it and "%(answer)s" == "yes", "message": asked["instance"]}
'''


class Judge:
    """The function; `answers` is what it says from now on: yes, no or raise."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._functions = cloud.client("lambda")
        iam = cloud.client("iam")
        role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_policy(_TRUST))
        iam.put_role_policy(RoleName=NAME, PolicyName="look", PolicyDocument=_policy(_MAY))
        self._functions.create_function(
            FunctionName=NAME,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="judge.handler",
            Code={"ZipFile": _zipped("yes")},
            Timeout=60,
        )

    def answers(self, answer: str) -> None:
        """Let it answer so."""
        self._functions.update_function_code(FunctionName=NAME, ZipFile=_zipped(answer))


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _zipped(answer: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("judge.py", _CODE % {"answer": answer})
    return packed.getvalue()
