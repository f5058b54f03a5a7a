"""Resources as AWS describes them, decoded: only what the rules and the chore ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.ec2 import COPIED_VOLUME_ID
from functions.tagging import rules
from functions.tagging.facts import ALONE, Links, Resource

if TYPE_CHECKING:
    from caretaker.tags import Tags
    from functions.tagging.request import TaggingRequest

_GROUP: Final = "aws:autoscaling:groupName"
_TEMPLATE: Final = "aws:ec2launchtemplate:id"
_OF_BACKUP: Final = "aws:backup:"
"""AWS Backup owns such a snapshot: https://docs.aws.amazon.com/aws-backup/latest/devguide/"""


class Reader:
    """Decodes resources; equal tag sets, and equal links, are held once."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = frozenset(key.lower() for key in keys)
        self._tags: dict[tuple[tuple[str, str], ...], Tags] = {}
        self._links: dict[Links, Links] = {}

    def resource(self, resource_type: str, item: Mapping[str, Any]) -> Resource:
        """Return one resource of EC2, as its Describe call shows it."""
        raw = item.get("Tags") or item.get("TagSet", [])
        return Resource(
            id=item[_ID_KEYS[resource_type]],
            type=resource_type,
            tags=self.tags(raw),
            tag_count=count(raw),
            is_managed=_is_managed(item, raw),
            **_DETAILS[resource_type](self, item),
        )

    def other(self, resource_type: str, item: Mapping[str, Any]) -> Resource:
        """Return one resource of another service, as the tagging API shows it."""
        raw = item.get("Tags", [])
        return Resource(item["ResourceARN"], resource_type, self.tags(raw), count(raw))

    def tags(self, raw: Iterable[Mapping[str, Any]]) -> Tags:
        """Return the tags that anything depends on."""
        kept = tuple(
            (intern(each["Key"]), intern(each["Value"]))
            for each in raw
            if each["Key"].lower() in self._keys or each["Key"].startswith(tag.PREFIX)
        )
        return self._tags.get(kept) or self._tags.setdefault(kept, dict(kept))

    def links(self, **ids: str | None) -> Links:
        """Return what stands behind a resource."""
        found = {name: intern(value) for name, value in ids.items() if value}
        links = Links(**found) if found else ALONE
        return self._links.setdefault(links, links)


def reader_for(request: TaggingRequest) -> Reader:
    """Return what reads the tags that a request is about."""
    return Reader([*request.rules, request.owner_key])


def count(raw: Iterable[Mapping[str, Any]]) -> int:
    """Return how many tags count against the limit."""
    return sum(not each["Key"].startswith(tag.AWS) for each in raw)


def value_of(raw: Iterable[Mapping[str, Any]], key: str) -> str:
    """Return the value of one tag, empty where there is none."""
    return next((str(each["Value"]) for each in raw if each["Key"] == key), "")


def _is_managed(item: Mapping[str, Any], raw: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether an AWS service runs it for the account and decides about its tags."""
    return bool(
        item.get("Operator", {}).get("Managed")
        or item.get("RequesterManaged")
        or item.get("ServiceManaged")
        or any(each["Key"].startswith(_OF_BACKUP) for each in raw)
    )


def _instance(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    raw = item.get("Tags", [])
    links = reader.links(
        group=value_of(raw, _GROUP),
        template=value_of(raw, _TEMPLATE),
        vpc=item.get("VpcId"),
        subnet=item.get("SubnetId"),
    )
    return {
        "created": _made(item),
        "state": intern(item["State"]["Name"]),
        "name": value_of(raw, "Name"),
        "links": links,
        "launched": item["LaunchTime"],
        "is_stoppable": item.get("RootDeviceType") == "ebs"
        and item.get("InstanceLifecycle") != "spot",
    }


def _made(item: Mapping[str, Any]) -> datetime:
    """Return when an instance was made; its launch time is that of its last start."""
    devices = (each.get("Ebs", {}) for each in item.get("BlockDeviceMappings", []))
    interfaces = (each.get("Attachment", {}) for each in item.get("NetworkInterfaces", []))
    attached: list[datetime] = [
        each["AttachTime"] for each in (*devices, *interfaces) if "AttachTime" in each
    ]
    launched: datetime = item["LaunchTime"]
    return min([launched, *attached])


def _volume(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    attached = sorted(each.get("InstanceId", "") for each in item.get("Attachments", []))
    alone = attached[0] if len(attached) == 1 else ""
    return {
        "created": item["CreateTime"],
        "state": intern(item["State"]),
        "links": reader.links(instance=alone),
    }


def _snapshot(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    volume = "" if item["VolumeId"] == COPIED_VOLUME_ID else item["VolumeId"]
    instance = value_of(item.get("Tags", []), tag.INSTANCE)
    return {
        "created": item["StartTime"],
        "state": intern(item["State"]),
        "links": reader.links(volume=volume, instance=instance),
    }


def _image(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    made = item.get("CreationDate", "")
    return {
        "created": _read_time(made),
        "state": intern(item.get("State", "")),
        "links": reader.links(instance=item.get("SourceInstanceId")),
    }


def _interface(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    attached = item.get("Attachment", {})
    links = reader.links(
        instance=attached.get("InstanceId"), vpc=item.get("VpcId"), subnet=item.get("SubnetId")
    )
    return {"created": attached.get("AttachTime"), "links": links}


def _address(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"links": reader.links(instance=item.get("InstanceId"))}


def _security_group(reader: Reader, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"links": reader.links(vpc=item.get("VpcId"))}


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_ID_KEYS: Final = {
    rules.INSTANCE: "InstanceId",
    rules.VOLUME: "VolumeId",
    rules.SNAPSHOT: "SnapshotId",
    rules.IMAGE: "ImageId",
    rules.NETWORK_INTERFACE: "NetworkInterfaceId",
    rules.ELASTIC_IP: "AllocationId",
    rules.SECURITY_GROUP: "GroupId",
}
_DETAILS: Final[Mapping[str, Callable[[Reader, Mapping[str, Any]], dict[str, Any]]]] = {
    rules.INSTANCE: _instance,
    rules.VOLUME: _volume,
    rules.SNAPSHOT: _snapshot,
    rules.IMAGE: _image,
    rules.NETWORK_INTERFACE: _interface,
    rules.ELASTIC_IP: _address,
    rules.SECURITY_GROUP: _security_group,
}
