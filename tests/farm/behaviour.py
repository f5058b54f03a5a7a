"""How a site behaves, and what was seen of a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

How = Literal[
    "well",
    "drip",
    "endless",
    "bomb",
    "huge_headers",
    "bad_chunks",
    "bad_gzip",
    "cut",
    "empty",
    "noise",
    "silent",
    "echo",
]
CertificateKind = Literal[
    "good",
    "other_host",
    "self_signed",
    "expired",
    "future",
    "expiring",
    "short_chain",
    "lone_leaf",
]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a site does; `delay_ms` is before it says anything.

    `redirect` is a Location, sent with `status` where that is 3xx, else with 302. With `hops` the
    site redirects so many times from path to path before it answers.
    """

    status: int = 200
    statuses: tuple[int, ...] = ()
    body: str | bytes = "hello world\n"
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: float = 0
    drip_ms: float = 100
    redirect: str = ""
    hops: int = 0
    how: How = "well"
    certificate: CertificateKind = "good"
    days: float = 90

    def status_of(self, number: int) -> int:
        """Return the status of the request of this number, from 0 on."""
        if not self.statuses:
            return self.status
        return self.statuses[min(number, len(self.statuses) - 1)]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request; names of headers are in small letters, `target` is path and query."""

    host: str
    method: str
    target: str
    is_tls: bool
    address: str
    """To which it was sent."""
    body: bytes
    lines: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The path alone."""
        return self.target.partition("?")[0]

    @property
    def headers(self) -> Counter[str]:
        """How often each header arrived."""
        return Counter(name for name, _ in self.lines)

    def value(self, name: str) -> str:
        """Return a header, empty where it did not arrive."""
        return next((value for key, value in self.lines if key == name.lower()), "")

    def is_of(self, name: str) -> bool:
        """Tell whether it was sent to a site, by host or first label, and path where given."""
        host, slash, rest = name.partition("/")
        return host in names_of(self.host) and (not slash or self.path == f"/{rest}")


def names_of(host: str) -> tuple[str, ...]:
    """Return what a host may be set by: itself and its first label."""
    label = host.partition(".")[0]
    is_address = ":" in host or host.replace(".", "").isdigit()
    return (host,) if is_address or label == host else (host, label)
