"""One request by libcurl, to the one address that was checked."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any, Final

import pycurl
from certifi import where

from functions.uptime.prober.certificates import read_certificate
from functions.uptime.traces import Failure, Fault, Fetch, Fetched, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

USER_AGENT: Final = "caretaker-uptime/1"
_CUT: Final = -1
_MAX_HEADERS: Final = 64 * 1024
_VERSIONS: Final = {
    pycurl.CURL_HTTP_VERSION_1_0: "1.0",
    pycurl.CURL_HTTP_VERSION_1_1: "1.1",
    pycurl.CURL_HTTP_VERSION_2_0: "2",
}


class UnfitError(Exception):
    """A request that cannot be sent as it is asked for."""


class Request:
    """A request on its way; `handle` is what libcurl knows it by."""

    def __init__(self, fetch: Fetch) -> None:
        """Prepare it; nothing is sent yet. `UnfitError` when libcurl does not take it."""
        self._fetch = fetch
        self._lines: list[bytes] = []
        self._header_room = _MAX_HEADERS
        self._body = bytearray()
        self._is_cut = False
        self._opened: list[socket.socket] = []
        self.handle = pycurl.Curl()
        try:
            self._prepare(self.handle)
        except (pycurl.error, ValueError, TypeError):
            self.close()
            raise UnfitError from None  # what it says may hold a secret

    def ended(self, code: int) -> Fetched:
        """Return what came back, by libcurl's code for how it ended."""
        handle = self.handle
        phases = _phases(handle)
        failure = None if self._is_cut or not code else _failure(handle, code, self._fetch)
        return Fetched(
            phases=phases,
            failure=failure,
            status=handle.getinfo(pycurl.RESPONSE_CODE),
            headers=_headers(self._lines),
            body=bytes(self._body),
            is_cut=self._is_cut,
            http_version=_VERSIONS.get(handle.getinfo(pycurl.INFO_HTTP_VERSION), ""),
            certificate=read_certificate(handle.getinfo(pycurl.INFO_CERTINFO))
            if self._fetch.url.scheme == "https"
            else None,
        )

    def close(self) -> None:
        """Let go of everything; libcurl works on copies of the sockets it was given."""
        self.handle.close()
        for each in self._opened:
            each.close()

    def _prepare(self, handle: pycurl.Curl) -> None:
        fetch, url = self._fetch, self._fetch.url
        host, address = _bracketed(url.host), _bracketed(fetch.address)
        options: list[tuple[int, Any]] = [
            (pycurl.URL, url.text),
            (pycurl.RESOLVE, [f"{host}:{url.port}:{address}"]),
            (pycurl.OPENSOCKETFUNCTION, self._open),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.PROXY, ""),
            (pycurl.CUSTOMREQUEST, fetch.method),
            (pycurl.NOBODY, fetch.method == "HEAD"),
            (pycurl.USERAGENT, USER_AGENT),
            (pycurl.HTTPHEADER, [line.encode() for line in fetch.headers]),
            (pycurl.ACCEPT_ENCODING, ""),
            (pycurl.NOSIGNAL, True),
            (pycurl.FORBID_REUSE, True),
            (pycurl.FRESH_CONNECT, True),
            (pycurl.CONNECTTIMEOUT_MS, max(1, round(fetch.connect_seconds * 1000))),
            (pycurl.TIMEOUT_MS, max(1, round(fetch.seconds * 1000))),
            (pycurl.HEADERFUNCTION, self._take_header),
            (pycurl.WRITEFUNCTION, self._take_body),
        ]
        if fetch.body is not None or fetch.method == "POST":
            options.append((pycurl.POSTFIELDS, fetch.body or b""))
        if fetch.user:
            options.append((pycurl.USERNAME, fetch.user.encode()))
            options.append((pycurl.PASSWORD, fetch.password.encode()))
        if url.scheme == "https":
            options += _secured(fetch)
        for option, value in options:
            handle.setopt(option, value)

    def _open(self, _purpose: int, target: Any) -> Any:  # noqa: ANN401 - libcurl's own
        """Open a socket to the address that was checked and to no other."""
        family, kind, protocol, place = target
        if place[0] != self._fetch.address:
            return pycurl.SOCKET_BAD
        opened = socket.socket(family, kind, protocol)
        self._opened.append(opened)
        return opened

    def _take_header(self, line: bytes) -> int | None:
        self._header_room -= len(line)
        if self._header_room < 0:
            return _CUT
        self._lines.append(line)
        return None

    def _take_body(self, part: bytes) -> int | None:
        room = self._fetch.max_bytes - len(self._body)
        self._body += part[:room]
        if len(part) > room:
            self._is_cut = True
            return _CUT
        return None


_QUICK_GROUPS: Final = "X25519:P-256:P-384:P-521"
"""OpenSSL's own list begins with a key share against quantum computers: a sixth of a probe's CPU.

https://docs.openssl.org/3.5/man3/SSL_CTX_set1_curves/
"""


