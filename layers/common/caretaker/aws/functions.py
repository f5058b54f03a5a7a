"""The next round of a run that ran out of time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda import LambdaClient


def invoke_next_round(client: LambdaClient, function: str, event: Mapping[str, Any]) -> None:
    """Invoke the function itself asynchronously; `CallError` when Lambda does not take it."""
    try:
        client.invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
        )
    except AWS_ERRORS as error:
        raise CallError("Invoke", classify(error)) from error
