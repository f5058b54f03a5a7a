"""What the fleet's function and its machine may do, asked as IAM would be asked."""

from __future__ import annotations

from typing import Final

from tests.contract.iam import ACCOUNT, REGION, STACK, is_allowed, policies_of
from tests.contract.restore_rights import actions_of
from tests.contract.tagging_requests import to_change
from tests.contract.template import properties

ON: Final = {"FleetMode": "act", "TargetRoleName": "caretaker/member"}
NAME: Final = f"{STACK}-fleet"
STATES: Final = f"arn:aws:states:{REGION}:{ACCOUNT}"
BUCKET: Final = "ReportsBucket.Arn"
CHORES: Final = ("Drill", "Retention", "Snapshot", "Tagging")
FOLLOW: Final = ("states:DescribeExecution", "states:RedriveExecution", "states:StopExecution")
WRITES: Final = {
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:PutObject",
    "sns:Publish",
    "sqs:SendMessage",
    "states:StartExecution",
    "sts:AssumeRole",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def test_the_function_changes_nothing_but_what_is_the_stacks_own() -> None:
    rights = policies_of("FleetRole", **ON)
    reads = ("Describe", "Get", "List")
    changes = {
        each
        for each in actions_of(rights)
        if not each.partition(":")[2].startswith(reads)
        and each not in {"kms:Decrypt", "dynamodb:Query"}
    }

    assert changes <= WRITES


def test_the_function_starts_its_own_machine_alone() -> None:
    rights = policies_of("FleetRole", **ON)

    assert is_allowed(rights, to_change("states:StartExecution", f"{STATES}:stateMachine:{NAME}"))
    for other in (f"{STACK}-restore", f"{NAME}2"):
        machine = f"{STATES}:stateMachine:{other}"
        assert not is_allowed(rights, to_change("states:StartExecution", machine))


def test_the_function_keeps_manifests_and_reports_and_reads_no_other_chores() -> None:
    rights = policies_of("FleetRole", **ON)
    manifest = f"{BUCKET}/fleet/runs/daily-20261121T0300Z/manifest.json"

    assert is_allowed(rights, to_change("s3:GetObject", manifest))
    assert is_allowed(rights, to_change("s3:PutObject", manifest))
    assert is_allowed(rights, to_change("s3:PutObject", f"{BUCKET}/fleet/daily/report.jsonl.gz"))
    for other in ("snapshot/daily/report.jsonl.gz", "fleets/x"):
        assert not is_allowed(rights, to_change("s3:GetObject", f"{BUCKET}/{other}"))
        assert not is_allowed(rights, to_change("s3:PutObject", f"{BUCKET}/{other}"))


def test_the_function_comes_into_other_accounts_by_the_one_role_and_only_where_it_is_named() -> (
    None
):
    role = "arn:aws:iam::111111111111:role/caretaker/member"

    assert is_allowed(policies_of("FleetRole", **ON), to_change("sts:AssumeRole", role))
    assert not is_allowed(
        policies_of("FleetRole", **ON), to_change("sts:AssumeRole", role.replace("member", "admin"))
    )
    assert "sts:AssumeRole" not in actions_of(policies_of("FleetRole", FleetMode="act"))


def test_the_machine_asks_the_fleets_chores_and_its_own_function_alone() -> None:
    rights = policies_of("FleetMachineRole", **ON, Tracing="Active")

    for chore in (*CHORES, "Fleet"):
        assert is_allowed(rights, to_change("lambda:InvokeFunction", f"{chore}Function.Arn"))
    for other in ("Restore", "InstanceHealth", "Uptime", "ServiceRepair", "Alerts"):
        assert not is_allowed(rights, to_change("lambda:InvokeFunction", f"{other}Function.Arn"))
    services = {each for each in actions_of(rights) if not each.startswith(("logs:", "xray:"))}
    assert services == {
        "lambda:InvokeFunction",
        "states:StartExecution",
        *FOLLOW,
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    }


def test_the_machine_handles_its_own_executions_and_its_own_waves() -> None:
    rights = policies_of("FleetMachineRole", **ON)

    assert is_allowed(rights, to_change("states:StartExecution", f"{STATES}:stateMachine:{NAME}"))
    for action in FOLLOW:
        for label in ("Cells", "QuickCells"):
            assert is_allowed(rights, to_change(action, f"{STATES}:execution:{NAME}/{label}:0a1"))
        assert not is_allowed(rights, to_change(action, f"{STATES}:execution:{STACK}-restore:p-0"))
    assert is_allowed(rights, to_change("s3:GetObject", f"{BUCKET}/fleet/runs/r/wave-1.json"))
    assert not is_allowed(rights, to_change("s3:GetObject", f"{BUCKET}/fleet/daily/report"))
    assert not is_allowed(rights, to_change("s3:PutObject", f"{BUCKET}/snapshot/daily/report"))


def test_the_machine_of_this_stack_alone_has_its_role() -> None:
    (trust,) = properties("AWS::IAM::Role")["FleetMachineRole"]["AssumeRolePolicyDocument"][
        "Statement"
    ]
    machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine"

    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {"aws:SourceArn": {"Fn::Sub": f"{machine}:${{AWS::StackName}}-fleet*"}},
    }
