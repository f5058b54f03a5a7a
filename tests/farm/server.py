"""The farm: an event loop in a thread of its own, and what tests ask of it."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from tests.farm.answers import answer
from tests.farm.behaviour import Behaviour, Seen, names_of
from tests.farm.certificates import Forge
from tests.farm.holes import Holes, listen_on_both
from tests.farm.http2 import serve_http2
from tests.farm.settings import Settings

if TYPE_CHECKING:
    import ssl
    from asyncio import StreamReader, StreamWriter

Handler = Callable[["StreamReader", "StreamWriter"], Awaitable[None]]
_GONE = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError)
_FOR_EVER = 3600.0


class Farm:
    """Sites by name, and the ports at which they are; see the package."""

    def __init__(self, forge: Forge) -> None:
        """Begin with well-behaved sites; nothing is served yet."""
        self._forge = forge
        self._sites: dict[str, Behaviour] = {}
        self._seen: list[Seen] = []
        self._numbers: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._ports: dict[str, int] = {}

    @property
    def ca(self) -> str:
        """The certificate authority of all sites, as PEM."""
        return self._forge.ca

    def port(self, name: str) -> int:
        """Return a port: http, https, http2, hangs_up, black_hole, refused, full."""
        return self._ports[name]

    def set(self, name: str, **behaviour: Unpack[Settings]) -> None:
        """Let a site (`shop`, `shop.example.com`, `shop/health`) behave so from now on."""
        self._sites[name] = Behaviour(**behaviour)
        self._numbers.pop(name, None)

    def reset(self) -> None:
        """Let all behave well again, and forget what was seen."""
        for kept in (self._sites, self._seen, self._numbers, self._accepted):
            kept.clear()

    def seen(self, name: str = "") -> list[Seen]:
        """Return the requests to a site, or all, in order."""
        return [each for each in self._seen if not name or each.is_of(name)]

    def count(self, name: str = "") -> int:
        """Count the requests to a site, or all."""
        return len(self.seen(name))

    def received(self, name: str, header: str, value: str) -> int:
        """Count the requests to a site that had a header with just this value."""
        return sum(each.value(header) == value for each in self.seen(name))

    def accepted(self, port: str) -> int:
        """Count the connections at a port, by its name; those without a request as well."""
        return self._accepted[port]

    async def serve(self, until: asyncio.Event, ready: Callable[[], None]) -> None:
        """Serve until told to stop."""
        plain, secure, twice = self._serve_plain, self._serve_tls, self._serve_http2
        tls, alpn = self._context(http2=False), self._context(http2=True)
        servers = [
            *await self._listen("http", plain),
            *await self._listen("https", secure, tls),
            *await self._listen("http2", twice, alpn),
            *await self._listen("hangs_up", self._hang_up),
            *await self._listen("black_hole", self._say_nothing),
        ]
        with Holes() as holes:
            self._ports |= holes.ports
            ready()
            await until.wait()
        for server in servers:
            server.close()
            server.abort_clients()

    async def _listen(
        self, name: str, handler: Handler, context: ssl.SSLContext | None = None
    ) -> list[asyncio.Server]:
        async def counted(reader: StreamReader, writer: StreamWriter) -> None:
            self._accepted[name] += 1
            with suppress(*_GONE):
                await handler(reader, writer)
            writer.close()

        sockets = listen_on_both()
        self._ports[name] = sockets[0].getsockname()[1]
        limit = 256 * 1024
        return [
            await asyncio.start_server(counted, sock=each, ssl=context, limit=limit)
            for each in sockets
        ]

    def _context(self, *, http2: bool) -> ssl.SSLContext:
        """Return what shows the certificate of the site that the client names."""
        base = self._forge.context("localhost", http2=http2)

        def choose(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
            host = name or "localhost"
            site = self._site(host, "/")[1]
            connection.context = self._forge.context(host, site.certificate, site.days, http2=http2)

        base.sni_callback = choose
        return base

    def _site(self, host: str, path: str) -> tuple[str, Behaviour]:
        names = names_of(host)
        for name in (*(f"{each}{path}" for each in names), *names):
            if name in self._sites:
                return name, self._sites[name]
        return host, Behaviour()

    async def _serve_plain(self, reader: StreamReader, writer: StreamWriter) -> None:
        await self._serve(reader, writer, is_tls=False)

    async def _serve_tls(self, reader: StreamReader, writer: StreamWriter) -> None:
        await self._serve(reader, writer, is_tls=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter, *, is_tls: bool) -> None:
        seen = await _read(reader, writer, is_tls=is_tls)
        self._seen.append(seen)
        name, site = self._site(seen.host, seen.path)
        number = self._numbers[name]
        self._numbers[name] += 1
        await answer(site, seen, number, writer)

    async def _serve_http2(self, reader: StreamReader, writer: StreamWriter) -> None:
        site = self._sites.get("http2", Behaviour())
        body = site.body if isinstance(site.body, bytes) else site.body.encode()
        await serve_http2(reader, writer, site.status, body)

    async def _hang_up(self, _: StreamReader, writer: StreamWriter) -> None:
        writer.transport.abort()

    async def _say_nothing(self, _: StreamReader, __: StreamWriter) -> None:
        await asyncio.sleep(_FOR_EVER)


async def _read(reader: StreamReader, writer: StreamWriter, *, is_tls: bool) -> Seen:
    begun = await reader.readexactly(1)
    if not begun.isalpha():
        raise ConnectionAbortedError  # a TLS handshake at a plain port, as it seems
    text = (begun + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = text.rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in rest)
    lines = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    headers = dict(lines)
    method, target, *_ = first.split(" ")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    host = headers.get("host", "")
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    to = str(writer.get_extra_info("sockname")[0])
    return Seen(bare.lower(), method, target, is_tls, to, body, lines)


@contextmanager
def running_farm() -> Iterator[Farm]:
    """Start a farm and yield it; at the end all its connections are cut."""
    with tempfile.TemporaryDirectory(prefix="caretaker-farm-") as folder:
        farm = Farm(Forge(Path(folder)))
        thread = _Thread(farm)
        thread.start()
        try:
            thread.wait_until_ready()
            yield farm
        finally:
            thread.stop()


class _Thread(threading.Thread):
    def __init__(self, farm: Farm) -> None:
        super().__init__(name="farm", daemon=True)
        self._farm = farm
        self._is_ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._until: asyncio.Event | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to who waits
            self._error = error
        finally:
            self._is_ready.set()

    async def _serve(self) -> None:
        self._loop, self._until = asyncio.get_running_loop(), asyncio.Event()
        await self._farm.serve(self._until, self._is_ready.set)

    def wait_until_ready(self) -> None:
        self._is_ready.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        if self._loop is not None and self._until is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._until.set)
        self.join(10)
