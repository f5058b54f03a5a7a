"""The strict cloud's load balancers are listed as AWS lists them, and see what they are told."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, Bucket, StrictCloud
from tests.cloud.asking import ONCE, code_of, tags_of

PROBE = {"caretaker:probe": "https:8443/health"}


@pytest.fixture
def elb(cloud: StrictCloud) -> Any:
    return boto3.client("elbv2", REGION, config=ONCE)


def names(answer: dict[str, Any]) -> list[str]:
    return [each["LoadBalancerName"] for each in answer["LoadBalancers"]]


def test_load_balancers_come_in_pages(account: Account, elb: Any) -> None:
    for name in "abcde":
        account.load_balancer(name)
    pages = list(elb.get_paginator("describe_load_balancers").paginate())
    assert [names(page) for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert pages[0]["LoadBalancers"][0]["DNSName"].endswith(".elb.amazonaws.com")
    marker = pages[0]["NextMarker"]
    assert names(elb.describe_load_balancers(Marker=marker)) == ["c", "d"]


def test_they_are_found_by_name_and_arn(account: Account, elb: Any) -> None:
    arns = [account.load_balancer(name) for name in ("a", "b", "c")]
    assert names(elb.describe_load_balancers(Names=["b"])) == ["b"]
    assert names(elb.describe_load_balancers(LoadBalancerArns=[arns[2]])) == ["c"]


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("describe_load_balancers", {"Names": ["a", "gone"]}, "LoadBalancerNotFound"),
        ("describe_load_balancers", {"Names": ["a"] * 21}, "ValidationError"),
        ("describe_load_balancers", {"PageSize": 401}, "ValidationError"),
        ("describe_load_balancers", {"Names": ["a"], "PageSize": 5}, "ValidationError"),
        ("describe_load_balancers", {"Marker": "made-up"}, "ValidationError"),
        ("describe_tags", {"ResourceArns": []}, "ValidationError"),
        ("describe_tags", {"ResourceArns": ["arn:x:loadbalancer/a"]}, "LoadBalancerNotFound"),
        ("describe_tags", {"ResourceArns": ["arn:x:targetgroup/a"]}, "TargetGroupNotFound"),
        (
            "describe_target_health",
            {"TargetGroupArn": "arn:x:targetgroup/a"},
            "TargetGroupNotFound",
        ),
    ],
)
def test_they_refuse_as_aws_does(
    account: Account, elb: Any, operation: str, asked: dict[str, Any], code: str
) -> None:
    account.load_balancer("a")
    assert code_of(lambda: getattr(elb, operation)(**asked)) == code


def test_tags_are_told_of_twenty_at_a_time(account: Account, elb: Any) -> None:
    arns = [account.load_balancer(f"b{number}", PROBE) for number in range(21)]
    assert code_of(lambda: elb.describe_tags(ResourceArns=arns)) == "ValidationError"
    told = elb.describe_tags(ResourceArns=arns[:20])["TagDescriptions"]
    assert [tags_of(each) for each in told] == [PROBE] * 20


def test_target_groups_tell_what_is_seen(account: Account, elb: Any) -> None:
    arn = account.target_group("web", "healthy", "unhealthy", "draining")

    def seen(**asked: Any) -> list[tuple[str, str]]:
        answer = elb.describe_target_health(TargetGroupArn=arn, **asked)
        health = [each["TargetHealth"] for each in answer["TargetHealthDescriptions"]]
        return [(each["State"], each.get("Reason", "")) for each in health]

    assert seen() == [
        ("healthy", ""),
        ("unhealthy", "Target.FailedHealthChecks"),
        ("draining", "Target.DeregistrationInProgress"),
    ]
    assert seen(Targets=[{"Id": "10.0.0.1"}]) == [("healthy", "")]
    account.target_group("web", "unhealthy")
    assert seen() == [("unhealthy", "Target.FailedHealthChecks")]


def test_faults_and_throttling_strike_them(account: Account, cloud: StrictCloud, elb: Any) -> None:
    account.load_balancer("a")
    cloud.faults.add("denied", service="elbv2", operation="DescribeLoadBalancers")
    assert code_of(elb.describe_load_balancers) == "AccessDenied"
    cloud.buckets["DescribeLoadBalancers"] = Bucket(1, 1)
    assert names(elb.describe_load_balancers()) == ["a"]
    assert code_of(elb.describe_load_balancers) == "Throttling"
    assert cloud.calls.actions() == {"elbv2:DescribeLoadBalancers"}
    outcomes = [each.outcome for each in cloud.calls]
    assert outcomes == ["AccessDenied", "ok", "Throttling"]
