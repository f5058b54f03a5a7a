"""People hear of restores that stand still or failed; of others they hear nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.crashes import at_call
from tests.support.restore_world import BAD, RestoreWorld, a_world, told
from tests.support.snapshots import kinds, metrics

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> RestoreWorld:
    """An empty account."""
    cloud.pages.size = None
    return a_world(cloud, clock, stack, account, monkeypatch)


def test_a_restore_that_went_well_is_told_to_nobody(world: RestoreWorld) -> None:
    web = world.server({})
    world.restore(web.id, how="swap")
    assert world.watch()["status"] == "ok"
    world.later(minutes=45)
    world.watch()
    assert world.stack.alerts() == []


def test_where_nothing_was_restored_there_is_nothing_to_tell(
    world: RestoreWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = world.watch()
    assert (answer["status"], answer["counts"]) == ("ok", {})
    told = metrics(capsys.readouterr().out)
    assert (told["OpenRestores"], told["Heartbeat"]) == (0, 1)
    assert world.stack.alerts() == []


def test_a_restore_that_nobody_takes_on_is_told_after_half_an_hour(
    world: RestoreWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.later(minutes=29)
    world.watch()
    assert world.stack.alerts() == []
    world.later(minutes=2)
    world.watch()
    (alert,) = world.stack.alerts()
    assert kinds([alert]) == ["restore_stalled"]
    assert "[CRIT]" in alert["Subject"]
    assert plan in alert["Subject"]
    assert metrics(capsys.readouterr().out)["OpenRestores"] == 1


def test_a_stalled_restore_says_which_instances_are_touched(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.kill_at("DetachVolume", effective=True)
    step = {"step": {"do": "advance", "plan": plan, "target": web.id}}
    while not world.killed:
        try:
            world.invoke(step)
        except RuntimeError:
            break
        world.later(seconds=10)
    world._dead = False  # noqa: SLF001 - the watch is another worker
    world.later(minutes=31)
    world.watch()
    (alert,) = world.stack.alerts()
    (incident,) = alert["incidents"]
    assert incident["what"] == "1 of 1 not over, nothing moves; perhaps stopped: machine-1"
    assert "stopped by this restore at" in incident["evidence"][f"machine-1 {web.id}"]
    assert f'{{"mode": "act", "approve": "{plan}"}}' in incident["next"]
    assert f"restore of daily {plan}: " in alert["Subject"]


def test_a_stalled_restore_that_goes_on_and_ends_is_told_to_be_well(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.later(minutes=31)
    world.watch()
    assert kinds(world.stack.alerts()) == ["restore_stalled"]
    world.play(plan)
    world.watch()
    assert kinds(world.stack.alerts(), "OK") == ["restore_stalled"]


def test_an_instance_that_cannot_be_started_is_told_after_half_an_hour(
    world: RestoreWorld,
) -> None:
    """Somebody is at work all the time, so nothing stands still."""
    web = world.server({})
    world.account.refuse_start(web.id, times=1000)
    plan = str(world.start(web.id, how="swap")["plan_id"])
    began = world.clock.now()
    step = {"do": "advance", "plan": plan, "target": web.id}
    while world.clock.now() - began < timedelta(minutes=40):
        summary = world.ask(step=step)["summary"]
        world.later(seconds=summary["seconds"])
    world.watch()
    (alert,) = world.stack.alerts()
    assert kinds([alert]) == ["restore_stuck"]
    assert "[CRIT]" in alert["Subject"]
    (incident,) = alert["incidents"]
    said = incident["evidence"][f"machine-1 {web.id}"]
    assert said.startswith("was refused start: InsufficientInstanceCapacity; stopped by this ")


def test_what_is_left_to_a_person_is_told_until_one_ends_it(world: RestoreWorld) -> None:
    web = world.server({})
    at_call(world.cloud, "StartInstances", lambda: world.account.terminate(web.id))
    plan = world.restore(web.id, how="swap")
    world.watch()
    assert kinds(world.stack.alerts()) == ["restore_failed"]
    world.later(days=10)
    world.watch()
    assert world.stack.alerts() == []
    ended = world.ask(step={"do": "end", "plan": plan})
    assert (ended["status"], ended["summary"]["more"]) == ("ok", False)
    world.watch()
    assert kinds(world.stack.alerts(), "OK") == ["restore_failed"]


def test_a_restore_that_a_person_has_taken_over_can_be_ended(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.later(days=3)
    ended = world.ask(step={"do": "end", "plan": plan})
    assert told(ended, web.id) == ("keep", "over", "unchanged")
    assert set(ended["outcomes"][0]["detail"]["volumes"]) == set(web.volume_ids)
    world.play(plan)
    assert (world.endings(web.id), world.journal(web.id)["problem"]) == (["left"], "ended_by_hand")
    assert world.contents(web.id) == [BAD]
    world.watch()
    assert world.stack.alerts() == []
    assert told(world.plan(web.id, how="swap"), web.id) == ("restore", "asked", "planned")


def test_to_report_ends_nothing_and_says_so(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    answer = world.ask(mode="report", step={"do": "end", "plan": plan})
    assert (answer["status"], answer["errors"][0]["path"]) == ("refused", "mode")
    assert world.open_restores() == [plan]


def test_a_restore_that_went_back_is_told_once_as_a_warning(world: RestoreWorld) -> None:
    web = world.server({})
    world.account.impair(web.id, until_repaired_by="nothing")
    world.restore(web.id, how="swap", check_minutes=2)
    for _ in range(3):
        world.watch()
        world.later(minutes=15)
    (alert,) = world.stack.alerts()
    assert kinds([alert]) == ["restore_failed"]
    assert "[CRIT]" not in alert["Subject"]
    (incident,) = alert["incidents"]
    assert incident["evidence"][f"machine-1 {web.id}"] == (
        "rolled back: its status checks did not pass on the new volumes; "
        "on its originals again, running as before"
    )


def test_a_restore_that_is_left_to_people_is_critical(world: RestoreWorld) -> None:
    web = world.server({})
    at_call(world.cloud, "StopInstances", lambda: world.account.terminate(web.id))
    world.restore(web.id, how="swap")
    world.watch()
    (alert,) = world.stack.alerts()
    assert kinds([alert]) == ["restore_failed"]
    assert "[CRIT]" in alert["Subject"]
    assert alert["Subject"].endswith(": 1 left of 1: machine-1")
    (incident,) = alert["incidents"]
    (new,) = world.made()
    said = incident["evidence"][f"machine-1 {web.id}"]
    assert said.startswith("left: the instance is gone; ")
    assert said.endswith(f"restored data, free: {new}")


def test_a_failed_restore_is_told_for_a_day(world: RestoreWorld) -> None:
    web = world.server({})
    world.account.impair(web.id, until_repaired_by="nothing")
    world.restore(web.id, how="swap", check_minutes=2)
    world.watch()
    assert kinds(world.stack.alerts()) == ["restore_failed"]
    world.later(hours=25)
    world.watch()
    assert kinds(world.stack.alerts(), "OK") == ["restore_failed"]


def test_a_failed_restore_of_another_policy_is_told_and_ends_as_well(world: RestoreWorld) -> None:
    web = world.server({}, days=())
    world.backup(web.volume_ids[0], 1, tags={"caretaker:policy": "weekly"})
    world.account.impair(web.id, until_repaired_by="nothing")
    world.restore(web.id, how="swap", check_minutes=2, policy="weekly")
    world.watch()
    assert kinds(world.stack.alerts()) == ["restore_failed"]
    world.later(hours=25)
    world.watch()
    assert kinds(world.stack.alerts(), "OK") == ["restore_failed"]


def test_one_that_waits_for_its_status_checks_does_not_stand_still(world: RestoreWorld) -> None:
    web = world.server({})
    world.account.impair(web.id, until_repaired_by="itself", seconds=36 * 60)
    plan = str(world.start(web.id, how="swap", check_minutes=60)["plan_id"])
    at_call(world.cloud, "DescribeInstanceStatus", lambda: world.later(minutes=33), nth=4)
    at_call(world.cloud, "DescribeInstanceStatus", world.watch, nth=6)
    world.play(plan)
    assert world.stack.alerts() == []
    assert world.endings(web.id) == ["restored"]


def test_one_whose_start_waits_for_capacity_is_stuck_and_does_not_stand_still(
    world: RestoreWorld,
) -> None:
    web = world.server({})
    world.account.refuse_start(web.id, times=24)
    plan = str(world.start(web.id, how="swap")["plan_id"])
    at_call(world.cloud, "StartInstances", lambda: world.later(minutes=33), nth=9)
    at_call(world.cloud, "StartInstances", world.watch, nth=17)
    world.play(plan)
    assert kinds(world.stack.alerts()) == ["restore_stuck"]
    assert world.endings(web.id) == ["restored"]


def test_the_watch_reads_the_table_alone(world: RestoreWorld) -> None:
    web = world.server({})
    world.restore(web.id, how="swap")
    world.cloud.calls.clear()
    world.watch()
    assert not [call for call in world.cloud.calls if call.service == "ec2"]


def test_the_report_of_the_watch_tells_how_each_target_ended(world: RestoreWorld) -> None:
    web = world.server({})
    plan = world.restore(web.id, how="swap")
    (item,) = world.watch()["outcomes"]
    assert item["target"] == plan
    assert item["detail"] == {"policy": "daily", "targets": {web.id: "restored"}}
    assert world.answers[-1]["plan_id"] is None


def test_a_watch_that_cannot_read_the_table_tells_nothing_well(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    world.later(minutes=31)
    world.watch()
    world.stack.alerts()
    world.cloud.faults.add("denied", operation="Query", times=None)
    assert world.watch()["status"] != "ok"
    world.cloud.faults.clear()
    assert kinds(world.stack.alerts(), "OK") == []
    assert world.open_restores() == [plan]
