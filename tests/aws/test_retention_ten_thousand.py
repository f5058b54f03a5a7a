"""Ten thousand backups at once: an answer that Lambda takes, one message, every item reported."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from caretaker.ec2 import Snapshot, description_of
from caretaker.slots import slot_of
from tests.cloud import ACCOUNT, Account
from tests.support.retention_world import RetentionWorld, a_world
from tests.support.snapshots import MAX_ANSWER, ours

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

MANY: Final = 10_000
VOLUMES: Final = 100


@pytest.fixture
def world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> RetentionWorld:
    """An account in which every volume has a hundred backups, which moto takes too long to list."""
    account = Account(cloud)
    volumes = [account.volume() for _ in range(VOLUMES)]
    listed = tuple(
        a_backup(clock, f"snap-{n:017x}", volumes[n % VOLUMES], 2 + n // VOLUMES)
        for n in range(MANY)
    )
    monkeypatch.setattr("functions.retention.aws.evidence.list_snapshots", lambda *_: listed)
    return a_world(cloud, clock, stack)


def a_backup(clock: ManualClock, snapshot_id: str, volume_id: str, days: int) -> Snapshot:
    started = clock.now() - timedelta(days=days)
    slot = slot_of(started)
    told = description_of("daily", slot)
    tags = ours(slot=slot)
    return Snapshot(
        snapshot_id, volume_id, "completed", started, ACCOUNT, tags=tags, description=told
    )


def test_ten_thousand_backups_are_judged_refused_and_told_in_one_message(
    world: RetentionWorld,
) -> None:
    answer = world.sweep()

    assert (answer["status"], answer["reason"]) == ("refused", "blast_radius")
    assert len(json.dumps(answer)) < MAX_ANSWER
    assert answer["counts"] == {
        "keep": {"unchanged": VOLUMES},
        "mark": {"refused": MANY - VOLUMES},
    }
    assert len(answer["outcomes"]) + answer["outcomes_omitted"] == MANY
    _, *items = world.stack.report(answer)
    assert len(items) == MANY
    (alert,) = world.stack.alerts()
    assert len(alert["incidents"]) == 1
    stored = [item for item in world.stack.items() if item["pk"].startswith("plans#")]
    told = [part for item in stored for part in item["targets"].split()]
    assert len(told) == len(set(told)) == MANY - VOLUMES
    assert max(len(item["targets"]) for item in stored) < 400_000
