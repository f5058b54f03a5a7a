"""What EC2 has, by the prefixes of ids: for tags, which any kind of resource may have.

Source: EC2 user guide, "Tag your Amazon EC2 resources".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

KEYS: Mapping[str, str] = {
    "ami": "ImageId",
    "eipalloc": "AllocationId",
    "eni": "NetworkInterfaceId",
    "i": "InstanceId",
    "lt": "LaunchTemplateId",
    "sg": "GroupId",
    "snap": "SnapshotId",
    "subnet": "SubnetId",
    "vol": "VolumeId",
    "vpc": "VpcId",
}
"""By prefix: what the id is called, for kinds whose errors are known."""

_TABLES: Mapping[str, Callable[[Any], Collection[str]]] = {
    "ami": lambda backend: backend.amis,
    "eipalloc": lambda backend: {each.allocation_id for each in backend.addresses},
    "eni": lambda backend: backend.enis,
    "i": lambda backend: {each.id for each in backend.all_instances()},
    "lt": lambda backend: backend.launch_templates,
    "sg": lambda backend: {each for groups in backend.groups.values() for each in groups},
    "snap": lambda backend: backend.snapshots,
    "subnet": lambda backend: {each for zones in backend.subnets.values() for each in zones},
    "vol": lambda backend: backend.volumes,
    "vpc": lambda backend: backend.vpcs,
}


@dataclass
class Known:
    """What there is while one request is answered; each kind is read once."""

    backend: Any
    _tables: dict[str, Collection[str]] = field(default_factory=dict)

    def holds(self, resource_id: str) -> bool:
        """Tell whether there is such a resource, of any kind that moto knows."""
        prefix = prefix_of(resource_id)
        if prefix in _TABLES:
            if prefix not in self._tables:
                self._tables[prefix] = _TABLES[prefix](self.backend)
            return resource_id in self._tables[prefix]
        try:
            return prefix in EC2_PREFIX_TO_RESOURCE and bool(
                self.backend.do_resources_exist([resource_id])
            )
        except EC2ClientError:
            return False


def prefix_of(resource_id: str) -> str:
    """Return what stands before an id's number: `i`, `eipalloc`, `tgw-rtb`."""
    return resource_id.rpartition("-")[0]


def kind_of(resource_id: str) -> str:
    """Return the resource type as DescribeTags names it."""
    prefix = prefix_of(resource_id)
    return "elastic-ip" if prefix == "eipalloc" else EC2_PREFIX_TO_RESOURCE.get(prefix, "")
