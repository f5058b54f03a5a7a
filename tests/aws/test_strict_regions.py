"""The strict cloud's regions, and what a fleet asks of Lambda, Step Functions and S3."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from tests.cloud import ACCOUNT, REGION
from tests.support.accounts import MEMBER, ONCE, assume, client, code_of, error_of

if TYPE_CHECKING:
    from tests.cloud import StrictCloud


class TestRegions:
    def _regions(self, **asked: Any) -> dict[str, str]:
        told = client("ec2").describe_regions(**asked)["Regions"]
        return {each["RegionName"]: each["OptInStatus"] for each in told}

    def test_enabled_ones_are_listed_and_all_where_asked_for(self, cloud: StrictCloud) -> None:
        assert set(self._regions().values()) == {"opt-in-not-required"}
        assert len(self._regions()) == 17
        everything = self._regions(AllRegions=True)
        assert everything["ap-east-1"] == everything["eu-south-1"] == "not-opted-in"
        assert len(everything) > 30

    def test_each_account_opts_in_on_its_own(self, cloud: StrictCloud) -> None:
        cloud.regions.opt_in(MEMBER, "ap-east-1")
        assert self._regions()["ap-east-1"] == "opted-in"
        mine = boto3.client("ec2", REGION).describe_regions()["Regions"]
        assert "ap-east-1" not in {each["RegionName"] for each in mine}
        cloud.regions.opt_out(MEMBER, "ap-east-1")
        assert "ap-east-1" not in self._regions()

    def test_they_are_found_by_name_and_status(self, cloud: StrictCloud) -> None:
        assert self._regions(RegionNames=["ap-east-1"]) == {"ap-east-1": "not-opted-in"}
        wanted = [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]
        assert "ap-east-1" in self._regions(AllRegions=True, Filters=wanted)
        assert REGION not in self._regions(AllRegions=True, Filters=wanted)
        ask = partial(self._regions, RegionNames=["eu-middle-1"])
        assert code_of(ask) == "InvalidParameterValue"

    def test_one_that_is_not_enabled_takes_no_credentials(self, cloud: StrictCloud) -> None:
        code, message, status = error_of(client("ec2", "ap-east-1").describe_volumes)
        assert (code, status) == ("AuthFailure", 401)
        assert message == "AWS was not able to validate the provided access credentials"
        kms = client("kms", "ap-east-1")
        assert code_of(lambda: kms.describe_key(KeyId="a")) == "UnrecognizedClientException"
        cloud.regions.opt_in(MEMBER, "ap-east-1")
        assert client("ec2", "ap-east-1").describe_volumes()

    def test_a_role_is_assumed_where_both_accounts_have_the_region(
        self, cloud: StrictCloud
    ) -> None:
        ask = partial(assume, region="ap-east-1")
        assert code_of(ask) == "InvalidClientTokenId"
        cloud.regions.opt_in(ACCOUNT, "ap-east-1")
        assert code_of(ask) == "RegionDisabledException"
        cloud.regions.opt_in(MEMBER, "ap-east-1")
        assert ask()

    def test_one_that_does_not_exist_has_no_address(self, cloud: StrictCloud) -> None:
        with pytest.raises(ConnectTimeoutError):
            client("ec2", "eu-middle-1").describe_volumes()


class TestLambda:
    def test_it_tells_its_room_and_what_is_reserved(self, cloud: StrictCloud) -> None:
        functions = boto3.client("lambda", REGION)
        limits = functions.get_account_settings()["AccountLimit"]
        assert limits["ConcurrentExecutions"] == limits["UnreservedConcurrentExecutions"] == 1000
        cloud.concurrency.set_limit(ACCOUNT, REGION, 50)
        cloud.concurrency.reserve(ACCOUNT, REGION, "snapshot", 8)
        limits = functions.get_account_settings()["AccountLimit"]
        assert limits["ConcurrentExecutions"] == 50
        assert limits["UnreservedConcurrentExecutions"] == 42
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:snapshot"
        for name in ("snapshot", arn):
            told = functions.get_function_concurrency(FunctionName=name)
            assert told["ReservedConcurrentExecutions"] == 8
        told = functions.get_function_concurrency(FunctionName="retention")
        assert "ReservedConcurrentExecutions" not in told


class TestMachines:
    def test_an_execution_is_started_once_by_its_name(self, cloud: StrictCloud) -> None:
        role = boto3.client("iam").create_role(RoleName="fleet", AssumeRolePolicyDocument="{}")
        machines: Any = boto3.client("stepfunctions", REGION, config=ONCE)
        nothing = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
        made = machines.create_state_machine(
            name="fleet", definition=json.dumps(nothing), roleArn=role["Role"]["Arn"]
        )
        start = partial(
            machines.start_execution,
            stateMachineArn=made["stateMachineArn"],
            name="snapshot-daily-20261121T0300Z",
        )
        first = start(input='{"a": 1}')["executionArn"]
        assert start(input='{"a": 1}')["executionArn"] == first
        assert code_of(partial(start, input='{"a": 2}')) == "ExecutionAlreadyExists"
        machines.stop_execution(executionArn=first)
        assert code_of(partial(start, input='{"a": 1}')) == "ExecutionAlreadyExists"


class TestObjects:
    def test_one_is_put_once_where_it_may_not_be_there(self, cloud: StrictCloud) -> None:
        s3: Any = boto3.client("s3", REGION, config=ONCE)
        place = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket="runs", CreateBucketConfiguration=place)
        key = {"Bucket": "runs", "Key": "fleet/runs/a/manifest.json"}
        s3.put_object(**key, Body=b"first", IfNoneMatch="*")
        again = partial(s3.put_object, **key, Body=b"second", IfNoneMatch="*")
        code, _, status = error_of(again)
        assert (code, status) == ("PreconditionFailed", 412)
        assert s3.get_object(**key)["Body"].read() == b"first"
        listed = s3.list_objects_v2(Bucket="runs", Prefix="fleet/runs/a/")["Contents"]
        assert [each["Key"] for each in listed] == [key["Key"]]
