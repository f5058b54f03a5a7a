"""Make a volume of a backup, wait for it, and let it go again.

It has its end in its tags from the first moment: whatever becomes of a run, a later one knows what
it may delete.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from caretaker import tags as tag
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import CallError, HaltError, OutOfTimeError
from caretaker.failures import Failure, Kind
from functions.drill.aws.ending import end_by
from functions.drill.aws.evidence import find_disk, list_disks
from functions.drill.facts import AVAILABLE, CREATING, ERROR, IN_USE
from functions.drill.leftovers import GOING, RUNS, is_of_drill

if TYPE_CHECKING:
    from mypy_boto3_ec2.literals import VolumeTypeType
    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.ec2 import Volume
    from caretaker.run import Run
    from functions.drill.request import DrillRequest
    from functions.drill.units import Unit

LIVES: Final = timedelta(hours=48)
"""After which a volume that nobody deleted is swept: time for the next daily runs to judge it."""
WAITS_SECONDS: Final = 300
_MOST_SECONDS: Final = 660
"""Which leaves room for it in a run of Lambda's 15 minutes."""
_LOOK_EVERY_SECONDS: Final = 3
_LISTED_WITHIN_SECONDS: Final = 60
"""How late a volume that was made may be listed; one that is not after that has vanished.

One whose key cannot be used vanishes: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
"""
_NEED_IOPS: Final = frozenset({"io1", "io2"})
_TYPE: Final = "gp3"
"""In the place of a type that takes a number of IOPS; any other is as good as in its own zone."""
_TOKEN_USED: Final = "IdempotentParameterMismatch"  # noqa: S105 - AWS's code
_TOKENS: Final = 3
"""Of a backup and slot: that of a volume which is gone again is used up."""
_FULL: Final = frozenset({"VolumeLimitExceeded", "MaxIOPSLimitExceeded", "VolumeThroughputLimit"})
_GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Made:
    """A volume of a drill: `since` is the monotonic time at which EC2 was asked for it.

    One that `is_adopted` was made by an earlier run.
    """

    id: str
    since: float
    is_adopted: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """How a volume ended up: its state, or `gone`, and what that took; `creating` is not over."""

    state: str
    seconds: int | None = None


