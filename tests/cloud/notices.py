"""What EventBridge is told when snapshots are done.

Source: Amazon EBS user guide, "Amazon EventBridge events for Amazon EBS": a snapshot made alone is
told of by itself, a set as a whole; ids come as ARNs without an account.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.cloud.lives import Life

Notice = dict[str, Any]

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def notices(ended: Sequence[Life], account: str, region: str, now: datetime) -> list[Notice]:
    """Return one EventBridge event for each single snapshot and each set that ended."""
    ordered = sorted(ended, key=lambda life: life.set_number)
    told: list[Notice] = []
    for set_number, lives in groupby(ordered, key=lambda life: life.set_number):
        if set_number:
            told.append(_event(*_of_set(list(lives), region), account, region, now))
        else:
            told += [_event(*_of_one(life, region), account, region, now) for life in lives]
    return told


def _arn(region: str, kind: str, resource_id: str) -> str:
    return f"arn:aws:ec2::{region}:{kind}/{resource_id}"


def _outcome(life: Life) -> Notice:
    return {
        "result": "failed" if life.message else "succeeded",
        "cause": life.message,
        "request-id": "",
        "startTime": life.born_at.strftime(_FORMAT),
        "endTime": life.done_at.strftime(_FORMAT),
    }


def _of_one(life: Life, region: str) -> tuple[str, Notice, list[str]]:
    snapshot = _arn(region, "snapshot", life.snapshot_id)
    volume = _arn(region, "volume", life.volume_id)
    detail = {
        "event": "createSnapshot",
        **_outcome(life),
        "snapshot_id": snapshot,
        "source": volume,
    }
    return "EBS Snapshot Notification", detail, [snapshot]


def _of_set(lives: Sequence[Life], region: str) -> tuple[str, Notice, list[str]]:
    members = [
        {
            "snapshot_id": _arn(region, "snapshot", life.snapshot_id),
            "source": _arn(region, "volume", life.volume_id),
            "status": "error" if life.message else "completed",
        }
        for life in lives
    ]
    detail = {"event": "createSnapshots", **_outcome(lives[0]), "snapshots": members}
    resources = [member["snapshot_id"] for member in members]
    return "EBS Multi-Volume Snapshots Completion Status", detail, resources


def _event(
    kind: str,
    detail: Notice,
    resources: Sequence[str],
    account: str,
    region: str,
    now: datetime,
) -> Notice:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": kind,
        "source": "aws.ec2",
        "account": account,
        "time": now.strftime(_FORMAT),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }
