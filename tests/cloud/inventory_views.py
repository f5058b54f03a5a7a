"""Network interfaces, addresses, groups, networks and launch templates as EC2 shows them.

Source: EC2 API reference, the data types of these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cloud.views import View, association_view, aware, operator_view, tag_set

if TYPE_CHECKING:
    from tests.cloud.extras import Extras


def interface_view(eni: Any, backend: Any, extras: Extras) -> View:
    """Show one network interface; its tags are called TagSet and never missing."""
    requester = extras.requesters.get(eni.id)
    view = {
        "NetworkInterfaceId": eni.id,
        "Association": association_view(eni, backend),
        "Attachment": _attachment(eni),
        "AvailabilityZone": eni.subnet.availability_zone,
        "Description": eni.description,
        "Groups": [{"GroupId": each.id, "GroupName": each.name} for each in eni.group_set],
        "InterfaceType": eni.interface_type,
        "MacAddress": eni.mac_address,
        "Operator": operator_view(extras, eni.id),
        "OwnerId": backend.account_id,
        "PrivateIpAddress": eni.private_ip_address,
        "RequesterId": requester,
        "RequesterManaged": requester is not None,
        "SourceDestCheck": bool(eni.source_dest_check),
        "Status": eni.status,
        "SubnetId": eni.subnet.id,
        "TagSet": tag_set(backend.tags.get(eni.id, {})),
        "VpcId": eni.subnet.vpc_id,
    }
    return {key: value for key, value in view.items() if value is not None}


def _attachment(eni: Any) -> View | None:
    if eni.instance is None or eni.attachment_id is None:
        return None
    return {
        "AttachTime": aware(eni.attach_time),
        "AttachmentId": eni.attachment_id,
        "DeleteOnTermination": bool(eni.delete_on_termination),
        "DeviceIndex": eni.device_index,
        "InstanceId": eni.instance.id,
        "InstanceOwnerId": eni.instance.owner_id,
        "NetworkCardIndex": 0,
        "Status": "attached",
    }


def address_view(address: Any, backend: Any, extras: Extras) -> View:
    """Show one Elastic IP."""
    view = {
        "AllocationId": address.allocation_id,
        "AssociationId": address.association_id,
        "Domain": "vpc",
        "InstanceId": address.instance_id or None,
        "NetworkBorderGroup": backend.region_name,
        "NetworkInterfaceId": address.network_interface_id or None,
        "PrivateIpAddress": address.private_ip_address,
        "PublicIp": address.public_ip,
        "PublicIpv4Pool": "amazon",
        "ServiceManaged": extras.service_addresses.get(address.allocation_id),
        "Tags": tag_set(backend.tags.get(address.allocation_id, {})),
    }
    return {key: value for key, value in view.items() if value is not None}


def group_view(group: Any, backend: Any) -> View:
    """Show one security group, without its rules."""
    return {
        "GroupId": group.id,
        "Description": group.description,
        "GroupName": group.name,
        "OwnerId": backend.account_id,
        "SecurityGroupArn": group.arn,
        "Tags": tag_set(backend.tags.get(group.id, {})),
        "VpcId": group.vpc_id,
    }


def vpc_view(vpc: Any, backend: Any) -> View:
    """Show one VPC."""
    return {
        "VpcId": vpc.id,
        "CidrBlock": vpc.cidr_block,
        "InstanceTenancy": vpc.instance_tenancy,
        "IsDefault": vpc.is_default,
        "OwnerId": backend.account_id,
        "State": vpc.state,
        "Tags": tag_set(backend.tags.get(vpc.id, {})),
    }


def subnet_view(subnet: Any, backend: Any) -> View:
    """Show one subnet."""
    return {
        "SubnetId": subnet.id,
        "AvailabilityZone": subnet.availability_zone,
        "CidrBlock": subnet.cidr_block,
        "DefaultForAz": bool(subnet.default_for_az),
        "OwnerId": backend.account_id,
        "State": subnet.state,
        "SubnetArn": subnet.arn,
        "Tags": tag_set(backend.tags.get(subnet.id, {})),
        "VpcId": subnet.vpc_id,
    }


def template_view(template: Any, backend: Any, extras: Extras) -> View:
    """Show one launch template."""
    return {
        "LaunchTemplateId": template.id,
        "CreateTime": aware(template.create_time),
        "CreatedBy": f"arn:aws:iam::{backend.account_id}:root",
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "LaunchTemplateName": template.name,
        "Operator": operator_view(extras, template.id),
        "Tags": tag_set(backend.tags.get(template.id, {})),
    }
