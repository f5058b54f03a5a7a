"""Listings of resources, and of what their values may be derived from."""

from __future__ import annotations

from itertools import batched, chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker.aws.ec2 import FILTER_VALUES, list_pages
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import ListingError
from functions.tagging import rules
from functions.tagging.facts import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caretaker.run import Scene
    from caretaker.tags import Tags
    from functions.tagging.aws.reading import Reader
    from functions.tagging.facts import Resource


_ARNS_AT_ONCE: Final = 100
"""https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html"""


class _Listing(NamedTuple):
    """How EC2 lists something: the call, where its answer holds the items, what it is asked."""

    action: str
    key: str
    params: Mapping[str, Any] = {}
    size: int = 1000


_LISTINGS: Final = {
    rules.INSTANCE: _Listing("DescribeInstances", "Reservations"),
    rules.VOLUME: _Listing("DescribeVolumes", "Volumes"),
    rules.SNAPSHOT: _Listing("DescribeSnapshots", "Snapshots", {"OwnerIds": ["self"]}),
    rules.IMAGE: _Listing(
        "DescribeImages",
        "Images",
        {"Owners": ["self"], "IncludeDeprecated": True, "IncludeDisabled": True},
    ),
    rules.NETWORK_INTERFACE: _Listing("DescribeNetworkInterfaces", "NetworkInterfaces"),
    rules.SECURITY_GROUP: _Listing("DescribeSecurityGroups", "SecurityGroups"),
}
_NETWORKS: Final = {
    rules.Source.VPC: ("VpcId", _Listing("DescribeVpcs", "Vpcs")),
    rules.Source.SUBNET: ("SubnetId", _Listing("DescribeSubnets", "Subnets")),
}


def list_resources(
    scene: Scene, reader: Reader, resource_type: str, only: tuple[str, Sequence[str]] | None = None
) -> list[Resource]:
    """Return all resources of a type, or those `only` that a filter with these values shows."""
    if resource_type not in rules.EC2_TYPES:
        return _unique(reader.other(resource_type, item) for item in _others(scene, resource_type))
    if resource_type == rules.ELASTIC_IP:
        items: Iterable[Any] = _addresses(scene)
    elif only is None:
        items = _items(scene, _LISTINGS[resource_type])
    else:
        name, values = only
        items = chain.from_iterable(
            _items(scene, _LISTINGS[resource_type], Filters=[{"Name": name, "Values": part}])
            for part in batched(values, FILTER_VALUES, strict=False)
        )
    if resource_type == rules.INSTANCE:
        items = _read_twice(scene, (item for each in items for item in each["Instances"]))
    mine = scene.account.place.account
    return _unique(
        reader.resource(resource_type, item)
        for item in items
        if resource_type != rules.SNAPSHOT or item["OwnerId"] == mine
    )


def _unique(resources: Iterable[Resource]) -> list[Resource]:
    """A listing that changes while it is paged may show one twice; the later one counts."""
    return list({each.id: each for each in resources}.values())


def _items(scene: Scene, listing: _Listing, **more: Any) -> Iterator[Any]:  # noqa: ANN401
    describe = getattr(scene.account.ec2, _METHODS[listing.action])
    params = {**listing.params, **more}
    return list_pages(
        scene.pacer, describe, listing.action, listing.key, size=listing.size, **params
    )


_METHODS: Final = {
    "DescribeInstances": "describe_instances",
    "DescribeVolumes": "describe_volumes",
    "DescribeSnapshots": "describe_snapshots",
    "DescribeImages": "describe_images",
    "DescribeNetworkInterfaces": "describe_network_interfaces",
    "DescribeSecurityGroups": "describe_security_groups",
    "DescribeVpcs": "describe_vpcs",
    "DescribeSubnets": "describe_subnets",
    "DescribeTags": "describe_tags",
    "DescribeLaunchTemplates": "describe_launch_templates",
    "DescribeLaunchTemplateVersions": "describe_launch_template_versions",
}


def _addresses(scene: Scene) -> list[Any]:
    """Return all elastic IPs: EC2 has no pages of them."""
    action, client = "DescribeAddresses", scene.account.ec2
    try:
        return list(scene.pacer.call(action, client.describe_addresses)["Addresses"])
    except AWS_ERRORS as error:
        raise ListingError(action, classify(error)) from error


