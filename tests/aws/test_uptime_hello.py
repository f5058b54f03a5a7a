"""How a secured connection begins: quickly, and where something is secret as safely as it can."""

from __future__ import annotations

import socket
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.uptime_world import SHOP_AT, https

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

ML_KEM_SHARE: Final = 1184
"""Bytes of the public key of ML-KEM-768, which the hybrid key share holds."""


@pytest.fixture
def hellos(uptime: UptimeWorld) -> Iterator[list[int]]:
    """How many bytes came first on each connection to the shop, which hangs up then."""
    sizes: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    sizes.append(len(connection.recv(65_536)))

        Thread(target=listen, daemon=True).start()
        port = server.getsockname()[1]
        uptime.net.places[SHOP_AT] = {80: port, 443: port}
        yield sizes
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "secret",
    [
        {"headers": {"X-Key": "s3cret"}},
        {"url": "https://shop.example.com/?key=s3cret"},
        {"url": "https://me:s3cret@shop.example.com/"},
        {"method": "POST", "body": "s3cret"},
    ],
    ids=["header", "query", "password", "body"],
)
def test_a_request_that_may_hold_a_secret_begins_as_openssl_would(
    uptime: UptimeWorld, hellos: list[int], secret: dict[str, Any]
) -> None:
    uptime.run({**https(), **secret})
    assert len(hellos) == 3
    assert min(hellos) > ML_KEM_SHARE


def test_a_request_that_holds_none_saves_the_costly_key(
    uptime: UptimeWorld, hellos: list[int]
) -> None:
    uptime.run(https())
    assert len(hellos) == 3
    assert max(hellos) < ML_KEM_SHARE
