"""What restore and drill write into the state table is what their roles let them write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.contract.iam import Request, is_allowed, policies_of
from tests.support.drill_world import JUDGE, DrillWorld
from tests.support.restore_world import a_world

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")


def _kinds(stack: Stack, role: str, **mode: str) -> set[str]:
    """Return what the partitions of the table begin with, all of which the role may write."""
    touched = sorted({str(item["pk"]) for item in stack.items()})
    policies = policies_of(role, **mode)
    refused = [
        each for each in touched for action in WRITES if not is_allowed(policies, _at(action, each))
    ]

    assert refused == []
    return {each.partition("#")[0] for each in touched}


def _at(action: str, partition: str) -> Request:
    return Request(f"dynamodb:{action}", "StateTable.Arn", {"dynamodb:LeadingKeys": (partition,)})


def test_every_partition_that_a_restore_and_its_way_back_touch_is_its_own(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = a_world(cloud, clock, stack, account, monkeypatch)
    well, sick = world.server(), world.server()
    world.restore(well.id, how="swap")
    account.refuse_volumes("InsufficientVolumeCapacity", times=None)
    world.restore(sick.id, how="swap")
    world.watch()

    kinds = _kinds(stack, "RestoreRole", RestoreMode="act")
    assert world.endings(well.id, sick.id) == ["restored", "rolled_back"]
    assert kinds >= {"first", "incidents", "journals", "pace", "restores", "scopes"}


@pytest.mark.parametrize("how", ["blocks", "volume"])
def test_every_partition_that_a_drill_touches_is_its_own(
    how: str,
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARETAKER_DRILL_JUDGE", JUDGE)
    world = DrillWorld(cloud, clock, stack, account)
    world.backed_up()
    world.drill(how=how)
    world.next_day()

    assert _kinds(stack, "DrillRole", DrillMode="act") >= {"policy", "proofs"}
