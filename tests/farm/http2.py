"""As much of HTTP/2 as it takes to answer one request: no header of it is read.

Source: RFC 9113 (frames), RFC 7541 appendix A (8 is `:status 200`, a literal follows 0x08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING = 0, 1, 4, 6
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1


async def serve_http2(reader: StreamReader, writer: StreamWriter, status: int, body: bytes) -> None:
    """Answer the first request of a connection."""
    if await reader.readexactly(len(_PREFACE)) != _PREFACE:
        return
    writer.write(_frame(_SETTINGS, 0, 0, b""))
    while True:
        kind, flags, stream, payload = await _read(reader)
        if kind in {_SETTINGS, _PING} and not flags & _ACK:
            writer.write(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
        if kind == _HEADERS:
            writer.write(_frame(_HEADERS, _END_HEADERS, stream, _status(status)))
            writer.write(_frame(_DATA, _END_STREAM, stream, body))
            await writer.drain()
            await reader.read()  # until the other side has enough
            return


async def _read(reader: StreamReader) -> tuple[int, int, int, bytes]:
    start = await reader.readexactly(9)
    length, stream = int.from_bytes(start[:3]), int.from_bytes(start[5:]) & 0x7FFFFFFF
    return start[3], start[4], stream, await reader.readexactly(length)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _status(status: int) -> bytes:
    text = str(status).encode()
    return b"\x88" if status == 200 else bytes([0x08, len(text)]) + text
