"""Puts volumes into an account, what is written on them, and what the next ones meet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.cloud.disk_quotas import QUOTAS, STORAGE
from tests.cloud.place import Place
from tests.cloud.root_tasks import FAILED, TASK_ENDS
from tests.cloud.views import aware
from tests.cloud.volume_lives import CREATING, ENDS, ERROR, HANGING, VolumePlan, attachments_of

if TYPE_CHECKING:
    from collections.abc import Mapping

BENT = frozenset({"beyond", "doubled", "resized", "unordered"})
_SERVER_ERRORS = frozenset({"InsufficientVolumeCapacity", "InsufficientInstanceCapacity"})


class VolumesPlace(Place):
    """Seeds volumes; plans what becomes of those that are made, attached and detached."""

    def volume(
        self,
        *,
        tags: Mapping[str, str] | None = None,
        size: int = 8,
        volume_type: str = "gp3",
        iops: int | None = None,
        throughput: int | None = None,
        encrypted: bool = False,
        multi_attach: bool = False,
        state: str = "",
        snapshot_id: str = "",
        age_hours: float = 30 * 24,
        zone: str = "",
        kms_key: str = "",
    ) -> str:
        """Add a volume and return its id; multi-attach ones are io2, with a key it is encrypted.

        One made from a snapshot, which may be gone, has what is written there; it is in state
        `creating` for as long as it is told to; `cloud.extras.states.pop(volume_id)` ends that.
        """
        backend = self.backend
        volume_type = "io2" if multi_attach else volume_type
        volume = backend.create_volume(
            size=size,
            zone_name=self.zone_named(zone),
            encrypted=encrypted or bool(kms_key),
            kms_key_id=kms_key or None,
            volume_type=volume_type,
            iops=iops or (100 if volume_type in {"io1", "io2"} else None),
            throughput=throughput,
            multi_attach_enabled=multi_attach or None,
        )
        volume.create_time = self.cloud.clock.now() - timedelta(hours=age_hours)
        volume.snapshot_id = snapshot_id or None
        self.cloud.extras.blocks.copy(volume.snapshot_id, volume.id)
        backend.tags[volume.id] = dict(tags or {})
        if state:
            self.cloud.extras.states[volume.id] = state
        return str(volume.id)

    def attach(
        self,
        volume_id: str,
        instance_id: str,
        device: str,
        *,
        root: bool = False,
        deletes_on_termination: bool | None = None,
    ) -> None:
        """Attach a volume, also a second time where it is a multi-attach one.

        A root goes with its instance, others stay, unless told otherwise.
        """
        backend = self.backend
        volume = backend.volumes[volume_id]
        if volume.attachment is not None:
            others = self.cloud.extras.attachments.setdefault(volume_id, [])
            others.append(volume.attachment)
        goes = root if deletes_on_termination is None else deletes_on_termination
        made = backend.attach_volume(volume_id, instance_id, device, delete_on_termination=goes)
        moment = max(aware(volume.create_time), aware(made.instance.launch_time))
        made.attach_time = moment
        made.instance.block_device_mapping[device].attach_time = moment
        if device == made.instance.root_device_name:
            self.cloud.extras.volumes.note_root(instance_id, volume_id)

    def remove_volume(self, volume_id: str) -> None:
        """Delete a volume behind everybody's back; its snapshots stay."""
        volume = self.backend.volumes.pop(volume_id)
        for each in attachments_of(volume, self.cloud.extras.attachments):
            each.instance.block_device_mapping.pop(each.device, None)
        self.cloud.extras.attachments.pop(volume_id, None)
        self.cloud.extras.volumes.forget(volume_id)

    def fail_volumes(
        self,
        match: str = "*",
        *,
        end: str = ERROR,
        times: int | None = 1,
        seconds: float | None = None,
    ) -> None:
        """Let the next volumes be creating, for so long or as usual, and end in error, or gone.

        `match` is a snapshot, a zone or a type. Their client tokens are used up.
        """
        if end not in ENDS:
            raise ValueError(f"a volume ends in one of {', '.join(sorted(ENDS))}, not {end}")
        self._plan(VolumePlan(CREATING, match, times, seconds, end))

    def hang_volumes(
        self,
        match: str = "*",
        state: str = "attaching",
        *,
        seconds: float | None = None,
        times: int | None = 1,
    ) -> None:
        """Let the next volumes be creating, attaching or detaching for so long, or for ever.

        `match` is a volume, an instance or a device, and a snapshot, zone or type of those made.
        """
        if state not in HANGING:
            raise ValueError(f"a volume hangs in one of {', '.join(sorted(HANGING))}, not {state}")
        self._plan(VolumePlan(state, match, times, seconds))

    def refuse_volumes(
        self,
        code: str = "InsufficientVolumeCapacity",
        match: str = "*",
        *,
        times: int | None = 1,
    ) -> None:
        """Let the next volumes of a snapshot, zone or type be refused: for capacity, or a limit."""
        status = 500 if code in _SERVER_ERRORS else 400
        self._plan(VolumePlan("refused", match, times, None, "", code, status))

    def fail_root_tasks(self, instance_id: str, *ends: str) -> None:
        """Let the next replacements of an instance's root end so: failed, or failed-detached."""
        wrong = set(ends) - TASK_ENDS
        if wrong:
            raise ValueError(f"no such ends: {', '.join(sorted(wrong))}")
        self.cloud.extras.root_tasks.ends.setdefault(instance_id, []).extend(ends or (FAILED,))

    def quota(self, code: str, value: float) -> None:
        """Set a quota of EBS by its code, or that of a volume type's storage in TiB by the type."""
        known = STORAGE.get(code, code)
        if known not in QUOTAS:
            raise ValueError(f"no quota {code}")
        self.cloud.extras.quotas[known] = value

    def write_blocks(self, resource_id: str, blocks: Mapping[int, bytes]) -> None:
        """Write blocks of 512 KiB of a snapshot or volume, by their index.

        Snapshots and volumes that are made of it from now on have them as well.
        """
        self.cloud.extras.blocks.write(resource_id, dict(blocks))

    def read_blocks(self, resource_id: str) -> dict[int, bytes]:
        """Return the blocks that are written in a snapshot or on a volume, by their index."""
        return self.cloud.extras.blocks.read(resource_id)

    def wipe_blocks(self, resource_id: str) -> None:
        """Lose what is written on a volume, or in a snapshot."""
        self.cloud.extras.blocks.written.pop(resource_id, None)

    def corrupt_block(self, snapshot_id: str, index: int, *, cut_to: int | None = None) -> None:
        """Let a block's data be other than its checksum is of, or only so many bytes of it arrive.

        Only what is read through the EBS direct APIs: nobody else would notice.
        """
        if cut_to is None:
            self.cloud.extras.blocks.corrupt.add((snapshot_id, index))
        else:
            self.cloud.extras.blocks.cut[snapshot_id, index] = cut_to

    def bend_block_list(self, snapshot_id: str, how: str) -> None:
        """Let a snapshot's list of blocks be wrong, as no document of AWS says it may be.

        `beyond`: one lies behind the end of the volume; `doubled`: one is listed twice;
        `unordered`: two change places; `resized`: from the second page on the volume has another
        size.
        """
        if how not in BENT:
            raise ValueError(f"a list is bent as one of {', '.join(sorted(BENT))}, not {how}")
        self.cloud.extras.blocks.bent[snapshot_id] = how

    def lifecycle(self, instance_id: str, state: str = "Standby") -> None:
        """Let a member of an Auto Scaling group be in a state of its life cycle there."""
        for group in self.cloud.extras.scaling_groups.get(self.where, ()):
            for member in group["Instances"]:
                if member["InstanceId"] == instance_id:
                    member["LifecycleState"] = state
                    return
        raise ValueError(f"{instance_id} is in no group")

    def _plan(self, plan: VolumePlan) -> None:
        self.cloud.extras.volumes.plans.append(plan)

    def attachment(self, volume_id: str) -> dict[str, Any]:
        """Return where a volume sits: instance, device, state and whether it goes with it."""
        volume = self.backend.volumes[volume_id]
        for each in attachments_of(volume, self.cloud.extras.attachments):
            mapping = each.instance.block_device_mapping.get(each.device)
            return {
                "instance": each.instance.id,
                "device": each.device,
                "state": each.status,
                "deletes_on_termination": bool(mapping and mapping.delete_on_termination),
            }
        return {}
