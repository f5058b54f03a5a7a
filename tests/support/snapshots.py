"""Words that the stories of the snapshot chore share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.cloud import REGION
from tests.support.stack import INSTALLATION, SLOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.cloud import Account

BACKUP: Final = {"caretaker:backup": "daily"}
DAILY: Final = {"policy": "daily", "scheduled_time": SLOT}
SLOT_TAG: Final = "2026-11-21T03:00Z"
MAX_ANSWER: Final = 256 * 1024


def ours(slot: str = SLOT_TAG, attempt: int = 1, **more: str) -> dict[str, str]:
    """Return the tags of a snapshot that the chore made; `more` are tags without their prefix."""
    tags = {
        "managed-by": INSTALLATION,
        "policy": "daily",
        "slot": slot,
        "run": "01M7Y0QRW06A7PW56Y7TTQ3MRW",
        "attempt": str(attempt),
        **more,
    }
    return {f"caretaker:{key}": value for key, value in tags.items()}


def by_target(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the items of an answer by volume."""
    return {item["target"]: item for item in answer["outcomes"]}


def results(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return how each item of an answer ended."""
    return {target: item["result"] for target, item in by_target(answer).items()}


def in_slot(account: Account, volume_id: str, slot: str = SLOT_TAG) -> list[Any]:
    """Return our snapshots of a volume and slot, in any state, oldest first."""
    tags = {"caretaker:managed-by": INSTALLATION, "caretaker:slot": slot}
    return [s for s in account.own_snapshots(volume_id) if tags.items() <= s_tags(account, s)]


def s_tags(account: Account, snapshot: Any) -> Any:
    """Return the tags of a snapshot as pairs."""
    return account.tags_of(snapshot.id).items()


def good_in_slot(account: Account, volume_id: str, slot: str = SLOT_TAG) -> list[str]:
    """Return the ids of our pending and completed snapshots of a volume and slot."""
    good = {"pending", "completed"}
    return [s.id for s in in_slot(account, volume_id, slot) if s.status in good]


def the_account(account: Account) -> dict[str, Any]:
    """Return all there is of snapshots: id to volume, state, tags."""
    return {
        s.id: (s.volume_id, s.status, account.tags_of(s.id))
        for s in account.backend.snapshots.values()
    }


def failed_event(snapshot_id: str) -> dict[str, Any]:
    """Return what EventBridge tells of one snapshot that failed."""
    arn = f"arn:aws:ec2::{REGION}:snapshot/{snapshot_id}"
    detail = {"event": "createSnapshot", "result": "failed", "snapshot_id": arn}
    return {"source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": detail}


def set_failed_event(snapshot_ids: Iterable[str]) -> dict[str, Any]:
    """Return what EventBridge tells of a set that failed."""
    members = [
        {"snapshot_id": f"arn:aws:ec2::{REGION}:snapshot/{each}", "status": "error"}
        for each in snapshot_ids
    ]
    kind = "EBS Multi-Volume Snapshots Completion Status"
    detail = {"event": "createSnapshots", "result": "failed", "snapshots": members}
    return {"source": "aws.ec2", "detail-type": kind, "detail": detail}


def metrics(printed: str) -> dict[str, float]:
    """Return the metrics in what a run printed; of several runs, the last word on each."""
    told: dict[str, float] = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in directive["Metrics"]:
                value = document[metric["Name"]]
                told[metric["Name"]] = value[0] if isinstance(value, list) else value
    return told


def kinds(alerts: Sequence[Mapping[str, Any]], state: str = "ALARM") -> list[str]:
    """Return the kinds of incident that messages of one state tell of."""
    told = [each for each in alerts if each["state"] == state]
    return sorted(incident["kind"] for each in told for incident in each["incidents"])
