"""Credentials: read when they are needed, sent to the target alone, shown to nobody."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.cloud import REGION
from tests.support.uptime_world import SHOP, http, reason, told

if TYPE_CHECKING:
    from tests.cloud import Account
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

CANARY: Final = "hunter2-s3cr3t"
NOBODYS: Final = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:nobody/knows-a1b2c3"
NO_PARAMETER: Final = f"arn:aws:ssm:{REGION}:123456789012:parameter/nobody/knows"


def by(arn: str, key: str | None = None, **auth: Any) -> dict[str, Any]:
    """Return the shop, with credentials."""
    return {**SHOP, "auth": {"secret": {"arn": arn, "key": key}, **auth}}


def basic(user: str, password: str) -> str:
    """Return the header that says so."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    ("how", "header", "value"),
    [
        ({}, "Authorization", CANARY),
        ({"prefix": "Bearer "}, "Authorization", f"Bearer {CANARY}"),
        ({"header": "X-Api-Key"}, "X-Api-Key", CANARY),
        ({"user": "probe"}, "Authorization", basic("probe", CANARY)),
    ],
)
@pytest.mark.parametrize("kind", ["secret", "key", "parameter"])
def test_a_secret_is_sent_as_the_target_says(
    uptime: UptimeWorld, account: Account, kind: str, how: Any, header: str, value: str
) -> None:
    arn = {
        "secret": lambda: account.secret("shop/probe", CANARY),
        "key": lambda: account.secret("shop/probe", json.dumps({"token": CANARY, "b": 1})),
        "parameter": lambda: account.parameter("/shop/probe", CANARY),
    }[kind]()
    assert reason(uptime.run(by(arn, "token" if kind == "key" else None, **how))) == "up"
    assert uptime.farm.received("shop", header, value) == 1


def test_user_and_password_of_a_url_are_sent_as_they_are_meant(uptime: UptimeWorld) -> None:
    url = "http://us%C3%A9r:p%40ss%3A@shop.example.com/"
    assert reason(uptime.run({**SHOP, "url": url})) == "up"
    assert uptime.farm.received("shop", "Authorization", basic("usér", "p@ss:")) == 1


def test_a_secret_of_many_targets_is_read_once_a_run(uptime: UptimeWorld, account: Account) -> None:
    arn = account.secret("shop/probe", CANARY)
    targets = [{**by(arn), "name": f"t{number}"} for number in range(5)]
    uptime.cloud.calls.clear()
    uptime.run(*targets)
    assert uptime.cloud.calls.count("GetSecretValue") == 1
    assert uptime.farm.received("shop", "Authorization", CANARY) == 5
    uptime.run(*targets)
    assert uptime.cloud.calls.count("GetSecretValue") == 2


def test_no_secret_is_read_of_what_is_not_probed(uptime: UptimeWorld, account: Account) -> None:
    window = [{"start": "00:00", "duration_minutes": 1440}]
    uptime.run({**by(account.secret("shop/probe", CANARY)), "maintenance": window})
    assert uptime.cloud.calls.count("GetSecretValue") == 0


@pytest.fixture
def unreadable(account: Account, uptime: UptimeWorld) -> dict[str, dict[str, Any]]:
    """Targets whose secret is of no use, by why."""
    text = account.secret("shop/text", CANARY)
    pairs = account.secret("shop/pairs", json.dumps({"a": 1, "token": CANARY}))
    return {
        "missing": by(NOBODYS),
        "no parameter": by(NO_PARAMETER),
        "locked": by(account.secret("shop/locked", CANARY, locked=True)),
        "no json": by(text, "token"),
        "no such key": by(pairs, "other"),
        "no text": by(pairs, "a"),
        "line break": by(account.secret("shop/break", f"x\r\nX-Other: {CANARY}")),
        "zero": by(account.parameter("/shop/zero", f"{CANARY}\x00")),
    }


