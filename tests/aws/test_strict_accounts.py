"""The strict cloud's accounts: roles, session policies, service control policies."""

from __future__ import annotations

import json
from functools import partial

import boto3
import pytest

from tests.aws.test_strict_server import Wire
from tests.cloud import ACCOUNT, REGION, Account, StrictCloud
from tests.support.accounts import (
    ARN,
    MEMBER,
    OTHER,
    READS,
    ROLE,
    assume,
    client,
    code_of,
    error_of,
    volumes,
)


class TestRoles:
    def test_as_long_as_the_table_is_empty_every_role_is_there(self, cloud: StrictCloud) -> None:
        assert assume()

    def test_from_the_first_one_on_a_role_that_is_not_in_it_is_denied(
        self, cloud: StrictCloud
    ) -> None:
        cloud.access.role(MEMBER, ROLE)
        assert assume()
        for missing in (f"arn:aws:iam::{MEMBER}:role/other", f"arn:aws:iam::{OTHER}:role/{ROLE}"):
            code, message, status = error_of(partial(assume, missing))
            assert (code, status) == ("AccessDenied", 403)
            assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/")
            assert message.endswith(
                f" is not authorized to perform: sts:AssumeRole on resource: {missing}"
            )

    @pytest.mark.parametrize("given", [{}, {"ExternalId": "wrong"}])
    def test_its_external_id_has_to_be_given(
        self, cloud: StrictCloud, given: dict[str, str]
    ) -> None:
        cloud.access.role(MEMBER, ROLE, external_id="right")
        assert code_of(lambda: assume(**given)) == "AccessDenied"
        assert assume(ExternalId="right")

    def test_it_trusts_accounts(self, cloud: StrictCloud) -> None:
        cloud.access.role(MEMBER, ROLE, trusts=[OTHER])
        assert code_of(assume) == "AccessDenied"
        cloud.access.role(MEMBER, ROLE, trusts=[OTHER, ACCOUNT])
        assert assume()

    def test_a_closed_account_lets_nobody_in(self, cloud: StrictCloud) -> None:
        cloud.access.close(MEMBER)
        assert code_of(assume) == "AccessDenied"
        cloud.access.reopen(MEMBER)
        assert assume()

    def test_nor_do_the_sessions_that_it_let_in_before(self, cloud: StrictCloud) -> None:
        ec2, kms = client("ec2"), client("kms")
        assert volumes(ec2) == set()
        cloud.access.close(MEMBER)
        assert error_of(ec2.describe_volumes)[0] == "OptInRequired"
        ask = partial(kms.describe_key, KeyId="a")
        assert error_of(ask)[0] == "UnrecognizedClientException"
        assert volumes(boto3.client("ec2", REGION)) == set()

    @pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "PENDING_ACTIVATION"])
    def test_nor_does_one_that_its_organization_knows_to_be_inactive(
        self, cloud: StrictCloud, state: str
    ) -> None:
        cloud.organization.join(MEMBER, state=state)
        assert code_of(assume) == "AccessDenied"
        cloud.organization.set_state(MEMBER, "ACTIVE")
        assert assume()

    def test_a_fault_may_deny_it_too(self, cloud: StrictCloud) -> None:
        cloud.faults.add("denied", operation="AssumeRole", match=ARN)
        assert code_of(assume) == "AccessDenied"
        assert assume()


class TestAccounts:
    def test_what_is_in_one_is_not_in_another(self, cloud: StrictCloud, account: Account) -> None:
        mine, there = account.volume(), Account(cloud, account=MEMBER).volume()
        elsewhere = Account(cloud, account=MEMBER, region="eu-central-1").volume()
        assert volumes(boto3.client("ec2", REGION)) == {mine}
        assert volumes(client("ec2")) == {there}
        assert volumes(client("ec2", "eu-central-1")) == {elsewhere}
        accounts = {each.account for each in cloud.calls.of("DescribeVolumes")}
        assert accounts == {ACCOUNT, MEMBER}


