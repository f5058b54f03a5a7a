"""EBS's limits, and too little time: what is left over is deferred and taken up again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.snapshot import app
from tests.support.snapshots import (
    BACKUP,
    DAILY,
    by_target,
    good_in_slot,
    in_slot,
    kinds,
    ours,
    results,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call
    from tests.support.stack import Stack

OF_ONE_VOLUME = ("SnapshotCreationPerVolumeRateExceeded", "ConcurrentSnapshotLimitExceeded")
OF_THE_ACCOUNT = (
    "PendingSnapshotLimitExceeded",
    "ResourceLimitExceeded",
    "SnapshotLimitExceeded",
)


def invocations(cloud: StrictCloud) -> list[dict[str, Any]]:
    return [json.loads(call.params["Payload"]) for call in cloud.calls.of("Invoke")]


@pytest.mark.parametrize("code", OF_ONE_VOLUME)
def test_a_limit_of_one_volume_defers_that_one_alone(
    stack: Stack, account: Account, cloud: StrictCloud, code: str
) -> None:
    full, fine = account.volume(tags=BACKUP), account.volume(tags=BACKUP)
    cloud.faults.add("error", operation="CreateSnapshot", match=full, code=code, times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == {full: "deferred", fine: "done"}
    assert by_target(answer)[full]["detail"]["deferred_by"] == code
    assert (answer["status"], answer["complete"]) == ("partial", False)


@pytest.mark.parametrize("code", OF_ONE_VOLUME)
def test_a_limit_of_one_member_defers_its_set(
    stack: Stack, account: Account, cloud: StrictCloud, code: str
) -> None:
    full, fine = (account.instance({}, {}, tags=BACKUP) for _ in range(2))
    cloud.faults.add("error", operation="CreateSnapshots", match=full.id, code=code, times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert {results(answer)[each] for each in full.volume_ids} == {"deferred"}
    assert {results(answer)[each] for each in fine.volume_ids} == {"done"}


@pytest.mark.parametrize("operation", ["CreateSnapshot", "CreateSnapshots"])
@pytest.mark.parametrize("code", OF_THE_ACCOUNT)
def test_a_limit_of_the_account_defers_the_rest_and_is_never_done(
    stack: Stack, account: Account, cloud: StrictCloud, code: str, operation: str
) -> None:
    for _ in range(40):
        if operation == "CreateSnapshots":
            account.instance({}, {}, tags=BACKUP)
        else:
            account.volume(tags=BACKUP)
    cloud.pages.size = None
    cloud.faults.add("error", operation=operation, code=code, times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert set(results(answer).values()) == {"deferred"}
    assert cloud.calls.count(operation) < 40, "no use in asking for each of the rest"
    assert kinds(stack.alerts()) == ["work_left_over"]


def test_a_cold_volume_with_a_pending_snapshot_is_deferred_by_aws_itself(
    stack: Stack, account: Account
) -> None:
    cold = account.volume(tags=BACKUP, volume_type="sc1", size=125)
    account.snapshot(cold, tags={"Name": "by hand"}, state="pending")

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == {cold: "deferred"}
    assert by_target(answer)[cold]["detail"]["deferred_by"] == "ConcurrentSnapshotLimitExceeded"


@pytest.mark.usefixtures("lambda_knows_the_function")
def test_what_a_limit_left_is_taken_up_by_the_next_round(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volumes = [account.volume(tags=BACKUP) for _ in range(4)]
    cloud.limits.pending = 2
    stack.run(app.CHORE, DAILY)
    cloud.clock.advance(300)

    (following,) = invocations(cloud)
    answer = stack.run(app.CHORE, following)

    assert answer["complete"]
    assert [len(good_in_slot(account, each)) for each in volumes] == [1] * 4


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_a_run_out_of_time_stops_and_invokes_itself_with_the_same_slot(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volumes = [account.volume(tags=BACKUP) for _ in range(6)]
    cloud.seconds_per_call = 10
    cloud.pages.size = None

    answer = stack.run(app.CHORE, DAILY, seconds=160)

    assert not answer["complete"]
    assert 0 < answer["progress"] < len(volumes)
    (following,) = invocations(cloud)
    assert following.pop("scheduled_time").startswith("2026-11-21T03:00:00")
    assert following == {"policy": "daily", "round": 1}
    assert cloud.calls.of("Invoke")[0].params["InvocationType"] == "Event"


@pytest.mark.usefixtures("lambda_knows_the_function", "one_at_a_time")
def test_a_run_that_fills_its_slot_by_itself_keeps_it_over_all_rounds(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volumes = [account.volume(tags=BACKUP) for _ in range(9)]
    cloud.seconds_per_call = 10
    cloud.pages.size = None
    event: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    while len(answers) < 11:
        cloud.calls.clear()
        name = f"round {len(answers)}"
        answers.append(stack.run(app.CHORE, event, seconds=170, request=name))
        if not (invoked := invocations(cloud)):
            break
        (event,) = invoked

    assert answers[-1]["complete"]
    assert {answer["slot"] for answer in answers} == {"2026-11-21T03:00Z"}
    assert [len(good_in_slot(account, each)) for each in volumes] == [1] * 9


@pytest.mark.usefixtures("one_at_a_time")
def test_no_change_starts_in_the_last_minute(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    for _ in range(6):
        account.volume(tags=BACKUP)
    cloud.seconds_per_call = 10
    cloud.pages.size = None
    started = cloud.clock.now()

    stack.run(app.CHORE, DAILY, seconds=160)

    # The log has the time at which a call arrives, ten seconds before it is answered.
    last = max(call.at for call in cloud.calls.of("CreateSnapshot"))
    assert (last - started).total_seconds() <= 100


@pytest.mark.usefixtures("lambda_knows_the_function")
def test_the_tenth_round_is_the_last(stack: Stack, account: Account, cloud: StrictCloud) -> None:
    for _ in range(6):
        account.volume(tags=BACKUP)
    cloud.limits.pending = 1

    stack.run(app.CHORE, {**DAILY, "round": 9})
    assert [each["round"] for each in invocations(cloud)] == [10]
    cloud.limits.pending = 2
    stack.run(app.CHORE, {**DAILY, "round": 10})

    assert len(invocations(cloud)) == 1
    assert kinds(stack.alerts()) == ["work_left_over"]


@pytest.mark.usefixtures("lambda_knows_the_function")
def test_a_run_without_progress_does_not_invoke_itself(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.volume(tags=BACKUP)
    cloud.limits.pending = 0

    stack.run(app.CHORE, DAILY)

    assert invocations(cloud) == []
    assert kinds(stack.alerts()) == ["work_left_over"]


def test_a_next_round_that_lambda_does_not_take_is_told(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    for _ in range(3):
        account.volume(tags=BACKUP)
    cloud.limits.pending = 1
    cloud.faults.add("denied", operation="Invoke")

    answer = stack.run(app.CHORE, DAILY)

    assert answer["progress"] == 1
    (alarm,) = stack.alerts()
    assert "AccessDenied" in str(alarm)


@pytest.mark.usefixtures("one_at_a_time")
def test_the_oldest_backups_go_first(stack: Stack, account: Account, cloud: StrictCloud) -> None:
    ages = {account.volume(tags=BACKUP): hours for hours in (5, 29, 2, 17)}
    for volume, hours in ages.items():
        account.snapshot(volume, tags=ours("2026-11-20T03:00Z"), age_hours=hours)
    never = account.volume(tags=BACKUP)

    stack.run(app.CHORE, DAILY)

    sent = [call.params["VolumeId"] for call in cloud.calls.of("CreateSnapshot")]
    assert sent == [never, *sorted(ages, key=lambda each: -ages[each])]


def test_throttling_slows_down_and_loses_nothing(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volumes = [account.volume(tags=BACKUP) for _ in range(8)]
    throttled = cloud.faults.add("throttled", operation="CreateSnapshot", times=5)

    answer = stack.run(app.CHORE, DAILY)

    assert throttled.fired == 5
    assert results(answer) == dict.fromkeys(volumes, "done")
    assert [len(in_slot(account, each)) for each in volumes] == [1] * 8


def test_an_outcome_that_stays_unknown_is_deferred_and_never_done(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    lost, fine = account.volume(tags=BACKUP), account.volume(tags=BACKUP)
    cloud.faults.add("never_arrived", operation="CreateSnapshot", match=lost, times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == {lost: "deferred", fine: "done"}
    assert by_target(answer)[lost]["detail"]["deferred_by"] == "outcome_unknown"


def test_an_answer_that_nobody_can_read_fails_its_volume_alone(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    odd, *others = (account.volume(tags=BACKUP) for _ in range(4))
    serve = cloud.serve

    def without_its_content(call: Call, perform: Callable[[], Answer]) -> Answer:
        answer = serve(call, perform)
        unreadable = call.operation == "CreateSnapshot" and call.mentions(odd)
        return (200, {}, "<CreateSnapshotResponse/>") if unreadable else answer

    cloud.serve = without_its_content  # type: ignore[method-assign]

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == {odd: results(answer)[odd], **dict.fromkeys(others, "done")}
    assert results(answer)[odd] in {"failed", "deferred"}
    cloud.serve = serve  # type: ignore[method-assign]
    stack.run(app.CHORE, DAILY)
    assert len(in_slot(account, odd)) == 1
