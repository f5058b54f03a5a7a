"""The strict cloud's tagging API, Organizations and topics answer as AWS does."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.cloud import ACCOUNT, REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of, tags_of

OWNED = {"Owner": "web"}
UNCHECKED = ONCE.merge(Config(parameter_validation=False))
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def tagging(cloud: StrictCloud) -> Any:
    return boto3.client("resourcegroupstaggingapi", REGION, config=UNCHECKED)


def listed(tagging: Any, **asked: Any) -> dict[str, dict[str, str]]:
    pages = tagging.get_paginator("get_resources").paginate(**asked)
    found = [each for page in pages for each in page["ResourceTagMappingList"]]
    return {each["ResourceARN"]: tags_of(each) for each in found}


def bucket(_: Account) -> str:
    """Add one here and a tagged one in another region."""
    for name, region in (("papers", REGION), ("elsewhere", "eu-central-1")):
        boto3.client("s3", region).create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
        )
    tags = [{"Key": "Owner", "Value": "db"}]
    s3: Any = boto3.client("s3", "eu-central-1")
    s3.put_bucket_tagging(Bucket="elsewhere", Tagging={"TagSet": tags})
    return "arn:aws:s3:::papers"


def log_group(_: Account) -> str:
    boto3.client("logs", REGION).create_log_group(logGroupName="lines")
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:lines"


def load_balancer(account: Account) -> str:
    subnets = [each.id for each in account.backend.get_default_subnets().values()]
    answer = boto3.client("elbv2", REGION).create_load_balancer(Name="web", Subnets=subnets)
    return str(answer["LoadBalancers"][0]["LoadBalancerArn"])


def database(_: Account) -> str:
    rds: Any = boto3.client("rds", REGION)
    answer = rds.create_db_instance(
        DBInstanceIdentifier="books", DBInstanceClass="db.t3.micro", Engine="postgres"
    )
    return str(answer["DBInstance"]["DBInstanceArn"])


def containers(_: Account) -> str:
    ecs: Any = boto3.client("ecs", REGION)
    return str(ecs.create_cluster(clusterName="c")["cluster"]["clusterArn"])


def kubernetes(_: Account) -> str:
    role = boto3.client("iam").create_role(RoleName="k", AssumeRolePolicyDocument=TRUST)
    eks: Any = boto3.client("eks", REGION)
    cluster = eks.create_cluster(name="k", roleArn=role["Role"]["Arn"], resourcesVpcConfig={})
    return str(cluster["cluster"]["arn"])


MADE = {
    "s3:bucket": bucket,
    "lambda:function": lambda account: account.function("worker"),
    "logs:log-group": log_group,
    "elasticloadbalancing:loadbalancer": load_balancer,
    "rds:db": database,
    "ecs:cluster": containers,
    "eks:cluster": kubernetes,
}


@pytest.mark.parametrize("kind", MADE)
def test_a_service_shows_what_had_a_tag_and_can_be_tagged(
    account: Account, tagging: Any, kind: str
) -> None:
    arn = MADE[kind](account)
    assert listed(tagging, ResourceTypeFilters=[kind]) == {}
    answer = tagging.tag_resources(ResourceARNList=[arn], Tags=OWNED)
    assert answer["FailedResourcesMap"] == {}
    assert listed(tagging, ResourceTypeFilters=[kind]) == {arn: OWNED}
    tagging.tag_resources(ResourceARNList=[arn], Tags={"Env": "prod"})
    service = kind.partition(":")[0]
    assert listed(tagging, ResourceTypeFilters=[service]) == {arn: OWNED | {"Env": "prod"}}
    assert listed(tagging, ResourceTypeFilters=["sns:topic"]) == {}
    tagging.untag_resources(ResourceARNList=[arn], TagKeys=["Owner", "Env"])
    assert listed(tagging, ResourceTypeFilters=[kind]) == {arn: {}}


@pytest.mark.parametrize("kind", MADE)
def test_a_seeded_resource_is_as_good_as_a_real_one(
    account: Account, tagging: Any, kind: str
) -> None:
    hidden, shown, bare = (account.resource(kind, tags=tags) for tags in ({}, OWNED, {}))
    account.once_tagged(bare)
    assert listed(tagging, ResourceTypeFilters=[kind]) == {shown: OWNED, bare: {}}
    tagging.tag_resources(ResourceARNList=[hidden], Tags={"Env": "prod"})
    assert account.resource_tags(hidden) == {"Env": "prod"}


def test_resources_come_in_pages_that_end_with_an_empty_token(
    cloud: StrictCloud, account: Account, tagging: Any
) -> None:
    arns = [account.resource("rds:db", tags=OWNED) for _ in range(5)]
    assert list(listed(tagging)) == arns
    cloud.pages.size = None
    first = tagging.get_resources(ResourcesPerPage=4)
    assert len(first["ResourceTagMappingList"]) == 4
    last = tagging.get_resources(ResourcesPerPage=4, PaginationToken=first["PaginationToken"])
    assert [last["PaginationToken"], len(last["ResourceTagMappingList"])] == ["", 1]
    cloud.pages.expire = {2}
    token = first["PaginationToken"]

    def call() -> object:
        return tagging.get_resources(PaginationToken=token)

    assert code_of(call) == "PaginationTokenExpiredException"


@pytest.mark.parametrize(
    "asked",
    [
        {"ResourcesPerPage": 0},
        {"ResourcesPerPage": 101},
        {"TagsPerPage": 99},
        {"ResourceTypeFilters": ["rds db"]},
        {"ResourceARNList": ["arn:aws:s3:::a"], "ResourceTypeFilters": ["s3"]},
    ],
)
def test_a_wrong_listing_is_refused(tagging: Any, asked: dict[str, Any]) -> None:
    assert code_of(lambda: tagging.get_resources(**asked)) == "InvalidParameterException"


@pytest.mark.parametrize(
    ("arns", "tags"),
    [
        (21, OWNED),
        (0, OWNED),
        (1, {}),
        (1, {f"k{number}": "v" for number in range(51)}),
        (1, {"aws:k": "v"}),
        (1, {"k" * 129: "v"}),
        (1, {"k": "v" * 257}),
    ],
)
def test_a_wrong_call_tags_nothing(
    account: Account, tagging: Any, arns: int, tags: dict[str, str]
) -> None:
    known = [account.resource("rds:db") for _ in range(arns)]

    def call() -> object:
        return tagging.tag_resources(ResourceARNList=known, Tags=tags)

    assert code_of(call) == "InvalidParameterException"
    assert all(account.resource_tags(each) == {} for each in known)


def test_an_arn_must_be_one(tagging: Any) -> None:

    def call() -> object:
        return tagging.tag_resources(ResourceARNList=["books"], Tags=OWNED)

    assert code_of(call) == "InvalidParameterException"


def test_some_may_fail_and_the_others_are_done(account: Account, tagging: Any) -> None:
    full = account.resource("rds:db", tags={f"k{number}": "v" for number in range(50)})
    fine = account.resource("rds:db", tags={"aws:x": "y"})
    denied = account.resource("rds:db")
    account.refuse_tagging(denied)
    missing = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gone"
    strange = f"arn:aws:colours:{REGION}:{ACCOUNT}:red/1"
    asked = [full, denied, missing, strange, fine]
    failed = tagging.tag_resources(ResourceARNList=asked, Tags=OWNED)["FailedResourcesMap"]
    assert {arn: (each["StatusCode"], each["ErrorCode"]) for arn, each in failed.items()} == {
        full: (400, "InvalidParameterException"),
        denied: (403, "AccessDeniedException"),
        missing: (404, "ResourceNotFoundException"),
        strange: (400, "InternalServiceException"),
    }
    assert all(each["ErrorMessage"] for each in failed.values())
    assert account.resource_tags(fine) == {"aws:x": "y", **OWNED}
    assert len(account.resource_tags(full)) == 50


@pytest.mark.parametrize(
    ("kind", "code"),
    [("throttled", "ThrottledException"), ("internal_error", "InternalServiceException")],
)
def test_faults_strike_the_tagging_api(
    cloud: StrictCloud, account: Account, tagging: Any, kind: str, code: str
) -> None:
    arn = account.resource("rds:db")
    cloud.faults.add(kind, service="resourcegroupstaggingapi", match=arn)

    def call() -> object:
        return tagging.tag_resources(ResourceARNList=[arn], Tags=OWNED)

    assert code_of(call) == code
    assert account.resource_tags(arn) == {}
    call()
    assert cloud.calls.actions() == {"resourcegroupstaggingapi:TagResources"}
    assert [each.outcome for each in cloud.calls] == [code, "ok"]


class TestAccountTags:
    @pytest.fixture
    def organizations(self, cloud: StrictCloud) -> Any:
        return boto3.client("organizations", REGION, config=ONCE)

    def ask(self, organizations: Any, account: str = ACCOUNT) -> dict[str, str]:
        pages = organizations.get_paginator("list_tags_for_resource").paginate(ResourceId=account)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    @pytest.mark.parametrize("role", ["management", "delegated"])
    def test_who_may_ask_is_told_in_pages(
        self, account: Account, organizations: Any, role: str
    ) -> None:
        tags = {"CostCenter": "42", "Owner": "web", "Env": "prod"}
        account.organization(role, tags)
        assert self.ask(organizations) == tags
        assert len(organizations.list_tags_for_resource(ResourceId=ACCOUNT)["Tags"]) == 2

        def call() -> object:
            return self.ask(organizations, "210987654321")

        assert code_of(call) == "TargetNotFoundException"

    def test_a_member_may_not_ask(self, account: Account, organizations: Any) -> None:
        account.organization("member", OWNED)
        assert code_of(lambda: self.ask(organizations)) == "AccessDeniedException"

    def test_an_account_may_be_in_no_organization(self, organizations: Any) -> None:
        assert code_of(lambda: self.ask(organizations)) == "AWSOrganizationsNotInUseException"


def test_the_topic_of_an_owner_may_be_denied_or_gone(cloud: StrictCloud) -> None:
    sns = boto3.client("sns", REGION, config=ONCE)
    denied, fine = (sns.create_topic(Name=name)["TopicArn"] for name in ("a", "b"))
    cloud.faults.add("denied", service="sns", operation="Publish", match=denied, times=None)
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            sns.publish(TopicArn=denied, Message="x")
        error = caught.value.response
        assert error["Error"]["Code"] == "AuthorizationError"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert sns.publish(TopicArn=fine, Message="x")["MessageId"]
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"{fine}-gone", Message="x")
