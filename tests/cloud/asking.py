"""Short ways to ask EC2 for something in a test of the cloud itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


def code_of(call: Callable[[], object]) -> str:
    """Return the error code a call is answered with; it must be answered with one."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def snapshot_tags(tags: dict[str, str]) -> list[dict[str, Any]]:
    """Return the TagSpecifications of a snapshot."""
    return [{"ResourceType": "snapshot", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]


def tags_of(item: dict[str, Any]) -> dict[str, str]:
    """Return an answer's tags as a dict."""
    return {tag["Key"]: tag["Value"] for tag in item["Tags"]}
