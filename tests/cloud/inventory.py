"""EC2's other listings: network interfaces, addresses, groups, networks, templates and tags.

Source: EC2 API reference, the operations of these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.core.responses import ActionResult

from tests.cloud.describing import StrictListings, not_found, refuse_malformed, shown
from tests.cloud.filters import (
    ADDRESS_FILTERS,
    GROUP_FILTERS,
    INTERFACE_FILTERS,
    SUBNET_FILTERS,
    TAG_FILTERS,
    TEMPLATE_FILTERS,
    VPC_FILTERS,
)
from tests.cloud.inventory_views import (
    address_view,
    group_view,
    interface_view,
    subnet_view,
    template_view,
    vpc_view,
)
from tests.cloud.known import Known, kind_of
from tests.cloud.refusals import Refusal
from tests.cloud.shelves import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cloud.views import View

_TEMPLATES = (1, 200)
_WILD = frozenset("*?\\")


class StrictInventory(StrictListings):
    """The part of a strict EC2 that lists what is neither machine nor disk."""

    def describe_network_interfaces(self) -> ActionResult:
        """Page through interfaces."""
        backend, extras = self.ec2_backend, self.cloud.extras
        shelf = Shelf(dict(backend.enis), lambda eni: interface_view(eni, backend, extras))
        return self._listing("NetworkInterfaces", "NetworkInterfaceId", shelf, INTERFACE_FILTERS)

    def describe_addresses(self) -> ActionResult:
        """List Elastic IPs, all at once: there are no pages and no MaxResults."""
        self._refuse_pages()
        backend, extras = self.ec2_backend, self.cloud.extras
        found = {each.allocation_id: each for each in list(backend.addresses)}
        shelf = Shelf(found, lambda each: address_view(each, backend, extras))
        ids, ips = self._get_param("AllocationIds", []), self._get_param("PublicIps", [])
        refuse_malformed("AllocationId", ids)
        for each in ids:
            if each not in found:
                raise not_found("AllocationId", each)
        known = {each.public_ip for each in found.values()}
        for each in ips:
            if each not in known:
                raise Refusal("InvalidAddress.NotFound", f"Address '{each}' not found.")
        views = self._selected(shelf.views(ids or None), ADDRESS_FILTERS)
        wanted = [view for view in views if not ips or view["PublicIp"] in ips]
        return ActionResult({"Addresses": [shown(each) for each in wanted]})

    def describe_security_groups(self) -> ActionResult:
        """Page through groups; names find those of the default VPC alone."""
        backend = self.ec2_backend
        names = self._get_param("GroupNames", [])
        found = {
            group.id: group
            for groups in list(backend.groups.values())
            for group in list(groups.values())
            if not names or (group.name in names and group.vpc_id == backend.default_vpc.id)
        }
        for missing in set(names) - {group.name for group in found.values()}:
            raise not_found("GroupId", missing)
        shelf = Shelf(found, lambda group: group_view(group, backend))
        return self._listing("SecurityGroups", "GroupId", shelf, GROUP_FILTERS)

    def describe_vpcs(self) -> ActionResult:
        """Page through VPCs."""
        backend = self.ec2_backend
        shelf = Shelf(dict(backend.vpcs), lambda vpc: vpc_view(vpc, backend))
        return self._listing("Vpcs", "VpcId", shelf, VPC_FILTERS)

    def describe_subnets(self) -> ActionResult:
        """Page through subnets."""
        backend = self.ec2_backend
        found = {each.id: each for zones in backend.subnets.values() for each in zones.values()}
        shelf = Shelf(found, lambda subnet: subnet_view(subnet, backend))
        return self._listing("Subnets", "SubnetId", shelf, SUBNET_FILTERS)

    def describe_launch_templates(self) -> ActionResult:
        """Page through launch templates, by at most 200."""
        backend, extras = self.ec2_backend, self.cloud.extras
        names = self._get_param("LaunchTemplateNames", [])
        found = {
            template.id: template
            for template in list(backend.launch_templates.values())
            if not names or template.name in names
        }
        if len(found) < len(set(names)):
            raise Refusal(
                "InvalidLaunchTemplateName.NotFoundException",
                "At least one of the launch templates specified in the request does not exist.",
            )
        shelf = Shelf(found, lambda template: template_view(template, backend, extras))
        key = "LaunchTemplateId"
        return self._listing("LaunchTemplates", key, shelf, TEMPLATE_FILTERS, _TEMPLATES)

    def describe_tags(self) -> ActionResult:
        """Page through the tags of what there is; a terminated instance keeps its own."""
        known = Known(self.ec2_backend)
        found = {
            f"{resource} {key}": (resource, key, value)
            for resource in self._resources_asked_for()
            if known.holds(resource)
            for key, value in self.ec2_backend.tags[resource].items()
        }
        return self._listing("Tags", "Place", Shelf(found, _tag_view), TAG_FILTERS)

    def _resources_asked_for(self) -> Iterable[str]:
        """Return what can have tags that are wanted: looking at all takes too long."""
        tagged = self.ec2_backend.tags
        for each in self._get_param("Filters", []):
            values = each.get("Values") or ()
            if each.get("Name") == "resource-id" and not _WILD & set("".join(values)):
                return [value for value in dict.fromkeys(values) if value in tagged]
        return list(tagged)

    def _refuse_pages(self) -> None:
        asked = set(self.querystring or {}) & {"MaxResults", "NextToken"}
        for name in sorted(asked):
            raise Refusal("UnknownParameter", f"The parameter {name} is not recognized")


def _tag_view(item: tuple[str, str, str]) -> View:
    resource, key, value = item
    return {
        "Place": f"{resource} {key}",
        "Key": key,
        "ResourceId": resource,
        "ResourceType": kind_of(resource),
        "Tags": [{"Key": key, "Value": value}],
        "Value": value,
    }
