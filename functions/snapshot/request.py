"""What the snapshot chore may be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from caretaker.errors import FieldError, RefusedError
from caretaker.request import BaseRequest, PolicyName
from caretaker.selectors import Select, TagPattern, VolumeId

ONE: Final = "EBS Snapshot Notification"
SET: Final = "EBS Multi-Volume Snapshots Completion Status"


class Consistency(StrEnum):
    """`instance` takes all volumes of an instance at one moment, `volume` each on its own."""

    INSTANCE = "instance"
    VOLUME = "volume"


class SnapshotRequest(BaseRequest):
    """The event of the snapshot chore.

    `copy_tags` are patterns of keys to copy from the volume; `max_age_hours` is how old the newest
    completed snapshot of a volume may get; `retake` limits the run to these volumes, whose
    snapshots of the slot given by `scheduled_time` failed.
    """

    policy: PolicyName = "daily"
    select: Select = Select()
    consistency: Consistency = Consistency.INSTANCE
    copy_tags: tuple[TagPattern, ...] = ("*",)
    max_age_hours: Annotated[int, Field(ge=1, le=8784)] = 30
    retake: Annotated[tuple[VolumeId, ...], Field(max_length=128)] = ()

    @model_validator(mode="after")
    def _retake_has_its_slot(self) -> Self:
        if self.retake and self.scheduled_time is None:
            msg = "retake needs scheduled_time, the slot of the failed snapshots"
            raise ValueError(msg)
        return self

    @property
    def lease_scope(self) -> str:
        """Return the first volume: retakes of different ones may run beside each other."""
        return min(self.retake, default="")


@dataclass(frozen=True, slots=True, order=True)
class Failed:
    """A snapshot of ours that failed: of which volume, for which policy and slot.

    `tag_keys` are the user's tags that it had; the policy's own `copy_tags` is not known here.
    """

    volume_id: str
    policy: str
    slot: str
    tag_keys: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return it for the state table."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Failed:
        """Read it back."""
        kept = json.loads(text)
        return cls(kept["volume_id"], kept["policy"], kept["slot"], tuple(kept["tag_keys"]))


def failed_snapshot_ids(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids in an EBS event that tells of failed snapshots; empty when none failed.

    The ids come as ARNs without an account. Shape of both events:
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
    """
    detail = event.get("detail")
    kind = event.get("detail-type")
    if kind not in {ONE, SET} or not isinstance(detail, Mapping):
        raise RefusedError("event_invalid", [_not_ours(kind)])
    if detail.get("result") != "failed":
        return ()
    members: Any = detail.get("snapshots") if kind == SET else [detail]
    try:
        return tuple(sorted({str(member["snapshot_id"]).rpartition("/")[2] for member in members}))
    except (KeyError, TypeError):
        problem = FieldError("detail", "names no snapshots", "the shape of EBS's own event")
        raise RefusedError("event_invalid", [problem]) from None


def retake_event(event: Mapping[str, Any], failed: Sequence[Failed]) -> dict[str, Any] | None:
    """Return the request that retakes these failed snapshots; None when there are none of ours."""
    if not failed:
        return None
    policy, slot = failed[0].policy, failed[0].slot
    retaken = [each for each in failed if (each.policy, each.slot) == (policy, slot)]
    together = Consistency.INSTANCE if event.get("detail-type") == SET else Consistency.VOLUME
    return {
        "policy": policy,
        "scheduled_time": slot,
        "consistency": together.value,
        "copy_tags": sorted({key for each in retaken for key in each.tag_keys}),
        "retake": sorted({each.volume_id for each in retaken}),
    }


def _not_ours(kind: object) -> FieldError:
    return FieldError("detail-type", f"{kind!r} is not an event of this chore", f"{ONE} or {SET}")