def _others(scene: Scene, resource_type: str) -> Iterator[Any]:
    """Yield what the tagging API shows of a type: never what has had no tags at all.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    describe = scene.account.tagging.get_resources
    return list_pages(
        scene.pacer,
        describe,
        "GetResources",
        "ResourceTagMappingList",
        size=100,
        size_key="ResourcesPerPage",
        token_key="PaginationToken",  # noqa: S106 - the name of a page's token
        ResourceTypeFilters=[resource_type],
    )


def _read_twice(scene: Scene, instances: Iterable[Any]) -> Iterator[Any]:
    """Yield instances, those that show no tags with what a second reading shows."""
    bare = []
    for item in instances:
        if item.get("Tags") or item["State"]["Name"] in ENDED:
            yield item
        else:
            bare.append(item)
    tags = list_tags(scene, [item["InstanceId"] for item in bare])
    for item in bare:
        yield {**item, "Tags": tags.get(item["InstanceId"], [])}


def list_tags(scene: Scene, ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return all tags of these resources by id or ARN; those without any are left out."""
    found: dict[str, list[dict[str, str]]] = {}
    arns = [each for each in ids if each.startswith("arn:")]
    for each in _tags_of_ec2(scene, [each for each in ids if not each.startswith("arn:")]):
        tag = {"Key": each["Key"], "Value": each["Value"]}
        found.setdefault(each["ResourceId"], []).append(tag)
    for each in _tags_of_others(scene, arns):
        found[each["ResourceARN"]] = each.get("Tags", [])
    return found


def _tags_of_ec2(scene: Scene, ids: Sequence[str]) -> Iterator[Any]:
    listing = _Listing("DescribeTags", "Tags")
    for part in batched(ids, FILTER_VALUES, strict=False):
        yield from _items(scene, listing, Filters=[{"Name": "resource-id", "Values": part}])


def _tags_of_others(scene: Scene, arns: Sequence[str]) -> Iterator[Any]:
    for part in batched(arns, _ARNS_AT_ONCE, strict=False):
        yield from list_pages(
            scene.pacer,
            scene.account.tagging.get_resources,
            "GetResources",
            "ResourceTagMappingList",
            size=None,
            token_key="PaginationToken",  # noqa: S106 - the name of a page's token
            ResourceARNList=part,
        )


def list_network(scene: Scene, reader: Reader, source: rules.Source) -> dict[str, Tags]:
    """Return the tags of all VPCs, or of all subnets, by id."""
    id_key, listing = _NETWORKS[source]
    items = _items(scene, listing)
    return {item[id_key]: reader.tags(item.get("Tags", [])) for item in items}


def list_groups(scene: Scene, reader: Reader) -> tuple[dict[str, Tags], dict[str, Tags]]:
    """Return the tags of all Auto Scaling groups by name, and those they pass on."""
    own, passed_on = {}, {}
    for group in list_pages(
        scene.pacer,
        scene.account.autoscaling.describe_auto_scaling_groups,
        "DescribeAutoScalingGroups",
        "AutoScalingGroups",
        size=100,
        size_key="MaxRecords",
    ):
        name, tags = group["AutoScalingGroupName"], group.get("Tags", [])
        own[name] = reader.tags(tags)
        passed_on[name] = reader.tags(each for each in tags if each.get("PropagateAtLaunch"))
    return own, passed_on


def list_templates(
    scene: Scene, reader: Reader
) -> tuple[dict[str, Tags], dict[str, dict[str, Tags]]]:
    """Return the tags of all launch templates by id, and those that they set, by type.

    What the default and the latest version set counts: the next launch takes one of them.
    """
    own = {
        item["LaunchTemplateId"]: reader.tags(item.get("Tags", []))
        for item in _items(scene, _Listing("DescribeLaunchTemplates", "LaunchTemplates", size=200))
    }
    sets: dict[str, dict[str, Tags]] = {each: {} for each in own}
    listing = _Listing("DescribeLaunchTemplateVersions", "LaunchTemplateVersions", size=200)
    for version in _items(scene, listing, Versions=["$Default", "$Latest"]):
        by_type = sets.setdefault(version["LaunchTemplateId"], {})
        for each in version["LaunchTemplateData"].get("TagSpecifications", []):
            kind = each["ResourceType"]
            by_type[kind] = {**by_type.get(kind, {}), **reader.tags(each.get("Tags", []))}
    return own, sets


def list_account_tags(scene: Scene, reader: Reader) -> dict[str, Tags]:
    """Return the tags that the organization has given to the account."""
    account = scene.account.place.account
    describe = home(scene.settings.region).organizations.list_tags_for_resource
    found = list_pages(
        scene.pacer, describe, "ListTagsForResource", "Tags", size=None, ResourceId=account
    )
    return {account: reader.tags(found)}
