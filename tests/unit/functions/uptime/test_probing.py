from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Final

import pytest

from functions.uptime.probing import MAX_ADDRESSES, PAUSES, Credentials
from functions.uptime.traces import Failure, Fault, Phase, Resolve
from tests.unit.functions.uptime.building import ADDRESS, CA, OTHER, REFUSED, a_certificate, status
from tests.unit.functions.uptime.scripts import answer, drive, failed

INSIDE: Final = "10.1.2.3"
NO_NAME: Final = Failure(Fault.DNS, "no_such_name")
BLOCKED: Final = Failure(Fault.BLOCKED, "address")


def test_a_name_is_resolved_and_its_address_asked() -> None:
    seen = drive(url="http://A.example:8080/b?c", timeout_seconds=7, ip_version="both")

    assert seen.steps[0] == Resolve("a.example", "both", 7)
    (fetch,) = seen.fetches
    assert (fetch.url.text, fetch.address) == ("http://a.example:8080/b?c", ADDRESS)
    assert (fetch.method, fetch.headers, fetch.body) == ("GET", (), None)
    assert (fetch.verify, fetch.ca, fetch.user, fetch.password) == (True, "", "", "")
    assert fetch.max_bytes == 256 * 1024
    assert seen.pauses == []


def test_what_a_target_says_is_what_is_sent() -> None:
    (fetch,) = drive(
        url="https://u:p@a.example/",
        method="POST",
        headers={"X-A": "1", "X-B": ""},
        body="gr\u00fcn",
        expect={"max_bytes": 99},
        tls={"verify": False, "ca": CA},
        secret=Credentials(("Authorization: Bearer x",)),
    ).fetches

    assert (fetch.method, fetch.body) == ("POST", "gr\u00fcn".encode())
    assert fetch.headers == ("X-A: 1", "X-B: ", "Authorization: Bearer x")
    assert (fetch.user, fetch.password) == ("u", "p")
    assert (fetch.verify, fetch.ca, fetch.max_bytes) == (False, CA, 99)


def test_credentials_of_a_secret_go_before_those_of_the_url() -> None:
    (fetch,) = drive(url="http://u:p@a.example/", secret=Credentials((), "v", "q")).fetches

    assert (fetch.user, fetch.password) == ("v", "q")


def test_an_answer_that_is_well_is_tried_once_and_told_whole() -> None:
    certificate = a_certificate()
    seen = drive(answer(204, ms=20, certificate=certificate), url="https://a.example/x")

    assert len(seen.tries) == 1
    assert (seen.last.status, seen.last.failure, seen.last.address) == (204, None, ADDRESS)
    assert (seen.last.url.text, seen.last.http_version) == ("https://a.example/x", "1.1")
    assert seen.last.certificate == certificate
    assert seen.last.phases == {Phase.DNS: 5, Phase.CONNECT: 10, Phase.FIRST_BYTE: 10}
    assert seen.last.ms == 25


def test_what_fails_is_tried_again_after_two_and_after_ten_seconds() -> None:
    seen = drive(answer(500))

    assert PAUSES == (2, 10)
    assert seen.pauses == [2, 10]
    assert [try_.failure for (try_,) in seen.tries] == [status(500)] * 3
    assert seen.resolved == ["a.example"] * 3


@pytest.mark.parametrize("good_at", [2, 3])
def test_what_passes_on_retry_is_tried_no_more(good_at: int) -> None:
    seen = drive({ADDRESS: [*[answer(500)] * (good_at - 1), answer()]})

    assert [bool(try_.failure) for (try_,) in seen.tries] == [True] * (good_at - 1) + [False]
    assert seen.pauses == list(PAUSES[: good_at - 1])


@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        NO_NAME,
        Failure(Fault.TLS, "expired"),
        Failure(Fault.TIMEOUT, phase=Phase.CONNECT),
        Failure(Fault.TOO_LARGE, "headers"),
        Failure(Fault.BODY, "unreadable"),
    ],
)
def test_whatever_may_pass_is_tried_again(failure: Failure) -> None:
    assert len(drive(failed(failure)).tries) == 3


def test_a_failure_to_judge_is_the_answers() -> None:
    seen = drive(answer(200, body="down"), expect={"body_matches": "up"})

    assert seen.last.failure == Failure(Fault.BODY, "not_found")
    assert seen.last.status == 200


def test_a_failure_on_the_wire_is_told_with_what_was_seen() -> None:
    certificate = a_certificate(-1)
    expired = Failure(Fault.TLS, "expired")
    seen = drive(answer(0, failure=expired, certificate=certificate), url="https://a.example/")

    assert (seen.last.failure, seen.last.certificate) == (expired, certificate)
    assert (seen.last.status, seen.last.address) == (0, ADDRESS)


