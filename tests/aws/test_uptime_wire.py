"""What goes wrong on the wire is told as what it is, by real servers that do it."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.uptime_world import (
    NAMES,
    SHOP,
    SHOP_AT,
    failure,
    http,
    https,
    item_of,
    reason,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

QUICK: Final = {"timeout_seconds": 0.3}
READS: Final = {"expect": {"body_matches": "hello"}}
NOT_FOUND: Final = ("body", "not_found", "")
JSON: Final = {"expect": {"json": {"path": "db.ok", "equals": True}}}
VERSION: Final = {"expect": {"header": {"name": "X-Version", "matches": "^v2$"}}}
AT_THE_END: Final = {"expect": {"body_matches": "hello$", "max_bytes": 12}}


def test_what_answers_as_it_should_is_up(uptime: UptimeWorld) -> None:
    answer = uptime.run()
    assert told(answer) == ("keep", "up", "unchanged")
    detail = item_of(answer)["detail"]
    assert (detail["status"], detail["http"], detail["tries"]) == (200, "1.1", 1)
    assert detail["addresses"] == {SHOP_AT: "ok"}
    assert set(detail["phases"]) == {"dns", "connect", "first_byte", "transfer"}
    assert answer["summary"]["up"] == 1
    assert uptime.farm.count("shop") == 1
    assert uptime.heard() == []


@pytest.mark.parametrize(
    ("names", "why"), [({}, "no_such_name"), ({"shop.example.com": "again"}, "no_answer")]
)
def test_a_name_that_is_not_resolved(uptime: UptimeWorld, names: Any, why: str) -> None:
    uptime.net.names = {**names, "checkip.amazonaws.com": NAMES["checkip.amazonaws.com"]}
    assert failure(uptime.run()) == ("dns", why, "")
    assert uptime.net.asked.count("shop.example.com") == 3
    assert uptime.net.dialled == []


@pytest.fixture
def stuck_resolver(uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The resolver says nothing about the shop until the test is over."""
    answering, over = socket.getaddrinfo, threading.Event()

    def getaddrinfo(host: Any, *args: Any, **named: Any) -> Any:
        if host == "shop.example.com":
            over.wait(30)
        return answering(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    over.set()


@pytest.mark.usefixtures("stuck_resolver")
def test_a_resolver_that_never_answers_holds_up_nobody_else(uptime: UptimeWorld) -> None:
    uptime.host("blog")
    answer = uptime.run({**SHOP, **QUICK}, http("blog"), at_once=1)
    assert failure(answer) == ("dns", "no_answer", "")
    assert reason(answer, "blog") == "up"


@pytest.mark.parametrize(
    ("port", "target", "fault"),
    [
        ("refused", SHOP, ("connect", "refused", "")),
        ("hangs_up", SHOP, ("connect", "closed", "")),
        ("hangs_up", https(), ("tls", "handshake", "")),
        ("http", https(), ("tls", "handshake", "")),
        ("full", {**SHOP, "connect_timeout_seconds": 0.2}, ("timeout", "", "connect")),
        ("black_hole", {**SHOP, **QUICK}, ("timeout", "", "first_byte")),
        ("black_hole", https(**QUICK), ("timeout", "", "tls")),
    ],
)
def test_a_port_at_which_no_conversation_comes_about(
    uptime: UptimeWorld, port: str, target: Any, fault: tuple[str, str, str]
) -> None:
    uptime.place(port)
    # Fifteen seconds are plenty for what is given up in time, and too few for what is not.
    answer = uptime.run(target, seconds=75)
    assert told(answer) == ("report", "failing", "unchanged")
    assert failure(answer) == fault
    assert item_of(answer)["detail"]["tries"] == 3


def test_a_network_that_cannot_be_reached(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel itself refuses to connect to where everybody is.
    monkeypatch.setattr(uptime.net, "place", lambda *_: ("255.255.255.255", 80))
    assert failure(uptime.run()) == ("connect", "unreachable", "")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("expired", "expired"),
        ("other_host", "other_host"),
        ("self_signed", "untrusted"),
        ("lone_leaf", "untrusted"),
        ("future", "untrusted"),
    ],
)
def test_a_certificate_that_deserves_no_trust(uptime: UptimeWorld, how: Any, why: str) -> None:
    uptime.farm.set("shop", certificate=how)
    assert failure(uptime.run(https())) == ("tls", why, "")
    assert uptime.farm.count() == 0, "nothing is said to who is not trusted"


@pytest.mark.parametrize("how", ["expired", "other_host", "self_signed"])
def test_without_verification_any_certificate_will_do(uptime: UptimeWorld, how: Any) -> None:
    uptime.farm.set("shop", certificate=how)
    assert reason(uptime.run(https(tls={"verify": False}))) == "up"


def test_an_authority_of_ones_own_is_trusted_and_no_other_then(uptime: UptimeWorld) -> None:
    ours, uptime.net.ca = uptime.farm.ca, ""
    assert failure(uptime.run(https())) == ("tls", "untrusted", "")
    assert reason(uptime.run(https(tls={"ca": ours}))) == "up"


