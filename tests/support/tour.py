"""What every function is seen to call, and what AWS asks for beyond that, by chore."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from caretaker.harness import run_chore

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.cloud import StrictCloud

_RUNNING: Final = frozenset(
    {
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "lambda:InvokeFunction",
        "s3:PutObject",
        "sns:Publish",
    }
)
"""The harness's own: state, the report, alerts, and the next round."""

CALLED_BY: Final[Mapping[str, frozenset[str]]] = {
    "snapshot": _RUNNING
    | {
        "ec2:CreateSnapshot",
        "ec2:CreateSnapshots",
        "ec2:DeleteSnapshot",
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "sts:AssumeRole",
    },
    "retention": _RUNNING
    | {
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:CreateTags",
        "ec2:DeleteSnapshot",
        "ec2:DeleteTags",
        "ec2:DescribeFastSnapshotRestores",
        "ec2:DescribeImages",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLockedSnapshots",
        "ec2:DescribeSnapshotAttribute",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "rbin:GetRule",
        "rbin:ListRules",
        "sts:AssumeRole",
    },
    "tagging": _RUNNING
    | {
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:CreateTags",
        "ec2:DeleteTags",
        "ec2:DescribeAddresses",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcs",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "organizations:ListTagsForResource",
        "sts:AssumeRole",
        "tag:GetResources",
        "tag:TagResources",
    },
    "instance_health": (_RUNNING - {"lambda:InvokeFunction"})
    | {
        "autoscaling:SetInstanceHealth",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "ec2:RebootInstances",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "kms:DescribeKey",
        "sts:AssumeRole",
    },
    "uptime": _RUNNING
    | {
        "ec2:DescribeInstances",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
    },
    "service_repair": (_RUNNING - {"lambda:InvokeFunction"})
    | {
        "ec2:DescribeInstances",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "ecs:StopTask",
        "ecs:UpdateService",
        "elasticloadbalancing:DescribeTargetHealth",
        "ssm:DescribeInstanceInformation",
        "ssm:ListCommandInvocations",
        "ssm:SendCommand",
    },
    "restore": (_RUNNING - {"lambda:InvokeFunction"})
    | {
        "autoscaling:DescribeAutoScalingInstances",
        "dynamodb:GetItem",
        "ec2:AttachVolume",
        "ec2:CreateReplaceRootVolumeTask",
        "ec2:CreateTags",
        "ec2:CreateVolume",
        "ec2:DeleteVolume",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeReplaceRootVolumeTasks",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "ec2:DetachVolume",
        "ec2:ModifyInstanceAttribute",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "kms:DescribeKey",
        "servicequotas:GetServiceQuota",
        "states:StartExecution",
    },
    "drill": _RUNNING
    | {
        "ebs:GetSnapshotBlock",
        "ebs:ListSnapshotBlocks",
        "ec2:CreateTags",
        "ec2:CreateVolume",
        "ec2:DeleteVolume",
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "sts:AssumeRole",
    },
    "fleet": (_RUNNING - {"lambda:InvokeFunction"})
    | {
        "ec2:DescribeRegions",
        "lambda:GetAccountSettings",
        "lambda:GetFunctionConcurrency",
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
        "organizations:ListTagsForResource",
        "s3:GetObject",
        "s3:ListBucket",
        "states:StartExecution",
        "sts:AssumeRole",
    },
    "alerts": (_RUNNING - {"lambda:InvokeFunction"}) | {"sns:GetTopicAttributes"},
}
"""Every action of every chore; any other call of it fails the test that saw it."""

CALLED: Final = CALLED_BY["snapshot"]

_KEY_PAGE: Final = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"
_LOGS_PAGE: Final = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"
_QUEUE_PAGE: Final = (
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
)
_TRACES_PAGE: Final = "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
_TAGS_PAGE: Final = (
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html"
)
_TAGGING_API_PAGE: Final = (
    "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html"
)
_BUCKETS_PAGE: Final = (
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html"
)
_VPC_PAGE: Final = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"
_ENCRYPTED_VOLUMES_PAGE: Final = (
    "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html"
)

_IMPLIED_ALWAYS: Final = {
    "kms:Decrypt": _KEY_PAGE,
    "kms:GenerateDataKey": _KEY_PAGE,
    "logs:CreateLogStream": _LOGS_PAGE,
    "logs:PutLogEvents": _LOGS_PAGE,
    "sqs:SendMessage": _QUEUE_PAGE,
    "xray:PutTelemetryRecords": _TRACES_PAGE,
    "xray:PutTraceSegments": _TRACES_PAGE,
}
"""In order: encrypted topics; the function's log; its on-failure queue; its traces, which X-Ray's
own client inside the runtime sends."""

