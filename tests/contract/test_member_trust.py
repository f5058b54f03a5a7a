"""Who may take the role in a member account: each chore of one stack, under its own name alone."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.contract.iam import STACK, Request, is_allowed
from tests.contract.member_role import (
    CHORES,
    EXTERNAL_ID,
    FLEET,
    HUB,
    MEMBER_ROLE,
    ORGANIZATION,
    RIGHTS,
    made,
    trust,
)
from tests.contract.template import function_of, role_of, statements, written

MAX_TRUST: Final = 2_048
MAX_ROLE_NAME: Final = 64
"""Characters, of a trust without blanks. Source: IAM user guide, "IAM and AWS STS quotas"."""
RANDOM: Final = len("-1A2B3C4D5E6F7")
"""What CloudFormation puts behind a logical id."""
TAKE: Final = "sts:AssumeRole"
ROLES: Final = CHORES | {FLEET: role_of(function_of(FLEET))}


def role_named(chore: str, account: str = HUB, stack: str = STACK) -> str:
    """Return the ARN of the role of a chore's function."""
    return f"arn:aws:iam::{account}:role/{stack}-{ROLES[chore]}-1A2B3C4D5E6F7"


def may_take(
    role: str,
    name: str,
    *,
    organization: str = ORGANIZATION,
    external_id: str = EXTERNAL_ID,
    **parameters: str,
) -> bool:
    """Tell whether the trust lets this role of the hub's account in, under a session name."""
    told = {
        "aws:PrincipalAccount": role.split(":")[4],
        "aws:PrincipalArn": role,
        "aws:PrincipalOrgID": organization,
        "sts:ExternalId": external_id,
        "sts:RoleSessionName": name,
    }
    context = {key: value for key, value in told.items() if value}
    statements = [
        {key: value for key, value in each.items() if key != "Principal"} | {"Resource": "*"}
        for each in trust(**parameters)["Statement"]
    ]
    return is_allowed(statements, Request(TAKE, "*", context))


@pytest.mark.parametrize("chore", ROLES)
@pytest.mark.parametrize("other", ROLES)
def test_a_function_takes_the_role_under_the_name_of_its_own_chore_alone(
    chore: str, other: str
) -> None:
    assert may_take(role_named(chore), f"caretaker-{other}") is (chore == other)


@pytest.mark.parametrize("name", ["caretaker", "x", ""])
@pytest.mark.parametrize("chore", ROLES)
def test_no_session_goes_without_the_name_of_a_chore(chore: str, name: str) -> None:
    assert not may_take(role_named(chore), name)


@pytest.mark.parametrize(
    "role",
    [
        role_named("snapshot", stack="another"),
        role_named("snapshot", stack=f"{STACK}-test"),
        f"arn:aws:iam::{HUB}:role/admin",
        f"arn:aws:iam::{HUB}:user/{STACK}-SnapshotRole-1",
        f"arn:aws:iam::{HUB}:user/role/{STACK}-SnapshotRole-1",
        f"arn:aws:iam::{HUB}:role/{STACK}-UptimeRole-1A2B3C4D5E6F7",
        f"arn:aws:iam::{HUB}:role/{STACK}2-SnapshotRole-1A2B3C4D5E6F7",
        role_named("snapshot", account="222222222222"),
    ],
)
def test_no_other_role_of_the_hub_or_of_any_account_is_let_in(role: str) -> None:
    assert not may_take(role, "caretaker-snapshot")


def test_the_hubs_account_alone_is_trusted() -> None:
    allowing, *denying = trust()["Statement"]

    assert allowing["Principal"] == {"AWS": f"arn:aws:iam::{HUB}:root"}
    assert {each["Effect"] for each in denying} == {"Deny"}
    assert {each["Principal"] for each in denying} == {"*"}


def test_organization_and_external_id_are_asked_for_where_they_are_given() -> None:
    snapshot = role_named("snapshot"), "caretaker-snapshot"

    assert not may_take(*snapshot, organization="o-another0000")
    assert not may_take(*snapshot, organization="")
    assert not may_take(*snapshot, external_id="another")
    assert not may_take(*snapshot, external_id="")
    assert may_take(*snapshot, organization="", OrganizationId="")
    assert may_take(*snapshot, external_id="", ExternalId="")


def test_the_organization_is_never_left_out_by_default() -> None:
    parameters = written(MEMBER_ROLE)["Parameters"]

    assert {name for name, each in parameters.items() if "Default" not in each} == {
        "HubAccountId",
        "OrganizationId",
    }


def test_the_longest_trust_fits_into_a_role() -> None:
    longest = trust(HubStackName="s" * 31, ExternalId="x" * 96, OrganizationId="o-" + "a" * 32)
    text = json.dumps(longest, separators=(",", ":")).replace("arn:aws:", "arn:aws-us-gov:")

    assert len(text) <= MAX_TRUST


def test_the_longest_name_of_a_stack_leaves_the_names_of_its_roles_whole() -> None:
    parameter = written(MEMBER_ROLE)["Parameters"]["HubStackName"]
    longest = max(map(len, ROLES.values()))

    assert parameter["AllowedPattern"] == "^[A-Za-z][A-Za-z0-9-]{0,30}$"
    assert 31 + len("-") + longest + RANDOM == MAX_ROLE_NAME
    assert "at most 31" in parameter["ConstraintDescription"]


def test_every_function_that_works_elsewhere_is_trusted_by_the_name_of_its_role() -> None:
    assert ROLES.keys() == RIGHTS.keys()
    for chore, role in ROLES.items():
        assert role == function_of(chore).replace("Function", "Role")
        assert "WorkElsewhere" in {each["Sid"] for each in statements(role)}


def test_the_role_has_the_name_that_the_stack_is_given_and_takes_a_boundary() -> None:
    role = made(RoleName="carer", PermissionsBoundaryName="walls/outer")["MemberRole"]

    assert role["RoleName"] == "carer"
    assert role["PermissionsBoundary"] == "arn:aws:iam::123456789012:policy/walls/outer"
    assert "PermissionsBoundary" not in made()["MemberRole"]
