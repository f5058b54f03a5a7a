"""The roles of uptime and service repair, with all that the stack's parameters can give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.iam import ACCOUNT, REGION, Request, is_allowed, policies_of
from tests.contract.tagging_requests import INSTANCE
from tests.contract.template import as_list
from tests.support.tour import CALLED_BY, IMPLIED_FOR

if TYPE_CHECKING:
    from tests.contract.template import Properties

PROBER, FIXER = "UptimeRole", "ServiceRepairRole"
OTHER_ACCOUNT: Final = "210987654321"
OBJECT: Final = "arn:aws:s3:::a-bucket/web/targets.json"
SECRET: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:web/probe-AbCdEf"
PARAMETER: Final = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/web/token"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1"
ECS: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
API, SHOP, BACK = f"{ECS}:service/web/api", f"{ECS}:service/web/shop", f"{ECS}:service/back/jobs"
TASK: Final = f"{ECS}:task/web/0a1b2c3d4e5f60718293a4b5c6d7e8f9"
DOCUMENT: Final = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/restart-web"
SHELL: Final = f"arn:aws:ssm:{REGION}::document/AWS-RunShellScript"
FUNCTION: Final = "UptimeFunction.Arn"
"""How the evaluator spells the ARN of a resource of the stack."""

GIVEN: Final[dict[str, Any]] = {
    "UptimeTargets": "s3://a-bucket/web/targets.json",
    "UptimeSecretArns": f"{SECRET},{PARAMETER}",
    "UptimeEcsServices": f"{API},{ECS}:service/back/*",
    "UptimeDocuments": DOCUMENT,
    "KmsKeyArns": KEY,
}
VPC: Final = {"UptimeSubnetIds": "subnet-0a1b2c3d", "UptimeSecurityGroupIds": "sg-0a1b2c3d"}
EVERYTHING: Final = {**GIVEN, **VPC, "Tracing": "Active", "TargetRoleName": "member"}
"""All parameters that give rights, but the mode."""

INVOKE, READ_OBJECT, DECRYPT = "lambda:InvokeFunction", "s3:GetObject", "kms:Decrypt"
UPDATE, STOP, SEND = "ecs:UpdateService", "ecs:StopTask", "ssm:SendCommand"
CHANGES: Final = {UPDATE: API, STOP: TASK, SEND: INSTANCE}
VALUES: Final = ("restart", "reboot", "stop-start", "none", "", "Restart", "restart ", "*")


def rights_of(role: str, mode: str = "act", **parameters: str | float) -> list[Properties]:
    """Return the statements of a role with these parameters."""
    return policies_of(role, UptimeMode=mode, **parameters)


ACT: Final = {role: rights_of(role, **EVERYTHING) for role in (PROBER, FIXER)}
REPORT: Final = {role: rights_of(role, "report", **EVERYTHING) for role in (PROBER, FIXER)}


def may(policies: list[Properties], action: str, resource: str) -> bool:
    """Tell whether they allow an action of which nothing else is known."""
    return is_allowed(policies, Request(action, resource))


def actions_of(policies: list[Properties]) -> set[str]:
    """Return every action that they allow."""
    return {
        action
        for each in policies
        if each["Effect"] == "Allow"
        for action in as_list(each["Action"])
    }


RUNNING: Final = CALLED_BY["alerts"] - {"sns:GetTopicAttributes"} | IMPLIED_FOR["alerts"].keys()
"""What every function does: state, alerts, report, log, traces, failure queue."""
