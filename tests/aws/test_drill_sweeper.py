"""What drills have left is swept once its end is past, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from tests.cloud import REGION
from tests.support.crashes import at_call
from tests.support.drill_world import DrillWorld, outcome

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account) -> DrillWorld:
    """An account to put backups into."""
    return DrillWorld(cloud, clock, stack, account)


def test_only_our_volumes_past_their_end_are_swept(world: DrillWorld) -> None:
    swept = world.leftover()
    others = [
        world.leftover(hours=1),
        world.leftover(tags={"caretaker:managed-by": "another"}),
        world.leftover(tags={"caretaker:expires-at": "never"}),
        world.leftover(tags={"caretaker:restored-from": "snap-00000001"}),
        world.leftover(tags={"caretaker:run": "p-0123456789abcdef/i-0a1"}),
        world.account.volume(tags={"caretaker:managed-by": "caretaker"}),
        world.account.volume(tags={"caretaker:expires-at": "2020-01-01T00:00:00Z"}),
        world.account.volume(),
    ]
    attached = world.leftover()
    machine = world.account.instance({})
    world.account.attach(attached, machine.id, "/dev/sdz")
    answer = world.drill()
    world.clock.advance(10)
    there = set(world.account.backend.volumes)
    assert swept not in there
    assert {*others, attached, *machine.volume_ids} <= there
    assert outcome(answer, attached)["reason"] == "in_use"
    told = [each["Subject"] for each in world.stack.alerts()]
    assert len(told) == 1


def test_what_could_not_be_swept_is_told_until_it_is_gone(world: DrillWorld) -> None:
    world.backed_up()
    world.leftover()
    world.cloud.faults.add("denied", operation="DeleteVolume", times=None)
    answer = world.drill()
    assert answer["counts"]["sweep"] == {"failed": 1}
    (alarm,) = world.stack.alerts()
    assert alarm["Subject"].startswith("ALARM")
    world.cloud.faults.clear()
    slot = world.next_day()
    world.drill(scheduled_time=slot)
    (over,) = world.stack.alerts()
    assert over["Subject"].startswith("OK")


@pytest.mark.parametrize("kind", ["answer_lost", "connection_dropped"])
def test_a_deletion_whose_answer_is_lost_leaves_nothing_to_tell(
    world: DrillWorld, kind: str
) -> None:
    left = world.leftover()
    world.cloud.faults.add(kind, operation="DeleteVolume")
    assert outcome(world.drill(), left)["result"] == "done"
    assert world.stack.alerts() == []


def test_what_went_by_itself_is_swept_though_iam_denies_what_has_no_tags(
    world: DrillWorld,
) -> None:
    left = world.leftover()
    world.cloud.faults.add("denied", operation="DeleteVolume")
    at_call(world.cloud, "DeleteVolume", lambda: world.account.backend.volumes.pop(left))
    assert outcome(world.drill(), left)["result"] == "done"


def test_while_the_state_table_is_out_of_reach_nothing_is_swept(world: DrillWorld) -> None:
    left = world.leftover()
    world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    assert outcome(world.drill(), left)["reason"] == "state_unavailable"
    world.clock.advance(10)
    assert left in world.account.backend.volumes


def test_what_a_stack_in_report_mode_leaves_lying_is_told(
    world: DrillWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    left = world.leftover(hours=-30)
    assert outcome(world.drill(), left)["result"] == "planned"
    (alarm,) = world.stack.alerts()
    assert "a drill's volume is still there" in alarm["Subject"]


def test_the_tag_of_a_drill_s_volume_is_what_ec2_lists(world: DrillWorld) -> None:
    left = world.leftover(hours=1)
    listed = boto3.client("ec2", REGION).describe_volumes(VolumeIds=[left])["Volumes"]
    assert {each["Key"] for each in listed[0]["Tags"]} >= {"caretaker:expires-at"}
