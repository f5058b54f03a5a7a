from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from caretaker.aws.errors import classify
from caretaker.failures import Failure, Kind

URL = "https://ec2.eu-west-1.amazonaws.com"


def test_an_answer_is_read_with_its_request_id() -> None:
    error = ClientError(
        {
            "Error": {"Code": "UnauthorizedOperation", "Message": "not allowed"},
            "ResponseMetadata": {"RequestId": "r-1", "HTTPStatusCode": 403},  # type: ignore[typeddict-item]
        },
        "CreateSnapshot",
    )

    assert classify(error) == Failure(Kind.DENIED, "UnauthorizedOperation", "not allowed", "r-1")


def test_an_answer_without_anything_in_it_is_a_refusal() -> None:
    assert classify(ClientError({}, "CreateSnapshot")).kind is Kind.INVALID


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ReadTimeoutError(endpoint_url=URL), Kind.UNKNOWN, "ReadTimeoutError"),
        (ConnectTimeoutError(endpoint_url=URL), Kind.UNKNOWN, "NoConnection"),
        (EndpointConnectionError(endpoint_url=URL), Kind.UNKNOWN, "NoConnection"),
        (NoCredentialsError(), Kind.INVALID, "NoCredentialsError"),
        (ParamValidationError(report="odd"), Kind.INVALID, "ParamValidationError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_without_an_answer_the_outcome_is_unknown_unless_nothing_was_sent(
    error: BotoCoreError, kind: Kind, code: str
) -> None:
    failure = classify(error)

    assert (failure.kind, failure.code) == (kind, code)
    assert failure.message
