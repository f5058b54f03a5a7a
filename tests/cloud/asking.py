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


def make_volume(ec2: Any, snapshot: str = "", **asked: Any) -> str:
    """Make a volume, gp3 in the first zone unless told otherwise; return its id."""
    wanted = {"AvailabilityZone": f"{ec2.meta.region_name}a", "VolumeType": "gp3"} | asked
    if snapshot:
        wanted["SnapshotId"] = snapshot
    return str(ec2.create_volume(**wanted)["VolumeId"])


def volume_shown(ec2: Any, volume_id: str) -> dict[str, Any]:
    """Return a volume as it is listed."""
    (found,) = ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"]
    return dict(found)


def volume_states(ec2: Any) -> dict[str, str]:
    """Return the states of all volumes."""
    pages = ec2.get_paginator("describe_volumes").paginate()
    return {each["VolumeId"]: each["State"] for page in pages for each in page["Volumes"]}


def instance_shown(ec2: Any, instance_id: str) -> dict[str, Any]:
    """Return an instance as it is listed."""
    (reservation,) = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return dict(reservation["Instances"][0])
