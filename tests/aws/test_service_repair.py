"""Services and instances behind targets that are down, repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.service_repair import app
from tests.support.health_world import told
from tests.support.service_world import CLUSTER, DOCUMENT, RESTART, ServiceWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

MINUTE = 60


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ServiceWorld]:
    """An account whose services are behind targets."""
    monkeypatch.setenv("CARETAKER_SSM_DOCUMENTS", f"arn:aws:ssm:eu-west-1:1:document/{DOCUMENT}")
    made = ServiceWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


def reason(answer: dict[str, Any]) -> tuple[str, str]:
    """Return what was done, and why."""
    (item,) = answer["outcomes"]
    return item["action"], item["reason"]


def test_one_of_several_tasks_is_stopped_and_replaced(world: ServiceWorld) -> None:
    web, incident = world.service(tasks=3), world.incident()
    oldest = web.tasks[0]
    answer = world.ask(web, incident)
    assert told(answer, "prod/web") == ("stop_task", "asked", "done")
    assert (world.repairs(), world.stopped()) == (["StopTask"], [oldest.arn])
    assert oldest.reason == f"Caretaker repairs shop for {incident}"
    world.clock.advance(MINUTE)
    tasks = world.account.ecs_tasks("web", CLUSTER)
    assert (len(tasks), oldest.arn in tasks) == (3, False)
    assert answer["outcomes"][0]["detail"]["task"] == oldest.arn.rpartition("/")[2]


def test_a_lone_task_is_deployed_anew(world: ServiceWorld) -> None:
    web, incident = world.service(tasks=1), world.incident()
    before = web.primary.id
    assert told(world.ask(web, incident), "prod/web") == ("deploy", "asked", "done")
    assert (world.repairs(), web.primary.id == before) == (["UpdateService"], False)


def test_tasks_without_the_tags_of_their_service_are_deployed_anew(world: ServiceWorld) -> None:
    web, incident = world.service(tasks=3, propagates_tags=False), world.incident()
    assert told(world.ask(web, incident), "prod/web") == ("deploy", "asked", "done")


def test_a_service_of_many_pages_of_tasks_is_read_whole(world: ServiceWorld) -> None:
    web, incident = world.service(tasks=7), world.incident()
    answer = world.ask(web, incident)
    assert answer["outcomes"][0]["detail"]["running"] == 7
    assert world.stopped() == [web.tasks[0].arn]


def test_a_document_is_run_and_seen_through(world: ServiceWorld) -> None:
    box, incident = world.machine(), world.incident()
    answer = world.ask(box, incident)
    assert told(answer, box) == ("send_command", "asked", "done")
    (command,) = world.account.commands(box)
    assert (command["document"], command["state"]) == (DOCUMENT, "Success")
    assert answer["outcomes"][0]["detail"]["command_state"] == "Success"
    (call,) = world.cloud.calls.of("SendCommand")
    assert call.params["TimeoutSeconds"] == 60
    assert len(command["comment"]) <= 100


def test_a_command_that_takes_longer_is_judged_by_the_next_run(world: ServiceWorld) -> None:
    world.account.command_course(ends=20 * MINUTE)
    box, incident = world.machine(), world.incident()
    answer = world.ask(box, incident)
    assert answer["outcomes"][0]["detail"]["command_state"] == "InProgress"
    world.clock.advance(10 * MINUTE)
    assert reason(world.ask(box, incident)) == ("report", "repair_under_way")
    world.clock.advance(10 * MINUTE)
    assert reason(world.ask(box, incident)) == ("send_command", "asked")
    assert len(world.account.commands(box)) == 2


def test_a_command_that_fails_is_told_and_counts(world: ServiceWorld) -> None:
    world.account.command_course(end="Failed")
    box, incident = world.machine(), world.incident()
    answer = world.ask(box, incident)
    assert told(answer, box) == ("send_command", "asked", "failed")
    assert answer["outcomes"][0]["error"]["code"] == "CommandFailed"
    assert world.open_incidents == ["service_repair_failed/shop"]
    assert "CommandFailed" in world.heard()[0]
    world.clock.advance(10 * MINUTE)
    assert reason(world.ask(box, incident)) == ("report", "cooldown")
    assert len(world.account.commands(box)) == 1


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"tags": {}}, "not_opted_in"),
        ({"tags": {**RESTART, "caretaker:ignore": "true"}}, "ignored"),
        ({"status": "INACTIVE"}, "not_found"),
        ({"status": "DRAINING"}, "not_active"),
        ({"scheduling": "DAEMON"}, "daemon"),
        ({"controller": "CODE_DEPLOY"}, "deployment_controller"),
        ({"tasks": 0}, "desired_zero"),
        ({"health": ("unhealthy", "healthy")}, "load_balancer_sees_healthy"),
        ({"tasks": 1, "strategy": "BLUE_GREEN"}, "not_rolling"),
        ({"tasks": 1, "minimum_percent": 50, "maximum_percent": 100}, "no_room"),
    ],
)
def test_a_service_that_must_not_be_restarted_is_left_and_people_hear_why(
    world: ServiceWorld, how: dict[str, Any], why: str
) -> None:
    web, incident = world.service(**how), world.incident()
    assert reason(world.ask(web, incident)) == ("report", why)
    assert world.repairs() == []
    (subject,) = world.heard()
    assert subject.startswith("ALARM: [NOTE]")
    assert "not repaired" in subject
    world.clock.advance(10 * MINUTE)
    world.ask(web, incident)
    assert world.heard() == []


@pytest.mark.parametrize(
    ("meets", "seconds", "why"),
    [
        ({"start_fails": True}, 40, "start_failures"),
        ({"start_fails": True}, 600, "start_failures"),
        ({"no_room": True}, 600, "start_failures"),
        ({"start_seconds": 900}, 300, "tasks_starting"),
    ],
)
def test_a_service_whose_tasks_do_not_start_is_left(
    world: ServiceWorld, meets: dict[str, Any], seconds: float, why: str
) -> None:
    web, incident = world.service(tasks=3), world.incident()
    world.account.change_ecs_service("web", CLUSTER, **meets)
    web.stop(web.tasks[0], "by hand", "UserInitiated", world.clock.now())
    world.clock.advance(seconds)
    assert reason(world.ask(web, incident)) == ("report", why)
    assert world.repairs() == []


def test_nothing_is_restarted_within_a_deployment(world: ServiceWorld) -> None:
    web, incident = world.service(start_seconds=600), world.incident()
    world.account.deploy_ecs_service("web", CLUSTER)
    world.clock.advance(MINUTE)
    assert reason(world.ask(web, incident)) == ("report", "deployment_under_way")
    world.clock.advance(20 * MINUTE)
    assert reason(world.ask(web, incident)) == ("stop_task", "asked")


def test_a_deployment_of_ours_is_waited_for(world: ServiceWorld) -> None:
    web, incident = world.service(tasks=1, start_seconds=900), world.incident()
    assert reason(world.ask(web, incident)) == ("deploy", "asked")
    world.clock.advance(10 * MINUTE)
    assert reason(world.ask(web, incident)) == ("report", "repair_under_way")
    world.clock.advance(10 * MINUTE)
    assert reason(world.ask(web, incident)) == ("deploy", "asked")


def test_unhealthy_targets_speak_for_a_restart(world: ServiceWorld) -> None:
    web, incident = world.service(health=("unhealthy", "draining")), world.incident()
    assert reason(world.ask(web, incident)) == ("stop_task", "asked")


def test_what_does_not_exist_is_told(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    web.name = "other"
    assert reason(world.ask(web, incident)) == ("report", "not_found")
    web.cluster = "nowhere"
    assert reason(world.ask(web, incident)) == ("report", "not_found")
    assert reason(world.ask("i-0123456789abcdef0", incident)) == ("report", "not_found")


@pytest.mark.parametrize(
    ("launch", "why"),
    [
        ({"ping": "ConnectionLost"}, "not_online"),
        ({"ping": ""}, "not_online"),
        ({"state": "stopped"}, "not_running"),
        ({"remediate": "none"}, "opted_out"),
    ],
)
def test_an_instance_that_cannot_or_must_not_be_reached_is_left(
    world: ServiceWorld, launch: dict[str, Any], why: str
) -> None:
    box, incident = world.machine(**launch), world.incident()
    assert reason(world.ask(box, incident)) == ("report", why)
    assert world.account.commands() == []


def test_a_document_that_the_stack_does_not_name_is_never_run(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_SSM_DOCUMENTS", "")
    box, incident = world.machine(), world.incident()
    assert reason(world.ask(box, incident)) == ("report", "document_not_allowed")


def test_without_an_open_incident_nothing_of_aws_is_even_read(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    world.close(incident)
    assert reason(world.ask(web, incident)) == ("skip", "incident_not_open")
    assert not world.cloud.calls.of("DescribeServices")
    assert world.heard() == []


def test_an_incident_that_is_written_just_after_is_waited_for(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    world.close(incident)
    sleep = world.clock.sleep
    looks: list[float] = []

    def slept(seconds: float) -> None:
        sleep(seconds)
        looks.append(seconds)
        if len(looks) == 3:
            world.incident()

    world.clock.sleep = slept  # type: ignore[method-assign]
    assert reason(world.ask(web, incident)) == ("stop_task", "asked")


def test_a_day_with_a_target_that_stays_down(world: ServiceWorld) -> None:
    """Asked every ten minutes: two repairs, each told once, and why no more follow."""
    web, incident = world.service(tasks=4), world.incident()
    reasons = []
    for _ in range(24 * 6 - 1):
        reasons.append(reason(world.ask(web, incident))[1])
        world.clock.advance(10 * MINUTE)
    assert reasons[:4] == ["asked", "cooldown", "asked", "daily_budget"]
    assert set(reasons[3:]) == {"daily_budget"}
    assert world.repairs() == ["StopTask"] * 2
    heard = world.heard()
    assert ["used up" in each for each in heard] == [False, True]
    world.clock.advance(20 * MINUTE)
    assert reason(world.ask(web, incident)) == ("stop_task", "asked")


def test_a_repair_that_helped_is_told_in_the_incident_that_asked_and_forgotten(
    world: ServiceWorld,
) -> None:
    web, incident = world.service(), world.incident()
    world.ask(web, incident)
    world.clock.advance(5 * MINUTE)
    world.close(incident)
    assert reason(world.ask(web, incident)) == ("skip", "incident_not_open")
    assert world.attempts["prod/web"]["ending"] == "fixed"
    assert (world.open_incidents, world.heard()) == ([], [])
    assert not [i for i in world.stack.items() if str(i["pk"]).startswith("told#")]


def test_one_that_helped_after_a_refusal_is_told_with_what_was_done(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    world.ask(web, incident)
    world.clock.advance(10 * MINUTE)
    world.ask(web, incident)
    assert world.open_incidents == ["service_repair/shop"]
    world.clock.advance(10 * MINUTE)
    assert reason(world.ask(web, incident)) == ("stop_task", "asked")
    world.close(incident)
    world.ask(web, incident)
    alarm, over = world.heard()
    assert "too short a while ago" in alarm
    assert over.startswith("OK: [NOTE]")
    assert over.endswith("one task stopped, to be replaced")


def test_any_later_run_ends_what_is_over(world: ServiceWorld) -> None:
    web, incident = world.service(tags={}), world.incident()
    world.ask(web, incident)
    assert world.open_incidents == ["service_repair/shop"]
    world.close(incident)
    answer = world.stack.run(app.CHORE, {})
    assert (answer["status"], answer["outcomes"]) == ("ok", [])
    assert world.open_incidents == []


def test_a_stack_that_reports_says_what_it_would_do_and_does_nothing(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    web, box, incident = world.service(), world.machine(), world.incident()
    assert told(world.ask(web, incident), "prod/web") == ("stop_task", "asked", "planned")
    assert told(world.ask(box, incident), box)[2] == "planned"
    assert (world.repairs(), world.attempts) == ([], {})
    assert "in mode act" in world.heard()[0]


def test_an_event_may_not_raise_the_mode(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    answer = world.ask(world.service(), world.incident(), mode="act")
    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")


def test_a_look_by_hand_where_the_stack_acts_changes_and_tells_nothing(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    assert told(world.ask(web, incident, mode="report"), "prod/web")[2] == "planned"
    assert (world.repairs(), world.attempts, world.heard()) == ([], {}, [])


def test_a_wrong_event_changes_nothing_and_is_over_when_a_right_one_ends(
    world: ServiceWorld,
) -> None:
    web, incident = world.service(), world.incident()
    answer = world.ask(web, "with blank")
    assert (answer["status"], answer["errors"][0]["path"]) == ("refused", "repair.incident")
    assert len(world.open_incidents) == 1
    world.ask(web, incident)
    assert world.open_incidents == []
