"""What is asked on the wire, and what comes back: values only. Pure."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from .urls import Url


class Fault(StrEnum):
    """Why a probe failed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    STATUS = "status"
    BODY = "body"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    BLOCKED = "blocked"
    CONFIG = "config"


class Phase(StrEnum):
    """Where the time of a request goes, in order; their sum is all of it."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    FIRST_BYTE = "first_byte"
    TRANSFER = "transfer"


type Phases = Mapping[Phase, float]
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A fault, where it is known more exactly why, and of a timeout in which phase."""

    fault: Fault
    why: str = ""
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificates a server showed: when the first, and any, of them expires."""

    fingerprint: str
    leaf_expires: datetime
    chain_expires: datetime

    @property
    def expires(self) -> datetime:
        """Return when it is of no use any more."""
        return min(self.leaf_expires, self.chain_expires)


@dataclass(frozen=True, slots=True)
class Resolve:
    """Ask for the addresses of a host; answered by `Resolved`."""

    host: str
    ip_version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a host, or why there are none."""

    addresses: tuple[str, ...]
    ms: float
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one address; answered by `Fetched`. Headers are whole lines."""

    url: Url
    address: str
    method: str
    headers: tuple[str, ...]
    body: bytes | None
    seconds: float
    connect_seconds: float
    max_bytes: int
    verify: bool = True
    ca: str = ""
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: at most `max_bytes` of the body, decoded; `is_cut` where there was more.

    Header names are in small letters; of several of one name the last counts.
    """

    phases: Phases
    failure: Failure | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False
    http_version: str = ""
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, without keeping others from their turn."""

    seconds: float


type Step = Resolve | Fetch | Pause
type Script[T] = Generator[Step, Any, T]
"""What is done for one target, step by step; it is sent the answer to each."""
