"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.aws.state import FailedAttempt
from caretaker.errors import StateError
from caretaker.slots import slot_of, slot_time
from caretaker.telemetry import logger

from .request import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from caretaker.ec2 import Snapshot
    from caretaker.run import Run, Scene

    from .plan import FailedAttempts
    from .request import SnapshotRequest
    from .units import Unit

CLAIM_SECONDS: Final = 180
"""How long a claimed retake keeps others off: longer than its calls and waits take together."""


def as_failed(snapshot: Snapshot) -> Failed:
    """Return what is to be known of a failed snapshot once it is deleted."""
    keys = tuple(tag.copyable(snapshot.tags, ["*"]))
    return Failed(snapshot.volume_id, snapshot.policy, snapshot.slot, keys)


def recall_cleared(scene: Scene, snapshot_ids: Sequence[str]) -> list[Failed]:
    """Return what a run that was killed after its delete had remembered of these snapshots."""
    found = [scene.state.recall("cleared", snapshot_id) for snapshot_id in snapshot_ids]
    return [Failed.from_text(text) for text in found if text]


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run's policy and place; `StateError` when the table is out of reach."""

    run: Run[SnapshotRequest]

    def failed_attempts(self) -> FailedAttempts | None:
        """Return the failed attempts by volume and slot; None when the table is out of reach."""
        try:
            return self.run.scene.state.failed_attempts(self._scope)
        except StateError:
            return None

    def policy_since(self) -> datetime | None:
        """Return when this policy was first seen; None when the table is out of reach."""
        scene = self.run.scene
        try:
            since = scene.state.remember("policy", self._scope, slot_of(scene.now), scene.now)
        except StateError:
            return None
        return slot_time(since)

    def count(self, snapshot: Snapshot) -> None:
        """Count a failed snapshot that is about to be deleted, and keep what its retake needs."""
        scene = self.run.scene
        attempt = FailedAttempt(
            snapshot.volume_id, snapshot.slot, snapshot.attempt, snapshot.message
        )
        scene.state.count_failed_attempt(self._scope, attempt, scene.now)
        scene.state.remember("cleared", snapshot.id, as_failed(snapshot).as_text(), scene.now)

    def count_refused(self, unit: Unit, message: str) -> None:
        """Count a slot whose create was refused: failed, but no attempt of its three is used."""
        scene = self.run.scene
        for volume_id in unit.volume_ids:
            attempt = FailedAttempt(volume_id, self.run.slot, unit.attempt - 1, message)
            try:
                scene.state.count_failed_attempt(self._scope, attempt, scene.now)
            except StateError as error:
                logger.warning("refusal not counted", error=error.failure.as_error())

    def claim(self, unit: Unit) -> None:
        """Keep others off this retake: the schedule and EBS's own event may see the same failure.

        The claim belongs to the request, so that Lambda's retry goes on where a killed run stopped;
        the lease keeps two runs of one request apart. `BusyError` when another request has it.
        """
        scene, slot = self.run.scene, self.run.slot
        for key in self._claims(unit):
            scene.state.acquire(key, scene.request_id, slot, scene.clock.now(), CLAIM_SECONDS)

    def give_back(self, unit: Unit) -> None:
        """Let others have this retake."""
        for key in self._claims(unit):
            self.run.scene.state.release(key, self.run.scene.request_id)

    def _claims(self, unit: Unit) -> list[str]:
        retake = f"retake/{self._scope}/{self.run.slot}/{unit.attempt}"
        return [f"{retake}/{volume_id}" for volume_id in unit.volume_ids]

    @property
    def _scope(self) -> str:
        place = self.run.scene.account.place
        return f"snapshot/{self.run.request.policy}/{place.account}/{place.region}"
