"""Asks ministack's IAM whether a role may be assumed: by its trust, by the caller's policies.

A function's key is ministack's, and so are the roles of a deployed `member-role.yaml`; what is then
done in that account is done at the strict server, by a key of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from tests.cloud.answers import Answer

_NOT_HANDED_ON = frozenset({"accept-encoding", "connection", "content-length", "expect"})


def refused_by_iam(url: str, environ: WSGIEnvironment, body: bytes) -> Answer | None:
    """Return how IAM refuses a request to STS, or None."""
    request = Request(url, data=body, headers=_signed(environ), method="POST")  # noqa: S310 - our loopback
    try:
        with urlopen(request, timeout=30):  # noqa: S310 - ditto
            return None
    except HTTPError as error:
        return error.code, {"Content-Type": "text/xml"}, error.read()


def _signed(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the headers as they came: most of them, the host too, are signed."""
    found = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or key == "CONTENT_TYPE"
    }
    return {name: value for name, value in found.items() if name not in _NOT_HANDED_ON}
