"""VPCs, subnets, network interfaces, security groups and addresses: their listings, and tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.ec2bed.options import ACCOUNT, REGION
from bench.ec2bed.params import filters
from bench.ec2bed.render import tags_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.pages import Pages
    from bench.ec2bed.params import Params
    from bench.ec2bed.world import World

VPC: Final = "vpc"
SUBNET: Final = "subnet"
INTERFACE: Final = "eni"
GROUP: Final = "sg"
ADDRESS: Final = "eipalloc"
KINDS: Final = (VPC, SUBNET, INTERFACE, GROUP, ADDRESS)
"""What an id begins with."""


@dataclass(slots=True)
class Net:
    """One of them; an interface's subnet, and the VPC of any but an address."""

    id: str
    tags: dict[str, str] = field(default_factory=dict)
    vpc_id: str = ""
    subnet_id: str = ""
    instance_id: str = ""


@dataclass(frozen=True, slots=True)
class _Tags:
    """Tags of one resource, with what filters ask of them."""

    id: str
    tags: dict[str, str]


class Nets:
    """The actions that list them, and DescribeTags."""

    def __init__(self, world: World, pages: Pages) -> None:
        self._world = world
        self._pages = pages

    def actions(self) -> Mapping[str, Callable[[Params], str]]:
        """Return the actions by name."""
        return {
            "DescribeVpcs": self._listing(VPC, "vpcSet", "VpcId", _vpc),
            "DescribeSubnets": self._listing(SUBNET, "subnetSet", "SubnetId", _subnet),
            "DescribeNetworkInterfaces": self._listing(
                INTERFACE, "networkInterfaceSet", "NetworkInterfaceId", _interface
            ),
            "DescribeSecurityGroups": self._listing(GROUP, "securityGroupInfo", "GroupId", _group),
            "DescribeAddresses": self._listing(ADDRESS, "addressesSet", "AllocationId", _address),
            "DescribeTags": self._describe_tags,
        }

    def _listing(
        self, kind: str, name: str, id_name: str, render: Callable[[Net], str]
    ) -> Callable[[Params], str]:
        def describe(params: Params) -> str:
            found = self._world.nets[kind]
            return self._pages.page(name, params, id_name, found, lambda each: render(found[each]))

        return describe

    def _describe_tags(self, params: Params) -> str:
        """List tags by `resource-id` alone, as all who ask here do; a page is never exceeded."""
        wanted = dict(filters(params)).get("resource-id", [])
        found = {each: one for each in wanted if (one := self._world.find(each))}
        items = "".join(
            f"<item><resourceId>{each}</resourceId><resourceType>{_type(each)}</resourceType>"
            f"<key>{key}</key><value>{value}</value></item>"
            for each, one in found.items()
            for key, value in one.tags.items()
        )
        return f"<tagSet>{items}</tagSet>"


def _type(resource_id: str) -> str:
    return {"i": "instance", "vol": "volume", "snap": "snapshot", "ami": "image"}.get(
        resource_id.partition("-")[0], "network-interface"
    )


def _vpc(net: Net) -> str:
    return (
        f"<item><vpcId>{net.id}</vpcId><ownerId>{ACCOUNT}</ownerId><state>available</state>"
        f"<cidrBlock>10.0.0.0/16</cidrBlock><isDefault>false</isDefault>{tags_xml(net.tags)}</item>"
    )


def _subnet(net: Net) -> str:
    return (
        f"<item><subnetId>{net.id}</subnetId><vpcId>{net.vpc_id}</vpcId>"
        f"<ownerId>{ACCOUNT}</ownerId><state>available</state><cidrBlock>10.0.0.0/20</cidrBlock>"
        f"<availabilityZone>{REGION}a</availabilityZone>{tags_xml(net.tags)}</item>"
    )


def _interface(net: Net) -> str:
    attachment = (
        f"<attachment><attachmentId>eni-attach-{net.id[4:]}</attachmentId>"
        f"<instanceId>{net.instance_id}</instanceId><instanceOwnerId>{ACCOUNT}</instanceOwnerId>"
        "<deviceIndex>0</deviceIndex><status>attached</status>"
        "<attachTime>2026-08-01T00:00:00.000Z</attachTime>"
        "<deleteOnTermination>true</deleteOnTermination></attachment>"
        if net.instance_id
        else ""
    )
    return (
        f"<item><networkInterfaceId>{net.id}</networkInterfaceId>"
        f"<subnetId>{net.subnet_id}</subnetId><vpcId>{net.vpc_id}</vpcId>"
        f"<availabilityZone>{REGION}a</availabilityZone><description/>"
        f"<ownerId>{ACCOUNT}</ownerId><requesterManaged>false</requesterManaged>"
        f"<status>{'in-use' if net.instance_id else 'available'}</status>"
        "<macAddress>02:00:00:00:00:01</macAddress><privateIpAddress>10.0.0.1</privateIpAddress>"
        f"<sourceDestCheck>true</sourceDestCheck><groupSet/>{attachment}{tags_xml(net.tags)}"
        "<privateIpAddressesSet/><interfaceType>interface</interfaceType></item>"
    )


def _group(net: Net) -> str:
    return (
        f"<item><ownerId>{ACCOUNT}</ownerId><groupId>{net.id}</groupId>"
        f"<groupName>{net.id}</groupName><groupDescription>a group</groupDescription>"
        f"<vpcId>{net.vpc_id}</vpcId><ipPermissions/><ipPermissionsEgress/>{tags_xml(net.tags)}"
        "</item>"
    )


def _address(net: Net) -> str:
    return (
        f"<item><publicIp>198.51.100.1</publicIp><allocationId>{net.id}</allocationId>"
        f"<domain>vpc</domain>{tags_xml(net.tags)}</item>"
    )
