"""What is answered to one who approves again, alone, or something else; and who only looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.restore_world import RestoreWorld, a_world, told
from tests.support.snapshots import kinds

if TYPE_CHECKING:
    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

NEVER = "p-0123456789abcdef"


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


def test_the_id_alone_takes_up_what_was_started(world: RestoreWorld) -> None:
    """Who is woken has the plan's id from the alert, and nothing else."""
    web = world.server({})
    world.cloud.faults.add("denied", operation="StartExecution")
    plan = str(world.start(web.id, how="swap")["plan_id"])
    assert world.executions() == {}
    answer = world.ask(mode="act", approve=plan)
    assert (answer["status"], answer["reason"]) == ("ok", "already_started")
    assert answer["plan_id"] == answer["summary"]["plan"] == plan
    (item,) = answer["outcomes"]
    assert item["detail"]["execution"].endswith(plan)
    world.play(plan)
    assert world.endings(web.id) == ["restored"]

    over = world.ask(mode="act", approve=plan)
    assert (over["status"], over["reason"], over["plan_id"]) == ("ok", "over", plan)
    assert over["outcomes"][0]["detail"] == {"ending": "restored"}
    assert list(world.executions()) == [plan]


def test_an_id_alone_that_was_never_started_is_refused_and_told_to_nobody(
    world: RestoreWorld,
) -> None:
    answer = world.ask(mode="act", approve=NEVER)
    assert (answer["status"], answer["reason"]) == ("refused", "plan_unknown")
    assert answer["plan_id"] is None
    (error,) = answer["errors"]
    assert (error["path"], NEVER in error["problem"]) == ("select", True)
    assert world.stack.alerts() == []


def test_an_old_id_with_another_event_is_refused(world: RestoreWorld) -> None:
    web, other = world.server({}), world.server({})
    plan = world.restore(web.id, how="swap")
    event: dict[str, Any] = {"how": "swap", "approve": plan}
    same = world.ask(select={"instances": [web.id]}, **event)
    assert told(same, web.id) == ("keep", "over", "unchanged")
    answer = world.ask(select={"instances": [other.id]}, **event)
    assert (answer["status"], answer["reason"]) == ("refused", "plan_changed")
    assert [each["path"] for each in answer["errors"]] == ["select"]
    assert list(world.executions()) == [plan]


def test_a_machine_that_cannot_be_started_says_why_and_what_to_do(world: RestoreWorld) -> None:
    web = world.server({})
    world.cloud.faults.add("denied", operation="StartExecution", times=2)
    plan = world.start(web.id, how="swap")["plan_id"]
    for answer in (world.answers[-1], world.ask(approve=plan, mode="act")):
        assert answer["status"] == "partial"
        (item,) = answer["outcomes"]
        assert item["error"]["code"] == "AccessDenied"
        assert "send the same event again" in item["error"]["message"]


def test_what_is_in_another_restore_names_its_plan(world: RestoreWorld) -> None:
    web = world.server({})
    plan = world.start(web.id, how="swap")["plan_id"]
    answer = world.plan(web.id, how="volumes")
    assert answer["outcomes"][0]["detail"] == {"plan": plan}
    assert plan in answer["errors"][0]["problem"]
    assert answer["plan_id"] is None


def test_who_only_looks_has_done_nothing(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    look: dict[str, Any] = {"mode": "report", "step": {"do": "wave", "plan": plan}}
    before = world.ask(**look)
    assert told(before, web.id) == ("keep", "not_begun", "unchanged")
    assert before["plan_id"] == plan
    step = {"do": "advance", "plan": plan, "target": web.id}
    assert told(world.ask(step=step), web.id) == ("advance", "under_way", "done")
    assert told(world.ask(**look), web.id) == ("keep", "under_way", "unchanged")
    world.play(plan)
    assert told(world.ask(**look), web.id) == ("advance", "over", "done")
    assert world.answers[-1]["outcomes"][0]["detail"]["name"] == "machine-1"


def test_what_went_back_says_so_and_why(world: RestoreWorld) -> None:
    web = world.server({})
    world.account.impair(web.id, until_repaired_by="nothing")
    plan = world.restore(web.id, how="swap", check_minutes=2)
    answer = world.ask(mode="report", step={"do": "wave", "plan": plan})
    (item,) = answer["outcomes"]
    assert item["error"] == {
        "code": "checks_failed",
        "message": "its status checks did not pass on the new volumes",
        "request_id": "",
    }


def test_a_step_names_the_field_that_is_wrong_and_wakes_nobody(world: RestoreWorld) -> None:
    web = world.server({})
    plan = str(world.start(web.id, how="swap")["plan_id"])
    for plan_id, path in ((plan, "step.target"), (NEVER, "step.plan")):
        step = {"do": "advance", "plan": plan_id, "target": "i-0123456789abcdef0"}
        answer = world.ask(mode="report", policy="orders", step=step)
        assert (answer["status"], answer["reason"]) == ("refused", "plan_unknown")
        assert answer["errors"][0]["path"] == path
    alerts = world.stack.alerts()
    assert kinds(alerts) == ["event_refused", "event_refused"]
    assert all("[NOTE]" in each["Subject"] for each in alerts)
    world.watch()
    (over,) = world.stack.alerts()
    assert kinds([over], "OK") == ["event_refused", "event_refused"]
