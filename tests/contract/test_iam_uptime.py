"""What the role of uptime may do, asked as IAM would be asked."""

from __future__ import annotations

from typing import Final

import pytest

from tests.contract.iam import ACCOUNT, REGION, STACK, Request, is_allowed
from tests.contract.tagging_requests import to_change
from tests.contract.template import as_list, deployed, statements
from tests.contract.uptime_rights import (
    ACT,
    DECRYPT,
    FUNCTION,
    GIVEN,
    INVOKE,
    KEY,
    OBJECT,
    OTHER_ACCOUNT,
    PARAMETER,
    PROBER,
    READ_OBJECT,
    REPORT,
    RUNNING,
    SECRET,
    VPC,
    actions_of,
    may,
    rights_of,
)
from tests.support.tour import IMPLIED_FOR


def test_the_prober_changes_nothing_but_state_reports_and_alerts_and_asks_for_repairs() -> None:
    beyond = actions_of(ACT[PROBER]) - RUNNING - IMPLIED_FOR["uptime"].keys()

    assert beyond == {
        "ec2:DescribeInstances",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        INVOKE,
        READ_OBJECT,
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
    }


def test_repairs_are_asked_for_at_two_functions_and_only_in_act_mode() -> None:
    asked = {
        resource
        for each in ACT[PROBER]
        if each["Action"] == INVOKE
        for resource in as_list(each["Resource"])
    }

    assert asked == {"InstanceHealthFunction.Arn", "ServiceRepairFunction.Arn"}
    assert INVOKE not in actions_of(REPORT[PROBER])
    assert actions_of(ACT[PROBER]) - actions_of(REPORT[PROBER]) == {INVOKE}


def test_one_object_of_targets_is_read_and_only_where_it_is_named() -> None:
    given, without = rights_of(PROBER, **GIVEN), rights_of(PROBER)

    assert may(given, READ_OBJECT, OBJECT)
    for other in ("arn:aws:s3:::a-bucket/web/other.json", "arn:aws:s3:::b-bucket/web/targets.json"):
        assert not may(given, READ_OBJECT, other)
    assert not may(without, READ_OBJECT, OBJECT)
    assert READ_OBJECT not in actions_of(without)


@pytest.mark.parametrize(
    ("action", "secret"),
    [("secretsmanager:GetSecretValue", SECRET), ("ssm:GetParameter", PARAMETER)],
)
def test_secrets_are_read_only_where_they_are_named(action: str, secret: str) -> None:
    given, without = rights_of(PROBER, **GIVEN), rights_of(PROBER)

    assert may(given, action, secret)
    for other in (
        f"{secret}2",
        secret.replace(ACCOUNT, OTHER_ACCOUNT),
        secret.replace("web", "db"),
    ):
        assert not may(given, action, other)
    assert action not in actions_of(without)


def _decrypt(service: str, key: str = KEY) -> Request:
    return to_change(DECRYPT, key, kms__ViaService=f"{service}.{REGION}.amazonaws.com")


@pytest.mark.parametrize(
    ("service", "is_used"),
    [("s3", True), ("secretsmanager", True), ("ssm", True), ("ec2", False), ("lambda", False)],
)
def test_given_keys_are_used_by_the_services_that_keep_secrets_and_targets(
    service: str, *, is_used: bool
) -> None:
    policies = rights_of(PROBER, **GIVEN)

    assert is_allowed(policies, _decrypt(service)) is is_used
    assert not is_allowed(policies, _decrypt(service, KEY.replace("0a1", "0a2")))
    assert not may(policies, DECRYPT, KEY)


@pytest.mark.parametrize(
    ("given", "is_used"),
    [
        ({"KmsKeyArns": KEY}, False),
        ({"KmsKeyArns": KEY, "UptimeSecretArns": SECRET}, True),
        ({"KmsKeyArns": KEY, "UptimeTargets": GIVEN["UptimeTargets"]}, True),
        ({"UptimeSecretArns": SECRET}, False),
    ],
    ids=["keys alone", "secrets", "targets", "no keys"],
)
def test_no_key_is_used_where_there_is_nothing_to_decrypt(
    given: dict[str, str], *, is_used: bool
) -> None:
    assert is_allowed(rights_of(PROBER, **given), _decrypt("secretsmanager")) is is_used


@pytest.mark.parametrize("action", sorted(set(IMPLIED_FOR["uptime"]) - set(IMPLIED_FOR["alerts"])))
def test_interfaces_are_kept_by_lambda_in_a_vpc_alone_and_never_by_the_code(action: str) -> None:
    interface = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-0a1"
    by_code = Request(action, interface, {"lambda:SourceFunctionArn": FUNCTION})

    assert may(rights_of(PROBER, **VPC), action, interface)
    assert not is_allowed(rights_of(PROBER, **VPC), by_code)
    assert action not in actions_of(rights_of(PROBER, **GIVEN))


WRITES: Final = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
PLACE: Final = f"{ACCOUNT}/{REGION}"


def _may_write(action: str, *partitions: str) -> bool:
    told = {"dynamodb:LeadingKeys": partitions}
    return is_allowed(ACT[PROBER], Request(action, "StateTable.Arn", told))


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize(
    "partition",
    [
        f"incidents#{STACK}/{PLACE}/instance_health/default",
        f"incidents#{STACK}/{PLACE}/retention/uptime",
        f"resolved#{STACK}/{PLACE}/alerts/-",
        f"ladders#instance_health/{PLACE}",
        f"attempts#service_repair/{PLACE}",
        f"plans#retention/daily/{PLACE}",
        f"lease#tagging/default/{PLACE}",
        "silences",
    ],
)
def test_what_other_chores_decide_by_is_not_the_probers_to_write(
    action: str, partition: str
) -> None:
    assert not _may_write(action, partition)
    assert not _may_write(action, f"targets#uptime/default/{PLACE}", partition)


@pytest.mark.parametrize("action", WRITES)
def test_the_prober_writes_what_is_its_own(action: str) -> None:
    assert _may_write(
        action,
        f"lease#uptime/default/{PLACE}",
        f"targets#uptime/default/{PLACE}",
        f"raw-2026-11-21#uptime/default/{PLACE}",
        f"incidents#{STACK}/{PLACE}/uptime/default",
        f"resolved#{STACK}/{PLACE}/uptime/default",
        "first#0c0ffee0-0000-4000-8000-000000000001",
        "outbox",
        "scopes",
    )


def test_the_refusal_stands_and_falls_with_the_rights_that_it_takes() -> None:
    sid = "RefuseNetworkToCode"
    inside = statements(PROBER, deployed(**VPC))
    (refused,) = (each for each in inside if each["Sid"] == sid)
    opened = {
        action
        for each in inside
        if each["Sid"] in {"ReadNetwork", "KeepNetworkInterfaces"}
        for action in as_list(each["Action"])
    }

    assert set(refused["Action"]) == opened
    assert sid not in {each["Sid"] for each in statements(PROBER, deployed())}
