"""How a target is probed: its name, its addresses, redirects, and a second look. Pure.

A script says what to do next and is told what came of it; who does it is not its concern.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .addresses import is_blocked
from .judging import failure_of
from .traces import Failure, Fault, Fetch, Fetched, Pause, Phase, Resolve, Resolved
from .urls import follow, parse_url

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from .addresses import Network
    from .targets import Target
    from .traces import Certificate, Phases, Script, Step
    from .urls import Url

PAUSES: Final = (2, 10)
"""Seconds before the second and the third try of what failed."""
MAX_ADDRESSES: Final = 8
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
_USUAL_PORTS: Final = frozenset({80, 443})
_HOPELESS: Final = frozenset({Fault.BLOCKED, Fault.CONFIG})


@dataclass(frozen=True, slots=True)
class Try:
    """A request to one address, with all its redirects; `url` is the last one asked for."""

    url: Url
    address: str = ""
    phases: Phases = field(default_factory=dict)
    failure: Failure | None = None
    status: int = 0
    http_version: str = ""
    certificate: Certificate | None = None

    @property
    def ms(self) -> float:
        """Return how long it took."""
        return sum(self.phases.values())


@dataclass(frozen=True, slots=True)
class Probed:
    """All tries of a run in turn; each is one `Try` for every address."""

    tries: Sequence[Sequence[Try]]

    @property
    def last(self) -> Sequence[Try]:
        """Return the last try, which counts."""
        return self.tries[-1]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is sent to the target's own origin alone, and shown to nobody."""

    headers: tuple[str, ...] = ()
    user: str = ""
    password: str = ""


def probe(target: Target, allowed: Sequence[Network], secret: Credentials) -> Script[Probed]:
    """Try a target, and once and twice again where it fails."""
    tries = [(yield from _try(target, allowed, secret))]
    for seconds in PAUSES:
        if not _is_worth_another(tries[-1]):
            break
        yield Pause(seconds)
        tries.append((yield from _try(target, allowed, secret)))
    return Probed(tries)


def _is_worth_another(tries: Sequence[Try]) -> bool:
    return any(each.failure and each.failure.fault not in _HOPELESS for each in tries)


def _try(target: Target, allowed: Sequence[Network], secret: Credentials) -> Script[list[Try]]:
    url = parse_url(target.url)
    found = yield from _addresses(url, target, allowed, target.timeout_seconds)
    if isinstance(found, Failure):
        return [Try(url, failure=found)]
    tries = []
    for address in found.addresses:
        journey = _Journey(target, allowed, secret, url, address, found.ms)
        tries.append((yield from journey.run()))
    return tries


def _addresses(
    url: Url, target: Target, allowed: Sequence[Network], seconds: float
) -> Generator[Step, Any, Resolved | Failure]:
    """Return the addresses of a host; one that may not be probed makes them all so."""
    resolved: Resolved = yield Resolve(url.host, target.ip_version, seconds)
    if resolved.failure:
        return resolved.failure
    addresses = resolved.addresses[:MAX_ADDRESSES]
    if any(is_blocked(address, allowed) for address in addresses):
        return Failure(Fault.BLOCKED, "address")
    return Resolved(addresses, resolved.ms)


@dataclass(slots=True)
class _Journey:
    """A request on its way from redirect to redirect."""

    target: Target
    allowed: Sequence[Network]
    secret: Credentials
    url: Url
    address: str
    dns_ms: float
    method: str = ""
    is_at_home: bool = True
    phases: dict[Phase, float] = field(default_factory=dict)

    def run(self) -> Script[Try]:
        target = self.target
        self.method = target.method
        self._spend({Phase.DNS: self.dns_ms})
        fetched = Fetched({})
        for hop in range(target.expect.redirects + 1):
            if self._left <= 0:
                longest = max(self.phases, key=lambda phase: self.phases[phase])
                return self._ended(fetched, Failure(Fault.TIMEOUT, phase=longest))
            fetched = yield self._fetch()
            self._spend(fetched.phases)
            if fetched.failure:
                return self._ended(fetched, fetched.failure)
            location = fetched.headers.get("location")
            if fetched.status not in _REDIRECTS or not location or not target.expect.redirects:
                return self._ended(fetched, failure_of(fetched, target.expect))
            if hop == target.expect.redirects:
                return self._ended(fetched, Failure(Fault.REDIRECT, "too_many"))
            problem = yield from self._go(location, fetched.status)
            if problem:
                return self._ended(fetched, problem)
        raise AssertionError  # pragma: no cover - the last hop returns

    @property
    def _left(self) -> float:
        return self.target.timeout_seconds - sum(self.phases.values()) / 1000

    def _fetch(self) -> Fetch:
        target, secret = self.target, self.secret
        headers = [f"{name}: {value}" for name, value in target.headers.items()]
        return Fetch(
            url=self.url,
            address=self.address,
            method=self.method,
            headers=(*headers, *secret.headers) if self.is_at_home else (),
            body=target.body.encode() if target.body and self._may_send_body else None,
            seconds=self._left,
            connect_seconds=min(target.connect_timeout_seconds, self._left),
            max_bytes=target.expect.max_bytes,
            verify=target.tls.verify,
            ca=target.tls.ca or "",
            user=(secret.user or self.url.user) if self.is_at_home else "",
            password=(secret.password or self.url.password) if self.is_at_home else "",
        )

    @property
    def _may_send_body(self) -> bool:
        return self.is_at_home and self.method == self.target.method

    def _go(self, location: str, status: int) -> Generator[Step, Any, Failure | None]:
        """Follow a redirect: never to less security, to odd ports, or inwards."""
        try:
            url = follow(self.url, location)
        except ValueError:
            return Failure(Fault.REDIRECT, "unreadable")
        if self.url.scheme == "https" and url.scheme == "http":
            return Failure(Fault.REDIRECT, "insecure")
        if url.port not in {*_USUAL_PORTS, self.url.port}:
            return Failure(Fault.BLOCKED, "port")
        if url.host != self.url.host:
            found = yield from _addresses(url, self.target, self.allowed, self._left)
            if isinstance(found, Failure):
                return found
            self.address = found.addresses[0]
            self._spend({Phase.DNS: found.ms})
        self.is_at_home = self.is_at_home and url.origin == self.url.origin
        if status not in _KEEP_METHOD and self.method != "HEAD":
            self.method = "GET"
        self.url = url
        return None

    def _spend(self, phases: Phases) -> None:
        for phase, ms in phases.items():
            self.phases[phase] = self.phases.get(phase, 0.0) + ms

    def _ended(self, fetched: Fetched, failure: Failure | None) -> Try:
        return Try(
            self.url,
            self.address,
            self.phases,
            failure,
            fetched.status,
            fetched.http_version,
            fetched.certificate,
        )
