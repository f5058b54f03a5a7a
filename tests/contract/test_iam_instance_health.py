"""What the role of the instance health chore may do, asked as IAM would be asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from caretaker import tags
from tests.contract.iam import ACCOUNT, REGION, Request, is_allowed, is_like, policies_of
from tests.contract.tagging_requests import INSTANCE, is_tagging, to_change
from tests.contract.template import (
    allowed_actions,
    as_list,
    deployed,
    environment,
    properties,
    statements,
    written,
)
from tests.support.tour import CALLED_BY, IMPLIED_FOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.template import Properties

FUNCTION: Final = "InstanceHealthFunction"
ROLE: Final = "InstanceHealthRole"
OTHER_ACCOUNT: Final = "210987654321"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1"
THEIR_KEY: Final = f"arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:key/0a2"
GROUP: Final = (
    f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:"
    "5f1c0a1b-2c3d-4e5f-8a9b-0c1d2e3f4a5b:autoScalingGroupName/web"
)
REPORT: Final = policies_of(
    ROLE,
    InstanceHealthMode="report",
    InstanceHealthEvents="on",
    KmsKeyArns=f"{KEY},{THEIR_KEY}",
    Tracing="Active",
    TargetRoleName="member",
)
ACT: Final = policies_of(ROLE, InstanceHealthMode="act", KmsKeyArns=f"{KEY},{THEIR_KEY}")
KEYLESS: Final = policies_of(ROLE, InstanceHealthMode="act")

REBOOT, STOP, START = "ec2:RebootInstances", "ec2:StopInstances", "ec2:StartInstances"
REPLACE: Final = "autoscaling:SetInstanceHealth"
READ: Final = "ec2:DescribeInstanceAttribute"
CHANGES: Final = {REBOOT: INSTANCE, STOP: INSTANCE, START: INSTANCE, REPLACE: GROUP}
BOTH: Final = frozenset({"reboot", "stop-start"})
VALUES: Final = ("reboot", "stop-start", "none", "", "Reboot", "stop", "stop-start ", "true", "*")
MAX_INLINE_POLICIES: Final = 10_240
"""Characters, without blanks. Source: IAM user guide, "IAM and AWS STS quotas"."""


def _opted(value: str | None) -> Mapping[str, str]:
    return {"Owner": "web-team"} if value is None else {tags.REMEDIATE: value}


def _grant(key: str = KEY, service: str = "ec2", for_aws: str = "true") -> Request:
    through = f"{service}.{REGION}.amazonaws.com"
    return to_change(
        "kms:CreateGrant", key, kms__ViaService=through, kms__GrantIsForAWSResource=for_aws
    )


@pytest.mark.parametrize(
    ("action", "opted_in"),
    [(REBOOT, BOTH), (STOP, {"stop-start"}), (REPLACE, BOTH), (READ, {"stop-start"})],
)
def test_what_is_done_to_a_resource_is_what_its_tag_allows(
    action: str, opted_in: frozenset[str]
) -> None:
    resource = CHANGES.get(action, INSTANCE)
    allowed = {
        value
        for value in (None, *VALUES)
        if is_allowed(ACT, to_change(action, resource, on=_opted(value)))
    }

    assert allowed == opted_in


@pytest.mark.parametrize("value", [None, *VALUES])
def test_an_instance_is_started_whatever_has_become_of_its_tag(value: str | None) -> None:
    assert is_allowed(ACT, to_change(START, INSTANCE, on=_opted(value)))


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:license-manager:{REGION}:{OTHER_ACCOUNT}:license-configuration:lic-0a1",
        f"arn:aws:resource-groups:{REGION}:{ACCOUNT}:group/reserved",
    ],
)
def test_what_an_instance_is_started_with_is_no_reason_to_leave_it_stopped(resource: str) -> None:
    assert is_allowed(ACT, to_change(START, resource))
    assert not is_allowed(ACT, to_change(STOP, resource, on=_opted("stop-start")))


@pytest.mark.parametrize(("action", "resource"), [*CHANGES.items(), (READ, INSTANCE)])
def test_nothing_is_done_in_another_account_or_region(action: str, resource: str) -> None:
    opted = _opted("stop-start")

    assert is_allowed(ACT, to_change(action, resource, on=opted))
    for elsewhere in (
        resource.replace(ACCOUNT, OTHER_ACCOUNT),
        resource.replace(REGION, "us-east-1"),
    ):
        assert elsewhere != resource
        assert not is_allowed(ACT, to_change(action, elsewhere, on=opted))


@pytest.mark.parametrize(("action", "resource"), CHANGES.items())
def test_in_report_mode_nothing_is_done_to_an_instance(action: str, resource: str) -> None:
    assert not is_allowed(REPORT, to_change(action, resource, on=_opted("stop-start")))


def test_in_report_mode_it_reads_and_does_what_every_function_does_and_nothing_else() -> None:
    running = CALLED_BY["alerts"] | IMPLIED_FOR["alerts"].keys() | {"lambda:InvokeFunction"}
    allowed = {action for each in REPORT for action in as_list(each["Action"])}
    reading = {each for each in allowed if each.partition(":")[2].startswith("Describe")}

    assert allowed - running - reading == {"sts:AssumeRole"}
    assert reading == {
        *("ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypes", "ec2:DescribeInstances"),
        *("ec2:DescribeVolumes", READ, "kms:DescribeKey"),
    }


def test_without_a_parameter_it_only_reports() -> None:
    reporting = {s["Sid"] for s in statements(ROLE, deployed(InstanceHealthMode="report"))}

    assert {s["Sid"] for s in statements(ROLE, deployed())} == reporting


def test_act_adds_repairs_alone() -> None:
    sids = [{s["Sid"] for s in policies} for policies in (policies_of(ROLE), KEYLESS, ACT)]
    reporting, acting, with_keys = sids

    assert acting - reporting == {
        "RebootOptedInInstances",
        "ReplaceInOptedInGroups",
        "StartInstances",
        "StopOptedInInstances",
    }
    assert with_keys - acting == {"ReadGivenKeys", "StartWithGivenKeys"}
    assert reporting <= acting <= with_keys


@pytest.mark.parametrize("policies", [REPORT, ACT], ids=["report", "act"])
def test_keys_of_this_account_and_given_ones_are_read_and_no_others(
    policies: list[Properties],
) -> None:
    unknown = (
        THEIR_KEY.replace("0a2", "0a3"),
        KEY.replace(REGION, "us-east-1"),
        KEY.replace("key/0a1", "alias/disks"),
    )

    for key in (KEY, KEY.replace("0a1", "0a9"), THEIR_KEY):
        assert is_allowed(policies, to_change("kms:DescribeKey", key))
    for key in unknown:
        assert not is_allowed(policies, to_change("kms:DescribeKey", key))


def test_ec2_alone_may_be_let_use_given_keys_alone() -> None:
    assert is_allowed(ACT, _grant())
    assert is_allowed(ACT, _grant(THEIR_KEY))
    assert not is_allowed(ACT, _grant(KEY.replace("0a1", "0a9")))
    assert not is_allowed(ACT, _grant(service="rds"))
    assert not is_allowed(ACT, _grant(for_aws="false"))


@pytest.mark.parametrize("policies", [REPORT, KEYLESS], ids=["report", "no keys"])
def test_no_key_is_used_in_report_mode_or_where_none_is_given(policies: list[Properties]) -> None:
    assert not is_allowed(policies, _grant())


def test_what_iam_allows_and_what_the_code_takes_for_allowed_are_the_same_keys() -> None:
    keys = [f"{KEY}{number}" for number in range(3)]
    (granting,) = (
        each
        for each in policies_of(ROLE, InstanceHealthMode="act", KmsKeyArns=",".join(keys))
        if each["Sid"] == "StartWithGivenKeys"
    )

    assert granting["Resource"] == keys
    assert environment(FUNCTION)["CARETAKER_KMS_KEY_ARNS"] == {
        "Fn::Join": [",", {"Ref": "KmsKeyArns"}]
    }


def test_as_many_keys_as_the_parameter_speaks_of_fit_into_the_role_and_the_environment() -> None:
    told = written()["Parameters"]["KmsKeyArns"]["Description"]
    uuid = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
    keys = [f"arn:aws-us-gov:kms:us-gov-west-1:{ACCOUNT}:key/{uuid}"] * 20
    own = properties("AWS::IAM::Role")[ROLE]["Policies"]
    policies = json.dumps(own, separators=(",", ":"))
    doubled = policies.replace('{"Ref":"KmsKeyArns"}', json.dumps(keys, separators=(",", ":")))

    assert "at most 20 KMS keys" in told
    assert len(doubled) < MAX_INLINE_POLICIES
    assert len(",".join(keys)) < 4096 / 2, "Lambda's environment holds 4 KB in all"


def test_it_writes_no_tag_so_that_it_cannot_opt_anything_in() -> None:
    assert not [action for action in allowed_actions(FUNCTION) if is_tagging(action)]


def test_it_can_neither_make_nor_end_anything() -> None:
    words = ("*Create*", "*Delete*", "*Terminate*", "*Run*", "*Modify*", "*Attach*", "*Detach*")
    allowed = allowed_actions(FUNCTION) - {"logs:CreateLogStream", "kms:CreateGrant"}
    of_aws = {each for each in allowed if not each.startswith("dynamodb:")}

    assert [each for each in sorted(of_aws) if any(is_like(each, word) for word in words)] == []
    assert {each for each in allowed if each.startswith("autoscaling:")} == {REPLACE}
