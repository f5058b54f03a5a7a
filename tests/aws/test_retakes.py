"""Snapshots that end in error: deleted, waited for, taken again, and given up in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.snapshot import app
from tests.support.crashes import KilledError, at_call, killed_at
from tests.support.snapshots import (
    BACKUP,
    DAILY,
    by_target,
    failed_event,
    good_in_slot,
    in_slot,
    kinds,
    ours,
    results,
    set_failed_event,
    the_account,
)

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

LONG: float = 300


def only_attempt(account: Account, volume_id: str) -> str:
    (taken,) = in_slot(account, volume_id)
    return account.tags_of(taken.id)["caretaker:attempt"]


def test_a_failed_snapshot_is_deleted_and_taken_again_with_the_same_tags(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    volume = account.volume(tags={**BACKUP, "Name": "data"})
    cloud.fail_snapshots_of(volume)
    stack.run(app.CHORE, DAILY)
    (failed,) = in_slot(account, volume)
    tags = account.tags_of(failed.id)
    clock.advance(LONG)

    answer = stack.run(app.CHORE, DAILY)

    (taken,) = in_slot(account, volume)
    assert taken.id != failed.id
    assert account.tags_of(taken.id) == {
        **tags,
        "caretaker:attempt": "2",
        "caretaker:run": answer["run"],
    }
    assert by_target(answer)[volume]["reason"] == "retake"


def test_at_least_fifteen_seconds_lie_between_the_delete_and_the_retake(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volume = account.volume(tags=BACKUP)
    account.snapshot(volume, tags=ours(), state="error")

    stack.run(app.CHORE, DAILY)

    (deleted,) = cloud.calls.of("DeleteSnapshot")
    (created,) = cloud.calls.of("CreateSnapshot")
    assert created.at - deleted.at >= timedelta(seconds=15)


def test_a_slot_is_retaken_twice_and_then_given_up(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    cloud.fail_snapshots_of(volume, times=None)
    attempts = []
    for _ in range(3):
        stack.run(app.CHORE, DAILY)
        attempts.append(only_attempt(account, volume))
        clock.advance(LONG)

    answers = [stack.run(app.CHORE, DAILY) for _ in range(2)]

    assert attempts == ["1", "2", "3"]
    assert in_slot(account, volume) == []
    assert cloud.calls.count("CreateSnapshot") == 3
    for answer in answers:
        assert by_target(answer)[volume]["reason"] == "attempts_exhausted"
        assert results(answer) == {volume: "failed"}
    assert kinds(stack.alerts()) == ["backup_failed"]


def test_the_reason_of_the_failure_reaches_people(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    tags = ours(attempt=3)
    account.snapshot(volume, tags=tags, state="error", message="Given key ID is not accessible.")

    answer = stack.run(app.CHORE, DAILY)

    assert "key ID" in by_target(answer)[volume]["error"]["message"]
    assert "key ID" in str(stack.alerts())


def test_a_failed_set_is_taken_again_as_a_set(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    web = account.instance({}, {}, tags=BACKUP)
    cloud.fail_snapshots_of(web.volume_ids[1])
    stack.run(app.CHORE, DAILY)
    clock.advance(LONG)

    stack.run(app.CHORE, DAILY)

    assert cloud.calls.count("CreateSnapshots") == 2
    assert cloud.calls.count("CreateSnapshot") == 0
    assert [only_attempt(account, each) for each in web.volume_ids] == ["2", "2"]


def test_after_three_failed_slots_nothing_is_retaken_and_the_alert_is_critical(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    cloud.fail_snapshots_of(volume, times=None)
    told = []
    answer: dict[str, Any] = {}
    for day in (21, 22, 23, 24):
        event = {**DAILY, "scheduled_time": f"2026-11-{day}T03:00:00Z"}
        before = cloud.calls.count("CreateSnapshot")
        for _ in range(4):
            answer = stack.run(app.CHORE, event)
            clock.advance(LONG)
        told += [(day, each["severity"]) for each in stack.alerts()]
        made = cloud.calls.count("CreateSnapshot") - before
        clock.advance(86_400 - 4 * LONG)
        assert made == (3 if day < 24 else 1)

    assert by_target(answer)[volume]["reason"] == "slots_failing"
    assert (21, "warning") in told
    assert (23, "critical") in told
    assert [day for day, _ in told if day == 24] == []


def test_one_good_slot_ends_the_row_and_the_incident(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    account.snapshot(volume, tags=ours(attempt=3), state="error", message="no key")
    stack.run(app.CHORE, DAILY)
    assert kinds(stack.alerts()) == ["backup_failed"]
    clock.advance(86_400)
    event = {**DAILY, "scheduled_time": "2026-11-22T03:00:00Z"}

    stack.run(app.CHORE, event)
    assert kinds(stack.alerts(), "OK") == []
    clock.advance(LONG)
    stack.run(app.CHORE, event)

    assert "backup_failed" in kinds(stack.alerts(), "OK")


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_the_event_of_one_failed_snapshot_takes_it_again_at_once(
    stack: Stack, account: Account, *, twice: bool
) -> None:
    volume = account.volume(tags=BACKUP)
    bystander = account.volume(tags=BACKUP)
    failed = account.snapshot(volume, tags=ours(), state="error")

    stack.run(app.CHORE, failed_event(failed))
    if twice:
        stack.run(app.CHORE, failed_event(failed))

    assert only_attempt(account, volume) == "2"
    assert in_slot(account, bystander) == []


def test_the_event_of_a_failed_set_takes_the_set_again(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, {}, tags=BACKUP)
    failed = [account.snapshot(each, tags=ours(), state="error") for each in web.volume_ids]

    answer = stack.run(app.CHORE, set_failed_event(failed))

    assert answer["slot"] == "2026-11-21T03:00Z"
    assert cloud.calls.count("CreateSnapshots") == 1
    assert [only_attempt(account, each) for each in web.volume_ids] == ["2", "2"]


def test_the_event_and_the_schedule_together_retake_once(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volume = account.volume(tags=BACKUP)
    failed = account.snapshot(volume, tags=ours(), state="error")

    stack.run(app.CHORE, failed_event(failed))
    stack.run(app.CHORE, DAILY)
    stack.run(app.CHORE, failed_event(failed))

    assert len(good_in_slot(account, volume)) == 1
    assert cloud.calls.count("CreateSnapshot") == 1


@pytest.mark.parametrize("operation", ["DescribeVolumes", "DeleteSnapshot", "CreateSnapshot"])
def test_the_event_and_the_schedule_at_the_same_time_retake_once(
    stack: Stack, account: Account, cloud: StrictCloud, operation: str
) -> None:
    volume = account.volume(tags=BACKUP)
    failed = account.snapshot(volume, tags=ours(), state="error")
    at_call(cloud, operation, lambda: stack.run(app.CHORE, failed_event(failed), request="event"))

    stack.run(app.CHORE, DAILY, request="schedule")

    assert only_attempt(account, volume) == "2"
    assert cloud.calls.count("CreateSnapshot") == 1


@pytest.mark.parametrize("operation", ["DeleteSnapshot", "CreateSnapshots"])
def test_the_event_of_a_set_is_carried_on_after_a_kill(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock, operation: str
) -> None:
    web = account.instance({}, {}, tags=BACKUP)
    failed = [account.snapshot(each, tags=ours(), state="error") for each in web.volume_ids]
    event = set_failed_event(failed)
    with (
        pytest.raises(KilledError),
        killed_at(cloud, operation, 1, effective=operation == "DeleteSnapshot"),
    ):
        stack.run(app.CHORE, event, request="the event")
    clock.advance(61)

    stack.run(app.CHORE, event, request="the event")

    assert cloud.calls.count("CreateSnapshots") == 1
    assert [only_attempt(account, each) for each in web.volume_ids] == ["2", "2"]


def test_an_event_about_a_snapshot_that_completed_meanwhile_changes_nothing(
    stack: Stack, account: Account
) -> None:
    done = account.snapshot(account.volume(tags=BACKUP), tags=ours())
    before = the_account(account)

    answer = stack.run(app.CHORE, failed_event(done))

    assert (answer["status"], answer["reason"]) == ("ok", "nothing_of_ours")
    assert the_account(account) == before


@pytest.mark.parametrize(
    "tags", [{}, {"caretaker:policy": "daily"}, {**ours(), "caretaker:managed-by": "another"}]
)
def test_events_about_the_snapshots_of_others_do_nothing(
    stack: Stack, account: Account, tags: dict[str, str]
) -> None:
    foreign = account.snapshot(account.volume(tags=BACKUP), tags=tags, state="error")
    before = the_account(account)

    one = stack.run(app.CHORE, failed_event(foreign))
    both = stack.run(app.CHORE, set_failed_event([foreign, "snap-0123456789abcdef0"]))

    assert one["reason"] == both["reason"] == "nothing_of_ours"
    assert the_account(account) == before
    assert stack.alerts() == []


def test_a_success_event_does_nothing(stack: Stack, account: Account) -> None:
    event = failed_event("snap-0123456789abcdef0")
    event["detail"]["result"] = "succeeded"

    assert stack.run(app.CHORE, event)["reason"] == "nothing_of_ours"


def test_a_failed_snapshot_of_an_earlier_slot_is_cleared_and_counted(
    stack: Stack, account: Account
) -> None:
    volume = account.volume(tags=BACKUP)
    old = account.snapshot(volume, tags=ours("2026-11-20T03:00Z"), state="error", age_hours=24)

    answer = stack.run(app.CHORE, DAILY)

    assert old not in the_account(account)
    assert only_attempt(account, volume) == "1"
    assert results(answer) == {volume: "done"}
    assert any("2026-11-20T03:00Z#1" in item["sk"] for item in stack.items())
