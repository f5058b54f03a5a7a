from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.snapshot.request import (
    ONE,
    SET,
    Consistency,
    Failed,
    SnapshotRequest,
    failed_snapshot_ids,
    retake_event,
)

EVENTS = Path(__file__).parents[4] / "events" / "snapshot"
PLAIN = sorted(path for path in EVENTS.glob("*.json") if not path.name.startswith("ebs-"))
FAILED = Failed("vol-00000001", "daily", "2026-11-21T03:00Z", ("Name",))


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return loaded


def wrong_paths(event: dict[str, Any]) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        parse_request(SnapshotRequest, event)
    assert refused.value.reason == "event_invalid"
    assert all(error["problem"] for error in refused.value.errors)
    return [error["path"] for error in refused.value.errors]


def test_an_empty_event_has_the_documented_defaults() -> None:
    request = parse_request(SnapshotRequest, {})

    assert request.policy == "daily"
    assert request.mode is None
    assert request.consistency is Consistency.INSTANCE
    assert request.copy_tags == ("*",)
    assert request.max_age_hours == 30
    assert request.pace == 0.5
    assert request.select.is_by_policy
    assert request.lease_scope == ""


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_every_ready_payload_is_a_valid_request(path: Path) -> None:
    parse_request(SnapshotRequest, load(path.name))


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"polcy": "daily"}, "polcy"),
        ({"select": {"volume": ["vol-00000001"]}}, "select.volume"),
        ({"policy": 5}, "policy"),
        ({"policy": ""}, "policy"),
        ({"policy": "Daily"}, "policy"),
        ({"policy": "daily\n"}, "policy"),
        ({"policy": "d" * 33}, "policy"),
        ({"max_age_hours": 0}, "max_age_hours"),
        ({"max_age_hours": 8785}, "max_age_hours"),
        ({"max_age_hours": "soon"}, "max_age_hours"),
        ({"max_age_hours": True}, "max_age_hours"),
        ({"max_age_hours": "30"}, "max_age_hours"),
        ({"select": {"everything": "yes"}}, "select.everything"),
        ({"consistency": "crash"}, "consistency"),
        ({"copy_tags": "*"}, "copy_tags"),
        ({"copy_tags": [""]}, "copy_tags.0"),
        ({"select": {"volumes": ["vol-00000001", "snap-00000001"]}}, "select.volumes.1"),
        ({"select": {"instances": ["i-1"]}}, "select.instances.0"),
        ({"select": {"states": ["deleting"]}}, "select.states.0"),
        ({"select": {"tags_any": "env=prod"}}, "select.tags_any"),
        ({"select": None}, "select"),
    ],
    ids=str,
)
def test_refuses_a_wrong_field_and_names_it(event: dict[str, Any], path: str) -> None:
    assert wrong_paths(event) == [path]


def test_names_every_wrong_field_at_once() -> None:
    wrong = {"policy": "X", "pace": 2, "select": {"volumes": ["x"]}, "unknown": 1}

    assert set(wrong_paths(wrong)) == {"policy", "pace", "select.volumes.0", "unknown"}


def test_a_retake_needs_the_slot_of_what_failed() -> None:
    assert wrong_paths({"retake": ["vol-00000001"]}) == ["event"]


def test_a_retake_has_at_most_the_members_of_one_set() -> None:
    ids = [f"vol-{number:08x}" for number in range(129)]

    assert wrong_paths({"scheduled_time": "2026-11-21T03:00Z", "retake": ids}) == ["retake"]


def test_a_retake_holds_a_lease_of_its_own() -> None:
    event = load("retake.json") | {"retake": ["vol-00000002", "vol-00000001"]}

    assert parse_request(SnapshotRequest, event).lease_scope == "vol-00000001"


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("ebs-snapshot-failed.json", ("snap-0123456789abcdef0",)),
        ("ebs-snapshot-set-failed.json", ("snap-0123456789abcdef1", "snap-0123456789abcdef2")),
    ],
)
def test_reads_the_failed_snapshots_of_an_ebs_event(name: str, ids: tuple[str, ...]) -> None:
    assert failed_snapshot_ids(load(name)) == ids


@pytest.mark.parametrize("name", ["ebs-snapshot-failed.json", "ebs-snapshot-set-failed.json"])
def test_a_success_names_no_failed_snapshot(name: str) -> None:
    event = load(name)
    event["detail"]["result"] = "succeeded"

    assert failed_snapshot_ids(event) == ()


@pytest.mark.parametrize(
    "event",
    [
        {"detail-type": "EC2 Instance State-change Notification", "detail": {"result": "failed"}},
        {"detail-type": None, "detail": {"result": "failed"}},
        {"detail-type": ONE},
        {"detail-type": ONE, "detail": "failed"},
        {"detail-type": ONE, "detail": {"result": "failed"}},
        {"detail-type": SET, "detail": {"result": "failed", "snapshots": [{}]}},
        {"detail-type": SET, "detail": {"result": "failed", "snapshots": ["snap-00000001"]}},
        {"detail-type": SET, "detail": {"result": "failed", "snapshots": None}},
    ],
    ids=str,
)
def test_refuses_an_event_of_another_shape(event: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        failed_snapshot_ids(event)

    assert refused.value.reason == "event_invalid"


def test_nothing_of_ours_failed_means_no_request() -> None:
    assert retake_event(load("ebs-snapshot-failed.json"), []) is None


def test_retakes_one_snapshot_by_itself() -> None:
    event = retake_event(load("ebs-snapshot-failed.json"), [FAILED])

    assert event == {
        "policy": "daily",
        "scheduled_time": "2026-11-21T03:00Z",
        "consistency": "volume",
        "copy_tags": ["Name"],
        "retake": ["vol-00000001"],
    }


def test_retakes_a_set_as_a_set() -> None:
    other = Failed("vol-00000002", "daily", FAILED.slot, ("Name", "team"))

    event = retake_event(load("ebs-snapshot-set-failed.json"), [other, FAILED, FAILED])

    assert event is not None
    assert event["consistency"] == "instance"
    assert event["retake"] == ["vol-00000001", "vol-00000002"]
    assert event["copy_tags"] == ["Name", "team"]


def test_a_retake_stays_within_one_policy_and_slot() -> None:
    others = [
        Failed("vol-00000002", "weekly", FAILED.slot, ("team",)),
        Failed("vol-00000003", "daily", "x", ("secret",)),
    ]

    event = retake_event(load("ebs-snapshot-set-failed.json"), [FAILED, *others])

    assert event is not None
    assert event["retake"] == ["vol-00000001"]
    assert event["copy_tags"] == ["Name"]


def test_a_failure_survives_the_table() -> None:
    assert Failed.from_text(FAILED.as_text()) == FAILED


def test_what_the_retake_asks_for_is_a_valid_request() -> None:
    event = retake_event(load("ebs-snapshot-failed.json"), [FAILED])

    request = parse_request(SnapshotRequest, event or {})

    assert request.retake == ("vol-00000001",)
    assert request.consistency is Consistency.VOLUME
