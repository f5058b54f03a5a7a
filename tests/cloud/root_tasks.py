"""How a root volume is replaced while its instance runs: step by step, to success or failure.

Source: EC2 API reference, "ReplaceRootVolumeTask"; EC2 user guide, "Replace the root volume for an
Amazon EC2 instance without stopping it".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from tests.cloud.health import REBOOT
from tests.cloud.volume_lives import ATTACHED, DETACHING, sit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.extras import Extras

PENDING, UNDER_WAY, SUCCEEDED = "pending", "in-progress", "succeeded"
FAILING, FAILED = "failing", "failed"
FAILING_DETACHED, FAILED_DETACHED = "failing-detached", "failed-detached"
OPEN = frozenset({PENDING, UNDER_WAY, FAILING, FAILING_DETACHED})
TASK_ENDS = frozenset({SUCCEEDED, FAILED, FAILED_DETACHED})
_WAYS: Mapping[str, Mapping[str, str]] = {
    SUCCEEDED: {PENDING: UNDER_WAY, UNDER_WAY: SUCCEEDED},
    FAILED: {PENDING: FAILING, UNDER_WAY: FAILING, FAILING: FAILED},
    FAILED_DETACHED: {
        PENDING: UNDER_WAY,
        UNDER_WAY: FAILING_DETACHED,
        FAILING_DETACHED: FAILED_DETACHED,
    },
}
"""By the end of a task: what follows each state."""


@dataclass
class RootTask:
    """One replacement; `new_id` is the volume that was made for it, `end` how it is to end."""

    instance_id: str
    snapshot_id: str
    original_id: str
    new_id: str
    started: datetime
    until: datetime
    end: str = SUCCEEDED
    deletes_original: bool = False
    state: str = PENDING
    identifier: str = field(default_factory=lambda: f"replacevol-{token_hex(8)}0")
    completed: datetime | None = None


@dataclass
class RootTasks:
    """All tasks by id, and how the next ones end."""

    tasks: dict[str, RootTask] = field(default_factory=dict)
    step_seconds: float = 20.0
    """How long each step of a task lasts."""
    ends: dict[str, list[str]] = field(default_factory=dict)
    """By instance: how its next tasks end, where they do not succeed."""

    def open_of(self, instance_id: str) -> RootTask | None:
        """Return the task of an instance that is not over."""
        found = (each for each in self.tasks.values() if each.instance_id == instance_id)
        return next((each for each in found if each.state in OPEN), None)

    def end_of_next(self, instance_id: str) -> str:
        """Use up how the next task of an instance ends."""
        planned = self.ends.get(instance_id, [])
        return planned.pop(0) if planned else SUCCEEDED

    def settle(self, backend: Any, extras: Extras, now: datetime) -> None:
        """Bring the tasks of one region to where they are at `now`."""
        for task in self.tasks.values():
            while task.state in OPEN and task.until <= now:
                instance = next(
                    (each for each in backend.all_instances() if each.id == task.instance_id), None
                )
                if instance is None:
                    break  # another region's
                self._step(task, instance, extras)

    def _step(self, task: RootTask, instance: Any, extras: Extras) -> None:
        if instance.state != "running" and task.end == SUCCEEDED:
            task.end = FAILED
        at, backend = task.until, instance.ec2_backend
        task.state = _WAYS[task.end][task.state]
        task.until = at + timedelta(seconds=self.step_seconds)
        original = backend.volumes.get(task.original_id)
        if task.state == UNDER_WAY and original is not None and original.attachment is not None:
            original.attachment.status = DETACHING
        elif task.state == SUCCEEDED:
            _swap(task, instance, extras)
        elif task.state == FAILING_DETACHED and original is not None:
            sit(original, instance.id, extras.attachments, leaves=True)
        elif task.state == FAILED and original is not None and original.attachment is not None:
            original.attachment.status = ATTACHED
        if task.state in TASK_ENDS:
            _end(task, instance, extras, at)

    def age(self, shift: timedelta) -> None:
        """Move everything into the past."""
        for task in self.tasks.values():
            task.started -= shift
            task.until -= shift
            task.completed = task.completed and task.completed - shift


def _swap(task: RootTask, instance: Any, extras: Extras) -> None:
    """Let the new volume take the place of the original, which stays, unless it is to go."""
    backend, device = instance.ec2_backend, instance.root_device_name
    goes = instance.block_device_mapping[device].delete_on_termination
    sit(backend.volumes[task.original_id], instance.id, extras.attachments, leaves=True)
    made = backend.attach_volume(task.new_id, instance.id, device, delete_on_termination=bool(goes))
    made.attach_time = instance.block_device_mapping[device].attach_time = task.until
    extras.volumes.note_root(instance.id, task.new_id)
    if task.deletes_original:
        extras.volumes.forget(task.original_id)
        del backend.volumes[task.original_id]


def _end(task: RootTask, instance: Any, extras: Extras, at: datetime) -> None:
    """End a task: what failed leaves no new volume; the instance was booted in any case."""
    task.completed = at
    extras.volumes.forget(task.new_id)
    if task.state != SUCCEEDED:
        instance.ec2_backend.volumes.pop(task.new_id, None)
    if instance.state == "running" and task.state != FAILED_DETACHED:
        extras.health.note(instance.id, "reboot", at)
        extras.health.repaired(instance.id, REBOOT, at)
