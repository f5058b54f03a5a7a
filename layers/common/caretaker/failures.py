"""How an AWS call failed, as data: the one table of error codes and what they mean to us.

Codes and their meaning: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a failure asks for."""

    THROTTLED = "throttled"
    """Refused before it began, by a rate or by another call: slow down, then send it again."""
    BUSY = "busy"
    """A limit of this one resource: the next round may try it."""
    FULL = "full"
    """A limit of the whole account: every further call of this kind would meet it."""
    GONE = "gone"
    """The resource does not exist (any more)."""
    DENIED = "denied"
    """Permissions, keys, opt-ins: a person must act."""
    PROTECTED = "protected"
    """In use, locked or owned by another service: stays as it is."""
    UNKNOWN = "unknown"
    """No answer, or one that does not tell whether the call happened: look before sending again."""
    INVALID = "invalid"
    """Anything else AWS refused; it did not happen."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call: its kind, AWS's code and message, and the request id where there is one."""

    kind: Kind
    code: str
    message: str
    request_id: str = ""

    def as_error(self) -> dict[str, str]:
        """Return the `error` of a report's item."""
        return {"code": self.code, "message": self.message, "request_id": self.request_id}


_CODES: Final[dict[Kind, frozenset[str]]] = {
    Kind.THROTTLED: frozenset(
        {
            "RequestLimitExceeded",
            "EC2ThrottledException",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "SlowDown",
            "ConcurrentTagAccess",
        }
    ),
    Kind.BUSY: frozenset(
        {
            "SnapshotCreationPerVolumeRateExceeded",
            "ConcurrentSnapshotLimitExceeded",
            "IncorrectState",
            "IncorrectModificationState",
        }
    ),
    Kind.FULL: frozenset(
        {"PendingSnapshotLimitExceeded", "ResourceLimitExceeded", "SnapshotLimitExceeded"}
    ),
    Kind.DENIED: frozenset(
        {
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "AuthFailure",
            "Blocked",
            "OptInRequired",
            "PendingVerification",
            "RegionDisabledException",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
        }
    ),
    Kind.PROTECTED: frozenset({"InvalidSnapshot.InUse", "SnapshotLocked"}),
    Kind.UNKNOWN: frozenset(
        {"InternalError", "InternalFailure", "InternalServerError", "Unavailable"}
        | {"ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout"}
    ),
}
_KIND_OF: Final = {code: kind for kind, codes in _CODES.items() for code in codes}
_MAX_MESSAGE = 300


def kind_of(code: str, http_status: int) -> Kind:
    """Return what an error code asks for; `http_status` decides for codes nobody listed."""
    if code in _KIND_OF:
        return _KIND_OF[code]
    if code.endswith(("NotFound", "NotFoundException")) or code.startswith("NoSuch"):
        return Kind.GONE
    if code.startswith("KMS") or "Kms" in code:
        return Kind.DENIED
    server_error = 500
    return Kind.UNKNOWN if http_status >= server_error else Kind.INVALID


def short_message(message: str) -> str:
    """Return AWS's message as one line of at most 300 characters, without the encoded blob."""
    line = " ".join(message.split("Encoded authorization failure message", maxsplit=1)[0].split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 3] + "..."
