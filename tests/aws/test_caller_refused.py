"""Runs with a caller in which something goes wrong: the caller hears of it, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.aws.session import home
from caretaker.aws.state import State, Table
from caretaker.errors import BusyError, CallError
from functions.alerts import app as alerts
from functions.restore import app as restore
from functions.retention import app as retention
from functions.snapshot import app as snapshot
from functions.tagging import app as tagging
from tests.cloud import ACCOUNT, REGION
from tests.support.fleets import CALLER
from tests.support.snapshots import BACKUP, DAILY, kinds, ours
from tests.support.stack import SLOT, TABLE
from tests.support.tags_world import only

if TYPE_CHECKING:
    from caretaker.run import Chore
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

EVENTS: Final[dict[str, dict[str, Any]]] = {
    "snapshot": DAILY,
    "retention": {"keep": {"last": 1}, "scheduled_time": SLOT},
    "tagging": {"rules": {"Owner": only("volume")}, "scheduled_time": SLOT},
}
MEMBER: Final = "111111111111"


@pytest.mark.parametrize("slot", [SLOT, "2026-11-20T03:00:00Z"])
def test_a_lease_that_is_held_is_an_error_that_the_caller_tries_again(
    stack: Stack, clock: ManualClock, slot: str
) -> None:
    """What the run at work comes to is the cell's; an answer `skipped` would be none."""
    key = f"snapshot/daily/{ACCOUNT}/{REGION}"
    hold(stack, clock, key, slot)

    with pytest.raises(BusyError):
        stack.run(snapshot.CHORE, {**DAILY, **CALLER})
    clock.advance(61)
    assert stack.run(snapshot.CHORE, {**DAILY, **CALLER})["status"] == "ok"


def hold(stack: Stack, clock: ManualClock, key: str, slot: str) -> None:
    """Let another run hold a lease."""
    state = State(Table(home(REGION).dynamodb, TABLE, clock))
    state.acquire(key, "another", slot[:16] + "Z", clock.now())
    assert stack.items()


@pytest.mark.parametrize(
    ("chore", "operation"),
    [
        (snapshot.CHORE, "DescribeVolumes"),
        (retention.CHORE, "DescribeSnapshots"),
    ],
    ids=["snapshot", "retention"],
)
def test_a_place_that_denies_a_listing_lets_nobody_in(
    cloud: StrictCloud, stack: Stack, chore: Chore[Any], operation: str
) -> None:
    cloud.faults.add("denied", operation=operation, times=None)
    answer = stack.run(chore, {**EVENTS[chore.name], **CALLER})

    assert (answer["status"], answer["reason"]) == ("unreachable", "listing_failed")
    assert (answer["complete"], answer["progress"], "next" in answer) == (False, 0, False)
    (error,) = answer["errors"]
    assert error["path"] == operation
    assert stack.alerts() == []
    assert not [i for i in stack.items() if str(i["pk"]).startswith(("incidents#", "handed#"))]


@pytest.mark.parametrize(
    "chore", [snapshot.CHORE, retention.CHORE, tagging.CHORE], ids=lambda chore: chore.name
)
def test_an_account_whose_role_is_not_there_lets_nobody_in(
    cloud: StrictCloud, stack: Stack, monkeypatch: pytest.MonkeyPatch, chore: Chore[Any]
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-member")
    cloud.access.role("222222222222", "caretaker-member", trusts=ACCOUNT)
    event = {**EVENTS[chore.name], **CALLER, "target": {"account": MEMBER}}
    answer = stack.run(chore, event)

    assert (answer["status"], answer["account"]) == ("unreachable", MEMBER)
    assert f"role arn:aws:iam::{MEMBER}:role/caretaker-member" in answer["errors"][0]["problem"]


def test_a_listing_that_may_pass_is_left_to_the_caller_s_retry(
    cloud: StrictCloud, stack: Stack
) -> None:
    cloud.faults.add("unavailable", operation="DescribeVolumes", times=None)

    with pytest.raises(CallError):
        stack.run(snapshot.CHORE, {**DAILY, **CALLER})


@pytest.mark.parametrize(
    "wrong", [{"polcy": "daily"}, {"pace": 7}, {"mode": "destroy"}, {"policy": "A B"}]
)
def test_a_wrong_event_is_refused_to_the_caller_alone(stack: Stack, wrong: dict[str, Any]) -> None:
    answer = stack.run(snapshot.CHORE, {**DAILY, **CALLER, **wrong})

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert answer["errors"][0]["path"] == next(iter(wrong))
    assert "outcomes" not in answer
    assert (stack.alerts(), stack.items()) == ([], [])


def test_a_mode_that_the_stack_does_not_allow_is_refused_to_the_caller_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    answer = stack.run(snapshot.CHORE, {**DAILY, **CALLER, "mode": "act"})

    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")
    assert stack.alerts() == []


def test_another_account_without_a_role_of_the_stack_is_refused(stack: Stack) -> None:
    answer = stack.run(snapshot.CHORE, {**DAILY, **CALLER, "target": {"account": MEMBER}})

    assert (answer["status"], answer["reason"]) == ("refused", "target_not_allowed")
    assert stack.alerts() == []


@pytest.mark.parametrize("chore", [restore.CHORE, alerts.CHORE], ids=["restore", "alerts"])
def test_a_chore_without_rights_elsewhere_takes_no_caller_and_says_so_aloud(
    stack: Stack, chore: Chore[Any]
) -> None:
    assert chore.rights is None
    answer = stack.run(chore, {**CALLER})

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert "outcomes" in answer, "its usual answer"
    assert kinds(stack.alerts()) == ["event_refused"]


def test_a_caller_that_does_not_say_who_it_is_is_told_aloud(stack: Stack) -> None:
    answer = stack.run(
        snapshot.CHORE, {**DAILY, "caller": {**CALLER["caller"], "run": "not a name"}}
    )

    assert (answer["status"], answer["errors"][0]["path"]) == ("refused", "caller.run")
    assert kinds(stack.alerts()) == ["event_refused"]


def test_without_the_state_table_incidents_are_counted_as_untold(
    cloud: StrictCloud, stack: Stack, account: Account
) -> None:
    lone = account.volume(tags=BACKUP)
    account.snapshot(lone, tags=ours("2026-11-19T20:00Z"), state="pending", age_hours=31)
    cloud.faults.add("denied", service="dynamodb", times=None)
    answer = stack.run(snapshot.CHORE, {**DAILY, **CALLER})

    assert answer["counts"]["create"] == {"done": 1}, "it only adds"
    assert answer["untold"] == answer["open"] >= 1
    assert (answer["opened"], answer["resolved"]) == (0, 0)
    assert stack.alerts() == []


def test_a_table_that_is_denied_to_the_chore_is_no_account_that_lets_nobody_in(
    cloud: StrictCloud, stack: Stack
) -> None:
    cloud.faults.add("denied", service="dynamodb", times=None)
    answer = stack.run(retention.CHORE, {**EVENTS["retention"], **CALLER})

    assert (answer["status"], answer["complete"]) == ("failed", False)
    assert cloud.calls.of("DeleteSnapshot", "CreateTags") == []


def test_without_the_state_table_nothing_is_deleted_and_the_caller_asks_again(
    cloud: StrictCloud, stack: Stack
) -> None:
    cloud.faults.add("unavailable", service="dynamodb", times=None)

    with pytest.raises(CallError):
        stack.run(retention.CHORE, {"keep": {"last": 1}, "scheduled_time": SLOT, **CALLER})
    assert cloud.calls.of("DeleteSnapshot", "CreateTags") == []
