"""The shape of every role: what is allowed, on what, and under which conditions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.iam import statement_of
from tests.contract.template import (
    allowed_actions,
    as_list,
    branches,
    chore_of,
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
    "ReadTaggedFleet": "likewise",
    "ReadInstances": "likewise",
    "ReadLoadBalancers": "Elastic Load Balancing's Describe calls take no resource",
    "ReadTargetHealth": "likewise",
    "ReadCommands": "these two of Systems Manager take no resource",
    "DeliverLogs": "CloudWatch Logs' calls for logs that a service delivers take no resource",
    "ReadNetwork": "Lambda reads them for a function in a VPC, whose code may not",
    "ReadOtherTypes": "the tagging API's actions take no resource",
    "SetTagsByTheTaggingApi": "likewise; the action of the service that it asks for too takes one",
    "ReadGroups": "Auto Scaling's Describe calls take no resource",
    "ListRecycleBinRules": "ListRules takes no resource, only the kind of what the rules keep",
    "SendTraces": "X-Ray's Put calls take no resource",
    "ReadOrganization": "these three of Organizations take no resource",
    "ReadRegions": "DescribeRegions takes no resource",
    "ReadConcurrency": "GetAccountSettings takes no resource",
}
"""The only statements on all resources, and why.

Source: Service Authorization Reference, the tables of actions of EC2, EC2 Auto Scaling, Elastic
Load Balancing, Lambda, Organizations, Recycle Bin, Resource Group Tagging API, Systems Manager and
X-Ray.
"""

ACCOUNT = {"Ref": "AWS::AccountId"}

ROLES = sorted(properties("AWS::IAM::Role"))
OF_ROLES = [
    pytest.param(statement, id=f"{role}-{statement.get('Sid')}")
    for role in ROLES
    for statement in statements(role)
]
ALLOWING = [
    pytest.param(statement, id=f"{role}-{statement['Sid']}")
    for role in ROLES
    for statement in statements(role)
    if statement["Effect"] == "Allow"
]
MAX_INLINE_POLICIES = 10_240
"""Characters, without blanks. Source: IAM user guide, "IAM and AWS STS quotas"."""


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


@pytest.mark.parametrize("statement", ALLOWING)
def test_all_resources_only_where_aws_knows_no_narrower_one(statement: Properties) -> None:
    if "*" in as_list(statement["Resource"]):
        assert statement["Sid"] in EVERYTHING_IS_ALLOWED_TO
    assert "NotResource" not in statement


@pytest.mark.parametrize("statement", OF_ROLES)
def test_what_is_denied_is_denied_everywhere(statement: Properties) -> None:
    assert statement["Effect"] in {"Allow", "Deny"}
    if statement["Effect"] == "Deny":
        assert statement["Resource"] == "*"


@pytest.mark.parametrize("role", ROLES)
def test_policies_of_a_role_fit_into_it_with_room_for_keys_and_topics(role: str) -> None:
    written = json.dumps(properties("AWS::IAM::Role")[role]["Policies"], separators=(",", ":"))

    assert len(written) < 0.75 * MAX_INLINE_POLICIES


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
        {"Service": "states.amazonaws.com"},
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
    by_action = {
        statement["Action"]: sorted(map(json.dumps, as_list(statement["Resource"])))
        for statement in statements("SchedulerRole", deployed())
    }
    started = [id_ for id_ in functions() if id_ != "ServiceRepairFunction"]

    assert {name: [json.loads(each) for each in arns] for name, arns in by_action.items()} == {
        "lambda:InvokeFunction": [{"Fn::GetAtt": [id_, "Arn"]} for id_ in sorted(started)],
        "sqs:SendMessage": [{"Fn::GetAtt": ["FailureQueue", "Arn"]}],
    }


OF_A_SERVICE = {"DeliverLogs", "ReadNetwork", "SendTraces"}
"""What a service calls by a role, not the code of a chore."""
OF_ALL_REGIONS = "ReadOrganization"
"""Organizations answers for all regions from one."""


@pytest.mark.parametrize("statement", ALLOWING)
def test_what_takes_no_resource_is_read_in_this_region_alone(statement: Properties) -> None:
    if statement["Resource"] == "*" and statement["Sid"] not in {*OF_A_SERVICE, OF_ALL_REGIONS}:
        of_ec2 = all(action.startswith("ec2:") for action in as_list(statement["Action"]))
        key = "ec2:Region" if of_ec2 else "aws:RequestedRegion"
        assert statement["Condition"]["StringEquals"][key] == {"Ref": "AWS::Region"}


NOWHERE_ELSE = {"AlertsRole", "RestoreRole", "ServiceRepairRole", "UptimeRole"}
"""Roles that take on none in other accounts: a prober must be no way into them, and restores stay
where their journals are."""


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
    counted = statement_of("AlertsFunction", "CountSubscribers")["Resource"]
    refs = [ref["Ref"] for entry in counted for ref in branches(entry)]

    assert sorted(refs) == sorted(resources("AWS::SNS::Topic"))


NEVER_CONTINUED = {
    "AlertsFunction",
    "FleetFunction",
    "InstanceHealthFunction",
    "RestoreFunction",
    "ServiceRepairFunction",
    "UptimeFunction",
}


@pytest.mark.parametrize("function", sorted(functions().keys() - NEVER_CONTINUED))
def test_a_function_invokes_nothing_but_itself(function: str) -> None:
    assert statement_of(function, "ContinueOwnRun")["Resource"] == {"Fn::GetAtt": [function, "Arn"]}


@pytest.mark.parametrize("function", functions())
def test_a_function_writes_reports_and_log_in_its_own_place_alone(function: str) -> None:
    folder = f"${{ReportsBucket.Arn}}/{chore_of(function)}/*"
    group = functions()[function]["LoggingConfig"]["LogGroup"]["Ref"]

    assert statement_of(function, "WriteReports")["Resource"] == {"Fn::Sub": folder}
    assert statement_of(function, "WriteLogs")["Resource"] == {"Fn::GetAtt": [group, "Arn"]}


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
    is_refused = sid == "WorkElsewhere" and role in NOWHERE_ELSE
    assert given - without == (set() if is_refused else {sid})


@pytest.mark.parametrize("function", functions())
def test_no_function_may_change_permissions_or_read_all_roles(function: str) -> None:
    services = {action.partition(":")[0] for action in allowed_actions(function)}

    assert not {"*", "iam"} & services
    assert "organizations" not in services or function in {"FleetFunction", "TaggingFunction"}


@pytest.mark.parametrize(
    ("target", "accounts"), [("", "account/*/${AWS::AccountId}"), ("member", "account/*")]
)
def test_of_the_organization_only_tags_of_accounts_are_read_that_runs_work_in(
    target: str, accounts: str
) -> None:
    made = statements("TaggingRole", deployed(TargetRoleName=target))
    (read,) = (each for each in made if each["Sid"] == "ReadTagsOfThisAccount")

    assert read["Action"] == "organizations:ListTagsForResource"
    assert read["Resource"] == {"Fn::Sub": f"arn:${{AWS::Partition}}:organizations::*:{accounts}"}
