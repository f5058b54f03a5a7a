"""Events that are wrong, and a stack of which a part is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from functions.snapshot import app
from tests.cloud import REGION
from tests.support.snapshots import (
    BACKUP,
    DAILY,
    MAX_ANSWER,
    good_in_slot,
    kinds,
    metrics,
    results,
    the_account,
)
from tests.support.stack import BUCKET, TABLE, TOPIC

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack

EVENTS: Final = sorted((Path(__file__).parents[2] / "events" / "snapshot").glob("*.json"))
WRONG: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "unknown field": ({"polcy": "daily"}, "polcy"),
    "unknown inner field": ({"select": {"everthing": True}}, "select.everthing"),
    "wrong type": ({"max_age_hours": "often"}, "max_age_hours"),
    "text for a number": ({"max_age_hours": "30"}, "max_age_hours"),
    "true for a number": ({"max_age_hours": True}, "max_age_hours"),
    "number for a list": ({"copy_tags": 3}, "copy_tags"),
    "naive time": ({"scheduled_time": "2026-11-21T03:00:00"}, "scheduled_time"),
    "no time": ({"scheduled_time": "<aws.scheduler.scheduled-time>"}, "scheduled_time"),
    "time as a number": ({"scheduled_time": 1795230000}, "scheduled_time"),
    "capital letters in the policy": ({"policy": "Daily"}, "policy"),
    "a path as policy": ({"policy": "../other"}, "policy"),
    "other letters in the policy": ({"policy": "t\u00e4glich"}, "policy"),
    "a line end in the policy": ({"policy": "daily\n"}, "policy"),
    "an endless policy": ({"policy": "x" * 100_000}, "policy"),
    "no policy": ({"policy": ""}, "policy"),
    "pace beyond all": ({"pace": 1.5}, "pace"),
    "no pace": ({"pace": 0}, "pace"),
    "round beyond the last": ({"round": 11}, "round"),
    "a volume that is none": ({"select": {"volumes": ["vol-1; drop"]}}, "select.volumes.0"),
    "retake without its slot": ({"retake": ["vol-0123456789abcdef0"]}, "event"),
    "a role of one's own": ({"target": {"role": "Admin"}}, "target.role"),
    "event of another chore": ({"max_deletions": 3, "policy": "daily"}, "max_deletions"),
    "another detail-type": (
        {"detail-type": "EC2 Instance State-change Notification"},
        "detail-type",
    ),
    "EBS event without detail": ({"detail-type": "EBS Snapshot Notification"}, "detail-type"),
}


@pytest.mark.parametrize(("event", "path"), WRONG.values(), ids=WRONG)
def test_a_wrong_event_is_refused_with_its_field_and_told_and_changes_nothing(
    stack: Stack, account: Account, cloud: StrictCloud, event: dict[str, Any], path: str
) -> None:
    account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, event)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert path in {error["path"] for error in answer["errors"]}
    assert all(error["problem"] for error in answer["errors"])
    assert the_account(account) == {}
    assert kinds(stack.alerts()) == ["event_refused"]
    assert len(json.dumps(answer)) < MAX_ANSWER


@pytest.mark.parametrize("event", [[], None, "daily", 3, [["policy", "daily"]]], ids=repr)
def test_an_event_that_is_no_object_is_refused(stack: Stack, account: Account, event: Any) -> None:
    account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, event)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert the_account(account) == {}


@pytest.mark.parametrize(
    "detail",
    [
        {"event": "createSnapshot", "result": "failed"},
        {"event": "createSnapshot", "result": "failed", "snapshot_id": None},
        {"event": "createSnapshot", "result": "failed", "snapshot_id": "*"},
    ],
)
def test_an_ebs_event_that_names_no_snapshot_changes_nothing_and_does_not_raise(
    stack: Stack, account: Account, detail: dict[str, Any]
) -> None:
    event = {"source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": detail}

    answer = stack.run(app.CHORE, event)

    assert answer["status"] in {"refused", "ok"}
    assert answer["progress"] == 0


def test_every_wrong_field_is_named(stack: Stack) -> None:
    answer = stack.run(app.CHORE, {"polcy": "daily", "pace": 7, "max_age_hours": 0})

    assert {each["path"] for each in answer["errors"]} == {"polcy", "pace", "max_age_hours"}


def test_the_same_wrong_schedule_is_told_once(stack: Stack) -> None:
    for hour in range(3, 9):
        stack.run(app.CHORE, {"polcy": "x", "scheduled_time": f"2026-11-21T0{hour}:00:00Z"})

    assert len(stack.alerts()) == 1


def test_an_empty_event_works_with_the_defaults(stack: Stack, account: Account) -> None:
    volume = account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, {})

    assert (answer["policy"], answer["mode"], answer["slot"]) == (
        "daily",
        "act",
        "2026-11-21T03:00Z",
    )
    assert results(answer) == {volume: "done"}


def test_a_stack_that_reports_cannot_be_made_to_act_by_an_event(
    stack: Stack, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, {**DAILY, "mode": "act"})

    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")
    assert the_account(account) == {}
    assert kinds(stack.alerts()) == ["event_refused"]


def test_a_wrong_event_of_a_schedule_is_critical_under_its_policy(
    stack: Stack, account: Account
) -> None:
    account.volume(tags=BACKUP)
    stack.run(app.CHORE, {**DAILY, "policy": "weekly", "colour": "red"})
    stack.run(app.CHORE, DAILY)

    (alert,) = stack.alerts()
    (incident,) = alert["incidents"]
    assert (incident["severity"], alert["policy"]) == ("critical", "weekly")
    assert incident["next"] == "correct the event; the schedule goes on sending this one"


def test_a_persons_slip_is_told_mildly_and_is_over_with_the_next_regular_run(
    stack: Stack, account: Account
) -> None:
    account.volume(tags=BACKUP)
    slip = {"policy": "weekly", "colour": "red"}
    for _ in range(2):
        assert stack.run(app.CHORE, slip)["policy"] == "weekly"

    (alert,) = stack.alerts()
    (incident,) = alert["incidents"]
    assert (incident["severity"], alert["policy"]) == ("notice", "daily")
    assert incident["name"] == "snapshot weekly"
    assert incident["next"] == "correct the event, and send it again"

    stack.run(app.CHORE, DAILY)
    (over,) = stack.alerts()
    assert kinds([over], "OK") == ["event_refused"]
    assert ": over after " in over["Subject"]


def test_a_run_that_fails_names_its_chore_and_wakes_nobody_where_a_person_asked(
    stack: Stack, cloud: StrictCloud
) -> None:
    cloud.faults.add("denied", operation="DescribeVolumes", times=None)

    for event, severity in (({"policy": "weekly"}, "NOTE"), ({**DAILY, "policy": "other"}, "CRIT")):
        answer = stack.run(app.CHORE, event)
        assert answer["errors"][0]["expected"].startswith("a call that the function's role")
        (alert,) = stack.alerts()
        named = f"snapshot {answer['policy']} run: DescribeVolumes failed"
        assert alert["Subject"].startswith(f"ALARM: [{severity}] prod {named}")


def test_another_account_without_a_role_is_refused(stack: Stack, cloud: StrictCloud) -> None:
    answer = stack.run(app.CHORE, {**DAILY, "target": {"account": "210987654321"}})

    assert (answer["status"], answer["reason"]) == ("refused", "target_not_allowed")
    assert answer["errors"][0]["path"] == "target"
    assert not {"AssumeRole", "DescribeVolumes"} & set(cloud.calls.operations())


def test_without_the_table_snapshots_go_on_and_people_hear_of_it(
    stack: Stack, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    web = account.instance({}, {}, tags=BACKUP)
    boto3.client("dynamodb", REGION).delete_table(TableName=TABLE)

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == dict.fromkeys(web.volume_ids, "done")
    assert [len(good_in_slot(account, each)) for each in web.volume_ids] == [1, 1]
    assert kinds(stack.alerts()) == ["state_unavailable"]
    assert metrics(capsys.readouterr().out)["UnsentAlerts"] == 0


@pytest.mark.parametrize("kind", ["denied", "never_arrived", "throttled", "internal_error"])
def test_without_an_answering_table_snapshots_go_on(
    stack: Stack, account: Account, cloud: StrictCloud, kind: str
) -> None:
    volume = account.volume(tags=BACKUP)
    cloud.faults.add(kind, service="dynamodb", times=None)

    answer = stack.run(app.CHORE, DAILY)
    again = stack.run(app.CHORE, DAILY)

    assert results(answer) == {volume: "done"}
    assert again["counts"] == {"keep": {"unchanged": 1}}
    assert len(good_in_slot(account, volume)) == 1


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "denied"])
def test_without_the_topic_the_run_goes_on_and_a_metric_counts_the_alert(
    stack: Stack,
    account: Account,
    cloud: StrictCloud,
    capsys: pytest.CaptureFixture[str],
    *,
    missing: bool,
) -> None:
    volume = account.volume(tags=BACKUP)
    poisoned = account.volume(tags=BACKUP)
    cloud.faults.add("denied", operation="CreateSnapshot", match=poisoned, times=None)
    if missing:
        boto3.client("sns", REGION).delete_topic(TopicArn=TOPIC)
    else:
        cloud.faults.add("denied", operation="Publish", times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == {volume: "done", poisoned: "failed"}
    assert metrics(capsys.readouterr().out)["UnsentAlerts"] == 1
    assert any(item.get("status") == "to_send" for item in stack.items())


def test_a_refusal_that_nobody_hears_of_is_counted(
    stack: Stack, cloud: StrictCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.faults.add("denied", operation="Publish", times=None)

    assert stack.run(app.CHORE, {"polcy": "daily"})["status"] == "refused"

    assert metrics(capsys.readouterr().out)["UnsentAlerts"] == 1


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "denied"])
def test_without_the_bucket_the_report_is_null_and_people_hear_of_it(
    stack: Stack, account: Account, cloud: StrictCloud, *, missing: bool
) -> None:
    volume = account.volume(tags=BACKUP)
    if missing:
        boto3.client("s3", REGION).delete_bucket(Bucket=BUCKET)
    else:
        cloud.faults.add("denied", operation="PutObject", times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert answer["report"] is None
    assert results(answer) == {volume: "done"}
    assert len(kinds(stack.alerts())) == 1


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_file_runs(
    stack: Stack, account: Account, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    account.instance({}, {"env": "prod", "role": "db-1"}, tags=BACKUP)

    answer = stack.run(app.CHORE, json.loads(path.read_text(encoding="utf-8")))

    assert answer["status"] == "ok", answer["errors"]


def test_the_files_are_all_there() -> None:
    assert len(EVENTS) > 10
