"""Error answers on the wire, in each protocol, with the codes each service really uses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from tests.cloud.faults import Fault, FaultKind

if TYPE_CHECKING:
    from tests.cloud.calls import Call

Answer = tuple[int, Mapping[str, str], str | bytes]
"""Status, headers, body."""


class LostError(Exception):
    """The caller gets no answer: `kind` says how."""

    def __init__(self, kind: FaultKind) -> None:
        """Remember the kind."""
        super().__init__(kind.value)
        self.kind = kind

    def seen_by_botocore(self, url: str) -> BotoCoreError:
        """Return the error botocore raises for it."""
        match self.kind:
            case FaultKind.ANSWER_LOST:
                return ReadTimeoutError(endpoint_url=url)
            case FaultKind.CONNECTION_DROPPED:
                return ConnectionClosedError(endpoint_url=url)
            case _:
                return ConnectTimeoutError(endpoint_url=url)


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error as a service words it."""

    status: int
    code: str
    message: str


_COMMON = {
    FaultKind.THROTTLED: ErrorText(400, "Throttling", "Rate exceeded"),
    FaultKind.INTERNAL_ERROR: ErrorText(500, "InternalFailure", "An internal error has occurred."),
    FaultKind.UNAVAILABLE: ErrorText(503, "ServiceUnavailable", "Service is unavailable."),
    FaultKind.DENIED: ErrorText(403, "AccessDenied", "User is not authorized to perform this."),
}
_OWN: Mapping[tuple[str, FaultKind], ErrorText] = {
    ("ec2", FaultKind.THROTTLED): ErrorText(503, "RequestLimitExceeded", "Request limit exceeded."),
    ("ec2", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalError", "An internal error has occurred"
    ),
    ("ec2", FaultKind.UNAVAILABLE): ErrorText(
        503, "Unavailable", "The service is unavailable. Please try again shortly."
    ),
    ("ec2", FaultKind.DENIED): ErrorText(
        403, "UnauthorizedOperation", "You are not authorized to perform this operation."
    ),
    ("dynamodb", FaultKind.THROTTLED): ErrorText(
        400, "ThrottlingException", "Throughput exceeds the current capacity for one or more"
    ),
    ("dynamodb", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalServerError", "Internal server error"
    ),
    ("dynamodb", FaultKind.DENIED): ErrorText(
        400, "AccessDeniedException", "User is not authorized to perform this."
    ),
    ("s3", FaultKind.THROTTLED): ErrorText(503, "SlowDown", "Please reduce your request rate."),
    ("s3", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalError", "We encountered an internal error. Please try again."
    ),
    ("s3", FaultKind.DENIED): ErrorText(403, "AccessDenied", "Access Denied"),
    ("sns", FaultKind.DENIED): ErrorText(
        403, "AuthorizationError", "User is not authorized to perform: SNS:Publish"
    ),
    ("resourcegroupstaggingapi", FaultKind.THROTTLED): ErrorText(
        400, "ThrottledException", "Rate exceeded"
    ),
    ("resourcegroupstaggingapi", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalServiceException", "The request processing failed; try again later."
    ),
    ("resourcegroupstaggingapi", FaultKind.DENIED): ErrorText(
        400, "AccessDeniedException", "User is not authorized to perform this."
    ),
    ("kms", FaultKind.THROTTLED): ErrorText(400, "ThrottlingException", "Rate exceeded"),
    ("kms", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "KMSInternalException", "The request was rejected because of an internal exception."
    ),
    ("kms", FaultKind.DENIED): ErrorText(
        400, "AccessDeniedException", "User is not authorized to perform: kms:DescribeKey"
    ),
    ("organizations", FaultKind.THROTTLED): ErrorText(
        400, "TooManyRequestsException", "You have sent too many requests."
    ),
    ("organizations", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "ServiceException", "Organizations can't complete your request."
    ),
    ("organizations", FaultKind.DENIED): ErrorText(
        400, "AccessDeniedException", "You don't have permissions to access this resource."
    ),
    ("rbin", FaultKind.THROTTLED): ErrorText(400, "ThrottlingException", "Rate exceeded"),
    ("ebs", FaultKind.THROTTLED): ErrorText(400, "RequestThrottledException", "Rate exceeded"),
    ("ebs", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalServerException", "An internal error has occurred."
    ),
    ("ebs", FaultKind.DENIED): ErrorText(
        403, "AccessDeniedException", "You do not have sufficient access to perform this action."
    ),
    ("service-quotas", FaultKind.THROTTLED): ErrorText(
        400, "TooManyRequestsException", "Rate exceeded"
    ),
    ("service-quotas", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "ServiceException", "An error occurred."
    ),
    ("service-quotas", FaultKind.DENIED): ErrorText(
        400, "AccessDeniedException", "User is not authorized to perform this."
    ),
    ("rbin", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalServerException", "The service could not respond to the request."
    ),
    ("rbin", FaultKind.DENIED): ErrorText(
        403, "AccessDeniedException", "User is not authorized to perform this."
    ),
    **{
        (name, FaultKind.THROTTLED): ErrorText(400, "ThrottlingException", "Rate exceeded")
        for name in ("ecs", "secretsmanager", "ssm")
    },
    **{
        (name, FaultKind.DENIED): ErrorText(
            400, "AccessDeniedException", "User is not authorized to perform this."
        )
        for name in ("ecs", "secretsmanager", "ssm")
    },
    ("ecs", FaultKind.INTERNAL_ERROR): ErrorText(500, "ServerException", "Service Unavailable."),
    ("secretsmanager", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "InternalServiceError", "An error occurred on the server side."
    ),
    ("ssm", FaultKind.INTERNAL_ERROR): ErrorText(500, "InternalServerError", "An error occurred."),
    ("lambda", FaultKind.THROTTLED): ErrorText(429, "TooManyRequestsException", "Rate Exceeded."),
    ("lambda", FaultKind.INTERNAL_ERROR): ErrorText(
        500, "ServiceException", "An error occurred and the request cannot be processed."
    ),
    ("lambda", FaultKind.DENIED): ErrorText(
        403, "AccessDeniedException", "User is not authorized to perform: lambda:InvokeFunction"
    ),
}
_REST_JSON = frozenset({"lambda", "scheduler", "ebs", "rbin"})
_JSON = frozenset(
    {
        *("dynamodb", "logs", "ssm", "organizations", "kms", "events", "stepfunctions"),
        *("resourcegroupstaggingapi", "ecs", "secretsmanager", "service-quotas"),
    }
)


def error_text(fault: Fault, service: str) -> ErrorText:
    """Say how this service words that fault; the fault's own words win."""
    if fault.kind is FaultKind.ERROR:
        return ErrorText(fault.status, fault.code, fault.message or fault.code)
    text = _OWN.get((service, fault.kind)) or _COMMON[fault.kind]
    return ErrorText(text.status, fault.code or text.code, fault.message or text.message)


def render_error(call: Call, text: ErrorText) -> Answer:
    """Render an error in the protocol of the call's service."""
    request_id = str(uuid4())
    if call.service in _JSON | _REST_JSON:
        body = json.dumps({"__type": text.code, "message": text.message, "Message": text.message})
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-ErrorType": text.code,
            "x-amzn-RequestId": request_id,
        }
        return text.status, headers, body
    inner = f"<Code>{escape(text.code)}</Code><Message>{escape(text.message)}</Message>"
    match call.service:
        case "ec2":
            body = (
                f"<Response><Errors><Error>{inner}</Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>"
            )
        case "s3":
            body = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        case _:
            body = (
                f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )
    return text.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body