def test_a_name_that_is_not_resolved_is_asked_of_nobody() -> None:
    seen = drive(names={"a.example": NO_NAME})

    assert (seen.fetches, seen.pauses) == ([], [2, 10])
    assert (seen.last.failure, seen.last.address) == (NO_NAME, "")
    assert seen.last.url.text == "http://a.example/"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        [INSIDE],
        ["::1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["fd00:ec2::254"],
        [ADDRESS, "127.0.0.1"],
        ["127.0.0.1", ADDRESS],
        [ADDRESS, OTHER, "::1"],
        ["nonsense"],
    ],
    ids=str,
)
def test_a_name_that_leads_inwards_is_asked_of_nobody_and_not_again(addresses: list[str]) -> None:
    seen = drive(names={"a.example": addresses})

    assert (seen.fetches, seen.pauses, len(seen.tries)) == ([], [], 1)
    assert (seen.last.failure, seen.last.address) == (BLOCKED, "")


def test_a_private_network_is_asked_where_it_is_allowed() -> None:
    inside, outside = [ip_network("10.1.0.0/16")], [ip_network("10.2.0.0/16")]

    assert drive(names={"a.example": [INSIDE]}, allowed=inside).last.failure is None
    assert drive(names={"a.example": [INSIDE]}, allowed=outside).last.failure == BLOCKED
    loopback = drive(names={"a.example": ["127.0.0.1"]}, allowed=[ip_network("0.0.0.0/0")])
    assert loopback.last.failure == BLOCKED


def test_every_try_is_allowed_the_same_networks_and_has_the_same_credentials() -> None:
    seen = drive(
        {INSIDE: answer(500)},
        {"a.example": [INSIDE]},
        allowed=[ip_network("10.1.0.0/16")],
        secret=Credentials(("X-Key: 1",)),
    )

    assert [(fetch.address, fetch.headers) for fetch in seen.fetches] == [
        (INSIDE, ("X-Key: 1",))
    ] * 3


def test_an_address_of_a_url_is_judged_like_any_other() -> None:
    seen = drive(url="http://0x7f.1/", names={"127.0.0.1": ["127.0.0.1"]})

    assert (seen.resolved, seen.fetches) == (["127.0.0.1"], [])
    assert seen.last.failure == BLOCKED


def test_a_name_that_leads_inwards_at_the_second_try_is_asked_no_more() -> None:
    """A name that is bound anew between two tries is looked up and judged anew."""
    answers = iter([[ADDRESS], ["127.0.0.1"]])

    class Rebinding(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            return next(answers)

    seen = drive(answer(500), names=Rebinding(a=1))

    assert [fetch.address for fetch in seen.fetches] == [ADDRESS]
    assert seen.last.failure == BLOCKED
    assert seen.pauses == [2]


def test_every_address_is_tried_with_its_own_time() -> None:
    seen = drive({OTHER: answer(500)}, names={"a.example": [ADDRESS, OTHER]}, timeout_seconds=3)

    assert [fetch.address for fetch in seen.fetches] == [ADDRESS, OTHER] * 3
    assert {fetch.seconds for fetch in seen.fetches} == {3 - 0.005}
    assert [try_.failure for try_ in seen.tries[-1]] == [None, status(500)]
    assert [try_.address for try_ in seen.tries[-1]] == [ADDRESS, OTHER]
    assert seen.pauses == [2, 10]


def test_all_addresses_well_are_tried_once() -> None:
    assert drive(names={"a.example": [ADDRESS, OTHER]}).pauses == []


def test_of_very_many_addresses_the_first_are_tried() -> None:
    many = [f"93.184.215.{number}" for number in range(100)]
    seen = drive(names={"a.example": many})

    assert MAX_ADDRESSES == 8
    assert [fetch.address for fetch in seen.fetches] == many[:8]


def test_time_for_the_name_is_part_of_the_time_there_is() -> None:
    (fetch,) = drive(dns_ms=1500, timeout_seconds=2, connect_timeout_seconds=1).fetches

    assert (fetch.seconds, fetch.connect_seconds) == (0.5, 0.5)


def test_to_connect_has_its_own_limit() -> None:
    (fetch,) = drive(dns_ms=0, timeout_seconds=9, connect_timeout_seconds=2.5).fetches

    assert (fetch.seconds, fetch.connect_seconds) == (9, 2.5)


@pytest.mark.parametrize("dns_ms", [2000, 2001, 5000])
def test_no_request_starts_when_the_name_took_all_the_time(dns_ms: float) -> None:
    seen = drive(dns_ms=dns_ms, timeout_seconds=2)

    assert seen.fetches == []
    assert seen.last.failure == Failure(Fault.TIMEOUT, phase=Phase.DNS)
    assert seen.last.phases == {Phase.DNS: dns_ms}
