"""Ports at which no conversation comes about."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import Self

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
_TRIES = 50


class NoPortError(Exception):
    """No port was free on both families."""


def listen_on_both(backlog: int = 4096) -> tuple[socket.socket, ...]:
    """Return sockets that listen at the same port of 127.0.0.1 and, where there is one, of ::1."""
    for _ in range(_TRIES):
        first = _bound(socket.AF_INET, 0)
        first.listen(backlog)
        if not _has_ipv6():
            return (first,)
        try:
            second = _bound(socket.AF_INET6, first.getsockname()[1])
        except OSError:
            first.close()
            continue
        second.listen(backlog)
        return first, second
    raise NoPortError


def _bound(family: socket.AddressFamily, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((LOOPBACK[family], port))
    except OSError:
        made.close()
        raise
    return made


def _has_ipv6() -> bool:
    try:
        _bound(socket.AF_INET6, 0).close()
    except OSError:
        return False
    return True


class Holes:
    """`refused` is bound and not listened at; `full` has a queue of one, which is filled."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        closed = self._open.enter_context(_bound(socket.AF_INET, 0))
        full = self._open.enter_context(_bound(socket.AF_INET, 0))
        full.listen(0)
        for _ in range(3):
            waiting = self._open.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - its only argument
            with suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        self._ports = {"refused": closed.getsockname()[1], "full": full.getsockname()[1]}
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name."""
        return dict(self._ports)