_IMPLIED_BY_TAGGING: Final = {
    **dict.fromkeys(
        (
            "ecs:TagResource",
            "eks:TagResource",
            "elasticloadbalancing:AddTags",
            "lambda:TagResource",
            "logs:TagResource",
            "rds:AddTagsToResource",
            "s3:GetBucketTagging",
            "s3:PutBucketTagging",
        ),
        _TAGGING_API_PAGE,
    ),
    "s3:TagResource": _BUCKETS_PAGE,
    "kms:CreateGrant": _ENCRYPTED_VOLUMES_PAGE,
}
"""In order: what each service asks of who tags through the tagging API; buckets whose tags decide
on access; instances with encrypted volumes, which fall back to stopped without it."""

_IMPLIED_BY_A_VPC: Final = dict.fromkeys(
    (
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ),
    _VPC_PAGE,
)
"""Lambda's own calls, by the function's role, for a function in a VPC."""

_IMPLIED_BY_KEYS_OF_VOLUMES: Final = dict.fromkeys(
    (
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
    _ENCRYPTED_VOLUMES_PAGE,
)
"""Asked of who makes an encrypted volume, attaches it, starts with it, or reads its blocks."""

IMPLIED_FOR: Final[Mapping[str, Mapping[str, str]]] = {
    "snapshot": _IMPLIED_ALWAYS | {"ec2:CreateTags": _TAGS_PAGE},  # tags inside a create call
    "retention": _IMPLIED_ALWAYS,
    "tagging": _IMPLIED_ALWAYS | _IMPLIED_BY_TAGGING,
    "instance_health": _IMPLIED_ALWAYS | {"kms:CreateGrant": _ENCRYPTED_VOLUMES_PAGE},
    "uptime": _IMPLIED_ALWAYS | _IMPLIED_BY_A_VPC,
    "service_repair": _IMPLIED_ALWAYS,
    "restore": _IMPLIED_ALWAYS | _IMPLIED_BY_KEYS_OF_VOLUMES,
    "drill": _IMPLIED_ALWAYS
    | _IMPLIED_BY_KEYS_OF_VOLUMES
    | {"kms:DescribeKey": _ENCRYPTED_VOLUMES_PAGE},
    "fleet": _IMPLIED_ALWAYS,
    "alerts": _IMPLIED_ALWAYS,
}
"""Actions that AWS asks for without a call of ours, each with the page that says so."""

_IAM_NAMES: Final = {
    "elbv2:DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers",
    "elbv2:DescribeTags": "elasticloadbalancing:DescribeTags",
    "elbv2:DescribeTargetHealth": "elasticloadbalancing:DescribeTargetHealth",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:ListObjectsV2": "s3:ListBucket",
    "resourcegroupstaggingapi:GetResources": "tag:GetResources",
    "resourcegroupstaggingapi:TagResources": "tag:TagResources",
    "service-quotas:GetServiceQuota": "servicequotas:GetServiceQuota",
    "stepfunctions:StartExecution": "states:StartExecution",
}


class Witness:
    """Sees what the product calls while a chore runs, and nothing of what a test does by itself.

    `seen` holds the actions of every chore that ran, by its name.
    """

    def __init__(self, cloud: StrictCloud) -> None:
        self._cloud = cloud
        self.seen: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def actions(self) -> set[str]:
        """The actions of all chores that ran."""
        return set().union(*self.seen.values())

    def surprises(self) -> dict[str, set[str]]:
        """Return, by chore, the actions that it is not known to call."""
        beyond = {name: seen - CALLED_BY.get(name, set()) for name, seen in self.seen.items()}
        return {name: actions for name, actions in beyond.items() if actions}

    def attend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand beside every run of a `Stack`."""
        monkeypatch.setattr("tests.support.stack.run_chore", self._run)

    def _run(self, chore: Any, *args: Any, **named: Any) -> dict[str, Any]:
        before = len(self._cloud.calls)
        try:
            return run_chore(chore, *args, **named)
        finally:
            made = {call.action for call in list(self._cloud.calls)[before:]}
            self.seen[chore.name] |= {_IAM_NAMES.get(action, action) for action in made}
