"""EC2's filters, matched as AWS matches them.

Source: EC2 user guide, "Find your Amazon EC2 resources": up to 50 filters, 200 values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from tests.cloud.refusals import Refusal, invalid_value

View = Mapping[str, Any]
Reader = Callable[[View], Iterable[str]]

_MOST_FILTERS = 50


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _field(*path: str) -> Reader:
    def read(view: View) -> Iterable[str]:
        value: Any = view
        for step in path:
            value = (value or {}).get(step)
        return [] if value is None else [_text(value)]

    return read


def _each(items: str, *path: str) -> Reader:
    inner = _field(*path)

    def read(view: View) -> Iterable[str]:
        return [text for item in view.get(items) or () for text in inner(item)]

    return read


def _within(member: str, items: str, *path: str) -> Reader:
    inner = _each(items, *path)
    return lambda view: inner(view.get(member) or {})


SNAPSHOT_FILTERS: Mapping[str, Reader] = {
    "description": _field("Description"),
    "encrypted": _field("Encrypted"),
    "owner-alias": _field("OwnerAlias"),
    "owner-id": _field("OwnerId"),
    "progress": _field("Progress"),
    "snapshot-id": _field("SnapshotId"),
    "start-time": lambda view: [view["StartTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z")],
    "status": _field("State"),
    "storage-tier": _field("StorageTier"),
    "volume-id": _field("VolumeId"),
    "volume-size": _field("VolumeSize"),
}
VOLUME_FILTERS: Mapping[str, Reader] = {
    "attachment.delete-on-termination": _each("Attachments", "DeleteOnTermination"),
    "attachment.device": _each("Attachments", "Device"),
    "attachment.instance-id": _each("Attachments", "InstanceId"),
    "attachment.status": _each("Attachments", "State"),
    "availability-zone": _field("AvailabilityZone"),
    "encrypted": _field("Encrypted"),
    "multi-attach-enabled": _field("MultiAttachEnabled"),
    "operator.managed": _field("Operator", "Managed"),
    "operator.principal": _field("Operator", "Principal"),
    "size": _field("Size"),
    "snapshot-id": _field("SnapshotId"),
    "status": _field("State"),
    "volume-id": _field("VolumeId"),
    "volume-type": _field("VolumeType"),
}
INSTANCE_FILTERS: Mapping[str, Reader] = {
    "availability-zone": _field("Placement", "AvailabilityZone"),
    "instance-lifecycle": _field("InstanceLifecycle"),
    "network-interface.network-interface-id": _each("NetworkInterfaces", "NetworkInterfaceId"),
    "spot-instance-request-id": _field("SpotInstanceRequestId"),
    "block-device-mapping.device-name": _each("BlockDeviceMappings", "DeviceName"),
    "block-device-mapping.volume-id": _each("BlockDeviceMappings", "Ebs", "VolumeId"),
    "image-id": _field("ImageId"),
    "instance-id": _field("InstanceId"),
    "instance-state-name": _field("State", "Name"),
    "instance-state-code": _field("State", "Code"),
    "instance-type": _field("InstanceType"),
    "operator.managed": _field("Operator", "Managed"),
    "operator.principal": _field("Operator", "Principal"),
    "private-ip-address": _field("PrivateIpAddress"),
    "subnet-id": _field("SubnetId"),
    "vpc-id": _field("VpcId"),
}
STATUS_FILTERS: Mapping[str, Reader] = {
    "attached-ebs-status.status": _field("AttachedEbsStatus", "Status"),
    "availability-zone": _field("AvailabilityZone"),
    "event.code": _each("Events", "Code"),
    "event.description": _each("Events", "Description"),
    "event.instance-event-id": _each("Events", "InstanceEventId"),
    "instance-state-code": _field("InstanceState", "Code"),
    "instance-state-name": _field("InstanceState", "Name"),
    "instance-status.reachability": _within("InstanceStatus", "Details", "Status"),
    "instance-status.status": _field("InstanceStatus", "Status"),
    "operator.managed": _field("Operator", "Managed"),
    "operator.principal": _field("Operator", "Principal"),
    "system-status.reachability": _within("SystemStatus", "Details", "Status"),
    "system-status.status": _field("SystemStatus", "Status"),
}
IMAGE_FILTERS: Mapping[str, Reader] = {
    "block-device-mapping.snapshot-id": _each("BlockDeviceMappings", "Ebs", "SnapshotId"),
    "image-id": _field("ImageId"),
    "is-public": _field("Public"),
    "name": _field("Name"),
    "owner-alias": _field("ImageOwnerAlias"),
    "owner-id": _field("OwnerId"),
    "state": _field("State"),
}
FAST_RESTORE_FILTERS: Mapping[str, Reader] = {
    "availability-zone": _field("AvailabilityZone"),
    "owner-id": _field("OwnerId"),
    "snapshot-id": _field("SnapshotId"),
    "state": _field("State"),
}
INTERFACE_FILTERS: Mapping[str, Reader] = {
    "attachment.attachment-id": _field("Attachment", "AttachmentId"),
    "attachment.delete-on-termination": _field("Attachment", "DeleteOnTermination"),
    "attachment.device-index": _field("Attachment", "DeviceIndex"),
    "attachment.instance-id": _field("Attachment", "InstanceId"),
    "attachment.status": _field("Attachment", "Status"),
    "availability-zone": _field("AvailabilityZone"),
    "description": _field("Description"),
    "group-id": _each("Groups", "GroupId"),
    "interface-type": _field("InterfaceType"),
    "network-interface-id": _field("NetworkInterfaceId"),
    "operator.managed": _field("Operator", "Managed"),
    "operator.principal": _field("Operator", "Principal"),
    "owner-id": _field("OwnerId"),
    "private-ip-address": _field("PrivateIpAddress"),
    "requester-id": _field("RequesterId"),
    "requester-managed": _field("RequesterManaged"),
    "status": _field("Status"),
    "subnet-id": _field("SubnetId"),
    "vpc-id": _field("VpcId"),
}
ADDRESS_FILTERS: Mapping[str, Reader] = {
    "allocation-id": _field("AllocationId"),
    "association-id": _field("AssociationId"),
    "instance-id": _field("InstanceId"),
    "network-interface-id": _field("NetworkInterfaceId"),
    "private-ip-address": _field("PrivateIpAddress"),
    "public-ip": _field("PublicIp"),
}
GROUP_FILTERS: Mapping[str, Reader] = {
    "description": _field("Description"),
    "group-id": _field("GroupId"),
    "group-name": _field("GroupName"),
    "owner-id": _field("OwnerId"),
    "vpc-id": _field("VpcId"),
}
VPC_FILTERS: Mapping[str, Reader] = {
    "cidr": _field("CidrBlock"),
    "is-default": _field("IsDefault"),
    "owner-id": _field("OwnerId"),
    "state": _field("State"),
    "vpc-id": _field("VpcId"),
}
SUBNET_FILTERS: Mapping[str, Reader] = {
    "availability-zone": _field("AvailabilityZone"),
    "cidr-block": _field("CidrBlock"),
    "default-for-az": _field("DefaultForAz"),
    "owner-id": _field("OwnerId"),
    "state": _field("State"),
    "subnet-id": _field("SubnetId"),
    "vpc-id": _field("VpcId"),
}
TEMPLATE_FILTERS: Mapping[str, Reader] = {"launch-template-name": _field("LaunchTemplateName")}
TAG_FILTERS: Mapping[str, Reader] = {
    "key": _field("Key"),
    "resource-id": _field("ResourceId"),
    "resource-type": _field("ResourceType"),
    "value": _field("Value"),
}
TASK_FILTERS: Mapping[str, Reader] = {"instance-id": _field("InstanceId")}
LOCK_FILTERS: Mapping[str, Reader] = {"lock-state": _field("LockState")}


def select[Item: View](
    items: Sequence[Item],
    filters: Sequence[Mapping[str, Any]],
    readers: Mapping[str, Reader],
    most_values: int,
) -> list[Item]:
    """Keep the items that match every filter by any of its values.

    Values may hold `*` and `?`, are case-sensitive, and are at most `most_values` in one request.
    """
    if len(filters) > _MOST_FILTERS:
        raise Refusal("FilterLimitExceeded", "The maximum number of filters on a call is 50.")
    if sum(len(each.get("Values") or ()) for each in filters) > most_values:
        raise Refusal(
            "FilterLimitExceeded",
            f"The maximum number of filter values specified on a single call is {most_values}.",
        )
    left = list(items)
    for each in filters:
        read = _reader(each.get("Name", "null"), readers)
        patterns = [_pattern(value) for value in each.get("Values") or ()]
        left = [
            item
            for item in left
            if any(pattern.fullmatch(text) for text in read(item) for pattern in patterns)
        ]
    return left


def _reader(name: str, readers: Mapping[str, Reader]) -> Reader:
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda view: [tag["Value"] for tag in _tags(view) if tag["Key"] == key]
    if name in {"tag-key", "tag-value"}:
        part = name.removeprefix("tag-").capitalize()
        return lambda view: [tag[part] for tag in _tags(view)]
    if name not in readers:
        raise invalid_value(f"The filter '{name}' is invalid")
    return readers[name]


def _tags(view: View) -> Iterable[Mapping[str, str]]:
    return view.get("Tags") or view.get("TagSet") or ()


@cache
def _pattern(value: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|\*|\?|[^\\*?]+|\\", value, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    regex = "".join(
        wild.get(part) or re.escape(part[1:] if len(part) > 1 and part[0] == "\\" else part)
        for part in parts
    )
    return re.compile(regex, re.DOTALL)
