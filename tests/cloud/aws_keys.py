"""KMS, as far as volumes need it: DescribeKey, and whether a key can be used.

Source: KMS API reference, "DescribeKey", "KeyMetadata"; KMS developer guide, "Key states of KMS
keys"; AWS re:Post, "Why did my EC2 instance change from the Pending state to Stopped": a start with
a volume whose key cannot be used is accepted and ends with Client.InternalError.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.kms.models import kms_backends

from tests.cloud.answers import Answer, ErrorText, render_error

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.extras import Extras, Where
    from tests.cloud.strict import StrictCloud

_OWN_ALIASES = "alias/aws/"


def describe_key(cloud: StrictCloud, call: Call) -> Answer:
    """Answer one DescribeKey, by id, ARN or alias."""
    asked = str(call.params.get("KeyId") or "")
    key = _key((call.account, call.region), asked)
    if key is None:
        text = ErrorText(400, "NotFoundException", f"Key '{asked}' does not exist")
        return render_error(call, text)
    if key.arn in cloud.extras.denied_keys:
        message = (
            f"User is not authorized to perform: kms:DescribeKey on resource: {key.arn} "
            "because no resource-based policy allows the kms:DescribeKey action"
        )
        return render_error(call, ErrorText(400, "AccessDeniedException", message))
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(key.to_dict())


def is_usable(arn: str, where: Where, extras: Extras) -> bool:
    """Tell whether EC2 can use a key for a volume."""
    key = _key(where, arn)
    return key is not None and key.key_state == "Enabled" and arn not in extras.denied_keys


def arn_of(asked: str, where: Where) -> str:
    """Return the ARN of a key that is named by id, ARN or alias; what is no key stays as it is."""
    key = _key(where, asked)
    return str(key.arn) if key is not None else asked


def _key(where: Where, asked: str) -> Any:
    """Return moto's key, with its manager put right."""
    account, region = where
    backend: Any = kms_backends[account][region]
    name = asked.rpartition(":")[2] if asked.startswith("arn:") else asked
    if name.startswith("alias/"):
        name = backend.get_key_id_from_alias(name)
    key = backend.keys.get(str(name).removeprefix("key/"))
    if key is not None and any(each.startswith(_OWN_ALIASES) for each in key.aliases):
        key.key_manager = "AWS"
    return key
