"""The hosts of a case, and how each of them answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_SECONDS: Final = 3
FIRST_BYTE_MS: Final = 50
DOMAIN: Final = "probed.test"
HOSTS: Final = 1000
"""How many have an address of their own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to answer: at which port of the farm, by which path, and what the verdict should be.

    `fault` is the class of the failure, and more exactly why where that is known; "" is well.
    """

    name: str
    port: str
    path: str
    fault: str = ""


KINDS: Final = {
    each.name: each
    for each in (
        Kind("plain", "http", "/quick"),
        Kind("tls", "https", "/quick"),
        Kind("late", "https", "/late"),
        Kind("error", "https", "/error", "status 500"),
        Kind("slow body", "https", "/slow"),
        Kind("redirects", "https", "/hop1"),
        Kind("self-signed", "self_signed", "/quick", "tls untrusted"),
        Kind("refused", "refused", "/", "connect refused"),
        Kind("silent", "silent", "/", "timeout first_byte"),
        Kind("black hole", "black_hole", "/", "timeout connect"),
    )
}
MIXED: Final = {
    "plain": 405, "tls": 405, "late": 50, "error": 40, "slow body": 20, "redirects": 30,
    "self-signed": 10, "refused": 20, "silent": 10, "black hole": 10,
}  # fmt: skip
"""Of a thousand hosts."""
QUICK_KINDS: Final = frozenset({"plain", "tls"})


@dataclass(frozen=True, slots=True)
class Host:
    """One host with its address and the URL to probe."""

    name: str
    address: str
    url: str
    kind: str

    def as_target(self) -> dict[str, Any]:
        """Return it as a target of the uptime chore."""
        seconds = TIMEOUT_SECONDS
        name = self.name.partition(".")[0]
        return {
            "name": name,
            "url": self.url,
            "timeout_seconds": seconds,
            "connect_timeout_seconds": seconds,
        }


BAD_KINDS: Final = frozenset(name for name, kind in KINDS.items() if kind.fault)


def address_of(number: int) -> str:
    """Return the address of the host of this number, below 50,000."""
    return f"127.{64 + number // 250}.7.{1 + number % 250}"


def hosts_of(case: str, number: int, ports: Mapping[str, int]) -> list[Host]:
    """Return so many hosts of a case: `plain`, `tls` or `mixed`."""
    names = _mixed(number) if case == "mixed" else [case] * number
    return [_host(place, KINDS[name], ports) for place, name in enumerate(names)]


def _host(number: int, kind: Kind, ports: Mapping[str, int]) -> Host:
    name = f"h{number}.{DOMAIN}"
    scheme = "https" if kind.port in {"https", "self_signed"} else "http"
    url = f"{scheme}://{name}:{ports[kind.port]}{kind.path}"
    return Host(name, address_of(number), url, kind.name)


def _mixed(number: int) -> Sequence[str]:
    """Return the kinds, each spread evenly over all: those that take long are not the last."""
    whole = sum(MIXED.values())
    placed = (
        (place / (share * number / whole), name)
        for name, share in MIXED.items()
        for place in range(share * number // whole)
    )
    return [name for _, name in sorted(placed)]


def right(hosts: Sequence[Host], said: Sequence[str]) -> int:
    """Return how many verdicts are right, their class included."""
    return sum(KINDS[host.kind].fault == each for host, each in zip(hosts, said, strict=True))


def wrong(hosts: Sequence[Host], said: Sequence[str]) -> dict[str, int]:
    """Count the wrong verdicts, by what they should have been and what was said."""
    return Counter(
        f"{host.kind}: {each or 'well'}"
        for host, each in zip(hosts, said, strict=True)
        if KINDS[host.kind].fault != each
    )
