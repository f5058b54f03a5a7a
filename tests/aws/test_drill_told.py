"""What people hear of drills over days: nothing is told to be healthy that nobody has proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.cloud import REGION
from tests.support.disk_images import DiskImage
from tests.support.drill_world import DrillWorld, ended, outcome

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import TagTypeDef

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

SMALL = {"blocks": 1}
WEB = {"caretaker:backup": "daily", "Role": "web"}


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> DrillWorld:
    """An account to put backups into."""
    cloud.pages.size = None
    return DrillWorld(cloud, clock, stack, account)


def told(world: DrillWorld) -> list[str]:
    return [each["Subject"] for each in world.stack.alerts()]


def tag(resource: str, **tags: str) -> None:
    """Write tags of ours, without their prefix."""
    pairs: list[TagTypeDef] = [
        {"Key": f"caretaker:{key.replace('_', '-')}", "Value": v} for key, v in tags.items()
    ]
    boto3.client("ec2", REGION).create_tags(Resources=[resource], Tags=pairs)


def a_failure(world: DrillWorld) -> str:
    """Return a volume whose only backup has failed, beside one that is well."""
    volume, snapshot = world.backed_up(tags=WEB)
    world.backed_up()
    world.account.corrupt_block(snapshot, 0)
    world.drill(**SMALL)
    (alarm,) = told(world)
    assert alarm.startswith("ALARM: [CRIT]")
    return volume


@pytest.mark.parametrize(
    "select",
    [{"tags_any": ["Role=database"]}, {"exclude_tags": ["Role=web"]}, {"states": ["in-use"]}],
)
def test_a_run_about_others_leaves_an_incident_as_it_is(
    world: DrillWorld, select: dict[str, Any]
) -> None:
    a_failure(world)
    world.drill(select=select, scheduled_time=world.next_day(), **SMALL)
    assert told(world) == []


def test_a_backup_that_is_gone_makes_nothing_healthy(world: DrillWorld) -> None:
    volume = a_failure(world)
    for snapshot in list(world.account.backend.snapshots.values()):
        if snapshot.volume_id == volume:
            world.account.backend.snapshots.pop(snapshot.id)
    answer = world.drill(scheduled_time=world.next_day(), **SMALL)
    assert outcome(answer, volume)["reason"] == "no_backup"
    assert told(world) == []


def test_what_is_no_longer_drilled_is_over_and_not_healthy(world: DrillWorld) -> None:
    tag(a_failure(world), ignore="true")
    world.drill(scheduled_time=world.next_day(), **SMALL)
    (over,) = told(world)
    assert over.startswith("OK: [CRIT]")
    assert "over after 1d 0h, no longer drilled: ignored" in over


def test_what_is_deleted_is_gone(world: DrillWorld) -> None:
    world.account.backend.volumes.pop(a_failure(world))
    world.drill(scheduled_time=world.next_day(), **SMALL)
    (over,) = told(world)
    assert "gone after 1d 0h" in over


def test_what_was_replaced_is_over_once_its_successor_is_proven(world: DrillWorld) -> None:
    """As a swap leaves it: out of its seat, so that its instance's tag no longer covers it."""
    old = a_failure(world)
    new = world.volume()
    tag(old, backup="", replaced_by=new)
    world.drill(scheduled_time=world.next_day(), **SMALL)
    assert told(world) == []
    world.drill(scheduled_time=world.next_day(backs_up=new), **SMALL)
    (over,) = told(world)
    assert f"over after 2d 0h, replaced by {new}" in over


def test_what_can_never_be_drilled_keeps_nobody_out(world: DrillWorld) -> None:
    stuck, good = sorted(world.backed_up(DiskImage()) for _ in range(2))
    serve = world.cloud.serve

    def served(call: Any, perform: Any) -> Any:
        if call.params.get("SnapshotId") == stuck[1] and call.operation == "ListSnapshotBlocks":
            return 500, {}, "{}"
        return serve(call, perform)

    world.cloud.serve = served  # type: ignore[method-assign]
    turns = [
        world.drill(sample={"count": 1}, scheduled_time=world.next_day(), **SMALL) for _ in range(3)
    ]
    results = {each: [ended(turn, each)[0] for turn in turns] for each in (stuck[0], good[0])}
    assert results[stuck[0]] == ["deferred", "unchanged", "deferred"]
    assert results[good[0]] == ["unchanged", "done", "unchanged"]


