"""AWS's JSON protocol: CloudWatch's metric of the checks, KMS, quotas, state machines."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from bench.ec2bed.http import Answer
from bench.ec2bed.options import ACCOUNT

if TYPE_CHECKING:
    from bench.ec2bed.http import Request
    from bench.ec2bed.world import World


_QUOTA_TIB: Final = 50.0


def answer_json(request: Request, delay: float, world: World) -> tuple[str, Answer]:
    """Return the name of a call of AWS's JSON protocol and its answer."""
    action = request.headers.get("x-amz-target", "").rpartition(".")[2]
    asked = json.loads(request.body)
    content: dict[str, Any] | None = None
    if action == "GetMetricStatistics":
        content = _status_check_failed(asked, world)
    elif action == "DescribeKey":
        content = _key(asked["KeyId"])
    elif action == "GetServiceQuota":
        content = {"Quota": {"QuotaCode": asked["QuotaCode"], "Value": _QUOTA_TIB}}
    elif action == "StartExecution":
        arn = asked["stateMachineArn"].replace(":stateMachine:", ":execution:")
        content = {"executionArn": f"{arn}:{asked['name']}", "startDate": int(time.time())}
    status = 200 if content is not None else 404
    body = json.dumps(content or {"__type": "UnknownOperationException"}).encode()
    return f"{request.service}:{action}", Answer(body, status, delay, "application/x-amz-json-1.0")


def _status_check_failed(asked: dict[str, Any], world: World) -> dict[str, Any]:
    """Return a value for each period: 1 since the check fails, 0 before that or if none does."""
    (instance_id,) = (each["Value"] for each in asked["Dimensions"])
    health = world.instances[instance_id].health
    period, start, end = asked["Period"], int(asked["StartTime"]), int(asked["EndTime"])
    (statistic,) = asked["Statistics"]
    points = [
        {
            "Timestamp": at,
            statistic: float(bool(health.fails) and health.since <= at),
            "Unit": "Count",
        }
        for at in range(start - start % period, end, period)
    ]
    return {"Label": asked["MetricName"], "Datapoints": points}


def _key(arn: str) -> dict[str, Any]:
    return {
        "KeyMetadata": {
            "AWSAccountId": ACCOUNT,
            "KeyId": arn.rpartition("/")[2],
            "Arn": arn,
            "Enabled": True,
            "KeyState": "Enabled",
            "KeyManager": "CUSTOMER",
        }
    }
