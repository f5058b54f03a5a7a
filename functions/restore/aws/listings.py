"""Listings: all instances and volumes, with what a new volume in a place must be like."""

from __future__ import annotations

from itertools import batched
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.aws.ec2 import list_pages
from caretaker.aws.stops import lost_address
from functions.restore.facts import Disk, Machine, Make, Seat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.run import Scene

_OWN_IOPS: Final = frozenset({"gp3", "io1", "io2"})
_OWN_THROUGHPUT: Final = frozenset({"gp3"})
_GROUPED_AT_ONCE: Final = 50
"""https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingInstances.html"""


def list_machines(scene: Scene) -> dict[str, Machine]:
    """Return all instances that are not terminated."""
    found = list_pages(
        scene.pacer, scene.account.ec2.describe_instances, "DescribeInstances", "Reservations"
    )
    machines = (machine_of(item) for each in found for item in each["Instances"])
    return {machine.id: machine for machine in machines if machine.state != "terminated"}


def list_disks(scene: Scene) -> dict[str, Disk]:
    """Return all volumes."""
    found = list_pages(
        scene.pacer, scene.account.ec2.describe_volumes, "DescribeVolumes", "Volumes"
    )
    return {disk.id: disk for disk in map(disk_of, found)}


def list_group_states(scene: Scene, instances: Iterable[str]) -> dict[str, str]:
    """Return how instances stand in their Auto Scaling groups."""
    states: dict[str, str] = {}
    for part in batched(sorted(instances), _GROUPED_AT_ONCE, strict=False):
        found = list_pages(
            scene.pacer,
            scene.account.autoscaling.describe_auto_scaling_instances,
            "DescribeAutoScalingInstances",
            "AutoScalingInstances",
            size=None,
            InstanceIds=list(part),
        )
        states |= {each["InstanceId"]: each["LifecycleState"] for each in found}
    return states


def machine_of(item: Mapping[str, Any]) -> Machine:
    """Read an instance."""
    tags = {each["Key"]: each["Value"] for each in item.get("Tags", [])}
    return Machine(
        id=item["InstanceId"],
        state=intern(item["State"]["Name"]),
        zone=intern(item.get("Placement", {}).get("AvailabilityZone", "")),
        root_device=item.get("RootDeviceName", ""),
        type=intern(item["InstanceType"]),
        public_address=lost_address(item),
        launched=item.get("LaunchTime"),
        has_ebs_root=item.get("RootDeviceType") == "ebs",
        is_spot=item.get("InstanceLifecycle") == "spot",
        is_managed=item.get("Operator", {}).get("Managed", False),
        tags=tags,
        group=tags.get(tag.SCALING_GROUP, ""),
    )


def disk_of(item: Mapping[str, Any]) -> Disk:
    """Read a volume; what its type has no setting of is 0."""
    kind = intern(item["VolumeType"])
    return Disk(
        id=item["VolumeId"],
        state=intern(item["State"]),
        make=Make(
            zone=intern(item["AvailabilityZone"]),
            size_gib=item["Size"],
            type=kind,
            iops=item.get("Iops", 0) if kind in _OWN_IOPS else 0,
            throughput=item.get("Throughput", 0) if kind in _OWN_THROUGHPUT else 0,
            key=item.get("KmsKeyId", "") if item.get("Encrypted") else "",
        ),
        seats=tuple(
            Seat(
                each["InstanceId"],
                each.get("Device", ""),
                each.get("State", ""),
                each.get("DeleteOnTermination", False),
            )
            for each in item.get("Attachments", [])
            if "InstanceId" in each
        ),
        tags={each["Key"]: each["Value"] for each in item.get("Tags", [])},
        created=item["CreateTime"],
        is_multi_attach=item.get("MultiAttachEnabled", False),
        is_managed=item.get("Operator", {}).get("Managed", False),
    )
