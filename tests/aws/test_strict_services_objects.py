"""The strict cloud's S3 denies what is not there to who may not list."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3
import pytest

from tests.cloud import REGION, Account, StrictCloud
from tests.cloud.asking import ONCE, code_of


@pytest.fixture
def s3(cloud: StrictCloud) -> Any:
    return boto3.client("s3", REGION, config=ONCE)


def test_an_object_is_read_by_its_url(account: Account, s3: Any) -> None:
    assert account.object("targets", "web/all.json", [{"name": "a"}]) == "s3://targets/web/all.json"
    read = s3.get_object(Bucket="targets", Key="web/all.json")["Body"].read()
    assert read == b'[{"name": "a"}]'
    account.object("targets", "web/all.json", "not json")
    assert s3.get_object(Bucket="targets", Key="web/all.json")["Body"].read() == b"not json"


def test_what_is_missing_is_denied_unless_the_bucket_may_be_listed(
    account: Account, s3: Any
) -> None:
    account.object("targets", "a", "")
    account.object("listed", "a", "", listed=True)
    missing = {"targets": "AccessDenied", "listed": "NoSuchKey", "nowhere": "NoSuchBucket"}
    for bucket, code in missing.items():
        assert code_of(partial(s3.get_object, Bucket=bucket, Key="b")) == code
