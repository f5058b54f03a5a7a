"""A secret in any place of a target comes out in no log, answer, report, table or message."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import boto3
import pytest

from functions.uptime.shelves import unpack
from tests.cloud import REGION
from tests.support.alerting import CHANNELS, desk_of
from tests.support.stack import BUCKET
from tests.support.uptime_world import SHOP, SHOP_AT, http, https, reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

CANARY: Final = "hunter2-s3cr3t"


def texts(uptime: UptimeWorld) -> Iterator[tuple[str, str]]:
    """Yield all that was written or told: table, reports, messages, what is unpacked of them."""
    for item in uptime.stack.items():
        content = item.pop("content", None)
        yield "table", json.dumps(item, default=str)
        if content is not None:
            yield "table", json.dumps(unpack(content))
    client = boto3.client("s3", REGION)
    for listed in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        body = client.get_object(Bucket=BUCKET, Key=listed["Key"])["Body"].read()
        yield "report", listed["Key"] + gzip.decompress(body).decode()
    for channel in CHANNELS:
        for message in uptime.stack.heard(channel):
            yield channel, json.dumps(message)


def spellings(secret: str) -> set[str]:
    """Return how a secret may be written, so that nobody overlooks it."""
    pairs = (f"probe:{secret}", f"{secret}:", f"{secret}:{secret}")
    packed = {b64encode(each.encode()).decode().rstrip("=") for each in (secret, *pairs)}
    return {secret, secret.upper(), quote(secret), secret.encode().hex(), secret[::-1], *packed}


def hidden(arn: str) -> list[dict[str, Any]]:
    """Return targets that have a secret wherever one may stand, sound ones and wrong ones."""
    told_everywhere = {
        "url": f"http://probe:{CANARY}@shop.example.com/?token={CANARY}",
        "headers": {"X-Token": CANARY, "Cookie": f"session={CANARY}"},
        "method": "POST",
        "body": CANARY,
        "expect": {
            "body_lacks": CANARY,
            "header": {"name": "X-Version", "matches": CANARY},
            "json": {"path": f'"{CANARY}"', "equals": CANARY},
        },
        "max_latency_ms": 1,
        "slo": 99.9,
        "metrics": True,
    }
    auth: dict[str, Any] = {"secret": {"arn": arn}, "prefix": "Bearer "}
    wrong: tuple[dict[str, Any], ...] = (
        {"url": f"ftp://probe:{CANARY}@shop.example.com/?{CANARY}"},
        {"url": f"http://probe:{CANARY}@shop.example.com:x/"},
        {"headers": {"Authorization": f"{CANARY}\r\n"}},
        {"headers": {f"Authorization: Bearer {CANARY}": ""}},
        {f"token {CANARY}": 1},
        {"method": CANARY},
        {"expect": {"body_matches": f"({CANARY}"}},
        {"expect": {"json": {"path": f"{CANARY}[", "equals": 1}}},
        {"auth": {"secret": {"arn": CANARY}}},
        {"tls": {"ca": CANARY}},
        {"group": f"!{CANARY}"},
        {"timeout_seconds": CANARY},
    )
    return [
        {"name": "all", **told_everywhere},
        {**SHOP, "name": "user", "url": f"http://{CANARY}@shop.example.com/", "auth": auth},
        {**SHOP, "name": "both", "auth": {**auth, "user": CANARY}},
        http("blog", url=f"http://blog.example.com/?{CANARY}#{CANARY}", auth=auth),
        https(name="safe", headers={"X-Token": CANARY}, url=f"https://:{CANARY}@shop.example.com/"),
        *({**SHOP, "name": f"wrong-{n}", **each} for n, each in enumerate(wrong)),
        {"name": f"http://{CANARY}/", "url": CANARY},
    ]


TROUBLE: Final[dict[str, dict[str, Any]]] = {
    "well": {},
    "echoed": {"how": "echo"},
    "told by the server": {
        "status": 503,
        "body": CANARY,
        "headers": {"X-Version": CANARY, "Set-Cookie": CANARY, CANARY: CANARY},
    },
    "moved there": {"redirect": f"http://blog.example.com/?token={CANARY}"},
    "moved badly": {"redirect": f"ftp://probe:{CANARY}@blog.example.com/{CANARY}"},
    "moved with a password": {"redirect": f"http://probe:{CANARY}@blog.example.com/"},
    "moved inward": {"redirect": f"http://127.0.0.1/?{CANARY}"},
    "broken": {"how": "bad_gzip"},
    "cut": {"how": "cut", "body": CANARY},
    "untrusted": {"certificate": "other_host"},
}


@pytest.mark.parametrize("trouble", [*TROUBLE, "refused", "unresolved", "unread"])
def test_no_secret_comes_out_anywhere(
    uptime: UptimeWorld,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    desk_of(uptime.stack, monkeypatch)
    arn = account.secret("shop/probe", CANARY, locked=trouble == "unread")
    blog = uptime.host("blog")
    for site in ("shop", "blog"):
        uptime.farm.set(site, **TROUBLE.get(trouble, {}))
    if trouble == "refused":
        for address in (SHOP_AT, blog):
            uptime.place("refused", address)
    if trouble == "unresolved":
        uptime.net.names = {"checkip.amazonaws.com": ["93.184.215.11"]}
    answers = [uptime.run(*hidden(arn), confirm={"failures": 1}) for _ in range(2)]
    answers.append(uptime.run(canary_url=f"ftp://probe:{CANARY}@shop.example.com/"))
    assert {reason(each, "wrong-0") for each in answers[:2]} == {"wrong"}
    out, err = capfd.readouterr()
    said = [("answer", json.dumps(answers)), ("stdout", out), ("stderr", err), ("log", caplog.text)]
    written = [*texts(uptime), *said]
    assert {where for where, _ in written} > {"table", "report", "alerts", "urgent", "chat"}
    for where, text in written:
        for spelling in spellings(CANARY):
            at = text.find(spelling)
            assert at < 0, f"{where}: {text[max(0, at - 200) : at + 50]}"
