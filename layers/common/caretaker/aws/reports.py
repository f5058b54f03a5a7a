"""Whole reports in the bucket."""

from __future__ import annotations

from gzip import GzipFile
from io import BytesIO
from typing import TYPE_CHECKING

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import CallError
from caretaker.slots import compact_slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_s3 import S3Client


def report_key(chore: str, policy: str, slot: str, run: str, kind: str = "jsonl") -> str:
    """Return the key of a run's report, or of another list of the run beside it."""
    return f"{chore}/{policy}/{compact_slot(slot)}/{run}.{kind}.gz"


def put_report(client: S3Client, bucket: str, key: str, lines: Iterable[str]) -> str:
    """Write lines, packed, and return where; `CallError` when the bucket does not take them."""
    body = BytesIO()
    with GzipFile(fileobj=body, mode="wb", mtime=0, compresslevel=6) as packed:
        packed.writelines(f"{line}\n".encode() for line in lines)
    try:
        client.put_object(
            Bucket=bucket, Key=key, Body=body.getvalue(), ContentType="application/gzip"
        )
    except AWS_ERRORS as error:
        raise CallError("PutObject", classify(error)) from error
    return f"s3://{bucket}/{key}"
