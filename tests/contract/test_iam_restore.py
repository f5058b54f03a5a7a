"""What the role of restore may do, asked as IAM would be asked."""

from __future__ import annotations

import json
from typing import Final

import pytest

from caretaker import tags
from tests.contract.iam import ACCOUNT, REGION, STACK, Request, is_allowed, policies_of
from tests.contract.restore_rights import (
    ANOTHERS,
    DELETE,
    KEY,
    MAKE,
    OF_ALL,
    OF_KEYS,
    OF_OTHERS,
    OURS,
    PLACE,
    RUNNING,
    SNAPSHOT,
    TAG,
    WRITES,
    actions_of,
    at,
    make,
    tag,
    use,
)
from tests.contract.tagging_requests import IN_ACCOUNT, INSTANCE, VOLUME, is_tagging, to_change
from tests.contract.template import deployed, properties, statements
from tests.support.tour import CALLED_BY

ROLE: Final = "RestoreRole"
OTHER_ACCOUNT: Final = "210987654321"
TASK: Final = f"{IN_ACCOUNT}:replace-root-volume-task/replacevol-0a1"
MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{STACK}-restore"
GIVEN: Final = {"KmsKeyArns": KEY, "TargetRoleName": "member", "Tracing": "Active"}
REPORT: Final = policies_of(ROLE, RestoreMode="report", **GIVEN)
ACT: Final = policies_of(ROLE, RestoreMode="act", **GIVEN)

REPLACE, MODIFY = "ec2:CreateReplaceRootVolumeTask", "ec2:ModifyInstanceAttribute"
START_MACHINE: Final = "states:StartExecution"
ON_INSTANCES: Final = (
    *("ec2:AttachVolume", "ec2:DetachVolume", "ec2:StartInstances", "ec2:StopInstances"),
    *(REPLACE, MODIFY),
)
OF_A_RUN: Final = {tags.RUN: "p-0123456789abcdef/i-0a1"}
MADE: Final = {**OURS, **OF_A_RUN}
CHANGES: Final = {*ON_INSTANCES, MAKE, DELETE, TAG, START_MACHINE}
MAX_INLINE_POLICIES: Final = 10_240
"""Characters, without blanks. Source: IAM user guide, "IAM and AWS STS quotas"."""


@pytest.mark.parametrize(
    ("wanted", "is_made"),
    [
        (MADE, True),
        (OURS, False),
        (OF_A_RUN, False),
        ({**MADE, **ANOTHERS}, False),
        ({}, False),
    ],
    ids=["owner and run", "no run", "no owner", "another owner", "nothing"],
)
def test_a_volume_is_made_with_its_owner_and_its_run_or_not_at_all(
    wanted: dict[str, str], *, is_made: bool
) -> None:
    assert is_allowed(ACT, make(wanted)) is is_made


@pytest.mark.parametrize("action", [MAKE, REPLACE])
@pytest.mark.parametrize(("on", "is_used"), [(OURS, True), (ANOTHERS, False), ({}, False)])
def test_only_snapshots_of_this_installation_are_brought_back(
    action: str, on: dict[str, str], *, is_used: bool
) -> None:
    assert is_allowed(ACT, to_change(action, SNAPSHOT, on=on)) is is_used


@pytest.mark.parametrize(
    ("on", "is_deleted"),
    [
        (MADE, True),
        (OURS, False),
        (OF_A_RUN, False),
        ({**MADE, **ANOTHERS}, False),
        ({"Owner": "web-team"}, False),
        ({}, False),
    ],
    ids=["made by a run", "no run", "no owner", "another owner", "a user's", "untagged"],
)
def test_only_what_a_run_of_this_installation_made_is_deleted(
    on: dict[str, str], *, is_deleted: bool
) -> None:
    assert is_allowed(ACT, to_change(DELETE, VOLUME, on=on)) is is_deleted


@pytest.mark.parametrize(
    ("request_", "is_written"),
    [
        (tag(VOLUME, tags.MANAGED_BY, tags.RUN, "Owner", action="CreateVolume"), True),
        (tag(VOLUME, tags.MANAGED_BY, action="CreateSnapshot"), False),
        (tag(VOLUME, tags.REPLACED_BY), True),
        (tag(VOLUME, tags.REPLACED_BY, on=MADE), True),
        (tag(VOLUME, tags.REPLACED_BY, tags.RESTORED_FROM), False),
        (tag(VOLUME, tags.REPLACED_BY, tags.MANAGED_BY), False),
        (tag(VOLUME, tags.RUN), False),
        (tag(VOLUME, "Owner"), False),
        (tag(VOLUME), False),
        (tag(INSTANCE, tags.REPLACED_BY), False),
        (tag(SNAPSHOT, tags.RESTORED_FROM), False),
    ],
)
def test_tags_are_written_at_birth_and_after_it_those_that_say_what_took_whose_place(
    request_: Request, *, is_written: bool
) -> None:
    assert is_allowed(ACT, request_) is is_written


def test_no_tag_is_taken_away() -> None:
    assert {each for each in actions_of(ACT) if is_tagging(each)} == {TAG}


