"""The shape of every policy: what is allowed, on what, and under which conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.template import (
    allowed_actions,
    as_list,
    functions,
    properties,
    role_of,
    statements,
    written,
)

if TYPE_CHECKING:
    from tests.contract.template import Properties

EVERYTHING_IS_ALLOWED_TO = {
    "ReadFleet": "EC2's Describe calls take no resource; ec2:Region holds them to this region",
    "SendTraces": "X-Ray's Put calls take no resource",
}
"""The only statements on all resources, and why."""

OWNER = {"Fn::If": ["IsNamedByStack", {"Ref": "AWS::StackName"}, {"Ref": "Installation"}]}
SNAPSHOTS = {"Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*"}
ACCOUNT = {"Ref": "AWS::AccountId"}
TAG = "caretaker:managed-by"
RESOURCE_POLICIES = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")

ROLES = sorted(properties("AWS::IAM::Role"))
OF_ROLES = [
    pytest.param(statement, id=f"{role}-{statement.get('Sid')}")
    for role in ROLES
    for statement in statements(role)
]


def _resource_policies() -> list[Any]:
    return [
        pytest.param(policy["PolicyDocument"]["Statement"], id=id_)
        for kind in RESOURCE_POLICIES
        for id_, policy in properties(kind).items()
    ]


def _snapshot(sid: str) -> Properties:
    (found,) = (s for s in statements(role_of("SnapshotFunction")) if s["Sid"] == sid)
    return found


def test_there_are_roles_and_statements_to_look_at() -> None:
    assert len(ROLES) > len(functions())
    assert len(OF_ROLES) > len(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_has_a_name_of_its_own(role: str) -> None:
    names = [statement.get("Sid") for statement in statements(role)]

    assert None not in names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("statement", OF_ROLES)
def test_no_role_has_an_action_with_a_wildcard(statement: Properties) -> None:
    assert [action for action in as_list(statement["Action"]) if "*" in action] == []
    assert "NotAction" not in statement


@pytest.mark.parametrize("statement", OF_ROLES)
def test_all_resources_only_where_aws_knows_no_narrower_one(statement: Properties) -> None:
    if "*" in as_list(statement["Resource"]):
        assert statement["Sid"] in EVERYTHING_IS_ALLOWED_TO
    assert "NotResource" not in statement


@pytest.mark.parametrize("role", ROLES)
def test_every_role_takes_the_permissions_boundary(role: str) -> None:
    assert properties("AWS::IAM::Role")[role]["PermissionsBoundary"] == {
        "Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]
    }


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_one_services_alone_and_has_no_managed_policy(role: str) -> None:
    made = properties("AWS::IAM::Role")[role]
    (trust,) = made["AssumeRolePolicyDocument"]["Statement"]

    assert "ManagedPolicyArns" not in made
    assert trust["Sid"]
    assert trust["Principal"] in (
        {"Service": "lambda.amazonaws.com"},
        {"Service": "scheduler.amazonaws.com"},
    )


def test_scheduler_role_serves_the_schedules_of_this_group_alone() -> None:
    role = properties("AWS::IAM::Role")["SchedulerRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": ACCOUNT,
            "aws:SourceArn": {"Fn::GetAtt": ["ScheduleGroup", "Arn"]},
        }
    }


def test_scheduler_role_starts_functions_of_this_stack_and_fills_the_failure_queue() -> None:
    by_action = {s["Action"]: as_list(s["Resource"]) for s in statements("SchedulerRole")}

    assert by_action == {
        "lambda:InvokeFunction": [{"Fn::GetAtt": [id_, "Arn"]} for id_ in functions()],
        "sqs:SendMessage": [{"Fn::GetAtt": ["FailureQueue", "Arn"]}],
    }


def test_fleet_is_read_in_this_region_alone() -> None:
    assert _snapshot("ReadFleet")["Condition"] == {
        "StringEquals": {"ec2:Region": {"Ref": "AWS::Region"}}
    }


def test_snapshots_are_made_from_any_volume_and_instance_of_this_account() -> None:
    source = _snapshot("SnapshotAnySource")
    here = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}"

    assert source["Resource"] == [
        {"Fn::Sub": f"{here}:volume/*"},
        {"Fn::Sub": f"{here}:instance/*"},
    ]
    assert "Condition" not in source


def test_snapshots_are_made_only_with_the_owners_tag() -> None:
    made = _snapshot("MakeOnlyTaggedSnapshots")

    assert made["Action"] == _snapshot("SnapshotAnySource")["Action"]
    assert made["Resource"] == SNAPSHOTS
    assert made["Condition"] == {"StringEquals": {f"aws:RequestTag/{TAG}": OWNER}}


def test_snapshot_role_writes_managed_by_only_at_creation() -> None:
    tagging = [
        statement
        for statement in statements(role_of("SnapshotFunction"))
        if {"ec2:CreateTags", "ec2:DeleteTags"} & set(as_list(statement["Action"]))
    ]

    assert [statement["Action"] for statement in tagging] == ["ec2:CreateTags"]
    assert tagging[0]["Resource"] == SNAPSHOTS
    assert tagging[0]["Condition"] == {
        "StringEquals": {
            "ec2:CreateAction": ["CreateSnapshot", "CreateSnapshots"],
            f"aws:RequestTag/{TAG}": OWNER,
        }
    }


def test_only_snapshots_of_this_installation_are_deleted() -> None:
    deleting = [
        statement
        for statement in statements(role_of("SnapshotFunction"))
        if any("Delete" in a for a in as_list(statement["Action"]) if a.startswith("ec2:"))
    ]

    assert [(s["Action"], s["Resource"]) for s in deleting] == [("ec2:DeleteSnapshot", SNAPSHOTS)]
    assert deleting[0]["Condition"] == {"StringEquals": {f"aws:ResourceTag/{TAG}": OWNER}}


def test_snapshot_function_invokes_nothing_but_itself() -> None:
    assert _snapshot("ContinueOwnRun")["Resource"] == {"Fn::GetAtt": ["SnapshotFunction", "Arn"]}


def test_snapshot_function_writes_reports_under_its_own_name_alone() -> None:
    assert _snapshot("WriteReports")["Resource"] == {"Fn::Sub": "${ReportsBucket.Arn}/snapshot/*"}


@pytest.mark.parametrize(
    ("sid", "condition"), [("SendTraces", "IsTracing"), ("WorkElsewhere", "HasTargetRole")]
)
def test_permission_is_given_only_with_its_parameter(sid: str, condition: str) -> None:
    entries = [
        entry
        for policy in written()["Resources"]["SnapshotRole"]["Properties"]["Policies"]
        for entry in policy["PolicyDocument"]["Statement"]
    ]

    guarded = {e["Fn::If"][1]["Sid"]: e["Fn::If"] for e in entries if "Fn::If" in e}
    assert guarded[sid][0] == condition
    assert guarded[sid][2] == {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize("function", functions())
def test_no_function_may_change_permissions_or_read_all_roles(function: str) -> None:
    services = {action.partition(":")[0] for action in allowed_actions(function)}

    assert "iam" not in services
    assert not {"*", "organizations"} & services


@pytest.mark.parametrize("policy", _resource_policies())
def test_no_resource_policy_allows_everyone(policy: list[Properties]) -> None:
    for statement in policy:
        open_to_all = statement["Principal"] in ("*", {"AWS": "*"})

        assert statement["Sid"]
        assert not (open_to_all and statement["Effect"] == "Allow")
        if "Service" in statement["Principal"]:
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


@pytest.mark.parametrize("policy", _resource_policies())
def test_every_resource_policy_refuses_plain_http(policy: list[Properties]) -> None:
    denied = [statement for statement in policy if statement["Effect"] == "Deny"]

    assert [statement["Condition"] for statement in denied] == [
        {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert denied[0]["Principal"] == "*"


@pytest.mark.parametrize(
    ("thing", "kind", "listed"),
    [
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ],
)
def test_every_topic_queue_and_bucket_has_a_policy(thing: str, kind: str, listed: str) -> None:
    covered = [ref["Ref"] for p in properties(kind).values() for ref in as_list(p[listed])]

    assert sorted(covered) == sorted(properties(thing))


def test_alarms_can_use_the_topics_and_their_key() -> None:
    alarms = {"Service": "cloudwatch.amazonaws.com"}
    key = properties("AWS::KMS::Key")["TopicsKey"]["KeyPolicy"]["Statement"]
    documents = [p["PolicyDocument"] for p in properties("AWS::SNS::TopicPolicy").values()]

    assert [s["Action"] for s in key if s["Principal"] == alarms] == [
        ["kms:Decrypt", "kms:GenerateDataKey*"]
    ]
    for document in documents:
        (publish,) = (s for s in document["Statement"] if s["Principal"] == alarms)
        assert (publish["Effect"], publish["Action"]) == ("Allow", "sns:Publish")


def test_failure_queue_takes_messages_from_the_rules_of_this_stack_alone() -> None:
    (policy,) = properties("AWS::SQS::QueuePolicy").values()
    (events,) = (
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
    )

    assert events["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        {"Fn::GetAtt": [rule, "Arn"]} for rule in properties("AWS::Events::Rule")
    ]
