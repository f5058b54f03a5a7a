"""Client tokens: the same request with the same token is carried out once.

Source: EC2 developer guide, "Ensuring idempotency in Amazon EC2 API requests".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cloud.refusals import Refusal, invalid_value
from tests.cloud.volume_lives import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

_MOST_CHARACTERS = 64


def asked_before(
    cloud: StrictCloud, where: Where, operation: str, params: Mapping[str, Any]
) -> str | None:
    """Return the id of what this token has made; another request with it is refused."""
    token = params.get("ClientToken")
    if not token:
        return None
    if len(token) > _MOST_CHARACTERS or not token.isascii():
        raise invalid_value(f"A client token has at most {_MOST_CHARACTERS} ASCII characters.")
    before = cloud.extras.volumes.requests.get((*where, operation, token))
    if before is None:
        return None
    if before.asked != _text(params):
        raise Refusal(
            "IdempotentParameterMismatch",
            "The client token you have provided is associated with a resource whose parameters "
            "differ from those of this request.",
        )
    return before.made


def remember(
    cloud: StrictCloud, where: Where, operation: str, params: Mapping[str, Any], made: str
) -> None:
    """Remember what a token has made."""
    token = params.get("ClientToken")
    if token:
        request = Request(_text(params), made)
        cloud.extras.volumes.requests[*where, operation, token] = request


def _text(params: Mapping[str, Any]) -> str:
    left = {key: params[key] for key in params if key not in {"ClientToken", "DryRun"}}
    return json.dumps(left, sort_keys=True, default=str)