def test_a_volume_of_a_backup_says_nothing_of_its_blocks(world: DrillWorld) -> None:
    volume = a_failure(world)
    by_volume = world.drill(how="volume", scheduled_time=world.next_day())
    assert ended(by_volume, volume) == ("failed", "checksum_wrong")
    assert outcome(by_volume, volume)["detail"]["seconds"]
    snapshot = outcome(by_volume, volume)["detail"]["snapshot_id"]
    assert (world.proven_at(snapshot), told(world)) == ("", [])
    again = world.drill(how="volume", scheduled_time=world.next_day())
    assert ended(again, volume) == ("failed", "checksum_wrong")
    by_blocks = world.drill(scheduled_time=world.next_day(backs_up=volume), **SMALL)
    assert ended(by_blocks, volume) == ("done", "")
    (over,) = told(world)
    assert over.startswith("OK: [CRIT]")


def test_what_a_forerunner_s_blocks_were_like_says_nothing_of_a_volume_restored_since(
    world: DrillWorld,
) -> None:
    old, good = world.backed_up()
    world.clock.advance(600)
    world.account.corrupt_block(world.backup(old, age_hours=0), 0)
    world.drill(**SMALL)
    world.clock.advance(600)
    tags = {"caretaker:backup": "daily", "caretaker:restored-from": good}
    new = world.volume(tags=tags, age_hours=0)
    slot = world.next_day(backs_up=new)
    assert ended(world.drill(how="volume", scheduled_time=slot), new) == ("done", "")


def test_what_another_policy_has_proven_says_nothing_of_this_one(world: DrillWorld) -> None:
    volume = world.volume(tags={"caretaker:backup": "daily weekly"})
    slot = world.next_day()
    bad = world.backup(volume, age_hours=2)
    world.account.corrupt_block(bad, 0)
    world.backup(volume, age_hours=1, tags={"caretaker:policy": "weekly"})
    weekly = world.drill(policy="weekly", scheduled_time=slot, **SMALL)
    daily = world.drill(policy="daily", scheduled_time=slot, **SMALL)
    assert ended(weekly, volume) == ("done", "")
    assert ended(daily, volume) == ("failed", "checksum_wrong")
    world.drill(policy="weekly", scheduled_time=world.next_day(), **SMALL)
    again = world.drill(policy="daily", scheduled_time=world.next_day(), **SMALL)
    assert outcome(again, volume)["reason"] == "failed_before"


def test_a_policy_that_was_mistyped_is_told_in_the_answer_and_to_people(
    world: DrillWorld,
) -> None:
    world.backed_up()
    answer = world.drill(policy="nightly", **SMALL)
    assert (answer["status"], answer["reason"]) == ("ok", "no_backups_of_policy")
    assert told(world) == []
    world.drill(policy="nightly", scheduled_time=world.next_day(), **SMALL)
    (alarm,) = told(world)
    assert "no backup of policy nightly to prove" in alarm
    assert "daily" not in alarm


def test_an_id_that_nobody_has_is_an_item(world: DrillWorld) -> None:
    world.backed_up()
    answer = world.drill(select={"volumes": ["vol-0123456789abcdef0"]}, **SMALL)
    assert outcome(answer, "vol-0123456789abcdef0")["reason"] == "not_found"


def test_where_drills_are_off_nobody_is_told_that_proofs_are_old(
    world: DrillWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    world.backed_up(DiskImage())
    days = [world.next_day() for _ in range(2)]
    for slot in days:
        summary = world.drill(scheduled_time=slot, max_proof_age_days=1, **SMALL)["summary"]
        assert (summary["planned"], summary["drilled"]) == (1, 0)
    assert told(world) == []
