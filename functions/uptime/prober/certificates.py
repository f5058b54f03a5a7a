"""What libcurl tells of the certificates that a server showed."""

from __future__ import annotations

from base64 import b64decode
from calendar import month_abbr
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from functions.uptime.traces import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

type Fields = Iterable[tuple[str, str]]

_EXPIRES: Final = "Expire date"
_PEM: Final = "Cert"
_MONTHS: Final = {name: number for number, name in enumerate(month_abbr) if name}


def read_certificate(chain: Sequence[Fields]) -> Certificate | None:
    """Return when the chain expires; it is told of unverified ones, too."""
    shown = [dict(fields) for fields in chain]
    if not shown or _PEM not in shown[0]:
        return None
    ends = [_time(each[_EXPIRES]) for each in shown if _EXPIRES in each]
    return Certificate(_fingerprint(shown[0][_PEM]), ends[0], min(ends))


def _fingerprint(pem: str) -> str:
    inner = pem.removeprefix("-----BEGIN CERTIFICATE-----").partition("-----END")[0]
    return sha256(b64decode(inner)).hexdigest()


def _time(text: str) -> datetime:
    """Read a time as OpenSSL prints it: Dec  1 16:57:04 2026 GMT."""
    month, day, clock, year, _ = text.split()
    hour, minute, second = clock.split(":")
    return datetime(
        int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
