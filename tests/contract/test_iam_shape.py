"""The shape of every role: what is allowed, on what, and under which conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.template import (
    allowed_actions,
    as_list,
    branches,
    deployed,
    functions,
    properties,
    resources,
    role_of,
    statements,
)

if TYPE_CHECKING:
    from tests.contract.template import Properties

EVERYTHING_IS_ALLOWED_TO = {
    "ReadFleet": "EC2's Describe calls take no resource; ec2:Region holds them to this region",
    "ReadSnapshotsAndTheirUses": "likewise",
    "ReadGroups": "Auto Scaling's Describe calls take no resource",
    "ListRecycleBinRules": "ListRules takes no resource, only the kind of what the rules keep",
    "SendTraces": "X-Ray's Put calls take no resource",
}
"""The only statements on all resources, and why.

Source: Service Authorization Reference, the tables of actions of EC2, EC2 Auto Scaling, Recycle
Bin and X-Ray.
"""

OWNER = {"Fn::If": ["IsNamedByStack", {"Ref": "AWS::StackName"}, {"Ref": "Installation"}]}
SNAPSHOTS = {"Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*"}
ACCOUNT = {"Ref": "AWS::AccountId"}
TAG = "caretaker:managed-by"
OURS = {f"aws:ResourceTag/{TAG}": OWNER}

ROLES = sorted(properties("AWS::IAM::Role"))
OF_ROLES = [
    pytest.param(statement, id=f"{role}-{statement.get('Sid')}")
    for role in ROLES
    for statement in statements(role)
]


def _of(function: str, sid: str) -> Properties:
    (found,) = (s for s in statements(role_of(function)) if s["Sid"] == sid)
    return found


def _snapshot(sid: str) -> Properties:
    return _of("SnapshotFunction", sid)


def _changing(role: str, template: Properties | None = None) -> list[tuple[str, Properties]]:
    """Return each action of EC2 that is no reading one, with its statement."""
    return [
        (action, statement)
        for statement in statements(role, template)
        for action in as_list(statement["Action"])
        if action.startswith("ec2:") and not action.startswith("ec2:Describe")
    ]


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
def test_every_role_is_one_services_alone_and_has_no_managed_policy_but_the_stacks_own(
    role: str,
) -> None:
    made = properties("AWS::IAM::Role")[role]
    (trust,) = made["AssumeRolePolicyDocument"]["Statement"]
    shared = [{"Ref": "RunningPolicy"}] if role in map(role_of, functions()) else []

    assert made.get("ManagedPolicyArns", []) == shared
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


@pytest.mark.parametrize("statement", OF_ROLES)
def test_what_takes_no_resource_is_read_in_this_region_alone(statement: Properties) -> None:
    if statement["Resource"] == "*" and statement["Sid"] != "SendTraces":
        of_ec2 = all(action.startswith("ec2:") for action in as_list(statement["Action"]))
        key = "ec2:Region" if of_ec2 else "aws:RequestedRegion"
        assert statement["Condition"]["StringEquals"][key] == {"Ref": "AWS::Region"}


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


@pytest.mark.parametrize("role", ROLES)
def test_whatever_changes_a_snapshot_asks_for_the_owners_tag(role: str) -> None:
    for _, statement in _changing(role):
        if statement["Sid"] == "SnapshotAnySource":
            continue  # what is read; the snapshots made of it have a statement of their own
        making = statement["Sid"] in {"MakeOnlyTaggedSnapshots", "TagSnapshotsWhileMakingThem"}
        key = f"aws:{'Request' if making else 'Resource'}Tag/{TAG}"

        assert statement["Resource"] == SNAPSHOTS
        assert statement["Condition"]["StringEquals"][key] == OWNER


@pytest.mark.parametrize("function", ["SnapshotFunction", "RetentionFunction"])
def test_only_snapshots_of_this_installation_are_deleted(function: str) -> None:
    deleting = [s for action, s in _changing(role_of(function)) if action == "ec2:DeleteSnapshot"]

    assert [(s["Resource"], s["Condition"]) for s in deleting] == [
        (SNAPSHOTS, {"StringEquals": OURS})
    ]


@pytest.mark.parametrize("action", ["ec2:CreateTags", "ec2:DeleteTags"])
def test_retention_writes_and_removes_its_mark_alone_and_on_own_snapshots_alone(
    action: str,
) -> None:
    tagging = [each for name, each in _changing("RetentionRole") if name == action]

    assert [(each["Resource"], each["Condition"]) for each in tagging] == [
        (
            SNAPSHOTS,
            {
                "StringEquals": OURS,
                "ForAllValues:StringEquals": {"aws:TagKeys": ["caretaker:delete-after"]},
                # Without this the line above also holds for no keys at all.
                "Null": {"aws:TagKeys": "false"},
            },
        )
    ]


def test_retention_in_report_mode_can_neither_delete_nor_tag() -> None:
    can = {
        mode: [action for action, _ in _changing("RetentionRole", deployed(RetentionMode=mode))]
        for mode in ("report", "act")
    }

    assert can == {"report": [], "act": ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteSnapshot"]}
    assert _changing("RetentionRole", deployed()) == []


def test_shares_are_read_of_own_snapshots_alone() -> None:
    shares = _of("RetentionFunction", "ReadSharesOfOwnSnapshots")

    assert (shares["Resource"], shares["Condition"]) == (SNAPSHOTS, {"StringEquals": OURS})


def test_alerts_role_may_do_nothing_in_ec2_and_nothing_elsewhere() -> None:
    services = {action.partition(":")[0] for action in allowed_actions("AlertsFunction")}

    assert not services & {"autoscaling", "ec2", "rbin", "sts"}


@pytest.mark.parametrize("switch", ["on", "off"])
@pytest.mark.parametrize("function", functions())
def test_topics_are_published_to_where_they_exist_and_the_watchdogs_by_alerts_alone(
    function: str, switch: str
) -> None:
    template = deployed(UrgentTopic=switch, ChatTopic=switch, PagerTopic=switch)
    told = [
        topic["Ref"]
        for statement in statements(role_of(function), template)
        if statement["Action"] == "sns:Publish"
        for topic in as_list(statement["Resource"])
    ]

    made = {id_ for id_ in resources("AWS::SNS::Topic") if id_ in template["Resources"]}
    assert len(made) == (5 if switch == "on" else 2)
    assert set(told) == made - (set() if function == "AlertsFunction" else {"WatchdogTopic"})


def test_alerts_function_counts_the_subscribers_of_every_topic() -> None:
    counted = _of("AlertsFunction", "CountSubscribers")["Resource"]
    refs = [ref["Ref"] for entry in counted for ref in branches(entry)]

    assert sorted(refs) == sorted(resources("AWS::SNS::Topic"))


@pytest.mark.parametrize("function", sorted(functions().keys() - {"AlertsFunction"}))
def test_a_function_invokes_nothing_but_itself(function: str) -> None:
    assert _of(function, "ContinueOwnRun")["Resource"] == {"Fn::GetAtt": [function, "Arn"]}


@pytest.mark.parametrize("function", functions())
def test_a_function_writes_reports_and_log_in_its_own_place_alone(function: str) -> None:
    folder = f"${{ReportsBucket.Arn}}/{function.removesuffix('Function').lower()}/*"
    group = functions()[function]["LoggingConfig"]["LogGroup"]["Ref"]

    assert _of(function, "WriteReports")["Resource"] == {"Fn::Sub": folder}
    assert _of(function, "WriteLogs")["Resource"] == {"Fn::GetAtt": [group, "Arn"]}


@pytest.mark.parametrize(
    ("sid", "parameter", "value"),
    [("SendTraces", "Tracing", "Active"), ("WorkElsewhere", "TargetRoleName", "member")],
)
@pytest.mark.parametrize("role", [role_of(function) for function in functions()])
def test_permission_is_given_only_with_its_parameter(
    role: str, sid: str, parameter: str, value: str
) -> None:
    without = {s["Sid"] for s in statements(role, deployed())}
    given = {s["Sid"] for s in statements(role, deployed(**{parameter: value}))}

    assert sid not in without
    assert given - without == ({sid} if (role, sid) != ("AlertsRole", "WorkElsewhere") else set())


@pytest.mark.parametrize("function", functions())
def test_no_function_may_change_permissions_or_read_all_roles(function: str) -> None:
    services = {action.partition(":")[0] for action in allowed_actions(function)}

    assert "iam" not in services
    assert not {"*", "organizations"} & services
