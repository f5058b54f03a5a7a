"""How old the newest good backup is: told once when it gets too old, once when it is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.snapshot import app
from tests.support.snapshots import BACKUP, DAILY, SLOT_TAG, kinds, metrics, ours, the_account

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

HOUR = 3600
LOOK = {"policy": "daily", "mode": "report"}
OLD = "2026-11-20T03:00Z"


@pytest.fixture
def volume(stack: Stack, account: Account, clock: ManualClock) -> str:
    """A volume whose only backup is 30 hours old, of a policy that is known for longer."""
    made = account.volume(tags={**BACKUP, "Name": "database"})
    account.snapshot(made, tags=ours(OLD), age_hours=0)
    stack.run(app.CHORE, LOOK)
    clock.advance(30 * HOUR)
    stack.alerts()
    return made


def look(stack: Stack) -> list[dict[str, Any]]:
    stack.run(app.CHORE, LOOK)
    return stack.alerts()


def test_a_backup_of_just_the_allowed_age_is_fresh(stack: Stack, volume: str) -> None:
    assert look(stack) == []


def test_a_stale_backup_is_told_once(stack: Stack, volume: str, clock: ManualClock) -> None:
    clock.advance(60)
    (alarm,) = look(stack)
    clock.advance(HOUR)

    assert look(stack) == []
    assert alarm["state"] == "ALARM"
    assert alarm["severity"] == "critical"
    (incident,) = alarm["incidents"]
    assert (incident["kind"], incident["resource"]) == ("backup_stale", volume)
    assert alarm["Subject"].startswith("ALARM: [CRIT] prod database vol-")


def test_a_stale_backup_is_over_once_a_new_one_completes(
    stack: Stack, volume: str, clock: ManualClock, cloud: StrictCloud
) -> None:
    clock.advance(60)
    look(stack)

    stack.run(app.CHORE, {"policy": "daily"})
    assert stack.alerts() == [], "a pending snapshot is no backup yet"
    clock.advance(HOUR)

    (over,) = look(stack)
    assert over["state"] == "OK"
    assert kinds([over], "OK") == ["backup_stale"]
    assert look(stack) == []


def test_failed_and_pending_snapshots_are_no_backups(
    stack: Stack, volume: str, account: Account, clock: ManualClock
) -> None:
    account.snapshot(volume, tags=ours("2026-11-21T04:00Z"), state="error")
    account.snapshot(volume, tags=ours("2026-11-21T05:00Z"), state="pending", age_hours=1)
    clock.advance(60)

    assert "backup_stale" in kinds(look(stack))


def test_max_age_hours_is_the_events(stack: Stack, volume: str) -> None:
    stack.run(app.CHORE, {**LOOK, "max_age_hours": 29})

    assert kinds(stack.alerts()) == ["backup_stale"]


def test_several_stale_volumes_are_one_message(
    stack: Stack, account: Account, volume: str, clock: ManualClock
) -> None:
    for _ in range(5):
        account.snapshot(account.volume(tags=BACKUP), tags=ours(OLD), age_hours=31)
    clock.advance(60)

    (alarm,) = look(stack)

    assert len(alarm["incidents"]) == 6
    assert "6 x backup_stale" in alarm["Subject"]


def test_a_volume_that_was_deleted_or_opted_out_is_no_longer_stale(
    stack: Stack, account: Account, volume: str, clock: ManualClock
) -> None:
    clock.advance(60)
    look(stack)
    account.volume(tags=BACKUP)

    account.remove_volume(volume)

    assert kinds(look(stack), "OK") == ["backup_stale"]


def test_a_snapshot_pending_for_more_than_a_day_is_told_once(
    stack: Stack, account: Account, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    account.snapshot(volume, tags=ours(OLD), age_hours=2)
    stuck = account.snapshot(volume, tags=ours(SLOT_TAG), state="pending")
    clock.advance(24 * HOUR)
    assert look(stack) == []
    clock.advance(60)

    (alarm,) = look(stack)

    assert kinds([alarm]) == ["snapshot_stuck"]
    assert stuck in str(alarm)
    assert look(stack) == []
    account.backend.snapshots[stuck].status = "completed"
    assert kinds(look(stack), "OK") == ["snapshot_stuck"]


def test_looking_changes_nothing_and_needs_no_lease(
    stack: Stack, account: Account, volume: str, cloud: StrictCloud
) -> None:
    before = the_account(account)
    cloud.calls.clear()

    look(stack)

    assert the_account(account) == before
    assert not {"CreateSnapshot", "CreateSnapshots"} & set(cloud.calls.operations())
    assert not [item for item in stack.items() if item["pk"].startswith("lease#")]


def test_a_new_policy_is_not_stale_on_its_first_day(
    stack: Stack, account: Account, clock: ManualClock
) -> None:
    account.volume(tags=BACKUP)

    assert look(stack) == []
    clock.advance(29 * HOUR)
    assert look(stack) == []
    clock.advance(2 * HOUR)
    assert kinds(look(stack)) == ["backup_stale"]


def test_the_metric_is_the_age_of_the_worst_volume(
    stack: Stack, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    for hours in (3, 26.5, 1):
        account.snapshot(account.volume(tags=BACKUP), tags=ours(OLD), age_hours=hours)
    account.snapshot(account.volume(), tags=ours(OLD), age_hours=400)

    stack.run(app.CHORE, LOOK)

    assert metrics(capsys.readouterr().out)["NewestBackupAgeHours"] == 26.5


def test_only_the_run_that_takes_snapshots_beats_the_heart(
    stack: Stack, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.volume(tags=BACKUP)

    stack.run(app.CHORE, LOOK)
    assert "Heartbeat" not in metrics(capsys.readouterr().out)

    stack.run(app.CHORE, DAILY)
    assert metrics(capsys.readouterr().out)["Heartbeat"] == 1


def test_a_policy_that_selects_nothing_is_told(stack: Stack, account: Account) -> None:
    account.volume()

    assert kinds(look(stack)) == ["nothing_selected"]
    account.volume(tags=BACKUP)
    assert kinds(look(stack), "OK") == ["nothing_selected"]
