"""EC2's writes as strict as AWS: snapshots."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult

from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.lives import open_by_volume
from tests.cloud.refusals import Refusal, invalid_value, locked
from tests.cloud.tagging import (
    Tags,
    copied_tags,
    refuse_too_many,
    requested_tags,
)
from tests.cloud.views import image_snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

COPY_VOLUME_ID = "vol-ffffffff"


class StrictWrites(StrictListings):
    """The changing half of a strict EC2."""

    def create_snapshot(self) -> ActionResult:
        """Make one snapshot, tagged as it is born."""
        volume_id = self._get_param("VolumeId")
        refuse_malformed("VolumeId", [volume_id])
        volume = self._volume(volume_id)
        tags = requested_tags(self.params, "snapshot")
        self.error_on_dryrun()
        made = self._make([(volume, tags)], self._get_param("Description") or "")
        return ActionResult(self.show(made[0]))

    def create_snapshots(self) -> ActionResult:
        """Make a crash-consistent set of one instance's volumes, all of them or none."""
        specification = self._get_param("InstanceSpecification") or {}
        tags = requested_tags(self.params, "snapshot")
        source = self._get_param("CopyTagsFromSource")
        if source not in {None, "volume"}:
            raise invalid_value(f"Value ({source}) for parameter CopyTagsFromSource is invalid.")
        members = [
            (volume, copied_tags(self._tags_of(volume.id), tags) if source else tags)
            for volume in self._members(specification)
        ]
        self.error_on_dryrun()
        made = self._make(members, self._get_param("Description") or "", as_set=True)
        return ActionResult({"Snapshots": [self.show(each) for each in made]})

    def delete_snapshot(self) -> ActionResult:
        """Delete one snapshot; a pending one goes when it is done."""
        snapshot_id = self._get_param("SnapshotId")
        refuse_malformed("SnapshotId", [snapshot_id])
        snapshot = self.ec2_backend.snapshots.get(snapshot_id)
        if snapshot is None:
            raise not_found("SnapshotId", snapshot_id)
        self._refuse_protected(snapshot)
        self.error_on_dryrun()
        life = self.cloud.lives.lives.get(snapshot_id)
        if snapshot.status == "pending" and life is not None:
            life.delete_when_done = True
        else:
            self._remove(snapshot)
        return EmptyResult()

    def copy_snapshot(self) -> ActionResult:
        """Copy one; a copy is pending first and its volume id means nothing."""
        tags = requested_tags(self.params, "snapshot")
        refuse_too_many(tags, self.cloud.limits.tags)
        before = set(self.ec2_backend.snapshots)
        result = super().copy_snapshot()
        for snapshot_id in self.ec2_backend.snapshots.keys() - before:
            snapshot = self.ec2_backend.snapshots[snapshot_id]
            snapshot.volume = SimpleNamespace(id=COPY_VOLUME_ID, size=snapshot.volume.size)
            self.cloud.extras.blocks.copy(self._get_param("SourceSnapshotId"), snapshot_id)
            self.cloud.lives.born([snapshot], self.cloud.clock.now())
        return result

    def create_image(self) -> ActionResult:
        """Make an image; its snapshots carry the strict clock's time."""
        before = set(self.ec2_backend.snapshots)
        result = super().create_image()
        for snapshot_id in self.ec2_backend.snapshots.keys() - before:
            self.ec2_backend.snapshots[snapshot_id].start_time = self.cloud.clock.now()
        return result

    def _remove(self, snapshot: Any) -> None:
        """Let a snapshot go, into the Recycle Bin where a rule covers it.

        Fast restores end with it. Source: EBS user guide, "Configure fast snapshot restore".
        """
        now = self.cloud.clock.now()
        del self.ec2_backend.snapshots[snapshot.id]
        self.cloud.bin.receive(snapshot, self._tags_of(snapshot.id), self.where, now)
        self.cloud.extras.forget_snapshot(snapshot.id)

    def _image_of(self, snapshot_id: str) -> str:
        """Name an image that is registered, disabled or not, and needs this snapshot."""
        extras = self.cloud.extras
        hidden = extras.used_by_images.get(snapshot_id, "")
        known = (
            image.id
            for image in self.ec2_backend.amis.values()
            if snapshot_id in image_snapshots(image, extras)
        )
        return next(known, hidden)

    def _volume(self, volume_id: str) -> Any:
        volume = self.ec2_backend.volumes.get(volume_id)
        if volume is None:
            raise not_found("VolumeId", volume_id)
        return volume

    def _tags_of(self, resource_id: str) -> Tags:
        return dict(self.ec2_backend.tags.get(resource_id, {}))

    def _members(self, specification: Mapping[str, Any]) -> list[Any]:
        instance_id = str(specification.get("InstanceId") or "")
        refuse_malformed("InstanceId", [instance_id])
        instance = next(
            (each for each in self.ec2_backend.all_instances() if each.id == instance_id), None
        )
        if instance is None or instance.state == "terminated":
            raise not_found("InstanceId", instance_id)
        mappings = dict(instance.get_block_device_mapping)
        root = mappings.get(instance.root_device_name)
        excluded = set(specification.get("ExcludeDataVolumeIds") or ())
        attached = [mapping.volume_id for mapping in mappings.values()]
        self._refuse_exclusions(excluded, attached, root.volume_id if root else "")
        if str(specification.get("ExcludeBootVolume")).lower() == "true" and root:
            excluded.add(root.volume_id)
        return [self._volume(each) for each in attached if each not in excluded]

    def _refuse_exclusions(self, excluded: set[str], attached: Sequence[str], root: str) -> None:
        limits = self.cloud.limits
        if len(excluded) > limits.excluded_volumes:
            raise invalid_value(
                f"The number of volumes in ExcludeDataVolumeIds exceeds {limits.excluded_volumes}.",
            )
        if root in excluded:
            raise invalid_value(f"The root volume {root} can not be in ExcludeDataVolumeIds.")
        for stranger in sorted(excluded - set(attached)):
            raise invalid_value(f"The volume {stranger} is not attached to the instance.")

    def _make(
        self, members: Sequence[tuple[Any, Tags]], description: str, *, as_set: bool = False
    ) -> list[Any]:
        limits, backend, now = self.cloud.limits, self.ec2_backend, self.cloud.clock.now()
        if not members:
            raise invalid_value("No volumes are left to take snapshots of.")
        if len(members) > limits.volumes_per_set:
            raise invalid_value(f"At most {limits.volumes_per_set} volumes fit in one request.")
        for _, tags in members:
            refuse_too_many(tags, limits.tags)
        self._refuse_full([volume for volume, _ in members], now)
        made = []
        for volume, tags in members:
            snapshot = backend.create_snapshot(volume.id, description)
            snapshot.kms_key_id = volume.kms_key_id
            backend.tags[snapshot.id] = dict(tags)
            self.cloud.extras.blocks.copy(volume.id, snapshot.id)
            made.append(snapshot)
        self.cloud.lives.born(made, now, as_set=as_set)
        return made

    def _refuse_full(self, volumes: Sequence[Any], now: datetime) -> None:
        limits, lives = self.cloud.limits, self.cloud.lives
        own = [s for s in self.ec2_backend.snapshots.values() if s.owner_id == self.current_account]
        pending = sum(snapshot.status == "pending" for snapshot in own)
        if limits.snapshots is not None and len(own) + len(volumes) > limits.snapshots:
            raise Refusal("SnapshotLimitExceeded", "Maximum allowed snapshots exceeded.")
        if limits.pending is not None and pending + len(volumes) > limits.pending:
            raise Refusal(
                "PendingSnapshotLimitExceeded", "Maximum allowed in-progress snapshots exceeded."
            )
        open_ones = open_by_volume(own)
        for volume in volumes:
            last = lives.last_made.get(volume.id)
            if last is not None and (now - last).total_seconds() < limits.spacing_seconds:
                raise Refusal(
                    "SnapshotCreationPerVolumeRateExceeded",
                    "The maximum per volume CreateSnapshot request rate has been exceeded. "
                    "Use an increasing or variable sleep interval between requests.",
                )
            if open_ones[volume.id] >= limits.pending_of(volume.volume_type):
                raise Refusal(
                    "ConcurrentSnapshotLimitExceeded",
                    "Maximum allowed in-progress snapshots for a single volume exceeded.",
                )

    def _refuse_protected(self, snapshot: Any) -> None:
        extras, snapshot_id = self.cloud.extras, snapshot.id
        if snapshot.owner_id != self.current_account:
            raise Refusal(
                "UnauthorizedOperation", "You are not authorized to perform this operation.", 403
            )
        image = self._image_of(snapshot_id)
        if image:
            raise Refusal(
                "InvalidSnapshot.InUse",
                f"The snapshot {snapshot_id} is currently in use by {image}",
            )
        lock = extras.locks.get(snapshot_id)
        if lock is not None and lock.holds(self.cloud.clock.now()):
            raise locked(snapshot_id)
        if any(key.startswith("aws:backup:") for key in self._tags_of(snapshot_id)):
            raise invalid_value(
                "This snapshot is managed by the AWS Backup service and cannot be deleted via "
                "EC2 APIs. If you wish to delete this snapshot, please do so via the Backup "
                "console.",
            )
