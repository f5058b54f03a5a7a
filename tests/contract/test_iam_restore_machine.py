"""What the role of the state machine of restores may do, asked as IAM would be asked."""

from __future__ import annotations

from typing import Final

from tests.contract.iam import ACCOUNT, REGION, STACK, is_allowed, policies_of
from tests.contract.restore_rights import actions_of
from tests.contract.tagging_requests import to_change
from tests.contract.template import properties

ROLE: Final = "RestoreMachineRole"
NAME: Final = f"{STACK}-restore"
LABEL: Final = "Targets"
"""Of the map, whose targets are executions of their own."""

STATES: Final = f"arn:aws:states:{REGION}:{ACCOUNT}"
FOLLOW: Final = ("states:DescribeExecution", "states:RedriveExecution", "states:StopExecution")


def test_its_role_asks_one_function_and_handles_its_own_executions_alone() -> None:
    rights = policies_of(ROLE, Tracing="Active")

    assert is_allowed(rights, to_change("lambda:InvokeFunction", "RestoreFunction.Arn"))
    assert is_allowed(rights, to_change("states:StartExecution", f"{STATES}:stateMachine:{NAME}"))
    for other in ("DrillFunction.Arn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:judge"):
        assert not is_allowed(rights, to_change("lambda:InvokeFunction", other))
    assert not is_allowed(
        rights, to_change("states:StartExecution", f"{STATES}:stateMachine:{NAME}2")
    )
    for action in FOLLOW:
        assert is_allowed(rights, to_change(action, f"{STATES}:execution:{NAME}/{LABEL}:0a1"))
        assert is_allowed(rights, to_change(action, f"{STATES}:execution:{NAME}:p-0a1"))
        assert not is_allowed(rights, to_change(action, f"{STATES}:execution:{NAME}2:p-0a1"))
    services = {each for each in actions_of(rights) if not each.startswith(("logs:", "xray:"))}
    assert services == {"lambda:InvokeFunction", "states:StartExecution", *FOLLOW}


def test_the_machine_of_this_stack_alone_has_its_role() -> None:
    (trust,) = properties("AWS::IAM::Role")[ROLE]["AssumeRolePolicyDocument"]["Statement"]
    machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine"

    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {"aws:SourceArn": {"Fn::Sub": f"{machine}:${{AWS::StackName}}-restore*"}},
    }
