"""Objects of S3 for who may read them and not list them: what is not there is denied.

Source: S3 API reference, "GetObject": without s3:ListBucket a missing object is a 403.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.models import s3_backends

from tests.cloud.answers import ErrorText

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.extras import Extras, Where


def refuse_object(call: Call, extras: Extras) -> ErrorText | None:
    """Return how a missing object of an unlisted bucket is refused, or None."""
    if (call.service, call.operation) != ("s3", "GetObject"):
        return None
    bucket, key = str(call.params.get("Bucket")), str(call.params.get("Key"))
    if bucket not in extras.unlisted_buckets:
        return None
    kept = s3_backends[call.account]["aws"].buckets[bucket].keys
    return None if key in kept else ErrorText(403, "AccessDenied", "Access Denied")


def put_text(where: Where, bucket: str, key: str, text: str) -> None:
    """Put an object, and its bucket where there is none."""
    account, region = where
    backend: Any = s3_backends[account]["aws"]
    if bucket not in backend.buckets:
        backend.create_bucket(bucket, region)
    backend.put_object(bucket, key, text.encode())
