"""What the table holds: leases, the slot of a request, incidents; and work in other places."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from caretaker.aws import lease as leases
from caretaker.aws.session import home
from caretaker.aws.state import LEASE_SECONDS, State, Table
from caretaker.errors import BusyError
from functions.alerts import app as alerts
from functions.snapshot import app
from functions.snapshot.plan import plan_snapshots
from tests.cloud import REGION, Account
from tests.support.crashes import at_call
from tests.support.snapshots import BACKUP, DAILY, good_in_slot, kinds, ours, results
from tests.support.stack import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

KEY = "snapshot/daily/123456789012/eu-west-1"
SLOT = "2026-11-21T03:00Z"
ANOTHER_SLOT = "2026-11-20T03:00Z"
LOOK = {"policy": "daily", "mode": "report"}


@pytest.fixture
def state(stack: Stack, clock: ManualClock) -> State:
    return State(Table(home(REGION).dynamodb, TABLE, clock))


def test_a_second_run_of_the_same_slot_is_skipped(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volume = account.volume(tags=BACKUP)
    seconds: list[dict[str, Any]] = []
    at_call(
        cloud,
        "CreateSnapshot",
        lambda: seconds.append(stack.run(app.CHORE, DAILY, request="another")),
    )

    first = stack.run(app.CHORE, DAILY, request="first")

    (second,) = seconds
    assert (second["status"], second["reason"]) == ("skipped", "slot_in_progress")
    assert results(first) == {volume: "done"}
    assert len(good_in_slot(account, volume)) == 1


def test_a_run_of_another_slot_raises_so_that_lambda_tries_again(
    stack: Stack, account: Account, state: State, clock: ManualClock
) -> None:
    account.volume(tags=BACKUP)
    state.acquire(KEY, "another run", ANOTHER_SLOT, clock.now())

    with pytest.raises(BusyError, match="2026-11-20T03:00Z"):
        stack.run(app.CHORE, DAILY)

    assert account.own_snapshots() == []


def test_the_lease_of_a_dead_run_is_taken_over_when_it_ends(
    stack: Stack, account: Account, state: State, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    state.acquire(KEY, "a dead run", ANOTHER_SLOT, clock.now())
    clock.advance(LEASE_SECONDS + 1)

    assert results(stack.run(app.CHORE, DAILY)) == {volume: "done"}


def test_a_lease_whose_answer_got_lost_is_known_as_ones_own(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    volume = account.volume(tags=BACKUP)
    lost = cloud.faults.add("answer_lost", operation="PutItem")

    answer = stack.run(app.CHORE, DAILY)

    assert lost.fired == 1
    assert results(answer) == {volume: "done"}


def test_a_lease_is_given_back_at_the_end_also_of_a_run_that_raises(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    cloud.faults.add("unavailable", operation="DescribeVolumes", times=None)
    with pytest.raises(Exception, match="DescribeVolumes"):
        stack.run(app.CHORE, DAILY)
    cloud.faults.clear()

    assert stack.run(app.CHORE, DAILY)["status"] == "ok"
    assert not [item for item in stack.items() if item["pk"].startswith("lease#")]


def test_leases_of_policies_and_regions_are_apart(
    stack: Stack, account: Account, state: State, clock: ManualClock
) -> None:
    volume = account.volume(tags={"caretaker:backup": "weekly"})
    state.acquire(KEY, "another run", ANOTHER_SLOT, clock.now())

    assert results(stack.run(app.CHORE, {**DAILY, "policy": "weekly"})) == {volume: "done"}


def test_a_lease_is_renewed_by_its_holder_and_kept_from_others(
    state: State, clock: ManualClock
) -> None:
    state.acquire(KEY, "me", SLOT, clock.now())
    for _ in range(10):
        clock.advance(LEASE_SECONDS - 1)
        state.acquire(KEY, "me", SLOT, clock.now())

    with pytest.raises(BusyError):
        state.acquire(KEY, "you", SLOT, clock.now())


def test_a_lease_is_not_given_back_for_another(state: State, clock: ManualClock) -> None:
    state.acquire(KEY, "me", SLOT, clock.now())

    state.release(KEY, "you")

    with pytest.raises(BusyError):
        state.acquire(KEY, "you", SLOT, clock.now())


def test_a_run_that_lost_its_lease_starts_no_new_change(
    stack: Stack,
    account: Account,
    cloud: StrictCloud,
    state: State,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        account.volume(tags=BACKUP)
    monkeypatch.setattr(leases, "RENEW_EVERY_SECONDS", 0.01)
    renewing, lost, renewed = threading.Lock(), threading.Event(), threading.Event()
    renews = leases.Lease.renew

    def renew(lease: leases.Lease, acquire: Callable[[], None]) -> None:
        with renewing:
            renews(lease, acquire)
            if lost.is_set():
                renewed.set()

    monkeypatch.setattr(leases.Lease, "renew", renew)

    def taken_over() -> None:
        with renewing:
            clock.advance(LEASE_SECONDS + 1)
            state.acquire(KEY, "another run", SLOT, clock.now())
            lost.set()
        assert renewed.wait(10)

    # In the thread of the run itself, so that nothing else of it goes on meanwhile.
    planned = _after(taken_over, plan_snapshots)
    monkeypatch.setattr("functions.snapshot.app.plan_snapshots", planned)

    answer = stack.run(app.CHORE, DAILY)

    assert answer["counts"] == {"create": {"deferred": 3}}
    assert {item["detail"]["deferred_by"] for item in answer["outcomes"]} == {"lease_lost"}
    assert account.own_snapshots() == []


def test_a_renewal_that_comes_late_takes_no_lease_for_nobody(
    state: State, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is under way while the run ends: the lease is given back only after it."""
    monkeypatch.setattr(leases, "RENEW_EVERY_SECONDS", 0.01)
    renewing, ending, renewed = threading.Event(), threading.Event(), threading.Event()
    acquire = state.acquire

    def acquired(*args: Any) -> None:
        renewing.set()
        ending.wait(0.2)
        acquire(*args)
        renewed.set()

    state.acquire(KEY, "me", SLOT, clock.now())
    monkeypatch.setattr(state, "acquire", acquired)
    with leases.renewed_lease(state, clock, KEY, "me", SLOT):
        assert renewing.wait(10)
    ending.set()
    assert renewed.wait(10)
    acquire(KEY, "you", SLOT, clock.now())


