"""Turn what botocore raises into a `Failure`."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from caretaker.failures import Failure, Kind, kind_of, short_message

AWS_ERRORS = (ClientError, BotoCoreError)
_NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError)
_NOT_SENDABLE = (NoCredentialsError, ParamValidationError)


def classify(error: ClientError | BotoCoreError) -> Failure:
    """Return how a call failed.

    Without an answer the outcome is unknown: a request that never arrived and an answer that got
    lost look alike from here, so both are treated as the worse one.
    """
    if isinstance(error, ClientError):
        answer = error.response
        code = answer.get("Error", {}).get("Code", "")
        meta = answer.get("ResponseMetadata", {})
        return Failure(
            kind_of(code, meta.get("HTTPStatusCode", 0)),
            code,
            short_message(answer.get("Error", {}).get("Message", "")),
            meta.get("RequestId", ""),
        )
    kind = Kind.INVALID if isinstance(error, _NOT_SENDABLE) else Kind.UNKNOWN
    code = "NoConnection" if isinstance(error, _NEVER_SENT) else type(error).__name__
    return Failure(kind, code, short_message(str(error)))
