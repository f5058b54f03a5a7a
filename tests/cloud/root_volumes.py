"""CreateReplaceRootVolumeTask and DescribeReplaceRootVolumeTasks.

Source: EC2 API reference, both; EC2 user guide, "Replace the root volume for an Amazon EC2 instance
without stopping it": only of running instances, only from snapshots that were taken of one of the
instance's own root volumes, not from copies of such. That a second task beside an open one is
refused is a guess, the stricter one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult

from tests.cloud.aws_keys import is_usable
from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.filters import TASK_FILTERS, select
from tests.cloud.once_only import asked_before, remember
from tests.cloud.refusals import Refusal, invalid_value
from tests.cloud.root_tasks import FAILED, RootTask
from tests.cloud.tagging import refuse_too_many, requested_tags
from tests.cloud.views import key_of, tag_set
from tests.cloud.volume_lives import CREATING, Way

if TYPE_CHECKING:
    from datetime import datetime

    from tests.cloud.views import View

_KIND = "replace-root-volume-task"
_MOST_TASKS = 50
_UNKNOWN = "InvalidReplaceRootVolumeTaskId.NotFound"


class StrictRootVolumes(StrictListings):
    """The part of a strict EC2 that replaces root volumes of what runs."""

    def create_replace_root_volume_task(self) -> ActionResult:
        """Begin a task; the same token and parameters begin one only."""
        tags = requested_tags(self.params, _KIND)
        refuse_too_many(tags, self.cloud.limits.tags)
        before = asked_before(self.cloud, self.where, self._get_action(), self.params)
        tasks = self.cloud.extras.root_tasks
        if before is None:
            task = self._begun()
            tasks.tasks[task.identifier] = task
            self.ec2_backend.tags[task.identifier] = dict(tags)
            remember(self.cloud, self.where, self._get_action(), self.params, task.identifier)
        else:
            task = tasks.tasks[before]
        return ActionResult({"ReplaceRootVolumeTask": self._shown_task(task)})

    def describe_replace_root_volume_tasks(self) -> ActionResult:
        """Page through tasks, of ids or all; those of one instance by a filter."""
        ids = self._get_param("ReplaceRootVolumeTaskIds", [])
        own = {each.id for each in self.ec2_backend.all_instances()}
        found = {
            key: task
            for key, task in self.cloud.extras.root_tasks.tasks.items()
            if task.instance_id in own
        }
        missing = [each for each in ids if each not in found]
        if missing:
            raise Refusal(_UNKNOWN, f"The task ID '{', '.join(missing)}' does not exist")
        shown = [self._shown_task(found[each]) for each in ids or found]
        filters = self._get_param("Filters", [])
        wanted = select(shown, filters, TASK_FILTERS, self.cloud.limits.filter_values)
        page = self._cut(
            "ReplaceRootVolumeTasks",
            wanted,
            lambda view: str(view["ReplaceRootVolumeTaskId"]),
            (1, _MOST_TASKS),
        )
        return ActionResult(page)

    def _begun(self) -> RootTask:
        instance = self._running()
        snapshot = self._of_own_root(instance)
        self.error_on_dryrun()
        extras, now = self.cloud.extras, self.cloud.clock.now()
        end = extras.root_tasks.end_of_next(instance.id)
        key = key_of(snapshot)
        if key and not is_usable(key, self.where, extras):
            end = FAILED
        original_id = instance.block_device_mapping[instance.root_device_name].volume_id
        return RootTask(
            instance.id,
            snapshot.id,
            original_id,
            self._replacement(original_id, snapshot, now),
            now,
            now + timedelta(seconds=extras.root_tasks.step_seconds),
            end,
            str(self._get_param("DeleteReplacedRootVolume", if_none=False)).lower() == "true",
        )

    def _running(self) -> Any:
        instance_id = self._get_param("InstanceId")
        refuse_malformed("InstanceId", [instance_id])
        instance = next(
            (each for each in self.ec2_backend.all_instances() if each.id == instance_id), None
        )
        if instance is None:
            raise not_found("InstanceId", instance_id)
        if instance.state != "running":
            raise Refusal(
                "IncorrectInstanceState", f"The instance '{instance_id}' is not in state 'running'."
            )
        rootless = instance.root_device_name not in instance.block_device_mapping
        if instance.root_device_type != "ebs" or rootless:
            raise Refusal(
                "UnsupportedOperation", f"The instance '{instance_id}' has no 'ebs' root device."
            )
        if self.cloud.extras.root_tasks.open_of(instance_id) is not None:
            raise Refusal(
                "IncorrectState", f"A root volume replacement is under way for '{instance_id}'."
            )
        return instance

    def _of_own_root(self, instance: Any) -> Any:
        """Return the snapshot: without one asked for, that which the root was made of."""
        root = self.ec2_backend.volumes[
            instance.block_device_mapping[instance.root_device_name].volume_id
        ]
        asked = self._get_param("SnapshotId")
        snapshot_id = asked or root.snapshot_id
        refuse_malformed("SnapshotId", [snapshot_id or ""])
        snapshot = self._snapshots().items.get(snapshot_id)
        if snapshot is None:
            raise not_found("SnapshotId", snapshot_id)
        if snapshot.status != "completed" or snapshot.storage_tier == "archive":
            raise Refusal("IncorrectState", f"Snapshot is in invalid state - {snapshot.status}")
        roots = self.cloud.extras.volumes.roots.get(instance.id, set()) | {root.id}
        if asked and snapshot.volume_id not in roots:
            raise invalid_value(
                f"Invalid snapshot for root volume for virt {instance.id}. The snapshot should be "
                "of one of the root volumes attached to the instance in the past"
            )
        return snapshot

    def _replacement(self, original_id: str, snapshot: Any, now: datetime) -> str:
        """Make the new volume: of the type and settings of the original, without its tags."""
        backend, extras = self.ec2_backend, self.cloud.extras
        original = backend.volumes[original_id]
        made = backend.create_volume(
            size=max(original.size, snapshot.volume.size),
            zone_name=original.zone.name,
            volume_type=original.volume_type,
            iops=original.iops if original.volume_type in {"gp3", "io1", "io2"} else None,
            throughput=original.throughput,
            encrypted=bool(snapshot.encrypted or original.encrypted),
            kms_key_id=key_of(snapshot) or original.kms_key_id,
        )
        made.snapshot_id, made.create_time = snapshot.id, now
        extras.blocks.copy(snapshot.id, made.id)
        extras.volumes.lives[made.id] = Way(CREATING, None, CREATING)
        return str(made.id)

    def _shown_task(self, task: RootTask) -> View:
        view = {
            "ReplaceRootVolumeTaskId": task.identifier,
            "InstanceId": task.instance_id,
            "TaskState": task.state,
            "StartTime": f"{task.started:%Y-%m-%d %H:%M:%S}.0",
            "CompleteTime": f"{task.completed:%Y-%m-%d %H:%M:%S}.0" if task.completed else None,
            "Tags": tag_set(self.ec2_backend.tags.get(task.identifier, {})),
            "SnapshotId": task.snapshot_id,
            "DeleteReplacedRootVolume": task.deletes_original,
        }
        return {key: value for key, value in view.items() if value is not None}
