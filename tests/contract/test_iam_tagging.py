"""What the role of the tagging chore may change, asked as IAM would be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from caretaker import tags
from tests.contract.iam import ACCOUNT, REGION, Request, is_allowed, policies_of, statement_of
from tests.contract.tagging_requests import (
    BUCKET,
    IN_ACCOUNT,
    INSTANCE,
    KINDS,
    MANAGED_BY,
    MARK,
    OTHER_TYPES,
    VOLUME,
    WITHOUT_KEYS,
    is_tagging,
    to_change,
    to_tag,
)
from tests.contract.template import (
    allowed_actions,
    as_list,
    deployed,
    properties,
    statements,
)
from tests.support.tour import CALLED_BY, IMPLIED_FOR

if TYPE_CHECKING:
    from tests.contract.template import Properties

ROLE: Final = "TaggingRole"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:web-team"
REPORT: Final = policies_of(
    ROLE, TaggingMode="report", TaggingStops="on", TaggingOwnerTopics=TOPIC, Tracing="Active"
)
ACT: Final = policies_of(ROLE, TaggingMode="act", TaggingOwnerTopics=TOPIC)
STOPS: Final = policies_of(ROLE, TaggingMode="act", TaggingStops="on")

OURS: Final = tuple(
    value
    for value in vars(tags).values()
    if isinstance(value, str) and value.startswith(tags.PREFIX) and value != tags.PREFIX
)
CREATE, DELETE = "ec2:CreateTags", "ec2:DeleteTags"
MARKED: Final = {MARK: "2026-11-28T06:00:00Z"}
PERMITTING: Final = (
    *(MANAGED_BY, MARK, "caretaker:delete-after", tags.REMEDIATE, tags.EXPIRES_AT, tags.RUN),
    *(tags.BACKUP, tags.RESTORED_FROM),
)
"""Keys that permissions go by."""


def test_the_keys_of_the_product_are_known() -> None:
    assert {MANAGED_BY, "caretaker:delete-after"} <= set(OURS)
    assert len(OURS) > 10


@pytest.mark.parametrize("resource", KINDS)
def test_sets_the_users_tags_on_every_kind_that_it_lists(resource: str) -> None:
    assert is_allowed(ACT, to_tag(CREATE, resource, "Owner", "CostCenter"))


@pytest.mark.parametrize(
    "resource",
    [
        f"{IN_ACCOUNT}:vpc/vpc-0a1",
        f"{IN_ACCOUNT}:launch-template/lt-0a1",
        f"{IN_ACCOUNT}:key-pair/key-0a1",
        INSTANCE.replace(REGION, "us-east-1"),
        INSTANCE.replace(ACCOUNT, "210987654321"),
    ],
)
def test_sets_no_tags_on_other_kinds_nor_elsewhere(resource: str) -> None:
    assert not is_allowed(STOPS, to_tag(CREATE, resource, "Owner"))


@pytest.mark.parametrize("resource", KINDS)
@pytest.mark.parametrize("action", [CREATE, DELETE])
def test_a_request_with_no_keys_is_not_allowed(action: str, resource: str) -> None:
    assert not is_allowed(STOPS, to_tag(action, resource, on=MARKED))


@pytest.mark.parametrize("resource", KINDS)
@pytest.mark.parametrize("action", [CREATE, DELETE])
@pytest.mark.parametrize("key", OURS)
def test_a_key_of_the_products_own_is_refused_alone_and_in_company(
    action: str, resource: str, key: str
) -> None:
    for keys in [(key,), (key, "Owner"), (key, MARK), ("Owner", key, MARK)]:
        if set(keys) != {MARK}:
            assert not is_allowed(STOPS, to_tag(action, resource, *keys, on=MARKED)), keys


@pytest.mark.parametrize("key", PERMITTING)
@pytest.mark.parametrize("spelled", [str.upper, str.title, str.swapcase])
def test_another_case_of_a_key_that_permissions_go_by_is_refused(key: str, spelled: object) -> None:
    other = spelled(key)  # type: ignore[operator]

    assert other != key
    assert not is_allowed(STOPS, to_tag(CREATE, INSTANCE, other))
    assert not is_allowed(STOPS, to_tag(CREATE, INSTANCE, other, "Owner"))


@pytest.mark.parametrize("keys", ["*", "c*", "*:managed-by", "Owner,????????????managed-by"])
def test_no_pattern_for_the_users_keys_opens_the_products_own(keys: str) -> None:
    policies = policies_of(ROLE, TaggingMode="act", TaggingKeys=keys)

    for resource, action in {**dict.fromkeys(KINDS, CREATE), **OTHER_TYPES}.items():
        for key in (MANAGED_BY, MARK):
            assert not is_allowed(policies, to_tag(action, resource, key))


def test_writes_only_keys_that_are_given() -> None:
    given = policies_of(ROLE, TaggingMode="act", TaggingKeys="CostCenter,team:*")

    for resource, action in {**dict.fromkeys(KINDS, CREATE), **OTHER_TYPES}.items():
        assert is_allowed(given, to_tag(action, resource, "CostCenter", "team:web"))
        assert not is_allowed(given, to_tag(action, resource, "Owner"))
        assert not is_allowed(given, to_tag(action, resource, "CostCenter", "Owner"))


@pytest.mark.parametrize("resource", KINDS)
def test_takes_no_tag_of_the_users_away(resource: str) -> None:
    assert not is_allowed(STOPS, to_tag(DELETE, resource, "Owner", on=MARKED))


@pytest.mark.parametrize("action", [CREATE, DELETE])
def test_the_mark_goes_alone_and_onto_instances_alone(action: str) -> None:
    marked = [each for each in KINDS if is_allowed(STOPS, to_tag(action, each, MARK))]

    assert marked == [INSTANCE]
    assert not is_allowed(STOPS, to_tag(action, INSTANCE, MARK, "Owner"))


@pytest.mark.parametrize("action", ["ec2:StopInstances", "ec2:StartInstances"])
def test_stops_and_starts_marked_instances_alone(action: str) -> None:
    assert is_allowed(STOPS, to_change(action, INSTANCE, on=MARKED))
    assert not is_allowed(STOPS, to_change(action, INSTANCE))
    assert not is_allowed(STOPS, to_change(action, INSTANCE, on={"Owner": "web-team"}))
    elsewhere = INSTANCE.replace(ACCOUNT, "210987654321")
    assert not is_allowed(STOPS, to_change(action, elsewhere, on=MARKED))


@pytest.mark.parametrize("policies", [ACT, REPORT], ids=["act without stops", "report"])
def test_without_the_right_to_stop_it_neither_marks_nor_stops_nor_starts(
    policies: list[Properties],
) -> None:
    for action in ("ec2:StopInstances", "ec2:StartInstances"):
        assert not is_allowed(policies, to_change(action, INSTANCE, on=MARKED))
    for action in (CREATE, DELETE):
        assert not is_allowed(policies, to_tag(action, INSTANCE, MARK, on=MARKED))
    assert not is_allowed(policies, _grant(f"ec2.{REGION}.amazonaws.com"))


def _grant(service: str, for_aws: str = "true") -> Request:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1"
    return to_change(
        "kms:CreateGrant", key, kms__ViaService=service, kms__GrantIsForAWSResource=for_aws
    )


def test_lets_ec2_alone_use_the_keys_of_volumes() -> None:
    assert is_allowed(STOPS, _grant(f"ec2.{REGION}.amazonaws.com"))
    assert not is_allowed(STOPS, _grant(f"rds.{REGION}.amazonaws.com"))
    assert not is_allowed(STOPS, _grant(f"ec2.{REGION}.amazonaws.com", for_aws="false"))


@pytest.mark.parametrize(("resource", "action"), OTHER_TYPES.items())
def test_tags_other_types_through_the_tagging_api_but_never_with_a_key_of_its_own(
    resource: str, action: str
) -> None:
    through = to_tag("tag:TagResources", resource, "Owner")

    assert is_allowed(ACT, through)
    assert is_allowed(ACT, to_tag(action, resource, "Owner"))
    for key in (MANAGED_BY, MARK):
        assert not is_allowed(ACT, to_tag(action, resource, key))
        assert not is_allowed(ACT, to_tag(action, resource, key, "Owner"))
    assert not is_allowed(ACT, to_tag(action, resource))
    assert not is_allowed(ACT, to_tag(CREATE, resource, "Owner"))


@pytest.mark.parametrize("resource", sorted(OTHER_TYPES.keys() - {BUCKET}))
def test_tags_no_other_type_of_another_account_or_region(resource: str) -> None:
    action = OTHER_TYPES[resource]

    for elsewhere in (resource.replace(ACCOUNT, "2" * 12), resource.replace(REGION, "us-east-1")):
        assert not is_allowed(ACT, to_tag(action, elsewhere, "Owner"))


@pytest.mark.parametrize("action", ["s3:GetBucketTagging", "s3:PutBucketTagging", "s3:TagResource"])
def test_tags_buckets_of_this_account_alone(action: str) -> None:
    request = to_tag(action, BUCKET, "Owner")
    foreign = {**request.context, "s3:ResourceAccount": "2" * 12}

    assert is_allowed(ACT, request)
    assert not is_allowed(ACT, Request(action, BUCKET, foreign))


def test_in_report_mode_it_reads_and_does_what_every_function_does_and_nothing_else() -> None:
    running = CALLED_BY["alerts"] | IMPLIED_FOR["alerts"].keys() | {"lambda:InvokeFunction"}
    allowed = {
        action
        for statement in REPORT
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }
    reading = {each for each in allowed - running if each.split(":")[1].startswith("Describe")}

    assert allowed - running - reading == {"organizations:ListTagsForResource", "tag:GetResources"}
    assert {s["Sid"] for s in statements(ROLE, deployed())} <= {s["Sid"] for s in REPORT}


@pytest.mark.parametrize(("resource", "action"), [(each, CREATE) for each in KINDS])
def test_in_report_mode_no_tag_is_set(resource: str, action: str) -> None:
    assert not is_allowed(REPORT, to_tag(action, resource, "Owner"))


@pytest.mark.parametrize(("resource", "action"), OTHER_TYPES.items())
def test_in_report_mode_no_tag_of_another_type_is_set(resource: str, action: str) -> None:
    for each in (action, *WITHOUT_KEYS):
        assert not is_allowed(REPORT, to_tag(each, resource, "Owner"))


def test_tells_the_owners_whose_topics_are_given_and_no_others() -> None:
    other = f"arn:aws:sns:{REGION}:{ACCOUNT}:db-team"
    two = policies_of(ROLE, TaggingMode="act", TaggingOwnerTopics=f"{TOPIC},{other}")

    assert is_allowed(ACT, to_change("sns:Publish", TOPIC))
    assert not is_allowed(ACT, to_change("sns:Publish", other))
    assert is_allowed(two, to_change("sns:Publish", other))
    for none in (REPORT, STOPS):
        assert not is_allowed(none, to_change("sns:Publish", TOPIC))


def test_what_is_denied_of_the_products_own_keys_is_every_tagging_action_that_is_allowed() -> None:
    allowed = {each for each in allowed_actions("TaggingFunction") if is_tagging(each)}

    assert allowed >= {CREATE, DELETE, *WITHOUT_KEYS, *OTHER_TYPES.values()}
    for wall in ("NeverAWayIn", "NeverAWayInByAnotherCase"):
        assert set(statement_of("TaggingFunction", wall)["Action"]) == allowed


@pytest.mark.parametrize("parameters", [{}, {"TaggingMode": "act"}], ids=["report", "act"])
def test_the_walls_stand_in_either_mode(parameters: dict[str, str]) -> None:
    denying = [s["Sid"] for s in policies_of(ROLE, **parameters) if s["Effect"] == "Deny"]

    assert denying == ["NeverAWayIn", "NeverAWayInByAnotherCase"]


ANYTHING: Final = {"Effect": "Allow", "Action": [CREATE, DELETE], "Resource": "*"}


def _behind(wall: str) -> list[Properties]:
    """Return one wall in front of a permission to write and remove any tag."""
    return [*(each for each in STOPS if each["Sid"] == wall), ANYTHING]


@pytest.mark.parametrize("action", [CREATE, DELETE])
@pytest.mark.parametrize("key", OURS)
def test_the_first_wall_alone_refuses_every_key_of_the_product(action: str, key: str) -> None:
    for keys in [(key,), (key, "Owner"), (key, MARK), ("Owner", key, MARK)]:
        is_mark = set(keys) == {MARK}
        assert is_allowed(_behind("NeverAWayIn"), to_tag(action, INSTANCE, *keys)) is is_mark


def test_every_key_of_its_own_that_a_permission_of_any_role_goes_by_is_known() -> None:
    asked = {
        key.partition("Tag/")[2]
        for role in properties("AWS::IAM::Role")
        for statement in statements(role)
        for keys in statement.get("Condition", {}).values()
        for key in keys
    }

    assert asked - {""} == set(PERMITTING) - {"caretaker:delete-after"}


@pytest.mark.parametrize("key", PERMITTING)
def test_the_second_wall_alone_refuses_every_case_of_the_keys_that_permissions_go_by(
    key: str,
) -> None:
    for other in (key, key.upper(), key.title(), key.swapcase()):
        for keys in [(other,), (other, "Owner"), (other, MARK)]:
            request = to_tag(CREATE, INSTANCE, *keys)
            is_mark = set(keys) == {MARK}
            assert is_allowed(_behind("NeverAWayInByAnotherCase"), request) is is_mark


@pytest.mark.parametrize("wall", ["NeverAWayIn", "NeverAWayInByAnotherCase"])
def test_the_walls_let_the_users_keys_through(wall: str) -> None:
    assert is_allowed(_behind(wall), to_tag(CREATE, VOLUME, "Owner", "caretakers:team"))
