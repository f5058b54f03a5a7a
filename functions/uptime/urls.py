"""URLs that may be probed, read once and in one way. Pure.

A browser's reading is taken: numbers in any base, letters of any script and dots of any kind become
the one host that is connected to, so that what was checked is what is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final
from urllib.parse import unquote, urljoin

from pydantic import AfterValidator, AnyUrl, Field, TypeAdapter, ValidationError

_ADAPTER: Final = TypeAdapter(AnyUrl)
_PORTS: Final = {"http": 80, "https": 443}
MAX_URL: Final = 2048
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f\\]")
"""What browsers pass over or read as something else."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL of http or https; `text` is as it is sent, without user, password and fragment."""

    scheme: str
    host: str
    port: int
    text: str
    user: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """Return what may be shown to people: queries hold secrets, too."""
        bare = self.text.partition("?")[0]
        return bare if bare == self.text else f"{bare}?..."

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what decides whether credentials may be sent along."""
        return self.scheme, self.host, self.port


@lru_cache(maxsize=16_384)
def parse_url(text: str) -> Url:
    """Read a URL; `ValueError` says what it must be."""
    if len(text) > MAX_URL:
        msg = f"must be a URL of at most {MAX_URL} characters"
        raise ValueError(msg)
    if _UNFIT.search(text):
        raise ValueError(_EXPECTED)
    try:
        read = _ADAPTER.validate_python(text)
    except ValidationError:
        raise ValueError(_EXPECTED) from None
    if read.scheme not in _PORTS or not read.host or read.port == 0:
        raise ValueError(_EXPECTED)
    port = read.port or _PORTS[read.scheme]
    host = read.host.removeprefix("[").removesuffix("]").removesuffix(".")
    if not host or host.endswith("."):
        raise ValueError(_EXPECTED)
    shown_host = f"[{host}]" if ":" in host else host
    place = shown_host if port == _PORTS[read.scheme] else f"{shown_host}:{port}"
    query = f"?{read.query}" if read.query else ""
    return Url(
        scheme=read.scheme,
        host=host,
        port=port,
        text=f"{read.scheme}://{place}{read.path or '/'}{query}",
        user=unquote(read.username or ""),
        password=unquote(read.password or ""),
    )


def _check(text: str) -> str:
    parse_url(text)
    return text


type UrlText = Annotated[str, Field(max_length=MAX_URL), AfterValidator(_check)]
"""A field that holds a URL."""


def follow(url: Url, location: str) -> Url:
    """Return where a redirect leads; `ValueError` when that is no URL to go to."""
    return parse_url(urljoin(url.text, location.strip()))


_EXPECTED: Final = "must be a URL of http or https, as https://example.com/health"
