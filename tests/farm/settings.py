"""What `Farm.set` takes: the fields of a behaviour, each of them optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from tests.farm.behaviour import CertificateKind, How


class Settings(TypedDict, total=False):
    """See `Behaviour`."""

    status: int
    statuses: tuple[int, ...]
    body: str | bytes
    json: Any
    headers: Mapping[str, str]
    delay_ms: float
    drip_ms: float
    redirect: str
    hops: int
    how: How
    certificate: CertificateKind
    days: float
