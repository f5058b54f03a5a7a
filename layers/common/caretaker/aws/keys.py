"""Keys: EC2 starts no instance, and makes no volume, whose key it cannot use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import ListingError
from caretaker.failures import Kind

if TYPE_CHECKING:
    from caretaker.run import Scene

_ENABLED: Final = "Enabled"
_AWS: Final = "AWS"


def why_unusable(scene: Scene, key: str) -> str:
    """Return why the key of an encrypted volume could not be used, empty where it can.

    `ListingError` when that cannot be told. A start with such a key is accepted, and the instance
    falls back to `stopped`; a volume is accepted, too, and never becomes available:
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    if not key:
        return "EC2 does not tell the key of an encrypted volume"
    try:
        answer = scene.pacer.call("DescribeKey", lambda: scene.account.kms.describe_key(KeyId=key))
    except AWS_ERRORS as error:
        failure = classify(error)
        if failure.kind in {Kind.UNKNOWN, Kind.THROTTLED}:
            raise ListingError("DescribeKey", failure) from error
        return f"{key}: {failure.code}"
    known = answer["KeyMetadata"]
    if known.get("KeyState") != _ENABLED:
        return f"{key} is {known.get('KeyState', 'in no known state')}"
    if known.get("KeyManager") == _AWS or known["Arn"] in scene.settings.kms_keys:
        return ""
    return f"{key} is not among the stack's KmsKeyArns"
