"""Volumes are attached to instances and detached: refused where AWS refuses, done after a while.

Source: EC2 API reference, "AttachVolume", "DetachVolume", "ModifyInstanceAttribute", "Error codes";
KMS developer guide, "How unusable KMS keys affect data keys": a volume whose key cannot be used is
attached to nothing that runs. The words of refusals are those that public bug reports quote; how
a second DetachVolume is refused while the first is under way is a guess, the stricter one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult

from tests.cloud.aws_keys import is_usable
from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.refusals import Refusal, invalid_value, refuse_managed
from tests.cloud.views import attachment_view, volume_view
from tests.cloud.volume_lives import (
    ATTACHED,
    ATTACHING,
    AVAILABLE,
    DETACHED,
    DETACHING,
    attachments_of,
    sit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_RUNNING = "running"
_STOPPED = "stopped"


class StrictAttachments(StrictListings):
    """The part of a strict EC2 that attaches volumes."""

    def attach_volume(self) -> ActionResult:
        """Attach a volume: attaching, later attached, or stuck."""
        volume, instance = self._asked_volume(), self._asked_instance()
        device = str(self._get_param("Device") or "")
        self._refuse_attaching(volume, instance, device)
        self.error_on_dryrun()
        extras, now = self.cloud.extras, self.cloud.clock.now()
        if volume.attachment is not None:
            extras.attachments.setdefault(volume.id, []).append(volume.attachment)
        made = self.ec2_backend.attach_volume(volume.id, instance.id, device)
        made.status, made.attach_time = ATTACHING, now
        instance.block_device_mapping[device].attach_time = now
        if device == instance.root_device_name:
            extras.volumes.note_root(instance.id, volume.id)
        way = extras.volumes.way(ATTACHING, ATTACHED, now, [volume.id, instance.id, device])
        key = volume.kms_key_id
        if key and instance.state == _RUNNING and not is_usable(key, self.where, extras):
            way.end = DETACHED
        extras.volumes.seats[volume.id, instance.id] = way
        return ActionResult(attachment_view(made))

    def detach_volume(self) -> ActionResult:
        """Detach a volume: detaching, later available; what is stuck goes by force."""
        volume = self._asked_volume()
        found = self._attachment_asked_for(volume)
        forced = str(self._get_param("Force", if_none=False)).lower() == "true"
        self._refuse_detaching(found, forced=forced)
        self.error_on_dryrun()
        extras, now = self.cloud.extras, self.cloud.clock.now()
        names = [volume.id, found.instance.id, found.device]
        found.status = DETACHING
        if found.device == found.instance.root_device_name:
            extras.volumes.note_root(found.instance.id, volume.id)
        way = extras.volumes.way(DETACHING, DETACHED, now, () if forced else names)
        extras.volumes.seats[volume.id, found.instance.id] = way
        shown = attachment_view(found)
        if way.until == now:
            del extras.volumes.seats[volume.id, found.instance.id]
            sit(volume, found.instance.id, extras.attachments, leaves=True)
        return ActionResult(shown)

    def modify_instance_attribute(self) -> ActionResult:
        """Change attributes by moto, but for what becomes of volumes with their instance."""
        wanted: list[Mapping[str, Any]] = self._get_param("BlockDeviceMappings") or []
        if not wanted:
            return super().modify_instance_attribute()
        mappings = self._asked_instance().block_device_mapping
        for each in wanted:
            device, volume_id = each.get("DeviceName"), each.get("Ebs", {}).get("VolumeId")
            there = mappings.get(device)
            if there is None or volume_id not in {None, there.volume_id}:
                raise Refusal(
                    "InvalidInstanceAttributeValue",
                    f"No device is currently mapped at {device}",
                )
        self.error_on_dryrun()
        for each in wanted:
            given = each.get("Ebs", {}).get("DeleteOnTermination")
            if given is not None:
                goes = str(given).lower() == "true"
                mappings[each["DeviceName"]].delete_on_termination = goes
        return EmptyResult()

    def _asked_volume(self) -> Any:
        volume_id = self._get_param("VolumeId")
        refuse_malformed("VolumeId", [volume_id])
        volume = self.ec2_backend.volumes.get(volume_id)
        if volume is None:
            raise not_found("VolumeId", volume_id)
        return volume

    def _asked_instance(self) -> Any:
        instance_id = self._get_param("InstanceId")
        refuse_malformed("InstanceId", [instance_id])
        for each in self.ec2_backend.all_instances():
            if each.id == instance_id:
                return each
        raise not_found("InstanceId", instance_id)

    def _refuse_attaching(self, volume: Any, instance: Any, device: str) -> None:
        refuse_managed(self.cloud.extras, instance.id, volume.id)
        if instance.state not in {_RUNNING, _STOPPED}:
            raise Refusal("IncorrectState", f"Instance '{instance.id}' is not 'running'.")
        if volume.zone and volume.zone.name != instance.placement.zone:
            raise Refusal(
                "InvalidVolume.ZoneMismatch",
                f"The volume '{volume.id}' is not in the same availability zone as instance "
                f"'{instance.id}'",
            )
        self._refuse_taken(volume, instance)
        if not device:
            raise Refusal("MissingParameter", "The request must contain the parameter device")
        if device in instance.block_device_mapping:
            raise invalid_value(
                f"Invalid value '{device}' for unixDevice. "
                f"Attachment point {device} is already in use"
            )
        most = self.cloud.limits.volumes_per_instance
        if most is not None and len(instance.block_device_mapping) >= most:
            raise Refusal(
                "AttachmentLimitExceeded",
                f"The maximum number of attachments of '{instance.id}' is {most}.",
            )

    def _refuse_taken(self, volume: Any, instance: Any) -> None:
        attached = attachments_of(volume, self.cloud.extras.attachments)
        here = any(each.instance.id == instance.id for each in attached)
        if here or (attached and not volume.multi_attach_enabled):
            raise Refusal("VolumeInUse", f"{volume.id} is already attached to an instance")
        view = volume_view(volume, self.ec2_backend, self.cloud.extras)
        if not attached and view["State"] != AVAILABLE:
            raise Refusal("IncorrectState", f"{volume.id} is not 'available'.")

    def _attachment_asked_for(self, volume: Any) -> Any:
        attached = attachments_of(volume, self.cloud.extras.attachments)
        instance_id, device = self._get_param("InstanceId"), self._get_param("Device")
        if not attached:
            view = volume_view(volume, self.ec2_backend, self.cloud.extras)
            raise Refusal(
                "IncorrectState", f"Volume '{volume.id}' is in the '{view['State']}' state."
            )
        for each in attached:
            if instance_id in {None, each.instance.id} and device in {None, each.device}:
                return each
        raise Refusal(
            "InvalidAttachment.NotFound",
            f"Volume '{volume.id}' is not attached to instance '{instance_id}' as device {device}",
        )

    def _refuse_detaching(self, attachment: Any, *, forced: bool) -> None:
        instance, volume = attachment.instance, attachment.volume
        refuse_managed(self.cloud.extras, instance.id, volume.id)
        if attachment.status == DETACHING and not forced:
            raise Refusal("IncorrectState", f"Volume '{volume.id}' is in the 'detaching' state.")
        if attachment.device == instance.root_device_name and instance.state != _STOPPED:
            raise Refusal(
                "OperationNotPermitted",
                f"Unable to detach root volume '{volume.id}' from instance '{instance.id}'",
            )