def _secured(fetch: Fetch) -> list[tuple[int, Any]]:
    """Return what a connection by TLS is asked for besides."""
    return [
        (pycurl.OPT_CERTINFO, True),
        *([] if _holds_secrets(fetch) else [(pycurl.SSL_EC_CURVES, _QUICK_GROUPS)]),
        # In a session that is taken up again no certificate is shown.
        (pycurl.SSL_SESSIONID_CACHE, False),
        (pycurl.SSL_VERIFYPEER, fetch.verify),
        (pycurl.SSL_VERIFYHOST, 2 if fetch.verify else 0),
        (pycurl.CAINFO_BLOB, fetch.ca.encode()) if fetch.ca else (pycurl.CAINFO, where()),
    ]


def _holds_secrets(fetch: Fetch) -> bool:
    """Tell whether a request may hold what must stay secret for longer than it is on its way."""
    return bool(fetch.headers or fetch.user or fetch.body) or "?" in fetch.url.text


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _headers(lines: Sequence[bytes]) -> dict[str, str]:
    """Return the headers of the last answer."""
    headers: dict[str, str] = {}
    for line in lines:
        name, is_header, value = line.decode("latin-1").partition(":")
        if is_header:
            headers[name.strip().lower()] = value.strip()
        elif name.startswith("HTTP/"):
            headers.clear()
    return headers


def _phases(handle: pycurl.Curl) -> dict[Phase, float]:
    """Return the milliseconds of each phase, from libcurl's times since the start of it all."""
    connected = handle.getinfo(pycurl.CONNECT_TIME_T)
    secured = handle.getinfo(pycurl.APPCONNECT_TIME_T)
    begun = handle.getinfo(pycurl.STARTTRANSFER_TIME_T)
    total = handle.getinfo(pycurl.TOTAL_TIME_T)
    times = {Phase.CONNECT: connected, Phase.TLS: secured, Phase.FIRST_BYTE: begun}
    phases: dict[Phase, float] = {}
    before = 0
    for phase, time in times.items():
        if time:
            phases[phase] = (time - before) / 1000
            before = time
    phases[Phase.TRANSFER] = max(0, total - before) / 1000
    return phases


_TIMED_OUT: Final = pycurl.E_OPERATION_TIMEDOUT
_UNTRUSTED: Final = pycurl.E_PEER_FAILED_VERIFICATION
_TLS: Final = frozenset(
    {pycurl.E_SSL_CONNECT_ERROR, pycurl.E_SSL_CIPHER, pycurl.E_SSL_CERTPROBLEM, _UNTRUSTED}
)
_VERDICTS: Final = {
    0: "other_host",
    1: "other_host",
    10: "expired",
    62: "other_host",
    64: "other_host",
}
"""Of OpenSSL's verdicts; libcurl itself checks the host where OpenSSL has found no fault.

https://docs.openssl.org/3.5/man3/X509_STORE_CTX_get_error/
"""
_UNREADABLE: Final = frozenset(
    {
        pycurl.E_BAD_CONTENT_ENCODING,
        pycurl.E_FTP_WEIRD_SERVER_REPLY,
        pycurl.E_UNSUPPORTED_PROTOCOL,
    }
)
_TOO_LARGE: Final = frozenset({pycurl.E_WRITE_ERROR, 100})
"""100 is CURLE_TOO_LARGE: https://curl.se/libcurl/c/libcurl-errors.html"""
_HTTP2_STREAM: Final = 92
_CLOSED: Final = frozenset(
    {
        pycurl.E_GOT_NOTHING,
        pycurl.E_SEND_ERROR,
        pycurl.E_RECV_ERROR,
        pycurl.E_PARTIAL_FILE,
        pycurl.E_HTTP2,
        _HTTP2_STREAM,
    }
)
_BROKEN_OFF: Final = frozenset({pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR})


def _failure(handle: pycurl.Curl, code: int, fetch: Fetch) -> Failure:
    """Return what libcurl's code means; its texts may hold what nobody is to read."""
    if code == _TIMED_OUT:
        return Failure(Fault.TIMEOUT, phase=_phase_reached(handle, fetch))
    if code in _TLS:
        return Failure(Fault.TLS, _why_untrusted(handle) if code == _UNTRUSTED else "handshake")
    if code == pycurl.E_COULDNT_CONNECT:
        refused = handle.getinfo(pycurl.OS_ERRNO) == errno.ECONNREFUSED
        return Failure(Fault.CONNECT, "refused" if refused else "unreachable")
    has_begun = bool(handle.getinfo(pycurl.RESPONSE_CODE))
    if code in _UNREADABLE or (code in _BROKEN_OFF and has_begun):
        return Failure(Fault.BODY, "unreadable")
    if code in _TOO_LARGE:
        return Failure(Fault.TOO_LARGE, "headers")
    return Failure(Fault.CONNECT, "closed") if code in _CLOSED else Failure(Fault.CONFIG, "unfit")


def _phase_reached(handle: pycurl.Curl, fetch: Fetch) -> Phase:
    if not handle.getinfo(pycurl.CONNECT_TIME_T):
        return Phase.CONNECT
    if fetch.url.scheme == "https" and not handle.getinfo(pycurl.APPCONNECT_TIME_T):
        return Phase.TLS
    return Phase.TRANSFER if handle.getinfo(pycurl.RESPONSE_CODE) else Phase.FIRST_BYTE


def _why_untrusted(handle: pycurl.Curl) -> str:
    return _VERDICTS.get(handle.getinfo(pycurl.SSL_VERIFYRESULT), "untrusted")
