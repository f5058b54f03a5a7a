"""What a stop of an instance loses: the data of its instance store, and an address of Amazon's."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.ec2 import list_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.run import Scene

_TYPES_AT_ONCE: Final = 100
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html"""
_OF_AMAZON: Final = "amazon"


def list_stores(scene: Scene, types: Iterable[str]) -> frozenset[str]:
    """Return those of the types that have instance store, whose data a stop loses.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-lifetime.html
    """
    stores: set[str] = set()
    for part in batched(sorted(set(types)), _TYPES_AT_ONCE, strict=False):
        found = list_pages(
            scene.pacer,
            scene.account.ec2.describe_instance_types,
            "DescribeInstanceTypes",
            "InstanceTypes",
            size=None,
            InstanceTypes=list(part),
        )
        stores |= {str(each["InstanceType"]) for each in found if each["InstanceStorageSupported"]}
    return frozenset(stores)


def lost_address(item: Mapping[str, Any]) -> str:
    """Return the public address of an instance that is no Elastic IP: a stop releases it.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    associations = (each.get("Association", {}) for each in item.get("NetworkInterfaces", []))
    lost = (a.get("PublicIp", "") for a in associations if a.get("IpOwnerId") == _OF_AMAZON)
    return next(lost, "")
