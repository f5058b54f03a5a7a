"""No role of the stack can claim what exists: what deletions go by is set at birth alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.contract.iam import ACCOUNT, REGION, STACK, changing, is_allowed, policies_of
from tests.contract.tagging_requests import (
    BUCKET,
    MANAGED_BY,
    MARK,
    WITHOUT_KEYS,
    is_tagging,
    to_tag,
)
from tests.contract.template import as_list, properties, statements

if TYPE_CHECKING:
    from tests.contract.template import Properties

EVERYTHING: Final[dict[str, Any]] = {
    "RetentionMode": "act",
    "SnapshotMode": "act",
    "TaggingMode": "act",
    "TaggingStops": "on",
    "TaggingAtBirth": "on",
    "TaggingRules": '{"Owner": {}}',
    "InstanceHealthMode": "act",
    "KmsKeyArns": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1",
    "UptimeMode": "act",
    "UptimeTargets": "s3://a-bucket/targets.json",
    "UptimeSecretArns": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/token",
    "UptimeSubnetIds": "subnet-0a1b2c3d",
    "UptimeSecurityGroupIds": "sg-0a1b2c3d",
    "UptimeEcsServices": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/web/*",
    "UptimeDocuments": f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/restart-web",
    "RestoreMode": "act",
    "DrillMode": "act",
    "DrillJudgeArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:judge",
    "TargetRoleName": "member",
}
"""All that can be switched on and gives rights."""

ROLES: Final = sorted(properties("AWS::IAM::Role"))
TAGS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"Owner": "web-team"},
    {MARK: "2026-11-28T06:00:00Z"},
    {"caretaker:delete-after": "2026-11-28T06:00:00Z"},
    {MANAGED_BY: "another"},
    {MANAGED_BY: STACK},
)
"""What a resource may have on it before."""

COMPANY: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("Owner",),
    (MARK,),
    ("caretaker:delete-after",),
    ("caretaker:policy", "caretaker:slot", "caretaker:run"),
    ("caretaker:replaced-by", "caretaker:restored-from"),
    ("caretaker:proven-at",),
)
"""What may be written beside the owner's tag in one request."""


def _tagging(policies: list[Properties]) -> list[tuple[str, str]]:
    """Return each tagging action that may be allowed, with a resource that it is allowed on."""
    return sorted(
        {
            (action, resource.replace("*", "x"))
            for statement in policies
            if statement["Effect"] == "Allow"
            for action in as_list(statement["Action"])
            if is_tagging(action)
            for resource in as_list(statement["Resource"])
        }
    )


def test_every_role_that_may_write_tags_is_asked() -> None:
    asked = {role: _tagging(policies_of(role, **EVERYTHING)) for role in ROLES}

    assert {role for role, each in asked.items() if each} == {
        "DrillRole",
        "RestoreRole",
        "RetentionRole",
        "SnapshotRole",
        "TaggingRole",
    }
    assert len(asked["TaggingRole"]) > 16


@pytest.mark.parametrize("spelled", [MANAGED_BY, MANAGED_BY.title(), MANAGED_BY.upper()])
@pytest.mark.parametrize("role", ROLES)
def test_no_role_writes_the_owners_tag_on_what_exists(role: str, spelled: str) -> None:
    policies = policies_of(role, **EVERYTHING)
    written = [
        (action, resource, keys, before)
        for action, resource in _tagging(policies)
        if action not in WITHOUT_KEYS
        for keys in COMPANY
        for before in TAGS
        if is_allowed(policies, to_tag(action, resource, spelled, *keys, on=before, value=STACK))
    ]

    assert written == []


def test_where_iam_cannot_look_at_keys_no_permission_goes_by_the_tags() -> None:
    blind = {
        (role, action, resource)
        for role in ROLES
        for action, resource in _tagging(policies_of(role, **EVERYTHING))
        if action in WITHOUT_KEYS
    }
    by_tags = [
        action
        for role in ROLES
        for statement in statements(role)
        if any("Tag/" in key for keys in statement.get("Condition", {}).values() for key in keys)
        for action in as_list(statement["Action"])
    ]

    bucket = "arn:aws:s3:::x"
    assert blind == {
        ("TaggingRole", "s3:PutBucketTagging", bucket),
        ("TaggingRole", "tag:TagResources", "x"),
    }
    services = {action.partition(":")[0] for action in by_tags}
    assert services == {"autoscaling", "ebs", "ec2", "ecs", "ssm"}


def test_the_tagging_api_gives_no_right_by_itself() -> None:
    policies = [
        each
        for each in policies_of("TaggingRole", **EVERYTHING)
        if as_list(each["Action"]) == ["tag:TagResources"] or each["Effect"] == "Deny"
    ]

    assert is_allowed(policies, to_tag("tag:TagResources", BUCKET, "Owner"))
    assert not is_allowed(policies, to_tag("s3:PutBucketTagging", BUCKET, "Owner"))


@pytest.mark.parametrize("role", ROLES)
def test_owners_tag_is_taken_from_nothing(role: str) -> None:
    policies = policies_of(role, **EVERYTHING)

    for statement in changing(role):
        if statement["Action"] == "ec2:DeleteTags":
            for _, resource in _tagging(policies):
                for before in TAGS:
                    request = to_tag("ec2:DeleteTags", resource, MANAGED_BY, on=before)
                    assert not is_allowed(policies, request)
