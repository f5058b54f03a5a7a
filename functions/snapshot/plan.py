"""Decide which volumes need a snapshot in this slot: pure, from facts, request and `now`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json
from caretaker.ec2 import Instance, Snapshot, SnapshotState, Volume
from caretaker.selectors import Select, reason_to_skip

if TYPE_CHECKING:
    from datetime import datetime

    from .request import SnapshotRequest

MAX_ATTEMPTS: Final = 3
"""The first try of a slot and two more."""
MAX_FAILED_SLOTS: Final = 3
"""After so many failed slots in a row a failed snapshot is no longer retaken within its slot."""


class Action(StrEnum):
    """What may happen to a volume."""

    CREATE = "create"
    GIVE_UP = "give_up"
    KEEP = "keep"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    DUE = "due"
    RETAKE = "retake"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    SLOTS_FAILING = "slots_failing"
    SLOT_COMPLETED = "slot_completed"
    SLOT_PENDING = "slot_pending"
    SLOT_STATE_UNKNOWN = "slot_state_unknown"
    STATE_UNAVAILABLE = "state_unavailable"
    NOT_RETAKEN = "not_retaken"
    NOT_SELECTED = "not_selected"
    IGNORED = "ignored"
    EXCLUDED = "excluded"
    VOLUME_STATE = "volume_state"
    VOLUME_GONE = "volume_gone"
    RETAKE_IN_PROGRESS = "retake_in_progress"


type FailedAttempts = Mapping[str, Mapping[str, int]]
"""By volume and slot: how many attempts of that slot ended in `error`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered.

    `snapshots` are ours, of this policy, in any state. `failed_attempts` is None when the state
    table could not be read. `policy_since` is when this policy was first seen.
    """

    volumes: tuple[Volume, ...]
    instances: Mapping[str, Instance]
    snapshots: tuple[Snapshot, ...]
    failed_attempts: FailedAttempts | None
    policy_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class VolumeDecision(Decision):
    """What is to happen to one volume.

    `attempt` counts the tries of this slot; `clear` are failed snapshots to delete first, because
    they hold places in EBS's limit of concurrent snapshots of a volume.
    """

    attempt: int = 1
    clear: tuple[str, ...] = ()


@dataclass(slots=True)
class History:
    """The snapshots of one volume and policy, sorted out."""

    newest_good: Snapshot | None = None
    in_slot: list[Snapshot] = field(default_factory=list)
    pending: list[Snapshot] = field(default_factory=list)
    failed: list[Snapshot] = field(default_factory=list)

    def add(self, snapshot: Snapshot, slot: str) -> None:
        """Sort one snapshot in; only `completed` ones are good."""
        if snapshot.slot == slot:
            self.in_slot.append(snapshot)
        if snapshot.state == SnapshotState.COMPLETED:
            newest = self.newest_good
            if newest is None or (snapshot.started, snapshot.id) > (newest.started, newest.id):
                self.newest_good = snapshot
        elif snapshot.state == SnapshotState.PENDING:
            self.pending.append(snapshot)
        elif snapshot.state == SnapshotState.ERROR:
            self.failed.append(snapshot)


type Histories = Mapping[str, History]


def histories(snapshots: Iterable[Snapshot], slot: str) -> Histories:
    """Return the history of each volume that has one; an empty one for any other."""
    by_volume: defaultdict[str, History] = defaultdict(History)
    for snapshot in snapshots:
        by_volume[snapshot.volume_id].add(snapshot, slot)
    return by_volume


def plan_snapshots(facts: Facts, request: SnapshotRequest, *, slot: str) -> list[VolumeDecision]:
    """Return one decision for every volume, sorted by id."""
    past = histories(facts.snapshots, slot)
    return [
        _decide(volume, past.get(volume.id, History()), facts, request, slot=slot)
        for volume in sorted(facts.volumes, key=lambda volume: volume.id)
    ]


def _decide(
    volume: Volume, history: History, facts: Facts, request: SnapshotRequest, *, slot: str
) -> VolumeDecision:
    skipped = _reason_to_skip(volume, facts, request)
    if skipped is not None:
        return VolumeDecision(volume.id, Action.SKIP, skipped)
    taken = _taken(volume, history.in_slot)
    if taken is not None:
        return taken
    if facts.failed_attempts is None:
        return _decide_without_table(volume, history, slot)
    counted = facts.failed_attempts.get(volume.id, {})
    attempts = max([counted.get(slot, 0), *(s.attempt for s in history.failed if s.slot == slot)])
    clear = sorted(snapshot.id for snapshot in history.failed)
    if attempts == 0:
        return _change(volume, Action.CREATE, Reason.DUE, 1, clear)
    given_up = _reason_to_give_up(attempts, len(failing_slots(history, counted) - {slot}))
    if given_up is not None:
        return _change(volume, Action.GIVE_UP, given_up, attempts, clear)
    return _change(volume, Action.CREATE, Reason.RETAKE, attempts + 1, clear)


def _reason_to_give_up(attempts: int, failed_slots_before: int) -> Reason | None:
    if attempts >= MAX_ATTEMPTS:
        return Reason.ATTEMPTS_EXHAUSTED
    if failed_slots_before >= MAX_FAILED_SLOTS:
        return Reason.SLOTS_FAILING
    return None


def _reason_to_skip(volume: Volume, facts: Facts, request: SnapshotRequest) -> str | None:
    """A retake asks for the volumes it names, whatever selected them when the slot began."""
    if request.retake and volume.id not in request.retake:
        return Reason.NOT_RETAKEN
    select = Select(volumes=request.retake) if request.retake else request.select
    return reason_to_skip(volume, facts.instances, select, request.policy)


def _taken(volume: Volume, in_slot: Sequence[Snapshot]) -> VolumeDecision | None:
    """Keep what the slot has; a state that EBS may add one day is left alone."""
    for state, reason in (
        (SnapshotState.COMPLETED, Reason.SLOT_COMPLETED),
        (SnapshotState.PENDING, Reason.SLOT_PENDING),
    ):
        ids = sorted(s.id for s in in_slot if s.state == state)
        if ids:
            return VolumeDecision(volume.id, Action.KEEP, reason, {"snapshot_id": ids[0]})
    for snapshot in sorted(in_slot, key=lambda each: each.id):
        if snapshot.state != SnapshotState.ERROR:
            detail = {"snapshot_id": snapshot.id, "state": snapshot.state}
            return VolumeDecision(volume.id, Action.KEEP, Reason.SLOT_STATE_UNKNOWN, dict(detail))
    return None


def _decide_without_table(volume: Volume, history: History, slot: str) -> VolumeDecision:
    """Go on with what only adds: a first snapshot. Deleting failed ones has to wait."""
    if any(snapshot.slot == slot for snapshot in history.failed):
        return VolumeDecision(volume.id, Action.SKIP, Reason.STATE_UNAVAILABLE)
    return _change(volume, Action.CREATE, Reason.DUE, 1, [])


def _change(
    volume: Volume, action: Action, reason: Reason, attempt: int, clear: Sequence[str]
) -> VolumeDecision:
    detail: dict[str, Json] = {"attempt": attempt}
    if clear:
        detail["clear"] = list(clear)
    return VolumeDecision(volume.id, action, reason, detail, attempt=attempt, clear=tuple(clear))


def failing_slots(history: History, counted: Mapping[str, int]) -> set[str]:
    """Return the failed slots since the newest good one; a good snapshot ends the row."""
    since = history.newest_good.slot if history.newest_good else ""
    slots = {*counted, *(snapshot.slot for snapshot in history.failed)}
    return {slot for slot in slots if slot > since}
