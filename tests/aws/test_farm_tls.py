"""The farm's certificates are good or wrong in the way that is asked for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pycurl
import pytest

from tests.farm import Farm, running_farm

HOST = "shop.example.com"


@pytest.fixture(scope="module")
def running() -> Iterator[Farm]:
    with running_farm() as farm:
        yield farm


@pytest.fixture
def farm(running: Farm) -> Farm:
    running.reset()
    return running


def shown(farm: Farm, port: str = "https", *, host: str = HOST) -> dict[str, Any]:
    """Return the certificate of a server that must be trusted."""
    context = ssl.create_default_context(cadata=farm.ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", farm.port(port)), timeout=2) as wire,
        context.wrap_socket(wire, server_hostname=host) as secure,
    ):
        return dict(secure.getpeercert() or {}) | {"alpn": secure.selected_alpn_protocol()}


def days_left(certificate: dict[str, Any]) -> float:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    return (ends - datetime.now(UTC)) / timedelta(days=1)


def test_a_good_one_names_the_host_that_is_asked_for(farm: Farm) -> None:
    assert ("DNS", HOST) in shown(farm)["subjectAltName"]
    assert ("DNS", "two.example.com") in shown(farm, host="two.example.com")["subjectAltName"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("other_host", "Hostname mismatch"),
        ("self_signed", "self-signed certificate"),
        ("expired", "certificate has expired"),
        ("future", "certificate is not yet valid"),
        ("lone_leaf", "unable to get local issuer certificate"),
    ],
)
def test_a_wrong_one_is_not_trusted(farm: Farm, kind: Any, why: str) -> None:
    farm.set("shop", certificate=kind)
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        shown(farm)


def test_it_expires_in_as_many_days_as_told(farm: Farm) -> None:
    farm.set("shop", certificate="expiring", days=5)
    assert 4.9 < days_left(shown(farm)) <= 5
    farm.set("shop", certificate="good")
    assert days_left(shown(farm)) > 80


def chain_of(farm: Farm) -> list[datetime]:
    """Return when each certificate that is shown expires."""
    handle = pycurl.Curl()
    port = farm.port("https")
    options: list[tuple[int, Any]] = [
        (pycurl.URL, f"https://{HOST}:{port}/"),
        (pycurl.RESOLVE, [f"{HOST}:{port}:127.0.0.1"]),
        (pycurl.CAINFO_BLOB, farm.ca),
        (pycurl.OPT_CERTINFO, True),
        (pycurl.WRITEFUNCTION, lambda _: None),
    ]
    for option, value in options:
        handle.setopt(option, value)
    handle.perform()
    chain: Any = handle.getinfo(pycurl.INFO_CERTINFO)
    handle.close()
    ends = [dict(each)["Expire date"] for each in chain]
    return [datetime.fromtimestamp(ssl.cert_time_to_seconds(each), UTC) for each in ends]


def test_an_intermediate_may_expire_before_the_leaf(farm: Farm) -> None:
    farm.set("shop", certificate="short_chain", days=3)
    leaf, middle = chain_of(farm)
    assert leaf - middle > timedelta(days=300)
    assert middle < datetime.now(UTC) + timedelta(days=3, minutes=1)


def test_it_speaks_http2_over_tls(farm: Farm) -> None:
    assert shown(farm, "http2")["alpn"] == "h2"
    assert shown(farm, "https")["alpn"] is None
    farm.set("http2", status=503, body="later")
    body = bytearray()
    handle = pycurl.Curl()
    port = farm.port("http2")
    options: list[tuple[int, Any]] = [
        (pycurl.URL, f"https://{HOST}:{port}/"),
        (pycurl.RESOLVE, [f"{HOST}:{port}:127.0.0.1"]),
        (pycurl.CAINFO_BLOB, farm.ca),
        (pycurl.WRITEFUNCTION, body.extend),
    ]
    for option, value in options:
        handle.setopt(option, value)
    handle.perform()
    told = handle.getinfo(pycurl.RESPONSE_CODE), handle.getinfo(pycurl.INFO_HTTP_VERSION)
    handle.close()
    assert (told, bytes(body)) == ((503, pycurl.CURL_HTTP_VERSION_2_0), b"later")


def test_requests_over_tls_are_known_as_such(farm: Farm) -> None:
    chain_of(farm)
    (seen,) = farm.seen("shop")
    assert (seen.is_tls, seen.host, seen.path) == (True, HOST, "/")