@pytest.mark.parametrize(
    ("behaviour", "target", "fault"),
    [
        ({"status": 500}, {}, ("status", "500", "")),
        ({"status": 404}, {}, ("status", "404", "")),
        ({"status": 302}, {}, None),
        ({"status": 204}, {"expect": {"status": ["200", "300-399"]}}, ("status", "204", "")),
        ({"status": 404}, {"expect": {"status": ["200", "404"]}}, None),
        ({}, READS, None),
        ({"body": "bye"}, READS, ("body", "not_found", "")),
        ({"body": "a" * 60 + "!"}, {"expect": {"body_matches": "^(a+)+$"}}, NOT_FOUND),
        ({}, {"expect": {"body_lacks": "hel+o"}}, ("body", "found", "")),
        ({"body": "bye"}, {"expect": {"body_lacks": "hel+o"}}, None),
        ({"json": {"db": {"ok": True}}}, JSON, None),
        ({"json": {"db": {"ok": 1}}}, JSON, ("body", "json", "")),
        ({"json": {}}, JSON, ("body", "json", "")),
        ({}, JSON, ("body", "no_json", "")),
        ({"body": "[" * 9000}, JSON, ("body", "no_json", "")),
        ({"body": b"\xff\xfe"}, READS, ("body", "not_found", "")),
        ({"headers": {"x-version": "v2"}}, VERSION, None),
        ({}, VERSION, ("body", "header", "")),
        ({"how": "silent"}, QUICK, ("timeout", "", "first_byte")),
        ({"delay_ms": 3000}, QUICK, ("timeout", "", "first_byte")),
        ({"how": "drip"}, QUICK, ("timeout", "", "transfer")),
        ({"how": "drip", "drip_ms": 1}, READS, None),
        ({"how": "empty"}, {}, ("connect", "closed", "")),
        ({"how": "bad_gzip"}, {}, ("body", "unreadable", "")),
        ({"how": "bad_chunks"}, {}, ("body", "unreadable", "")),
        ({"how": "cut"}, {}, ("body", "unreadable", "")),
        ({"how": "noise"}, {}, ("body", "unreadable", "")),
        ({"headers": {f"X-{n}": "y" * 4000 for n in range(90)}}, {}, ("too_large", "headers", "")),
        ({"headers": {"X-Long": "y" * 110_000}}, {}, ("too_large", "headers", "")),
        ({"how": "endless"}, {"expect": {"body_matches": "never"}}, ("too_large", "body", "")),
        ({"how": "endless"}, {"expect": {"body_lacks": "never"}}, ("too_large", "body", "")),
        ({"how": "endless"}, {"expect": {"body_matches": "x{9}"}}, None),
        ({"how": "endless"}, {}, None),
        ({"how": "bomb"}, {"expect": {"body_matches": "never"}}, ("too_large", "body", "")),
        ({"how": "bomb"}, {}, None),
        ({"body": "hello" * 9}, AT_THE_END, ("too_large", "body", "")),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_what_is_expected(
    uptime: UptimeWorld, behaviour: Any, target: Any, fault: Any
) -> None:
    uptime.farm.set("shop", **behaviour)
    answer = uptime.run({**SHOP, **target})
    if fault is None:
        assert reason(answer) == "up"
    else:
        assert failure(answer) == fault


def test_a_request_is_sent_as_the_target_says(uptime: UptimeWorld) -> None:
    target = {
        "url": "http://shop.example.com:80/cart?full=1#end",
        "method": "POST",
        "headers": {"Content-Type": "application/json", "X-Empty": ""},
        "body": '{"cart": "é"}',
    }
    assert reason(uptime.run({**SHOP, **target})) == "up"
    (seen,) = uptime.farm.seen("shop")
    assert (seen.method, seen.target) == ("POST", "/cart?full=1")
    assert seen.body.decode() == target["body"]
    assert seen.value("content-type") == "application/json"
    assert seen.value("user-agent") == "caretaker-uptime/1"
    assert seen.value("host") == "shop.example.com"
    assert max(seen.headers.values()) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_every_method_gets_its_answer(uptime: UptimeWorld, method: str) -> None:
    assert reason(uptime.run({**SHOP, "method": method})) == "up"
    assert [each.method for each in uptime.farm.seen("shop")] == [method]


@pytest.mark.parametrize(
    ("status", "methods"),
    [(301, ["POST", "GET"]), (303, ["POST", "GET"]), (307, ["POST", "POST"]), (308, ["POST"] * 2)],
)
def test_a_redirect_keeps_the_method_where_it_says_so(
    uptime: UptimeWorld, status: int, methods: list[str]
) -> None:
    uptime.farm.set("shop", status=status, redirect="/there")
    uptime.farm.set("shop/there")
    assert reason(uptime.run({**SHOP, "method": "POST", "body": "x"})) == "up"
    assert [each.method for each in uptime.farm.seen("shop")] == methods
    assert [each.body for each in uptime.farm.seen("shop")] == [
        b"x" if each == "POST" else b"" for each in methods
    ]
