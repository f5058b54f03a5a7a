"""What the snapshot function is seen to call, and what AWS asks for beyond that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.harness import run_chore

if TYPE_CHECKING:
    import pytest

    from tests.cloud import StrictCloud

CALLED: Final = frozenset(
    {
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "ec2:CreateSnapshot",
        "ec2:CreateSnapshots",
        "ec2:DeleteSnapshot",
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "lambda:InvokeFunction",
        "s3:PutObject",
        "sns:Publish",
        "sts:AssumeRole",
    }
)
"""Every action of the snapshot function; any other call of it fails the test that saw it."""

IMPLIED: Final = {
    "ec2:CreateTags": "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html",
    "kms:Decrypt": "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    "kms:GenerateDataKey": "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    "logs:CreateLogStream": "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    "logs:PutLogEvents": "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    "sqs:SendMessage": "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    "xray:PutTelemetryRecords": "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    "xray:PutTraceSegments": "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
}
"""Actions that AWS asks for without a call of ours, each with the page that says so.

In order: tags inside a create call; an encrypted topic; the function's log; its on-failure queue;
its traces, which X-Ray's own client inside the runtime sends.
"""

_IAM_NAMES: Final = {"lambda:Invoke": "lambda:InvokeFunction"}


class Witness:
    """Sees what the product calls while a chore runs, and nothing of what a test does by itself."""

    def __init__(self, cloud: StrictCloud) -> None:
        self._cloud = cloud
        self.actions: set[str] = set()

    def attend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand beside every run of a `Stack`."""
        monkeypatch.setattr("tests.support.stack.run_chore", self._run)

    def _run(self, *args: Any, **named: Any) -> dict[str, Any]:
        before = len(self._cloud.calls)
        try:
            return run_chore(*args, **named)
        finally:
            seen = {call.action for call in list(self._cloud.calls)[before:]}
            self.actions |= {_IAM_NAMES.get(action, action) for action in seen}
