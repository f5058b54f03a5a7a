"""A listing that fails or stops half-way: nothing may be decided from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from caretaker.errors import ListingError
from functions.snapshot import app
from tests.support.snapshots import BACKUP, DAILY, failed_event, kinds, ours, the_account

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack

PAGES: Final = [
    (operation, nth)
    for operation in ("DescribeVolumes", "DescribeInstances", "DescribeSnapshots")
    for nth in (1, 2, 3)
]
CHANGING: Final = {"CreateSnapshot", "CreateSnapshots", "DeleteSnapshot"}


@pytest.fixture
def fleet(stack: Stack, account: Account, cloud: StrictCloud) -> Account:
    """Three pages of everything, two items a page."""
    instances = [account.instance({}, tags=BACKUP) for _ in range(5)]
    for instance in instances:
        account.snapshot(instance.volume_ids[0], tags=ours("2026-11-20T03:00Z"), age_hours=24)
    cloud.calls.clear()
    return account


@pytest.mark.parametrize("kind", ["answer_lost", "never_arrived", "internal_error", "unavailable"])
@pytest.mark.parametrize(("operation", "nth"), PAGES)
def test_a_page_that_does_not_come_raises_before_any_change(
    stack: Stack, fleet: Account, cloud: StrictCloud, operation: str, nth: int, kind: str
) -> None:
    before = the_account(fleet)
    lost = cloud.faults.add(kind, operation=operation, nth=nth, times=None)

    with pytest.raises(ListingError):
        stack.run(app.CHORE, DAILY)

    assert lost.fired
    assert the_account(fleet) == before
    assert not CHANGING & set(cloud.calls.operations())
    cloud.faults.clear()
    assert stack.run(app.CHORE, DAILY)["counts"] == {"create": {"done": 5}}


@pytest.mark.parametrize(("operation", "nth"), PAGES)
def test_a_page_that_is_denied_fails_the_run_and_is_told(
    stack: Stack, fleet: Account, cloud: StrictCloud, operation: str, nth: int
) -> None:
    before = the_account(fleet)
    cloud.faults.add("denied", operation=operation, nth=nth, times=None)

    answer = stack.run(app.CHORE, DAILY)

    assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
    assert kinds(stack.alerts()) == ["run_failed"]
    assert the_account(fleet) == before
    cloud.faults.clear()
    assert stack.run(app.CHORE, DAILY)["counts"] == {"create": {"done": 5}}
    assert "run_failed" in kinds(stack.alerts(), "OK")


@pytest.mark.parametrize(("operation", "nth"), PAGES)
def test_a_page_that_comes_at_the_second_try_costs_nothing(
    stack: Stack, fleet: Account, cloud: StrictCloud, operation: str, nth: int
) -> None:
    cloud.faults.add("unavailable", operation=operation, nth=nth)

    assert stack.run(app.CHORE, DAILY)["counts"] == {"create": {"done": 5}}


def test_a_token_that_expired_aborts_the_run(
    stack: Stack, fleet: Account, cloud: StrictCloud
) -> None:
    cloud.pages.expire = {2}

    answer = stack.run(app.CHORE, DAILY)

    assert (answer["status"], answer["progress"]) == ("failed", 0)
    assert not CHANGING & set(cloud.calls.operations())


def test_throttled_listings_are_waited_for(
    stack: Stack, fleet: Account, cloud: StrictCloud
) -> None:
    cloud.faults.add("throttled", operation="DescribeVolumes", times=12)

    assert stack.run(app.CHORE, DAILY)["counts"] == {"create": {"done": 5}}


def test_an_ebs_event_whose_snapshot_cannot_be_listed_is_denied_or_tried_again(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    failed = account.snapshot(account.volume(tags=BACKUP), tags=ours(), state="error")
    cloud.faults.add("unavailable", operation="DescribeSnapshots", times=None)
    with pytest.raises(ListingError):
        stack.run(app.CHORE, failed_event(failed))
    cloud.faults.clear()
    cloud.faults.add("denied", operation="DescribeSnapshots", times=None)

    answer = stack.run(app.CHORE, failed_event(failed))

    assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
    assert kinds(stack.alerts()) == ["run_failed"]
