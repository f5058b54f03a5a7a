"""EC2's XML answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from bench.ec2bed.options import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.ec2bed.disks import Volume
    from bench.ec2bed.world import Image, Instance, Snapshot, TemplateVersion

STATE_CODES: Final = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80}
_FULL_BYTES: Final = 5 * 1024**3


def document(action: str, body: str) -> str:
    """Wrap an answer's body."""
    return (
        f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>bed</requestId>{body}</{action}Response>"
    )


def volume_xml(volume: Volume, now: float) -> str:
    """Render a volume with its attachment."""
    seat = attachment_xml(volume, now) if volume.seat_at(now) else ""
    attached = f"<item>{seat}</item>" if seat else ""
    return (
        f"<item>{new_volume_xml(volume, now)}<attachmentSet>{attached}</attachmentSet>"
        "<multiAttachEnabled>false</multiAttachEnabled></item>"
    )


def new_volume_xml(volume: Volume, now: float) -> str:
    """Render a volume as CreateVolume answers."""
    return (
        f"<volumeId>{volume.id}</volumeId><size>{volume.gib}</size>"
        f"<snapshotId>{volume.snapshot_id}</snapshotId>"
        f"<availabilityZone>{REGION}a</availabilityZone><status>{volume.state_at(now)}</status>"
        f"<createTime>{utc(volume.created)}</createTime>{tags_xml(volume.tags)}"
        "<volumeType>gp3</volumeType><iops>3000</iops><throughput>125</throughput>"
        f"{_encryption(volume)}"
    )


def attachment_xml(volume: Volume, now: float) -> str:
    """Render a volume's attachment as it now is."""
    return (
        f"<volumeId>{volume.id}</volumeId><instanceId>{volume.instance_id}</instanceId>"
        f"<device>{volume.device}</device><status>{volume.seat_at(now)}</status>"
        f"<attachTime>{utc(volume.moved or volume.created)}</attachTime>"
        f"<deleteOnTermination>{str(volume.deletes).lower()}</deleteOnTermination>"
    )


def instance_xml(instance: Instance, volumes: Mapping[str, Volume], now: float) -> str:
    """Render an instance in a reservation of its own."""
    state = instance.health.state_at(now)
    devices = "".join(
        f"<item><deviceName>{volumes[each].device}</deviceName><ebs><volumeId>{each}</volumeId>"
        f"<status>attached</status><attachTime>{utc(instance.launched)}</attachTime>"
        "<deleteOnTermination>true</deleteOnTermination></ebs></item>"
        for each in instance.volume_ids
    )
    return (
        f"<item><reservationId>r-{instance.id[2:]}</reservationId><ownerId>{ACCOUNT}</ownerId>"
        f"<groupSet/><instancesSet><item><instanceId>{instance.id}</instanceId>"
        f"<imageId>ami-00000000000000001</imageId><instanceState><code>{STATE_CODES[state]}</code>"
        f"<name>{state}</name></instanceState><instanceType>m7g.large</instanceType>"
        f"<launchTime>{utc(instance.launched)}</launchTime>"
        f"<placement><availabilityZone>{instance.zone}</availabilityZone></placement>"
        f"{_network(instance)}<architecture>arm64</architecture><rootDeviceType>ebs</rootDeviceType>"
        f"<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping>{devices}"
        f"</blockDeviceMapping>{tags_xml(instance.tags)}</item></instancesSet></item>"
    )


def snapshot_xml(snapshot: Snapshot, now: float) -> str:
    """Render a snapshot as DescribeSnapshots lists it."""
    return f"<item>{_snapshot(snapshot, now, 'status')}</item>"


def snapshot_info_xml(snapshot: Snapshot, now: float, *, wrap: bool) -> str:
    """Render a new snapshot: of a set as an item with `state`, alone bare with `status`."""
    if wrap:
        return f"<item>{_snapshot(snapshot, now, 'state')}</item>"
    return _snapshot(snapshot, now, "status")


def image_xml(image: Image) -> str:
    """Render an own image with its one volume."""
    return (
        f"<item><imageId>{image.id}</imageId><imageLocation>{ACCOUNT}/{image.id}</imageLocation>"
        f"<imageState>available</imageState><imageOwnerId>{ACCOUNT}</imageOwnerId>"
        f"<isPublic>false</isPublic><name>{image.id}</name><creationDate>2026-08-01T00:00:00.000Z</creationDate><rootDeviceType>ebs</rootDeviceType>"
        f"<rootDeviceName>/dev/xvda</rootDeviceName>{_mapping('blockDeviceMapping', image)}"
        f"{tags_xml(image.tags)}</item>"
    )


def template_xml(version: TemplateVersion) -> str:
    """Render a version of a launch template that starts an image."""
    return (
        f"<item><launchTemplateId>{version.template_id}</launchTemplateId>"
        f"<launchTemplateName>{version.template_id}</launchTemplateName>"
        f"<versionNumber>{version.number}</versionNumber>"
        f"<defaultVersion>{str(version.number == 1).lower()}</defaultVersion>"
        f"<launchTemplateData><imageId>{version.image.id}</imageId>"
        f"{_mapping('blockDeviceMappingSet', version.image)}</launchTemplateData></item>"
    )


def locked_xml(snapshot_id: str) -> str:
    """Render a snapshot's lock."""
    return (
        f"<item><ownerId>{ACCOUNT}</ownerId><snapshotId>{snapshot_id}</snapshotId>"
        "<lockState>governance</lockState><lockDuration>365</lockDuration></item>"
    )


def _mapping(name: str, image: Image) -> str:
    return (
        f"<{name}><item><deviceName>/dev/xvda</deviceName><ebs>"
        f"<snapshotId>{image.snapshot_id}</snapshotId></ebs></item></{name}>"
    )


def _snapshot(snapshot: Snapshot, now: float, state: str) -> str:
    found = snapshot.state(now)
    return (
        f"<snapshotId>{snapshot.id}</snapshotId><volumeId>{snapshot.volume_id}</volumeId>"
        f"<{state}>{found}</{state}><startTime>{utc(snapshot.started)}</startTime>"
        f"<progress>{'100%' if found == 'completed' else ''}</progress>"
        f"<ownerId>{ACCOUNT}</ownerId><volumeSize>{snapshot.gib}</volumeSize>"
        f"<description>{escape(snapshot.description)}</description>"
        f"<encrypted>false</encrypted><storageTier>standard</storageTier>"
        f"<fullSnapshotSizeInBytes>{_FULL_BYTES}</fullSnapshotSizeInBytes>{tags_xml(snapshot.tags)}"
    )


def _encryption(volume: Volume) -> str:
    if not volume.key_arn:
        return "<encrypted>false</encrypted>"
    return f"<encrypted>true</encrypted><kmsKeyId>{volume.key_arn}</kmsKeyId>"


def _network(instance: Instance) -> str:
    if not instance.subnet_id:
        return ""
    return f"<subnetId>{instance.subnet_id}</subnetId><vpcId>{instance.vpc_id}</vpcId>"


def tags_xml(tags: Mapping[str, str]) -> str:
    """Render a tag set."""
    items = "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value)}</value></item>"
        for key, value in tags.items()
    )
    return f"<tagSet>{items}</tagSet>"


def utc(seconds: float) -> str:
    """Render a time as EC2 does."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
