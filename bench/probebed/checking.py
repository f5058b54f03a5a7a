"""Is the farm itself punctual? Asks it over so many open connections at once, by nothing but epoll.

Each connection asks again as soon as it was answered. Run as the others are: see `measuring`.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bench.probebed.measuring import Answer, Task, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.probebed.hosts import Host

_LAST: Final = b"0\r\n\r\n"
_LONGEST_SECONDS: Final = 5.0


def _probe_all(task: Task) -> list[Answer]:
    hosts = iter(task.hosts)
    answers: list[Answer] = []
    with selectors.DefaultSelector() as watched:
        begun = {host: _connect(host, watched) for host in task.hosts[: task.at_once]}
        sent = {}
        pause = 0.05 / len(begun)
        for host, connection in begun.items():  # spread, as those are that went before
            sent[connection] = _ask(connection, host)
            _take(watched, hosts, sent, answers, pause)
        while sent and len(answers) < len(task.hosts):
            _take(watched, hosts, sent, answers, _LONGEST_SECONDS)
        for connection in begun.values():
            connection.close()
    return [*answers, *[Answer("unseen")] * len(task.hosts)][: len(task.hosts)]


def _connect(host: Host, watched: selectors.BaseSelector) -> socket.socket:
    url = urlsplit(host.url)
    connection = socket.create_connection((host.address, url.port or 80))
    watched.register(connection, selectors.EVENT_READ)
    return connection


def _ask(connection: socket.socket, host: Host) -> float:
    path = urlsplit(host.url).path
    now = time.perf_counter()
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host.name}\r\n\r\n".encode())
    return now


def _take(
    watched: selectors.BaseSelector,
    hosts: Iterator[Host],
    sent: dict[socket.socket, float],
    answers: list[Answer],
    seconds: float,
) -> None:
    """Take what has been answered within these seconds."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        for key, _ in watched.select(left):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            now = time.perf_counter()
            if not connection.recv(65_536).endswith(_LAST):
                continue
            answers.append(Answer("", (now - sent.pop(connection)) * 1000))
            if (host := next(hosts, None)) is not None:
                sent[connection] = _ask(connection, host)
        if not sent:
            return


if __name__ == "__main__":
    play(_probe_all)
