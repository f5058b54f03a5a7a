"""The strict cloud tells quotas of EBS, and how members stand in their Auto Scaling groups."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, Bucket, StrictCloud
from tests.cloud.asking import ONCE, code_of


@pytest.fixture
def quotas(cloud: StrictCloud) -> Any:
    return boto3.client("service-quotas", REGION, config=ONCE)


@pytest.fixture
def scaling(cloud: StrictCloud) -> Any:
    return boto3.client("autoscaling", REGION, config=ONCE)


def quota(quotas: Any, code: str, service: str = "ebs") -> dict[str, Any]:
    return dict(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"])


class TestQuotas:
    def test_it_is_awss_default_until_it_is_raised(self, account: Account, quotas: Any) -> None:
        found = quota(quotas, "L-7A658B76")
        assert found["QuotaName"] == "Storage for General Purpose SSD (gp3) volumes, in TiB"
        assert (found["Value"], quota(quotas, "L-09BD8365")["Value"]) == (50, 20)
        account.quota("gp3", 300)
        assert quota(quotas, "L-7A658B76")["Value"] == 300

    def test_unknown_ones_are_told(self, quotas: Any) -> None:
        for code, service in (("L-00000000", "ebs"), ("L-7A658B76", "ec2")):
            with pytest.raises(quotas.exceptions.NoSuchResourceException):
                quota(quotas, code, service)

    def test_it_throttles(self, cloud: StrictCloud, quotas: Any) -> None:
        cloud.buckets["GetServiceQuota"] = Bucket(1, 1)
        quota(quotas, "L-7A658B76")
        assert code_of(lambda: quota(quotas, "L-7A658B76")) == "TooManyRequestsException"
        assert cloud.calls.actions() == {"service-quotas:GetServiceQuota"}


class TestMembers:
    def test_each_is_told_with_its_group_and_state(self, account: Account, scaling: Any) -> None:
        group = account.scaling_group(account.launch_template(()))
        serving, waiting = account.instance(group=group), account.instance(group=group)
        free = account.instance()
        account.lifecycle(waiting.id, "Standby")
        asked = [serving.id, waiting.id, free.id]
        found = scaling.describe_auto_scaling_instances(InstanceIds=asked)["AutoScalingInstances"]
        told = {each["InstanceId"]: each["LifecycleState"] for each in found}
        assert told == {serving.id: "InService", waiting.id: "Standby"}
        assert {each["AutoScalingGroupName"] for each in found} == {group}
        with pytest.raises(ValueError, match="is in no group"):
            account.lifecycle(free.id)

    def test_all_come_in_pages(self, account: Account, scaling: Any) -> None:
        group = account.scaling_group()
        known = {account.instance(group=group).id for _ in range(3)}
        pages = list(scaling.get_paginator("describe_auto_scaling_instances").paginate())
        assert [len(each["AutoScalingInstances"]) for each in pages] == [2, 1]
        found = (each["InstanceId"] for page in pages for each in page["AutoScalingInstances"])
        assert set(found) == known

    def test_at_most_fifty_fit_in_a_call(self, scaling: Any) -> None:
        many = [f"i-{number:017x}" for number in range(51)]
        describe = scaling.describe_auto_scaling_instances
        assert code_of(lambda: describe(InstanceIds=many)) == "ValidationError"
        assert describe(InstanceIds=many[:50])["AutoScalingInstances"] == []
