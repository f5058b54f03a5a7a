"""What the role of drill may do, asked as IAM would be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from tests.contract.tagging_requests import INSTANCE, VOLUME, is_tagging, to_change
from tests.contract.template import deployed, environment, statements
from tests.support.tour import CALLED_BY

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS: Final = OF_KEYS | {"kms:DescribeKey"}
ROLE: Final = "DrillRole"
JUDGE: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:judge"
GIVEN: Final = {
    "KmsKeyArns": KEY,
    "DrillJudgeArn": JUDGE,
    "TargetRoleName": "member",
    "Tracing": "Active",
}
REPORT: Final = policies_of(ROLE, DrillMode="report", **GIVEN)
ACT: Final = policies_of(ROLE, DrillMode="act", **GIVEN)

INVOKE: Final = "lambda:InvokeFunction"
READS: Final = ("ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks")
CHANGES: Final = {*READS, MAKE, DELETE, TAG}
AN_END: Final = {tags.EXPIRES_AT: "2026-11-21T09:00:00Z"}
A_RUN: Final = {tags.RUN: "drill/01M7Y0QRW03JNA8JCCYVWD8KFW"}
MADE: Final = {**OURS, **AN_END, **A_RUN}
ANY_TAGS: Final = pytest.mark.parametrize(
    ("given", "is_allowed_"),
    [
        (MADE, True),
        ({**OURS, **A_RUN}, False),
        ({**AN_END, **A_RUN}, False),
        ({**OURS, **AN_END}, False),
        ({**MADE, **ANOTHERS}, False),
        ({**MADE, tags.RUN: "p-0123456789abcdef/i-0a1"}, False),
        ({}, False),
    ],
    ids=["all", "no end", "no owner", "no run", "another owner", "of a restore", "nothing"],
)


@ANY_TAGS
def test_a_volume_is_made_with_its_owner_and_its_end_or_not_at_all(
    given: Mapping[str, str], *, is_allowed_: bool
) -> None:
    assert is_allowed(ACT, make(given)) is is_allowed_


@ANY_TAGS
def test_only_what_has_an_end_and_is_this_installations_is_deleted(
    given: Mapping[str, str], *, is_allowed_: bool
) -> None:
    assert is_allowed(ACT, to_change(DELETE, VOLUME, on=given)) is is_allowed_


def test_what_was_restored_is_not_deleted_whatever_is_written_on_it() -> None:
    restored = {**MADE, tags.RESTORED_FROM: "snap-0a1"}

    assert not is_allowed(ACT, to_change(DELETE, VOLUME, on=restored))


@pytest.mark.parametrize("action", [*READS, MAKE])
@pytest.mark.parametrize(("on", "is_read"), [(OURS, True), (ANOTHERS, False), ({}, False)])
def test_only_snapshots_of_this_installation_are_read_and_made_volumes_of(
    action: str, on: Mapping[str, str], *, is_read: bool
) -> None:
    assert is_allowed(ACT, to_change(action, SNAPSHOT, on=on)) is is_read
    assert not is_allowed(ACT, to_change(action, SNAPSHOT.replace(REGION, "us-east-1"), on=on))


@pytest.mark.parametrize(
    ("request_", "is_written"),
    [
        (tag(SNAPSHOT, tags.PROVEN_AT, on=OURS), True),
        (tag(SNAPSHOT, tags.PROVEN_AT, on=ANOTHERS), False),
        (tag(SNAPSHOT, tags.PROVEN_AT), False),
        (tag(SNAPSHOT, tags.PROVEN_AT, tags.KEEP, on=OURS), False),
        (tag(SNAPSHOT, tags.DELETE_AFTER, on=OURS), False),
        (tag(SNAPSHOT, on=OURS), False),
        (tag(VOLUME, tags.PROVEN_AT, on=OURS), False),
        (tag(VOLUME, tags.MANAGED_BY, tags.EXPIRES_AT, action="CreateVolume"), True),
        (tag(VOLUME, tags.MANAGED_BY, tags.EXPIRES_AT), False),
        (tag(VOLUME, tags.EXPIRES_AT, on=OURS), False),
        (tag(INSTANCE, tags.PROVEN_AT, on=OURS), False),
    ],
)
def test_tags_are_written_at_birth_and_after_it_the_proof_alone_on_own_snapshots(
    request_: Request, *, is_written: bool
) -> None:
    assert is_allowed(ACT, request_) is is_written


def test_no_tag_is_taken_away_and_no_instance_touched() -> None:
    ec2 = {each for each in actions_of(ACT) if each.startswith("ec2:")}

    assert {each for each in ec2 if is_tagging(each)} == {TAG}
    assert {each for each in ec2 if not each.startswith("ec2:Describe")} == {MAKE, DELETE, TAG}


def test_in_report_mode_nothing_is_read_of_contents_and_nothing_changed() -> None:
    beyond = actions_of(REPORT) - RUNNING

    assert beyond == CALLED_BY["drill"] - CHANGES - RUNNING
    assert {each for each in beyond if ":Describe" not in each} == {INVOKE, "sts:AssumeRole"}
    assert actions_of(ACT) - actions_of(REPORT) == CHANGES | (KEYS - RUNNING)


def test_it_ships_in_act_mode() -> None:
    acting = {s["Sid"] for s in statements(ROLE, deployed(DrillMode="act"))}

    assert {s["Sid"] for s in statements(ROLE, deployed())} == acting


def test_the_judge_alone_is_asked_and_only_where_there_is_one() -> None:
    assert is_allowed(ACT, to_change(INVOKE, JUDGE))
    for other in (f"{JUDGE}2", f"{JUDGE}:1", "RestoreFunction.Arn"):
        assert not is_allowed(ACT, to_change(INVOKE, other))
    assert not is_allowed(REPORT, to_change(INVOKE, JUDGE))
    assert not is_allowed(policies_of(ROLE, DrillMode="act"), to_change(INVOKE, JUDGE))
    assert environment("DrillFunction")["CARETAKER_DRILL_JUDGE"] == {"Ref": "DrillJudgeArn"}


@pytest.mark.parametrize("action", sorted(KEYS))
def test_given_keys_are_used_through_ebs_and_ec2_alone_and_granted_to_aws_alone(
    action: str,
) -> None:
    for service in ("ebs", "ec2"):
        assert is_allowed(ACT, use(action, service=service))
    assert not is_allowed(ACT, use(action, service="s3"))
    assert not is_allowed(ACT, use(action, service=""))
    assert not is_allowed(ACT, use(action, KEY.replace("0a1", "0a9")))
    assert not is_allowed(REPORT, use(action))
    assert not is_allowed(policies_of(ROLE, DrillMode="act"), use(action))
    assert is_allowed(ACT, use(action, for_aws="false")) is (action != "kms:CreateGrant")


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("partition", [*OF_OTHERS, f"restores#{PLACE}", f"journals#{PLACE}/p-0a1"])
def test_what_other_chores_decide_by_is_not_its_to_write(action: str, partition: str) -> None:
    assert not is_allowed(ACT, at(action, partition))
    assert not is_allowed(ACT, at(action, f"proofs#{PLACE}", partition))


@pytest.mark.parametrize("action", WRITES)
def test_it_writes_what_is_its_own(action: str) -> None:
    own = (
        f"lease#drill/daily/{PLACE}",
        f"policy#drill/daily/{PLACE}",
        f"proofs#{PLACE}",
        f"incidents#{STACK}/{PLACE}/drill/daily",
        f"resolved#{STACK}/{PLACE}/drill/daily",
    )

    assert is_allowed(ACT, at(action, *own, *OF_ALL))
