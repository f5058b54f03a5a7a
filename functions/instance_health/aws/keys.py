"""Keys: an instance does not start when EC2 cannot use the key of one of its volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import ListingError
from caretaker.failures import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.run import Scene

_ENABLED: Final = "Enabled"
_AWS: Final = "AWS"


def bad_keys(scene: Scene, keys: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Return, by instance, which key of a volume could not be used at a start, and why.

    `ListingError` when that cannot be told. Such a start is accepted, and the instance falls back
    to `stopped`: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    problems = {key: _problem(scene, key) for key in sorted(frozenset().union(*keys.values()))}
    return {
        instance_id: next(problems[key] for key in sorted(its_keys) if problems[key])
        for instance_id, its_keys in keys.items()
        if any(problems[key] for key in its_keys)
    }


def _problem(scene: Scene, key: str) -> str:
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
