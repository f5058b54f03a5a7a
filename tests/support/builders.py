"""Facts for tests of pure code: each builder makes something ordinary, keywords say what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.decisions import Decision, Outcome, Result
from caretaker.ec2 import Attachment, Instance, Snapshot, Volume
from caretaker.slots import slot_of
from functions.snapshot.plan import Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.tags import Tags
    from functions.snapshot.plan import FailedAttempts

NOW: Final = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SLOT: Final = slot_of(NOW)
POLICY: Final = "daily"
ACCOUNT: Final = "123456789012"
BACKED_UP: Final = {tag.BACKUP: POLICY}


class FakeClock:
    """Stands still until told otherwise; `sleep` moves it instead of waiting."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._lock = Lock()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds


def a_volume(
    volume_id: str = "vol-00000001",
    *,
    at: str | Iterable[str] = (),
    device: str = "/dev/sdf",
    tags: Tags = BACKED_UP,
    state: str = "",
    age_hours: float = 1000,
) -> Volume:
    """Return a volume that names the policy; `at` is the instance, or are the instances."""
    owners = [at] if isinstance(at, str) else list(at)
    return Volume(
        id=volume_id,
        state=state or ("in-use" if owners else "available"),
        created=NOW - timedelta(hours=age_hours),
        size_gib=8,
        type="gp3",
        attachments=tuple(Attachment(owner, device) for owner in owners),
        tags=tags,
    )


def an_instance(
    instance_id: str = "i-00000001",
    *,
    state: str = "running",
    root: str = "/dev/xvda",
    tags: Tags | None = None,
) -> Instance:
    """Return a running instance without tags."""
    return Instance(instance_id, state, root, tags or {})


def a_snapshot(
    snapshot_id: str = "snap-00000001",
    *,
    of: str = "vol-00000001",
    state: str = "completed",
    age_hours: float = 24,
    slot: str | None = None,
    attempt: int | str = 1,
    message: str = "",
) -> Snapshot:
    """Return a snapshot of ours; its slot is the minute it was started in unless given."""
    started = NOW - timedelta(hours=age_hours)
    tags = {
        tag.POLICY: POLICY,
        tag.SLOT: slot_of(started) if slot is None else slot,
        tag.ATTEMPT: str(attempt),
    }
    return Snapshot(snapshot_id, of, state, started, ACCOUNT, message, tags)


def a_failed_snapshot(
    snapshot_id: str = "snap-0000000e",
    *,
    of: str = "vol-00000001",
    slot: str = SLOT,
    attempt: int | str = 1,
) -> Snapshot:
    """Return a snapshot of this slot that ended in `error`."""
    return a_snapshot(
        snapshot_id, of=of, state="error", age_hours=0, slot=slot, attempt=attempt, message="broke"
    )


def facts(
    *things: Volume | Instance | Snapshot,
    failed_attempts: FailedAttempts | None = None,
    table_reachable: bool = True,
    policy_since: datetime | None = None,
) -> Facts:
    """Return the facts that these volumes, instances and snapshots make."""
    return Facts(
        volumes=tuple(thing for thing in things if isinstance(thing, Volume)),
        instances={thing.id: thing for thing in things if isinstance(thing, Instance)},
        snapshots=tuple(thing for thing in things if isinstance(thing, Snapshot)),
        failed_attempts=(failed_attempts or {}) if table_reachable else None,
        policy_since=policy_since,
    )


def a_decision(
    target: str = "vol-00000001", action: str = "create", reason: str = "due"
) -> Decision:
    """Return a decision that changes something."""
    return Decision(target, action, reason)


def an_outcome(
    result: Result = Result.DONE,
    *,
    target: str = "vol-00000001",
    action: str = "create",
    error: Mapping[str, str] | None = None,
) -> Outcome:
    """Return how a decision ended."""
    return Outcome(a_decision(target, action), result, error=error)