@pytest.mark.parametrize(
    "why",
    [
        "missing",
        "no parameter",
        "locked",
        "no json",
        "no such key",
        "no text",
        "line break",
        "zero",
    ],
)
def test_a_secret_of_no_use_is_told_and_the_others_are_probed(
    uptime: UptimeWorld, unreadable: dict[str, dict[str, Any]], why: str
) -> None:
    uptime.host("blog")
    answers = uptime.runs(4, unreadable[why], http("blog"))
    assert {told(each) for each in answers} == {("skip", "secret_unreadable", "unchanged")}
    assert {reason(each, "blog") for each in answers} == {"up"}
    assert uptime.farm.count("shop") == 0, "it is not asked without credentials either"
    (message,) = uptime.stack.alerts()
    assert [each["kind"] for each in message["incidents"]] == ["target_wrong"]
    uptime.run(SHOP, http("blog"))
    assert uptime.told() == ["OK target_wrong shop"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("denied", "secret_unreadable"),
        ("throttled", "not_probed"),
        ("internal_error", "not_probed"),
        ("never_arrived", "not_probed"),
    ],
)
def test_a_call_that_fails_makes_no_target_down(
    uptime: UptimeWorld, account: Account, kind: str, why: str
) -> None:
    target = by(account.secret("shop/probe", CANARY))
    uptime.farm.set("shop", status=500)
    uptime.runs(2, target)
    uptime.cloud.faults.add(kind, service="secretsmanager", times=None)
    assert reason(uptime.run(target)) == why
    uptime.cloud.faults.clear()
    assert uptime.kept("targets")["shop"]["bad"] == 2
    assert reason(uptime.run(target)) == "down"


@pytest.mark.parametrize("kind", ["throttled", "internal_error", "never_arrived"])
def test_a_failure_that_passes_is_told_to_nobody(
    uptime: UptimeWorld, account: Account, kind: str
) -> None:
    target = by(account.secret("shop/probe", CANARY))
    uptime.run(target)
    uptime.cloud.faults.add(kind, service="secretsmanager", times=None)
    assert reason(uptime.run(target)) == "not_probed"
    uptime.cloud.faults.clear()
    assert reason(uptime.run(target)) == "up"
    assert uptime.heard() == []


def test_a_window_ends_no_trouble_with_a_secret(uptime: UptimeWorld) -> None:
    target = {**by(NOBODYS), "maintenance": [{"start": "03:01", "duration_minutes": 1}]}
    uptime.runs(3, target)
    assert uptime.told() == ["ALARM target_wrong shop"]


def test_credentials_stay_with_the_origin_that_they_are_for(
    uptime: UptimeWorld, account: Account
) -> None:
    uptime.host("blog")
    target = {
        **by(account.secret("shop/probe", CANARY)),
        "url": f"http://probe:{CANARY}@shop.example.com/",
        "headers": {"X-Token": CANARY},
        "method": "POST",
        "body": CANARY,
    }
    uptime.farm.set("shop", status=307, redirect="/again")
    uptime.farm.set("shop/again", status=307, redirect="http://blog.example.com/")
    assert reason(uptime.run(target)) == "up"
    assert uptime.farm.received("shop", "X-Token", CANARY) == 2
    (strange,) = uptime.farm.seen("blog")
    assert CANARY not in repr(strange)
    assert not strange.value("authorization")


def test_nor_do_they_come_along_to_another_scheme_or_back(
    uptime: UptimeWorld, account: Account
) -> None:
    uptime.host("blog", redirect="http://shop.example.com/back")
    uptime.farm.set("shop", redirect="http://blog.example.com/")
    uptime.farm.set("shop/back")
    assert reason(uptime.run(by(account.secret("shop/probe", CANARY)))) == "up"
    first, back = uptime.farm.seen("shop")
    assert (first.value("authorization"), back.value("authorization")) == (CANARY, "")
