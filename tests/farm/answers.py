"""What a site writes on the wire, well-formed or not."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import StreamWriter
    from collections.abc import Awaitable, Callable, Mapping

    from tests.farm.behaviour import Behaviour, Seen

_REASONS = {200: "OK", 301: "Moved", 302: "Found", 404: "Not Found", 503: "Unavailable"}
_MOVED = range(300, 400)
_HOP = "/hop/"
_PART = b"x" * 65_536
_BOMB_PARTS = 1024
_FOR_EVER = 3600.0


async def answer(behaviour: Behaviour, seen: Seen, number: int, writer: StreamWriter) -> None:
    """Answer the request of this number, as the site behaves."""
    if behaviour.delay_ms:
        await asyncio.sleep(behaviour.delay_ms / 1000)
    status = behaviour.status_of(number)
    location = _location(behaviour, seen.path)
    if location:
        moved = status if status in _MOVED else 302
        await _send(writer, head(moved, {"Location": location, "Content-Length": "0"}))
    elif behaviour.how in _WRITERS:
        await _WRITERS[behaviour.how](behaviour, status, seen, writer)
    else:
        await _well(behaviour, status, seen, writer)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return status line and headers."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Said')}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _location(behaviour: Behaviour, path: str) -> str:
    if behaviour.redirect:
        return behaviour.redirect
    done = int(path.removeprefix(_HOP)) if path.startswith(_HOP) else 0
    return f"{_HOP}{done + 1}" if done < behaviour.hops else ""


def _content(behaviour: Behaviour, seen: Seen) -> tuple[str, bytes]:
    if behaviour.how == "echo":
        return "application/json", json.dumps({"headers": seen.headers}).encode()
    if behaviour.json is not None:
        return "application/json", json.dumps(behaviour.json).encode()
    body = behaviour.body
    return "text/plain", body.encode() if isinstance(body, str) else body


async def _send(writer: StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _well(behaviour: Behaviour, status: int, seen: Seen, writer: StreamWriter) -> None:
    kind, body = _content(behaviour, seen)
    usual = {"Content-Type": kind, "Content-Length": str(len(body))}
    await _send(writer, head(status, usual | dict(behaviour.headers)))
    if seen.method != "HEAD":
        await _send(writer, body)


async def _drip(behaviour: Behaviour, status: int, seen: Seen, writer: StreamWriter) -> None:
    _, body = _content(behaviour, seen)
    await _send(writer, head(status, {"Content-Length": str(len(body))}))
    for each in body:
        await _send(writer, bytes([each]))
        await asyncio.sleep(behaviour.drip_ms / 1000)


async def _endless(_: Behaviour, status: int, __: Seen, writer: StreamWriter) -> None:
    await _send(writer, head(status, {"Content-Type": "text/plain"}))
    while True:
        await _send(writer, _PART)
        await asyncio.sleep(0)


async def _bomb(_: Behaviour, status: int, __: Seen, writer: StreamWriter) -> None:
    """Send what is small on the wire and 64 MiB for who reads all of it."""
    packed = await asyncio.to_thread(_packed)
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    await _send(writer, head(status, headers) + packed)


@cache
def _packed() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(_PART) for _ in range(_BOMB_PARTS)) + packer.flush()


async def _huge_headers(_: Behaviour, status: int, __: Seen, writer: StreamWriter) -> None:
    many = {f"X-Filling-{number}": "y" * 4000 for number in range(60)}
    await _send(writer, head(status, {**many, "Content-Length": "0"}))


async def _bad_chunks(_: Behaviour, status: int, __: Seen, writer: StreamWriter) -> None:
    await _send(writer, head(status, {"Transfer-Encoding": "chunked"}) + b"5\r\nhello\r\nzz\r\n")


async def _bad_gzip(behaviour: Behaviour, status: int, seen: Seen, writer: StreamWriter) -> None:
    packed = gzip.compress(_content(behaviour, seen)[1])
    spoilt = packed[:10] + bytes(255 - each for each in packed[10:])
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(spoilt))}
    await _send(writer, head(status, headers) + spoilt)


async def _cut(behaviour: Behaviour, status: int, seen: Seen, writer: StreamWriter) -> None:
    _, body = _content(behaviour, seen)
    await _send(writer, head(status, {"Content-Length": str(len(body) + 1000)}) + body)


async def _empty(*_: object) -> None:
    """Close without a word."""


async def _noise(_: Behaviour, __: int, ___: Seen, writer: StreamWriter) -> None:
    await _send(writer, b"\x00\x01 220 this is no HTTP\r\n\r\n")


async def _silent(*_: object) -> None:
    await asyncio.sleep(_FOR_EVER)


_WRITERS: Mapping[str, Callable[[Behaviour, int, Seen, StreamWriter], Awaitable[None]]] = {
    "drip": _drip,
    "endless": _endless,
    "bomb": _bomb,
    "huge_headers": _huge_headers,
    "bad_chunks": _bad_chunks,
    "bad_gzip": _bad_gzip,
    "cut": _cut,
    "empty": _empty,
    "noise": _noise,
    "silent": _silent,
}
