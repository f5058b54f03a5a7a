"""Volumes, instances and snapshots as EC2 shows them, read from moto's objects.

moto renders these dicts; it reads tags in quadratic time, so they are read here from its table.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.cloud.volume_lives import attachments_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.extras import Extras
    from tests.cloud.lives import SnapshotLives
    from tests.cloud.locks import Lock
    from tests.cloud.recycle_bin import Binned

View = dict[str, Any]

_DATE = "%Y-%m-%dT%H:%M:%S.000Z"


def aware(moment: datetime) -> datetime:
    """Return a time of moto's, naive or not, as aware UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as EC2 lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def operator_view(extras: Extras, resource_id: str) -> View:
    """Show who manages a resource: one of AWS's services, or nobody but its owner."""
    principal = extras.operators.get(resource_id)
    return {"Managed": True, "Principal": principal} if principal else {"Managed": False}


def volume_view(volume: Any, backend: Any, extras: Extras) -> View:
    """Show one volume."""
    attachments = attachments_of(volume, extras.attachments)
    view = {
        "VolumeId": volume.id,
        "Attachments": [attachment_view(each) for each in attachments],
        "AvailabilityZone": volume.zone.name if volume.zone else None,
        "CreateTime": aware(volume.create_time),
        "Encrypted": bool(volume.encrypted),
        "Iops": volume.iops,
        "KmsKeyId": volume.kms_key_id,
        "MultiAttachEnabled": bool(volume.multi_attach_enabled),
        "Operator": operator_view(extras, volume.id),
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id or "",
        "State": _volume_state(volume.id, extras) or ("in-use" if attachments else "available"),
        "Tags": tag_set(backend.tags.get(volume.id, {})),
        "Throughput": volume.throughput,
        "VolumeType": volume.volume_type,
    }
    return {key: value for key, value in view.items() if value is not None}


def _volume_state(volume_id: str, extras: Extras) -> str:
    way = extras.volumes.lives.get(volume_id)
    return extras.states.get(volume_id, "") or (way.state if way else "")


def attachment_view(attachment: Any) -> View:
    """Show one attachment."""
    mapping = attachment.instance.block_device_mapping.get(attachment.device)
    return {
        "AttachTime": aware(attachment.attach_time),
        "DeleteOnTermination": bool(mapping and mapping.delete_on_termination),
        "Device": attachment.device,
        "InstanceId": attachment.instance.id,
        "State": attachment.status,
        "VolumeId": attachment.volume.id,
    }


def instance_view(instance: Any, backend: Any, extras: Extras) -> View:
    """Show one instance, its network interfaces in short."""
    profile = instance.iam_instance_profile
    view = {
        "InstanceId": instance.id,
        "AmiLaunchIndex": instance.ami_launch_index,
        "Architecture": instance.architecture,
        "BlockDeviceMappings": [
            _mapping_view(device, mapping, _status(instance, mapping, backend, extras))
            for device, mapping in instance.get_block_device_mapping
        ],
        "EbsOptimized": bool(instance.ebs_optimized),
        "IamInstanceProfile": {"Arn": profile["Arn"]} if profile else None,
        "ImageId": instance.image_id,
        "InstanceLifecycle": instance.lifecycle,
        "InstanceType": instance.instance_type,
        "KeyName": instance.key_name,
        "LaunchTime": aware(instance.launch_time),
        "NetworkInterfaces": [
            _interface_view(each, backend)
            for each in instance.nics.values()
            if each.id in backend.enis
        ],
        "Monitoring": {"State": instance.monitoring_state},
        "MaintenanceOptions": {
            "AutoRecovery": extras.health.auto_recovery.get(instance.id, "default"),
            "RebootMigration": extras.health.reboot_migration.get(instance.id, "default"),
        },
        "Operator": operator_view(extras, instance.id),
        "Placement": {"AvailabilityZone": instance.placement.zone, "Tenancy": "default"},
        "PlatformDetails": "Linux/UNIX",
        "PrivateIpAddress": instance.private_ip,
        "PublicIpAddress": instance.public_ip,
        "RootDeviceName": instance.root_device_name,
        "RootDeviceType": instance.root_device_type,
        "SpotInstanceRequestId": f"sir-{instance.id[-8:]}" if instance.id in extras.spots else None,
        "StateReason": _state_reason(instance),
        "StateTransitionReason": instance.state_transition_reason or "",
        "State": {"Code": instance.state_code, "Name": instance.state},
        "SubnetId": instance.subnet_id,
        "Tags": tag_set(backend.tags.get(instance.id, {})),
        "VpcId": instance.vpc_id,
    }
    return {key: value for key, value in view.items() if value is not None}


def _interface_view(eni: Any, backend: Any) -> View:
    shared = association_view(eni, backend) or {}
    association = {key: shared[key] for key in shared if key in {"IpOwnerId", "PublicIp"}}
    return ({"Association": association} if association else {}) | {
        "NetworkInterfaceId": eni.id,
        "Attachment": {"DeviceIndex": eni.device_index, "Status": "attached"},
        "InterfaceType": eni.interface_type,
        "PrivateIpAddress": eni.private_ip_address,
        "Status": eni.status,
        "SubnetId": eni.subnet.id,
        "VpcId": eni.subnet.vpc_id,
    }


