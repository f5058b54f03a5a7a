"""The little of HTTP/1.1 that AWS's SDKs speak: keep-alive, lengths, chunks, `Expect`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from asyncio import Server, Transport

_HEAD_END: Final = b"\r\n\r\n"
_REASONS: Final = {200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str = ""

    @property
    def service(self) -> str:
        """The service the request is signed for, or "" (`Credential=KEY/DAY/REGION/SERVICE/…`)."""
        _, _, scope = self.headers.get("authorization", "").partition("Credential=")
        parts = scope.split(",", 1)[0].split("/")
        return parts[3] if len(parts) > 3 else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, sent after `delay` seconds."""

    body: bytes
    status: int = 200
    delay: float = 0.0
    content_type: str = "text/xml"
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return the bytes on the wire."""
        head = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Error')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(head).encode() + _HEAD_END + self.body


class App(Protocol):
    """What answers the requests."""

    def answer(self, request: Request) -> Answer:
        """Return the answer; what the request changes is changed before this returns."""
        ...


async def serve(app: App, port: int) -> tuple[Server, str]:
    """Listen on loopback; return the server and its address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(app), "127.0.0.1", port, backlog=512)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class _Connection(asyncio.Protocol):
    """One client's connection: one request at a time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._buffer = b""
        self._continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        line, headers = _head(self._buffer[:end])
        if "expect" in headers and not self._continued:
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue" + _HEAD_END)
        body = _body(self._buffer[end + len(_HEAD_END) :], headers)
        if body is None:
            return
        self._buffer, self._continued = b"", False
        method, target, _ = line.split(" ", 2)
        parts = urlsplit(target)
        request = Request(method, unquote(parts.path), headers, body, parts.query)
        answer = self._app.answer(request)
        asyncio.get_running_loop().call_later(answer.delay, self._send, answer)

    def _send(self, answer: Answer) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer.encoded())


def _head(raw: bytes) -> tuple[str, dict[str, str]]:
    line, *rest = raw.decode("latin-1").split("\r\n")
    pairs = (header.partition(":") for header in rest)
    return line, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _body(raw: bytes, headers: dict[str, str]) -> bytes | None:
    """Return the whole body, or None while some of it is still to come."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return raw if raw.endswith(b"0\r\n\r\n") else None
    length = int(headers.get("content-length", 0))
    return raw[:length] if len(raw) >= length else None