class TestSessionPolicies:
    def test_what_it_allows_is_done_and_nothing_else(self, cloud: StrictCloud) -> None:
        volume = Account(cloud, account=MEMBER).volume()
        ec2 = client("ec2", statements=[READS])
        assert volumes(ec2) == {volume}
        code, message, status = error_of(lambda: ec2.create_snapshot(VolumeId=volume))
        assert (code, status) == ("UnauthorizedOperation", 403)
        assert f"arn:aws:sts::{MEMBER}:assumed-role/{ROLE}/caretaker" in message
        assert "because no session policy allows the ec2:CreateSnapshot action" in message
        assert Account(cloud, account=MEMBER).own_snapshots() == []
        assert client("ec2").create_snapshot(VolumeId=volume)

    def test_it_goes_for_other_services_too(self, cloud: StrictCloud) -> None:
        tag = {"Effect": "Allow", "Action": "tag:GetResources", "Resource": "*"}
        tagging = client("resourcegroupstaggingapi", statements=[tag])
        assert tagging.get_resources()["ResourceTagMappingList"] == []
        assert code_of(tagging.get_tag_keys) == "AccessDeniedException"
        scaling = client("autoscaling", statements=[tag])
        assert code_of(scaling.describe_auto_scaling_groups) == "AccessDenied"

    def test_its_denials_and_regions_count(self, cloud: StrictCloud) -> None:
        here = {"Condition": {"StringEquals": {"aws:RequestedRegion": REGION}}}
        denial = {"Effect": "Deny", "Action": "ec2:DescribeImages", "Resource": "*"}
        statements = [READS | here, denial]
        assert client("ec2", statements=statements).describe_volumes()
        for refused in ("describe_images", "describe_volumes"):
            region = REGION if refused == "describe_images" else "eu-central-1"
            ask = getattr(client("ec2", region, statements=statements), refused)
            assert code_of(ask) == "UnauthorizedOperation"

    def test_one_that_is_too_long_or_no_json_is_refused(self, cloud: StrictCloud) -> None:
        long = {"Version": "2012-10-17", "Statement": [{**READS, "Sid": "a" * 2048}]}
        code, message, _ = error_of(lambda: assume(Policy=json.dumps(long)))
        assert code == "ValidationError"
        assert "less than or equal to 2048" in message
        assert code_of(lambda: assume(Policy="{")) == "MalformedPolicyDocument"


class TestServiceControlPolicies:
    def test_they_deny_actions_in_one_account(self, cloud: StrictCloud, account: Account) -> None:
        cloud.access.deny(MEMBER, "ec2:Create*")
        volume = Account(cloud, account=MEMBER).volume()
        ec2 = client("ec2")
        assert volumes(ec2) == {volume}
        code, message, _ = error_of(lambda: ec2.create_snapshot(VolumeId=volume))
        assert code == "UnauthorizedOperation"
        assert "with an explicit deny in a service control policy" in message
        assert boto3.client("ec2", REGION).create_snapshot(VolumeId=account.volume())
        cloud.access.allow_all(MEMBER)
        assert ec2.create_snapshot(VolumeId=volume)

    def test_they_deny_regions(self, cloud: StrictCloud) -> None:
        cloud.access.deny(MEMBER, but_regions=[REGION, "us-east-1"])
        assert volumes(client("ec2")) == set()
        elsewhere = client("ec2", "eu-central-1")
        assert code_of(elsewhere.describe_volumes) == "UnauthorizedOperation"
        cloud.access.allow_all(MEMBER)
        cloud.access.deny(MEMBER, regions=["eu-central-1"])
        assert code_of(elsewhere.describe_volumes) == "UnauthorizedOperation"

    def test_the_management_account_is_bound_by_none(self, cloud: StrictCloud) -> None:
        cloud.organization.join(MEMBER, role="management")
        cloud.access.deny(MEMBER)
        assert volumes(client("ec2")) == set()


class KeyedWire(Wire):
    """Speaks with the key of a session, too."""

    def by(self, key: str, action: str) -> str:
        """Ask EC2 with this key."""
        scope = f"{key}/20261121/{REGION}/ec2/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = f"Action={action}&Version=2016-11-15"
        return self._client.open("/", method="POST", data=body, headers=headers).text


class TestServer:
    def test_what_tests_set_and_workers_meet_go_over_the_wire(self, cloud: StrictCloud) -> None:
        wire = KeyedWire(cloud)
        wire.strict("access/role", args=[MEMBER, ROLE], external_id="right", trusts=[ACCOUNT])
        wire.strict("access/deny", args=[MEMBER, "ec2:DeleteSnapshot"])
        volume = wire.strict("account/volume", in_account=MEMBER)
        asked = {"RoleArn": ARN, "RoleSessionName": "caretaker"}
        denied = wire.query("sts", "2011-06-15", "AssumeRole", **asked)
        assert "<Code>AccessDenied</Code>" in denied
        policy = json.dumps({"Version": "2012-10-17", "Statement": [READS]})
        given = wire.query(
            "sts", "2011-06-15", "AssumeRole", **asked, ExternalId="right", Policy=policy
        )
        key = given.split("<AccessKeyId>")[1].split("<")[0]
        assert cloud.access.sessions[key].account == MEMBER
        assert volume in wire.by(key, "DescribeVolumes")
        for refused in ("DeleteSnapshot", "CreateSnapshot"):
            assert "UnauthorizedOperation" in wire.by(key, refused)
        (kept,) = wire.strict("state", in_account=MEMBER)["volumes"]
        assert kept["VolumeId"] == volume
        assert wire.strict("state")["volumes"] == []
        assert {each.account for each in cloud.calls if each.service == "ec2"} == {MEMBER}
