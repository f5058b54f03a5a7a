"""Volumes are made and deleted: asked for once, creating for a while, and not always available.

Source: EC2 API reference, "CreateVolume", "DeleteVolume", "Error codes"; EC2 developer guide,
"Ensuring idempotency"; EBS user guide, "Amazon EBS volume states", "Archive Amazon EBS snapshots".
That the client token of a volume that failed cannot be used again is what the EBS CSI driver makes
of it (`latestClientTokens`); that a key is looked at later is said under CreateVolume's KmsKeyId.
By which code an archived snapshot, and a volume that is deleting, are refused is not documented:
`IncorrectState` is what the list of errors says of resources in a state that does not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult

from tests.cloud.aws_keys import arn_of, is_usable
from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.disk_quotas import refuse_over_quota
from tests.cloud.once_only import asked_before, remember
from tests.cloud.refusals import Refusal, invalid_value, refuse_managed
from tests.cloud.tagging import refuse_too_many, requested_tags
from tests.cloud.views import key_of, volume_view
from tests.cloud.volume_lives import AVAILABLE, CREATING, DELETING, ERROR, GONE, attachments_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.tagging import Tags

_SIZES = {
    "gp2": (1, 16_384),
    "gp3": (1, 65_536),
    "io1": (4, 16_384),
    "io2": (4, 65_536),
    "st1": (125, 16_384),
    "sc1": (125, 16_384),
    "standard": (1, 1_024),
}
"""Of each type the least and the most GiB, as CreateVolume gives them."""
_TEXTS = {
    "InsufficientVolumeCapacity": "There is not enough capacity to fulfill your request.",
    "VolumeLimitExceeded": "You have exceeded your maximum total volume storage limit.",
    "MaxIOPSLimitExceeded": "You have exceeded your maximum total IOPS limit.",
}


class StrictVolumes(StrictListings):
    """The part of a strict EC2 that makes and deletes volumes."""

    def create_volume(self) -> ActionResult:
        """Make a volume, of a snapshot or empty; the same token and parameters make one only."""
        tags = requested_tags(self.params, "volume")
        refuse_too_many(tags, self.cloud.limits.tags)
        made_before = asked_before(self.cloud, self.where, self._get_action(), self.params)
        if made_before is not None:
            return self._shown_volume(self._made_before(made_before))
        zone = self._zone()
        snapshot = self._source()
        size = self._size(snapshot)
        self._refuse_volume(zone, size)
        self.error_on_dryrun()
        volume = self._make_volume(zone, size, snapshot, tags)
        remember(self.cloud, self.where, self._get_action(), self.params, volume.id)
        return self._shown_volume(volume)

    def delete_volume(self) -> ActionResult:
        """Delete a volume that is attached to nothing; it is deleting for a while."""
        volume_id = self._get_param("VolumeId")
        refuse_malformed("VolumeId", [volume_id])
        volume, volumes = self.ec2_backend.volumes.get(volume_id), self.cloud.extras.volumes
        if volume is None:
            raise not_found("VolumeId", volume_id)
        attached = attachments_of(volume, self.cloud.extras.attachments)
        if attached:
            to = attached[0].instance.id
            raise Refusal("VolumeInUse", f"Volume {volume_id} is currently attached to {to}")
        state = self._volume_state(volume)
        if state not in {AVAILABLE, ERROR}:
            raise Refusal("IncorrectState", f"Volume '{volume_id}' is in the '{state}' state.")
        refuse_managed(self.cloud.extras, volume_id)
        self.error_on_dryrun()
        now = self.cloud.clock.now()
        self.cloud.extras.states.pop(volume_id, None)
        volumes.lives[volume_id] = volumes.way(DELETING, DELETING, now, [volume_id])
        return EmptyResult()

    def _volume_state(self, volume: Any) -> str:
        view = volume_view(volume, self.ec2_backend, self.cloud.extras)
        return str(view["State"])

    def _shown_volume(self, volume: Any) -> ActionResult:
        return ActionResult(volume_view(volume, self.ec2_backend, self.cloud.extras))

    def _made_before(self, volume_id: str) -> Any:
        """Return what a token has made; one that failed or is deleted stays used up."""
        volume = self.ec2_backend.volumes.get(volume_id)
        if volume is None or volume_id in self.cloud.extras.volumes.failed:
            raise Refusal(
                "IdempotentParameterMismatch",
                f"The client token you have provided is associated with a resource that has "
                f"failed or is deleted: {volume_id}",
            )
        return volume

    def _zone(self) -> str:
        name = self._get_param("AvailabilityZone")
        if not name:
            raise Refusal("MissingParameter", "The request must contain the parameter zone")
        known = [zone.name for zone in self.ec2_backend.describe_availability_zones()]
        if name not in known:
            raise Refusal("InvalidZone.NotFound", f"The zone '{name}' does not exist.")
        return str(name)

    def _source(self) -> Any:
        """Return the snapshot a volume is to be made of: completed, and not in the archive."""
        snapshot_id = self._get_param("SnapshotId")
        if not snapshot_id:
            return None
        refuse_malformed("SnapshotId", [snapshot_id])
        snapshot = self._snapshots().items.get(snapshot_id) or self._shared(snapshot_id)
        if snapshot is None:
            raise not_found("SnapshotId", snapshot_id)
        if snapshot.status != "completed":
            raise Refusal("IncorrectState", f"Snapshot is in invalid state - {snapshot.status}")
        if snapshot.storage_tier == "archive":
            raise Refusal(
                "IncorrectState", f"The snapshot '{snapshot_id}' is in the archive storage tier."
            )
        return snapshot

    def _shared(self, snapshot_id: str) -> Any:
        found = self.ec2_backend.snapshots.get(snapshot_id)
        users = found.create_volume_permission_userids if found else ()
        return found if self.current_account in users else None

    def _size(self, snapshot: Any) -> int:
        given = self._get_param("Size")
        if given is None and snapshot is None:
            raise Refusal(
                "MissingParameter", "The request must contain the parameter size/snapshot"
            )
        least = snapshot.volume.size if snapshot is not None else 1
        size = int(given or least)
        kind = self._kind()
        if kind not in _SIZES:
            raise invalid_value(f"Value ({kind}) for parameter volumeType is invalid.")
        if size < least:
            raise invalid_value(
                f"Volume of {size}GiB is smaller than snapshot '{snapshot.id}', "
                f"expect size >= {least}GiB"
            )
        low, high = _SIZES[kind]
        if not low <= size <= high:
            raise invalid_value(f"Volume of {size}GiB is invalid for {kind}: {low} to {high} GiB.")
        return size

    def _kind(self) -> str:
        return str(self._get_param("VolumeType") or "gp2")

    def _names(self, zone: str) -> set[str]:
        return {zone, self._kind(), str(self._get_param("SnapshotId") or "")} - {""}

    def _refuse_volume(self, zone: str, size: int) -> None:
        plan = self.cloud.extras.volumes.take("refused", self._names(zone))
        if plan is not None:
            raise Refusal(plan.code, _TEXTS.get(plan.code, plan.code), plan.status)
        iops = int(self._get_param("Iops") or 0)
        refuse_over_quota(self.ec2_backend, self.cloud.extras, self._kind(), size, iops)

    def _make_volume(self, zone: str, size: int, snapshot: Any, tags: Tags) -> Any:
        backend, now = self.ec2_backend, self.cloud.clock.now()
        volumes = self.cloud.extras.volumes
        volume = backend.create_volume(
            size=size,
            zone_name=zone,
            volume_type=self._kind(),
            iops=self._get_int_param("Iops"),
            throughput=self._get_int_param("Throughput"),
            multi_attach_enabled=self._get_bool_param("MultiAttachEnabled"),
            **self._encryption(snapshot),
        )
        if volume.volume_type == "gp3" and not volume.throughput:
            volume.throughput = 125
        volume.snapshot_id = snapshot.id if snapshot is not None else None
        volume.create_time = volumes.born[volume.id] = now
        backend.tags[volume.id] = dict(tags)
        self.cloud.extras.blocks.copy(volume.snapshot_id, volume.id)
        way = volumes.way(CREATING, AVAILABLE, now, self._names(zone))
        keys = {volume.kms_key_id, key_of(snapshot) if snapshot is not None else None} - {None}
        if not all(is_usable(str(key), self.where, self.cloud.extras) for key in keys):
            way.end = GONE
        volumes.lives[volume.id] = way
        return volume

    def _encryption(self, snapshot: Any) -> Mapping[str, Any]:
        """Return how a volume is encrypted: as asked, or as its snapshot is, whatever is asked."""
        key, encrypted = self._get_param("KmsKeyId"), self._get_bool_param("Encrypted", None)
        if key and not encrypted:
            raise Refusal(
                "InvalidParameterDependency",
                "The parameter KmsKeyId requires the parameter Encrypted to be set.",
            )
        named = arn_of(key, self.where) if key else None
        if snapshot is not None and snapshot.encrypted:
            if encrypted is False:
                raise Refusal(
                    "InvalidParameterCombination", "A volume of an encrypted snapshot is encrypted."
                )
            return {"encrypted": True, "kms_key_id": named or key_of(snapshot)}
        return {"encrypted": bool(encrypted), "kms_key_id": named}
