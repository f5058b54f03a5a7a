"""What CloudTrail tells of the calls that make something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.support.tags_world import OWNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account


ANN: Final = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/Admin/ann@example.com",
}


CREATED_BY: Final = {"CreatedBy": {"from": ["creator"]}}


def birth(event: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the detail of what CloudTrail tells of a call."""
    return {
        "eventVersion": "1.10",
        "eventSource": "ec2.amazonaws.com",
        "eventName": event,
        "eventID": "3f8b2c1e-0000-4000-8000-000000000001",
        "awsRegion": "eu-west-1",
        "userIdentity": ANN,
        "requestParameters": {"instanceId": "i-0000000a", "volumeId": "vol-0000000a"},
        "responseElements": answer,
        **more,
    }


def run_instances(*ids: str) -> dict[str, Any]:
    """Return what CloudTrail tells of a launch."""
    items = [{"instanceId": each, "imageId": "ami-12345678"} for each in ids]
    return birth("RunInstances", {"instancesSet": {"items": items}})


def born_instance(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.instance(OWNED, age_hours=0, interface_tags={"CreatedBy": "ann"}).id
    return made, run_instances(made)


def born_volume(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.volume(age_hours=0)
    return made, birth("CreateVolume", {"volumeId": made, "size": "8", "snapshotId": ""})


def born_snapshot(a: Account) -> tuple[str, dict[str, Any]]:
    volume = a.volume()
    made = a.snapshot(volume)
    return made, birth("CreateSnapshot", {"snapshotId": made, "volumeId": volume})


def born_set(a: Account) -> tuple[str, dict[str, Any]]:
    instance = a.instance({}, {})
    one, other = (a.snapshot(each) for each in instance.volume_ids)
    members = [{"snapshotId": one, "volumeId": "vol-0"}, {"snapshotId": other}]
    answer = {"CreateSnapshotsResponse": {"snapshotSet": {"item": members}}}
    return one, birth("CreateSnapshots", answer)


def born_copy(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.snapshot("vol-ffffffff")
    return made, birth("CopySnapshot", {"snapshotId": made})


def born_image(a: Account) -> tuple[str, dict[str, Any]]:
    made = a.image()
    return made, birth("CreateImage", {"imageId": made})


BORN: Final[dict[str, Callable[[Account], tuple[str, dict[str, Any]]]]] = {
    "RunInstances": born_instance,
    "CreateVolume": born_volume,
    "CreateSnapshot": born_snapshot,
    "CreateSnapshots": born_set,
    "CopySnapshot": born_copy,
    "CreateImage": born_image,
}
