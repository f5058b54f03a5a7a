"""What Secrets Manager and the Parameter Store refuse, ahead of moto's.

Source: Secrets Manager API reference, "GetSecretValue", and its "Access to KMS is not allowed"
where the caller may not use the key; Systems Manager API reference, "GetParameter".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cloud.answers import ErrorText
from tests.cloud.constraints import broken_constraint

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.extras import Extras

_READ = {
    ("secretsmanager", "GetSecretValue"): "SecretId",
    ("ssm", "GetParameter"): "Name",
}
_NO_KEY = {
    "secretsmanager": "Access to KMS is not allowed",
    "ssm": "The ciphertext refers to a customer master key that does not exist, does not exist in "
    "this region, or you are not allowed to access.",
}


def refuse_secret(call: Call, extras: Extras) -> ErrorText | None:
    """Return how a secret or parameter is refused, or None where moto may answer."""
    named = _READ.get((call.service, call.operation))
    if named is None:
        return None
    wrong = broken_constraint(call.service, call.operation, call.params)
    if wrong:
        return ErrorText(400, "ValidationException", wrong)
    asked = str(call.params[named])
    if asked in extras.locked_secrets:
        return ErrorText(400, "AccessDeniedException", _NO_KEY[call.service])
    region = asked.split(":")[3] if asked.startswith("arn:") else call.region
    if region == call.region:
        return None
    if call.service == "ssm":
        return ErrorText(400, "ParameterNotFound", "")
    message = "Secrets Manager can't find the specified secret."
    return ErrorText(400, "ResourceNotFoundException", message)
