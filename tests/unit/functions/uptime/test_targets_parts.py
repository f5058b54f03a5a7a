from __future__ import annotations

from typing import Any, Final

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_part
from functions.uptime.targets import Target
from tests.unit.functions.uptime.building import CA, INSTANCE, URL, a_target

NO_FIELD: Final = "no such field; see the chore's page"
A_FIELD: Final = "this field; see the chore's page"
ONE: Final = "one of instance, ecs_service, ssm_document"
ARN: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"
PARAMETER: Final = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token"
SERVICE: Final = {"cluster": "prod", "service": "web"}
DOCUMENT: Final = {"name": "restart-unit", "instance": INSTANCE}


def wrong(**target: Any) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_part(Target, {"name": "shop", "url": URL, **target}, "target")
    return [(error["path"], error["expected"]) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("auth", "path"),
    [
        ({}, "auth.secret"),
        ({"secret": "hunter2"}, "auth.secret"),
        ({"secret": {}}, "auth.secret.arn"),
        ({"secret": {"arn": "hunter2"}}, "auth.secret.arn"),
        ({"secret": {"arn": "arn:aws:s3:::bucket/key"}}, "auth.secret.arn"),
        ({"secret": {"arn": ARN.replace("123456789012", "1")}}, "auth.secret.arn"),
        ({"secret": {"arn": ARN + "\n"}}, "auth.secret.arn"),
        ({"secret": {"arn": ARN, "key": ""}}, "auth.secret.key"),
        ({"secret": {"arn": ARN, "key": "k" * 129}}, "auth.secret.key"),
        ({"secret": {"arn": ARN}, "user": ""}, "auth.user"),
        ({"secret": {"arn": ARN}, "user": "u\r\n"}, "auth.user"),
        ({"secret": {"arn": ARN}, "user": "u" * 129}, "auth.user"),
        ({"secret": {"arn": ARN}, "prefix": "Bearer\r\n"}, "auth.prefix"),
        ({"secret": {"arn": ARN}, "prefix": "p" * 65}, "auth.prefix"),
        ({"secret": {"arn": ARN}, "password": "hunter2"}, "auth.password"),
    ],
    ids=str,
)
def test_credentials_are_references_and_nothing_else(auth: dict[str, Any], path: str) -> None:
    assert [each for each, _ in wrong(auth=auth)] == [path]
    assert "hunter2" not in str(wrong(auth=auth))


@pytest.mark.parametrize("arn", [ARN, PARAMETER, ARN.replace("arn:aws:", "arn:aws-us-gov:")])
def test_a_secret_is_in_secrets_manager_or_a_parameter(arn: str) -> None:
    auth = a_target(auth={"secret": {"arn": arn}}).auth

    assert auth is not None
    assert (auth.header, auth.prefix, auth.secret.key) == ("Authorization", "", None)


@pytest.mark.parametrize(
    ("fix", "path", "expected"),
    [
        ({}, "fix", ONE),
        ({"instance": INSTANCE, "ecs_service": SERVICE}, "fix", ONE),
        ({"instance": INSTANCE, "ssm_document": DOCUMENT}, "fix", ONE),
        ({"ecs_service": SERVICE, "ssm_document": DOCUMENT}, "fix", ONE),
        ({"instance": None}, "fix", ONE),
        ({"lambda": "x"}, "fix.lambda", NO_FIELD),
        ({"ecs_service": {"cluster": "prod"}}, "fix.ecs_service.service", A_FIELD),
    ],
    ids=str,
)
def test_a_repair_names_exactly_one_thing(fix: dict[str, Any], path: str, expected: str) -> None:
    assert wrong(fix=fix) == [(path, expected)]


@pytest.mark.parametrize(
    "fix", [{"instance": INSTANCE}, {"ecs_service": SERVICE}, {"ssm_document": DOCUMENT}], ids=str
)
def test_a_repair_is_of_an_instance_a_service_or_by_a_document(fix: dict[str, Any]) -> None:
    read = a_target(fix=fix).fix

    assert read is not None
    assert [key for key, value in read if value is not None] == list(fix)


@pytest.mark.parametrize(
    ("ca", "expected"),
    [
        ("", "at least this long: 1"),
        ("MIIB", "certificates in PEM"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "certificates in PEM"),
        (CA.replace("BEGIN CERTIFICATE", "BEGIN PRIVATE KEY"), "certificates in PEM"),
        (f"{CA}\u00e4", "certificates in PEM"),
        ("A" * 16385, "at most this many: 16384"),
        (5, "a valid string"),
    ],
    ids=["empty", "no_pem", "not_one", "a_key", "a_letter", "long", "number"],
)
def test_a_certificate_authority_is_written_as_pem(ca: object, expected: str) -> None:
    assert wrong(tls={"ca": ca}) == [("tls.ca", expected)]


def test_several_certificate_authorities_may_be_given() -> None:
    assert a_target(tls={"ca": f"{CA}\n{CA}"}).tls.ca == f"{CA}\n{CA}"
