"""The farm of real servers does what tests tell it to, on the wire."""

from __future__ import annotations

import gzip
import http.client
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

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


@contextmanager
def ask(
    farm: Farm, path: str = "/", *, at: str = "127.0.0.1", seconds: float = 2.0, **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """Ask a site, and leave the body unread."""
    with closing(http.client.HTTPConnection(at, farm.port("http"), timeout=seconds)) as wire:
        wire.request("GET", path, headers={"Host": HOST, **headers})
        with closing(wire.getresponse()) as answer:
            yield answer


def read(farm: Farm, path: str = "/", **asked: Any) -> tuple[int, bytes]:
    with ask(farm, path, **asked) as answer:
        return answer.status, answer.read()


def location(farm: Farm, path: str = "/") -> str | None:
    with ask(farm, path) as answer:
        return answer.getheader("Location")


def test_who_is_not_set_answers_well(farm: Farm) -> None:
    assert read(farm) == (200, b"hello world\n")


@pytest.mark.parametrize("name", [HOST, "shop", "shop/health"])
def test_a_site_is_found_by_host_or_label_and_path(farm: Farm, name: str) -> None:
    farm.set(name, status=503, body="closed")
    assert read(farm, "/health?deep=1") == (503, b"closed")
    assert read(farm, "/other")[0] == (200 if "/" in name else 503)
    assert farm.count(name) == (1 if "/" in name else 2)
    assert farm.count("shop") == 2
    assert farm.count("another") == 0


def test_it_can_be_switched_while_it_runs_and_reset(farm: Farm) -> None:
    farm.set("shop", status=500)
    assert read(farm)[0] == 500
    farm.set("shop", status=204, body="")
    assert read(farm)[0] == 204
    farm.reset()
    assert read(farm)[0] == 200
    assert farm.count() == 1


def test_statuses_come_in_turn_and_the_last_stays(farm: Farm) -> None:
    farm.set("shop", statuses=(500, 502, 200))
    assert [read(farm)[0] for _ in range(4)] == [500, 502, 200, 200]


def test_it_answers_as_late_as_it_is_told(farm: Farm) -> None:
    farm.set("shop", delay_ms=120)
    begun = time.monotonic()
    assert read(farm)[0] == 200
    assert time.monotonic() - begun >= 0.12


def test_health_pages_are_json(farm: Farm) -> None:
    farm.set("shop/health", json={"database": "up"})
    assert read(farm, "/health") == (200, b'{"database": "up"}')


def test_redirects_chain_loop_and_lead_anywhere(farm: Farm) -> None:
    farm.set("shop", hops=2)
    places = [location(farm, path) for path in ("/", "/hop/1", "/hop/2")]
    assert places == ["/hop/1", "/hop/2", None]
    farm.set("shop", redirect="http://169.254.169.254/latest/", status=307)
    with ask(farm) as answer:
        assert (answer.status, answer.getheader("Location")) == (
            307,
            "http://169.254.169.254/latest/",
        )


def test_it_counts_headers_and_tells_values_from_one_another(farm: Farm) -> None:
    farm.set("shop", how="echo")
    _, body = read(farm, Authorization="Bearer one")
    assert b'"authorization": 1' in body
    assert b"Bearer" not in body
    assert farm.seen("shop")[0].headers["authorization"] == 1
    assert farm.received("shop", "Authorization", "Bearer one") == 1
    assert farm.received("shop", "Authorization", "Bearer two") == 0


def test_bodies_drip(farm: Farm) -> None:
    farm.set("shop", how="drip", body="abc", drip_ms=50)
    begun = time.monotonic()
    assert read(farm) == (200, b"abc")
    assert time.monotonic() - begun >= 0.1


def test_bodies_never_end(farm: Farm) -> None:
    farm.set("shop", how="endless")
    with ask(farm) as answer:
        assert len(answer.read(5_000_000)) == 5_000_000


def test_a_bomb_is_small_on_the_wire(farm: Farm) -> None:
    farm.set("shop", how="bomb")
    _, packed = read(farm)
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) == 64 * 2**20


def test_what_is_no_gzip_says_it_is(farm: Farm) -> None:
    farm.set("shop", how="bad_gzip")
    with pytest.raises((zlib.error, EOFError, OSError)):
        gzip.decompress(read(farm)[1])


def test_headers_are_huge(farm: Farm) -> None:
    farm.set("shop", how="huge_headers")
    with ask(farm) as answer:
        assert sum(map(len, answer.headers.values())) > 200_000


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("bad_chunks", http.client.IncompleteRead),
        ("cut", http.client.IncompleteRead),
        ("empty", http.client.RemoteDisconnected),
        ("noise", http.client.BadStatusLine),
        ("silent", TimeoutError),
    ],
)
def test_answers_are_broken_in_every_way(farm: Farm, how: Any, error: type[Exception]) -> None:
    farm.set("shop", how=how)
    with pytest.raises(error):
        read(farm, seconds=0.3)
    assert farm.count("shop") == 1


def test_ports_at_which_no_conversation_comes_about(farm: Farm) -> None:
    errors: dict[str, type[Exception] | None] = {}
    for name in ("refused", "full", "hangs_up", "black_hole"):
        with socket.socket() as wire:
            wire.settimeout(0.3)
            errors[name] = None
            try:
                wire.connect(("127.0.0.1", farm.port(name)))
                errors[name] = None if wire.recv(1) else EOFError
            except OSError as error:
                errors[name] = type(error)
    assert errors["refused"] is ConnectionRefusedError
    assert errors["full"] is TimeoutError
    assert errors["hangs_up"] in {ConnectionResetError, EOFError}
    assert errors["black_hole"] is TimeoutError
    assert [farm.accepted(each) for each in errors] == [0, 0, 1, 1]


def test_it_is_at_the_loopback_of_both_families(farm: Farm) -> None:
    assert read(farm, at="::1")[0] == 200
    assert farm.seen()[0].address == "::1"


def test_it_ends_at_once_with_connections_open() -> None:
    with ExitStack() as open_still:
        with running_farm() as farm:
            farm.set("shop", how="endless")
            open_still.enter_context(ask(farm))
            begun = time.monotonic()
        assert time.monotonic() - begun < 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", farm.port("http")), timeout=1)