@pytest.mark.parametrize("action", ON_INSTANCES)
def test_instances_are_touched_in_this_account_and_region_and_in_act_mode_alone(
    action: str,
) -> None:
    assert is_allowed(ACT, to_change(action, INSTANCE))
    assert not is_allowed(REPORT, to_change(action, INSTANCE))
    for elsewhere in (
        INSTANCE.replace(ACCOUNT, OTHER_ACCOUNT),
        INSTANCE.replace(REGION, "us-east-1"),
    ):
        assert not is_allowed(ACT, to_change(action, elsewhere))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ec2:AttachVolume", VOLUME),
        ("ec2:DetachVolume", VOLUME),
        (MODIFY, VOLUME),
        (REPLACE, VOLUME),
        (REPLACE, TASK),
        (
            "ec2:StartInstances",
            f"arn:aws:license-manager:{REGION}:{OTHER_ACCOUNT}:license-configuration:lic-0a1",
        ),
        ("ec2:StartInstances", f"arn:aws:resource-groups:{REGION}:{ACCOUNT}:group/reserved"),
    ],
)
def test_what_ec2_looks_at_beside_the_instance_is_allowed_too(action: str, resource: str) -> None:
    assert is_allowed(ACT, to_change(action, resource))


@pytest.mark.parametrize(
    ("attribute", "is_changed"),
    [
        ("BlockDeviceMapping", True),
        ("blockDeviceMapping", True),
        ("BlockDeviceMappings", True),
        ("UserData", False),
        ("userData", False),
        ("DisableApiTermination", False),
        ("GroupSet", False),
    ],
)
def test_of_an_instance_its_block_devices_alone_are_changed(
    attribute: str, *, is_changed: bool
) -> None:
    request = to_change(MODIFY, INSTANCE, ec2__Attribute=attribute)

    assert is_allowed(ACT, request) is is_changed


def test_the_machine_of_this_stack_alone_is_started() -> None:
    assert is_allowed(ACT, to_change(START_MACHINE, MACHINE))
    for other in (f"{MACHINE}2", MACHINE.replace(STACK, "another"), f"{MACHINE}/Targets"):
        assert not is_allowed(ACT, to_change(START_MACHINE, other))
    assert not is_allowed(REPORT, to_change(START_MACHINE, MACHINE))


def test_in_report_mode_it_reads_and_does_what_every_function_does_and_nothing_else() -> None:
    beyond = actions_of(REPORT) - RUNNING

    assert beyond == CALLED_BY["restore"] - CHANGES - RUNNING
    assert {each for each in beyond if ":Describe" not in each} == {
        "dynamodb:GetItem",
        "servicequotas:GetServiceQuota",
    }
    assert actions_of(ACT) - actions_of(REPORT) == CHANGES | (OF_KEYS - RUNNING)


def test_without_a_parameter_it_only_reports() -> None:
    reporting = {s["Sid"] for s in statements(ROLE, deployed(RestoreMode="report"))}

    assert {s["Sid"] for s in statements(ROLE, deployed())} == reporting


@pytest.mark.parametrize("action", sorted(OF_KEYS))
def test_given_keys_are_used_through_ec2_alone_and_granted_to_aws_alone(action: str) -> None:
    assert is_allowed(ACT, use(action))
    assert not is_allowed(ACT, use(action, service="ebs"))
    assert not is_allowed(ACT, use(action, service=""))
    assert not is_allowed(ACT, use(action, KEY.replace("0a1", "0a9")))
    assert not is_allowed(REPORT, use(action))
    assert not is_allowed(policies_of(ROLE, RestoreMode="act"), use(action))
    assert is_allowed(ACT, use(action, for_aws="false")) is (action != "kms:CreateGrant")


@pytest.mark.parametrize(
    ("quota", "is_read"),
    [
        (f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:ebs/L-7A658B76", True),
        (f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:ec2/L-1216C47A", False),
    ],
)
def test_quotas_of_volumes_are_read_and_no_others(quota: str, *, is_read: bool) -> None:
    assert is_allowed(REPORT, to_change("servicequotas:GetServiceQuota", quota)) is is_read


def test_of_single_items_journals_alone_are_read() -> None:
    assert is_allowed(REPORT, at("dynamodb:GetItem", f"journals#{PLACE}/p-0123456789abcdef"))
    for other in ("outbox", f"restores#{PLACE}", f"plans#retention/daily/{PLACE}"):
        assert not is_allowed(REPORT, at("dynamodb:GetItem", other))


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("partition", [*OF_OTHERS, f"proofs#{PLACE}"])
def test_what_other_chores_decide_by_is_not_its_to_write(action: str, partition: str) -> None:
    assert not is_allowed(ACT, at(action, partition))
    assert not is_allowed(ACT, at(action, f"restores#{PLACE}", partition))


@pytest.mark.parametrize("action", WRITES)
def test_it_writes_what_is_its_own(action: str) -> None:
    own = (
        f"lease#restore/daily/{PLACE}/i-0a1",
        f"journals#{PLACE}/p-0123456789abcdef",
        f"restores#{PLACE}",
        f"pace#{PLACE}",
        f"incidents#{STACK}/{PLACE}/restore/daily",
        f"resolved#{STACK}/{PLACE}/restore/daily",
    )

    assert is_allowed(ACT, at(action, *own, *OF_ALL))


def test_as_many_keys_as_the_parameter_speaks_of_fit_into_the_role() -> None:
    key = f"arn:aws-us-gov:kms:us-gov-west-1:{ACCOUNT}:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
    own = json.dumps(properties("AWS::IAM::Role")[ROLE]["Policies"])
    sids = [each["Sid"] for each in ACT if f'"{each["Sid"]}"' in own]
    longest = policies_of(ROLE, RestoreMode="act", KmsKeyArns=",".join([key] * 20))
    written = [each for each in longest if each["Sid"] in sids]

    assert sum(each["Resource"] == [key] * 20 for each in written) == 2
    assert len(json.dumps(written, separators=(",", ":"))) < 0.97 * MAX_INLINE_POLICIES