def association_view(eni: Any, backend: Any) -> View | None:
    """Show an interface's public address: an Elastic IP of the account, or one of Amazon's."""
    if not eni.public_ip:
        return None
    own = next((each for each in backend.addresses if each.public_ip == eni.public_ip), None)
    view = {
        "AllocationId": own and own.allocation_id,
        "AssociationId": own and own.association_id,
        "IpOwnerId": backend.account_id if own else "amazon",
        "PublicIp": eni.public_ip,
    }
    return {key: value for key, value in view.items() if value is not None}


def _state_reason(instance: Any) -> View | None:
    reason = instance.state_reason
    return {"Code": reason.code, "Message": reason.message} if reason and reason.code else None


def _status(instance: Any, mapping: Any, backend: Any, extras: Extras) -> str:
    volume = backend.volumes.get(mapping.volume_id)
    seats = attachments_of(volume, extras.attachments) if volume else ()
    return next((each.status for each in seats if each.instance.id == instance.id), "attached")


def _mapping_view(device: str, mapping: Any, status: str) -> View:
    return {
        "DeviceName": device,
        "Ebs": {
            "AttachTime": aware(mapping.attach_time),
            "DeleteOnTermination": bool(mapping.delete_on_termination),
            "Status": status,
            "VolumeId": mapping.volume_id,
        },
    }


def snapshot_view(
    snapshot: Any, backend: Any, lives: SnapshotLives, extras: Extras, now: datetime
) -> View:
    """Show one snapshot; its StateMessage and CompletionTime only as far as there is one."""
    life = lives.lives.get(snapshot.id)
    progress = life.progress(now) if life else (100 if snapshot.status == "completed" else 0)
    message = life.message if life and life.settled else getattr(snapshot, "state_message", "")
    view = {
        "SnapshotId": snapshot.id,
        "Description": snapshot.description or "",
        "Encrypted": bool(snapshot.encrypted),
        "KmsKeyId": key_of(snapshot),
        "OwnerId": snapshot.owner_id,
        "Progress": f"{progress}%",
        "StartTime": aware(snapshot.start_time),
        "State": snapshot.status,
        "StateMessage": message or None,
        "StorageTier": snapshot.storage_tier,
        "Tags": tag_set(backend.tags.get(snapshot.id, {})),
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.volume.size,
    }
    if snapshot.status == "completed":
        view["CompletionTime"] = life.done_at if life else aware(snapshot.start_time)
        whole = snapshot.volume.size * 2**30
        view["FullSnapshotSizeInBytes"] = extras.full_sizes.get(snapshot.id, whole)
    return {key: value for key, value in view.items() if value is not None}


def key_of(snapshot: Any) -> str | None:
    """Return the KMS key of a snapshot: its own, or that of the volume it was taken of."""
    key: str | None = snapshot.kms_key_id or getattr(snapshot.volume, "kms_key_id", None)
    return key


def image_snapshots(image: Any, extras: Extras) -> list[str]:
    """Return the ids of the snapshots that an image's block device mappings name."""
    known = extras.image_snapshots.get(image.id)
    return [image.ebs_snapshot.id] if known is None else known


def image_view(image: Any, backend: Any, extras: Extras) -> View:
    """Show one image."""
    deprecated_at = extras.deprecations.get(image.id)
    snapshots = image_snapshots(image, extras)
    view = {
        "ImageId": image.id,
        "Architecture": image.architecture,
        "BlockDeviceMappings": [
            {
                "DeviceName": image.root_device_name if place == 0 else f"/dev/sd{chr(97 + place)}",
                "Ebs": {"DeleteOnTermination": True, "SnapshotId": each, "VolumeType": "gp3"},
            }
            for place, each in enumerate(snapshots)
        ],
        "CreationDate": aware(image.creation_date),
        "DeprecationTime": deprecated_at.strftime(_DATE) if deprecated_at else None,
        "Description": image.description,
        "ImageLocation": image.image_location,
        "ImageOwnerAlias": image.owner_alias,
        "ImageType": image.image_type,
        "Name": image.name,
        "OwnerId": image.owner_id,
        "Public": image.is_public,
        "RootDeviceName": image.root_device_name,
        "RootDeviceType": "ebs",
        "State": image.state,
        "Tags": tag_set(backend.tags.get(image.id, {})),
        "VirtualizationType": image.virtualization_type,
    }
    return {key: value for key, value in view.items() if value is not None}


def lock_view(snapshot: Any, lock: Lock, now: datetime) -> View:
    """Show one lock."""
    view = {
        "OwnerId": snapshot.owner_id,
        "SnapshotId": snapshot.id,
        "LockState": lock.state(now),
        "LockDuration": (lock.expires_at - lock.created_at) // timedelta(days=1),
        "LockCreatedOn": lock.created_at,
        "LockDurationStartTime": lock.created_at,
        "LockExpiresOn": lock.expires_at,
        "CoolOffPeriodExpiresOn": lock.cool_off_until,
    }
    return {key: value for key, value in view.items() if value is not None}


def binned_view(kept: Binned) -> View:
    """Show one snapshot in the Recycle Bin."""
    return {
        "SnapshotId": kept.snapshot.id,
        "Description": kept.snapshot.description or "",
        "VolumeId": kept.snapshot.volume_id,
        "RecycleBinEnterTime": kept.entered_at,
        "RecycleBinExitTime": kept.exits_at,
    }