class Volumes:
    """The volumes of one run."""

    def __init__(self, run: Run[DrillRequest]) -> None:
        self._run = run
        self._scene = run.scene

    def make(self, unit: Unit) -> Made:
        """Return the volume of a backup, that of an earlier run where there is one.

        Raises AWS's errors; where nobody knows whether it was made, it is looked for.
        """
        return self._adopted(unit.adopted) if unit.adopted else self._made(unit)

    def _made(self, unit: Unit, attempt: int = 1) -> Made:
        """Make it; where a token is used up and there is no volume of it, by the next token."""
        try:
            return self._create(unit, attempt)
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.code in _FULL:
                raise HaltError(failure) from error
            is_used = failure.code == _TOKEN_USED
            found = self._find(unit) if is_used or failure.kind is Kind.UNKNOWN else None
            if found:
                return self._adopted(found)
            if not is_used or attempt == _TOKENS:
                raise
        return self._made(unit, attempt + 1)

    def wait(self, made: Made) -> Seen:
        """Look until it is no longer being made, some minutes at most, or its RTO."""
        clock, began = self._scene.clock, self._scene.clock.monotonic()
        rto_seconds = 60 * (self._run.request.rto_minutes or 0) + 2 * _LOOK_EVERY_SECONDS
        most = min(max(WAITS_SECONDS, rto_seconds), _MOST_SECONDS)
        state = CREATING
        first = True
        while True:
            state = self._state_of(made, state)
            waited = clock.monotonic() - made.since
            if state in {AVAILABLE, IN_USE}:
                # One that was ready before anybody looked: nobody knows for how long it was.
                is_known = not (made.is_adopted and first)
                return Seen(AVAILABLE, max(1, round(waited)) if is_known else None)
            if state != CREATING:
                return Seen(state)
            is_over = clock.monotonic() - began >= most
            if is_over or not self._scene.deadline.allows(_LOOK_EVERY_SECONDS):
                return Seen(CREATING, round(waited))
            clock.sleep(_LOOK_EVERY_SECONDS)
            first = False

    def delete(self, volume_id: str) -> str:
        """Delete a volume; return why it is still there, empty when it is not.

        One that is gone already is as good. EC2 says no to that in many ways: what was sent twice
        is in a wrong state, and what has no tags any more is denied. So it is looked for.
        """
        client = self._scene.account.ec2
        failure = end_by(
            self._run, "DeleteVolume", lambda: client.delete_volume(VolumeId=volume_id)
        )
        if failure is None or failure.kind is Kind.GONE or self._is_gone(volume_id):
            return ""
        return failure.code

    def _is_gone(self, volume_id: str) -> bool:
        try:
            found = find_disk(self._scene, volume_id)
        except (CallError, OutOfTimeError):
            return False
        return found is None or found.volume.state in GOING

    def _adopted(self, volume: Volume) -> Made:
        """Count from when EC2 began to make it."""
        clock = self._scene.clock
        age = max(0.0, (clock.now() - volume.created).total_seconds())
        return Made(volume.id, clock.monotonic() - age, is_adopted=True)

    def _create(self, unit: Unit, attempt: int) -> Made:
        """Ask for the volume; the same asked twice gives the same one.

        What it waits before it may ask is no part of what EC2 takes.
        """
        client, clock = self._scene.account.ec2, self._scene.clock

        def create() -> Made:
            since = clock.monotonic()
            answer = client.create_volume(
                AvailabilityZone=unit.disk.zone,
                SnapshotId=unit.snapshot.id,
                VolumeType=self._type(unit),
                ClientToken=token_of(unit, self._run.slot, attempt),
                TagSpecifications=[{"ResourceType": "volume", "Tags": self._tags()}],
            )
            return Made(answer["VolumeId"], since)

        return self._scene.pacer.call("CreateVolume", create)

    def _type(self, unit: Unit) -> VolumeTypeType:
        own = unit.disk.volume.type
        return _TYPE if own in _NEED_IOPS else cast("VolumeTypeType", own)

    def _tags(self) -> list[TagTypeDef]:
        """Return its tags; nobody is to back it up, or to watch over it."""
        run = self._run
        tags = {
            tag.MANAGED_BY: self._scene.settings.installation,
            tag.POLICY: run.request.policy,
            tag.SLOT: run.slot,
            tag.RUN: f"{RUNS}{self._scene.run_id}",
            tag.EXPIRES_AT: time_text(self._scene.clock.now() + LIVES),
            tag.IGNORE: "true",
        }
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _find(self, unit: Unit) -> Volume | None:
        """Return the volume that a call without an answer, or an earlier run, has made."""
        ours = {
            f"tag:{tag.MANAGED_BY}": self._scene.settings.installation,
            f"tag:{tag.POLICY}": self._run.request.policy,
            f"tag:{tag.SLOT}": self._run.slot,
            "snapshot-id": unit.snapshot.id,
        }
        found = list_disks(self._scene, [{"Name": k, "Values": [v]} for k, v in ours.items()])
        alive = (
            disk.volume
            for disk in found
            if disk.volume.state in {CREATING, AVAILABLE, ERROR}
            and is_of_drill(disk.volume, self._scene.settings.installation)
        )
        return next(alive, None)

    def _state_of(self, made: Made, before: str) -> str:
        """Return the state of a volume; one that is not listed yet is still being made."""
        found = find_disk(self._scene, made.id)
        if found:
            return found.volume.state
        waited = self._scene.clock.monotonic() - made.since
        is_late = before == CREATING and waited < _LISTED_WITHIN_SECONDS
        return CREATING if is_late else _GONE


def token_of(unit: Unit, slot: str, attempt: int) -> str:
    """Return the name by which EC2 knows that it is asked for the same volume again."""
    parts = f"drill/{slot}/{unit.snapshot.id}/{unit.disk.id}/{attempt}"
    return sha256(parts.encode()).hexdigest()


def time_text(time: datetime) -> str:
    """Return a time as our tags hold it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_gone(made: Made) -> Failure:
    """Return that somebody else deleted a volume while it was needed."""
    return Failure(Kind.GONE, "VolumeDeleted", f"{made.id} was deleted by somebody else")