def _after(act: Callable[[], None], then: Callable[..., Any]) -> Callable[..., Any]:
    def both(*args: Any, **named: Any) -> Any:
        act()
        return then(*args, **named)

    return both


def test_lambdas_retry_keeps_the_slot_of_its_first_attempt(
    stack: Stack, account: Account, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    stack.run(app.CHORE, {}, request="the same")
    clock.advance(3700)

    again = stack.run(app.CHORE, {}, request="the same")

    assert again["slot"] == SLOT
    assert again["counts"] == {"keep": {"unchanged": 1}}
    assert len(account.own_snapshots(volume)) == 1


def test_another_request_has_a_slot_of_its_own(
    stack: Stack, account: Account, clock: ManualClock
) -> None:
    volume = account.volume(tags=BACKUP)
    stack.run(app.CHORE, {}, request="one")
    clock.advance(3700)

    assert stack.run(app.CHORE, {}, request="two")["slot"] == "2026-11-21T04:01Z"
    assert len(account.own_snapshots(volume)) == 2


def test_of_two_runs_that_see_the_same_change_one_tells_it(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.volume()
    seconds: list[dict[str, Any]] = []
    # In report mode the first PutItem is the one that writes the incidents, after they were read.
    at_call(cloud, "PutItem", lambda: seconds.append(stack.run(app.CHORE, LOOK, request="2nd")))

    stack.run(app.CHORE, LOOK, request="1st")

    assert len(seconds) == 1
    assert kinds(stack.alerts()) == ["nothing_selected"]


def test_a_message_that_another_run_is_just_sending_is_not_sent_twice(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.volume()
    at_call(cloud, "Publish", lambda: stack.run(app.CHORE, LOOK, request="2nd"))

    stack.run(app.CHORE, LOOK, request="1st")

    assert kinds(stack.alerts()) == ["nothing_selected"]


def test_a_message_that_its_run_could_not_send_is_sent_by_the_alerts_chore(
    stack: Stack, account: Account, cloud: StrictCloud, clock: ManualClock
) -> None:
    account.volume()
    cloud.faults.add("denied", operation="Publish")
    stack.run(app.CHORE, LOOK, request="1st")
    assert stack.alerts() == []
    clock.advance(3600)
    stack.run(app.CHORE, LOOK, request="2nd")
    assert stack.alerts() == [], "it is the alerts chore that sends it"

    for name in ("3rd", "4th"):
        stack.run(alerts.CHORE, {}, request=name)

    assert kinds(stack.alerts()) == ["nothing_selected"]


def test_an_incident_write_whose_answer_got_lost_is_told_once(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.volume()
    for nth in (1, 3):
        cloud.faults.add("answer_lost", service="dynamodb", operation="PutItem", nth=nth)
    cloud.faults.add("answer_lost", service="dynamodb", operation="BatchWriteItem")

    stack.run(app.CHORE, LOOK)
    stack.run(app.CHORE, LOOK)

    assert kinds(stack.alerts()) == ["nothing_selected"]


def test_everything_that_is_remembered_for_a_time_only_expires(
    stack: Stack, account: Account, clock: ManualClock
) -> None:
    account.snapshot(account.volume(tags=BACKUP), tags=ours(), state="error")
    stack.run(app.CHORE, {"policy": "daily"})

    soon = int((clock.now() + timedelta(days=1)).timestamp())
    for item in stack.items():
        lasting = item["pk"].startswith(("incidents#", "policy#", "scopes"))
        assert lasting or int(item["expires_at"]) > soon, item


def test_what_is_another_installations_in_the_table_is_left_alone(
    stack: Stack, account: Account
) -> None:
    account.volume()
    stack.run(app.CHORE, LOOK)

    assert all("caretaker/" in i["pk"] for i in stack.items() if i["pk"].startswith("incidents#"))


def test_the_table_of_the_stack_is_named_in_every_call(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.volume(tags=BACKUP)
    stack.run(app.CHORE, DAILY)

    tables = {
        call.params.get("TableName") or next(iter(call.params["RequestItems"]))
        for call in cloud.calls
        if call.service == "dynamodb"
    }
    assert tables == {TABLE}
    assert boto3.client("dynamodb", REGION).list_tables()["TableNames"] == [TABLE]
