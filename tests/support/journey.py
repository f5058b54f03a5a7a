"""A tour of the snapshot chore through all of its paths, to see everything that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.snapshot import app
from tests.cloud import Account
from tests.support.snapshots import BACKUP, DAILY, failed_event, ours
from tests.support.tour import Witness

if TYPE_CHECKING:
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ELSEWHERE = "210987654321"


def tour(stack: Stack, cloud: StrictCloud) -> set[str]:
    """Walk every path of the chore and return the actions that were seen."""
    witness = Witness(cloud)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
        witness.attend(patched)
        _nothing_selected(stack)
        _first_day(stack, cloud)
        _retakes(stack, cloud)
        _elsewhere(stack, cloud)
        _refused_and_failed(stack, cloud)
    return witness.actions


def _nothing_selected(stack: Stack) -> None:
    """An incident opens."""
    stack.run(app.CHORE, {"policy": "daily", "mode": "report"})


def _first_day(stack: Stack, cloud: StrictCloud) -> None:
    """The incident is over; a set, single ones, a lost answer, and a round to come."""
    account = Account(cloud)
    account.instance({}, {}, tags=BACKUP)
    full = account.volume(tags=BACKUP)
    account.volume(tags=BACKUP)
    cloud.faults.add("answer_lost", operation="CreateSnapshots")
    cloud.faults.add("error", operation="CreateSnapshot", match=full, code="SnapshotLimitExceeded")
    stack.run(app.CHORE, DAILY)
    stack.run(app.CHORE, DAILY)


def _retakes(stack: Stack, cloud: StrictCloud) -> None:
    """The event of a failure, once seen and once cleared already; and what is given up."""
    account = Account(cloud)
    retaken, hopeless = account.volume(tags=BACKUP), account.volume(tags=BACKUP)
    failed = account.snapshot(retaken, tags=ours(), state="error")
    account.snapshot(hopeless, tags=ours(attempt=3), state="error")
    for _ in range(2):
        stack.run(app.CHORE, failed_event(failed))
    stack.run(app.CHORE, DAILY)


def _elsewhere(stack: Stack, cloud: StrictCloud) -> None:
    """Another account."""
    Account(cloud, account=ELSEWHERE).volume(tags=BACKUP)
    stack.run(app.CHORE, {**DAILY, "target": {"account": ELSEWHERE}})


def _refused_and_failed(stack: Stack, cloud: StrictCloud) -> None:
    """A wrong event, and a fleet that may not be read."""
    stack.run(app.CHORE, {"polcy": "daily"})
    cloud.faults.add("denied", operation="DescribeInstances")
    stack.run(app.CHORE, {})
