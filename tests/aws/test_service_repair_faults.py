"""Repairs that are refused, killed, lost, asked for twice, or too many at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.errors import ListingError, OutOfTimeError, StateError
from functions.alerts import app as alerts
from functions.service_repair import app
from tests.support.crashes import KilledError, at_call, killed_at
from tests.support.health_world import told
from tests.support.service_world import DOCUMENT, REPAIRS, ServiceWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

MINUTE = 60
OPERATIONS = sorted(REPAIRS)
RETRY_SECONDS = 61


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ServiceWorld]:
    """An account whose services are behind targets."""
    monkeypatch.setenv("CARETAKER_SSM_DOCUMENTS", DOCUMENT)
    made = ServiceWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


def thing_for(world: ServiceWorld, operation: str) -> Any:
    """Return what is repaired by this call."""
    if operation == "SendCommand":
        return world.machine()
    return world.service(tasks=2 if operation == "StopTask" else 1)


def result(answer: dict[str, Any]) -> str:
    (item,) = answer["outcomes"]
    return str(item["result"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_that_is_denied_is_told_and_tried_again_after_the_cooldown(
    world: ServiceWorld, operation: str
) -> None:
    thing, incident = thing_for(world, operation), world.incident()
    world.cloud.faults.add("denied", operation=operation, times=2)
    answer = world.ask(thing, incident)
    assert (result(answer), answer["status"]) == ("failed", "partial")
    assert world.open_incidents == ["service_repair_failed/shop"]
    (subject,) = world.heard()
    assert subject.startswith("ALARM: [WARN]")
    assert "AccessDenied" in subject
    world.clock.advance(10 * MINUTE)
    assert world.ask(thing, incident)["outcomes"][0]["reason"] == "cooldown"
    for expected in ("failed", "done"):
        world.clock.advance(20 * MINUTE)
        assert result(world.ask(thing, incident)) == expected
    assert len(world.happened()) == 1
    assert world.open_incidents == ["service_repair/shop"]  # of the cooldown
    (attempt,) = world.attempts.values()
    assert len(attempt["begun"]) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", ["answer_lost", "never_arrived", "internal_error"])
def test_an_answer_that_is_lost_counts_as_done(
    world: ServiceWorld, operation: str, kind: str
) -> None:
    thing, incident = thing_for(world, operation), world.incident()
    world.cloud.faults.add(kind, operation=operation)
    answer = world.ask(thing, incident)
    assert result(answer) == "failed"
    assert answer["outcomes"][0]["detail"]["call"] == "unknown"
    assert world.repairs() == [operation]
    world.clock.advance(2 * MINUTE)
    assert world.ask(thing, incident)["outcomes"][0]["reason"] == "repair_under_way"
    world.clock.advance(8 * MINUTE)
    assert world.ask(thing, incident)["outcomes"][0]["reason"] == "cooldown"
    assert world.repairs() == [operation]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_throttled_call_is_sent_again_for_nothing_has_happened(
    world: ServiceWorld, operation: str
) -> None:
    thing, incident = thing_for(world, operation), world.incident()
    world.cloud.faults.add("throttled", operation=operation, times=2)
    assert result(world.ask(thing, incident)) == "done"
    assert (len(world.repairs()), len(world.happened())) == (3, 1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_that_is_throttled_to_the_end_is_as_if_it_had_not_begun(
    world: ServiceWorld, operation: str
) -> None:
    thing, incident = thing_for(world, operation), world.incident()
    world.cloud.faults.add("throttled", operation=operation, times=None)
    answer = world.ask(thing, incident)
    assert result(answer) == "deferred"
    assert world.attempts == {}
    world.cloud.faults.clear()
    world.clock.advance(10 * MINUTE)
    assert result(world.ask(thing, incident)) == "done"
    assert "work_left_over/run" not in world.open_incidents


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_run_killed_at_the_call_is_not_repeated(
    world: ServiceWorld, operation: str, *, effective: bool
) -> None:
    thing, incident = thing_for(world, operation), world.incident()
    with (
        killed_at(world.cloud, operation, 1, effective=effective),
        pytest.raises(KilledError),
    ):
        world.ask(thing, incident, request="r-1")
    world.clock.advance(RETRY_SECONDS)
    answer = world.ask(thing, incident, request="r-1")
    assert answer["outcomes"][0]["reason"] == "repair_under_way"
    assert len(world.happened()) == effective
    world.clock.advance(20 * MINUTE)
    assert result(world.ask(thing, incident)) == "done"
    assert len(world.happened()) == 1 + effective


def test_the_table_of_calls_is_true(world: ServiceWorld) -> None:
    """Of a clean run: what the next tests kill it at."""
    thing, incident = world.service(health=("unhealthy",)), world.incident()
    world.cloud.calls.clear()
    world.ask(thing, incident)
    assert dict(world.cloud.calls.operations()) == CALLS


CALLS = {
    "DeleteItem": 1,
    "DescribeServices": 2,
    "DescribeTargetHealth": 2,
    "DescribeTasks": 2,
    "ListTasks": 2,
    "PutItem": 4,
    "PutObject": 1,
    "Query": 7,
    "StopTask": 1,
    "UpdateItem": 1,
}


@pytest.mark.parametrize(
    ("operation", "nth"),
    [(name, nth) for name, number in CALLS.items() for nth in range(1, number + 1)],
)
@pytest.mark.parametrize("kind", ["killed", "denied"])
def test_whatever_goes_wrong_once_there_is_one_repair_and_people_hear_of_it(
    world: ServiceWorld, operation: str, nth: int, kind: str
) -> None:
    thing, incident = world.service(health=("unhealthy",)), world.incident()
    heard: list[str] = []
    with suppress(KilledError, StateError, Exception):
        if kind == "killed":
            with killed_at(world.cloud, operation, nth, effective=True):
                world.ask(thing, incident, request="r-1")
        else:
            world.cloud.faults.add(kind, operation=operation, nth=nth)
            world.ask(thing, incident, request="r-1")
    world.cloud.faults.clear()
    for _ in range(3):
        world.stack.run(alerts.CHORE, {})
        heard += world.heard()
        world.clock.advance(10 * MINUTE)
        with suppress(Exception):
            world.ask(thing, incident)
    heard += world.heard()
    assert 1 <= len(world.happened()) <= 2
    assert any("not repaired" in each or "failed" in each for each in heard)
    assert len(world.repairs()) <= 3


def test_of_two_runs_at_once_one_repairs_and_the_other_is_spared(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    inner: list[dict[str, Any]] = []
    at_call(world.cloud, "DescribeServices", lambda: inner.append(world.ask(web, incident)))
    outer = world.ask(web, incident)
    assert (result(outer), inner[0]["status"], inner[0]["reason"]) == (
        "done",
        "skipped",
        "slot_in_progress",
    )
    assert world.repairs() == ["StopTask"]


@pytest.mark.parametrize(
    ("operation", "nth"), [("DescribeServices", 1), ("DescribeServices", 2), ("DescribeTasks", 2)]
)
def test_of_two_runs_of_different_policies_one_repairs(
    world: ServiceWorld, operation: str, nth: int
) -> None:
    web, incident = world.service(tasks=3), world.incident()
    inner: list[dict[str, Any]] = []
    other = lambda: inner.append(world.ask(web, incident, policy="other"))  # noqa: E731
    at_call(world.cloud, operation, other, nth)
    outer = world.ask(web, incident)
    assert sorted(told(each, "prod/web")[2] for each in (outer, *inner)) == ["done", "unchanged"]
    assert world.repairs() == ["StopTask"]


def test_different_resources_are_repaired_beside_each_other(world: ServiceWorld) -> None:
    web, api = world.service("web"), world.service("api")
    first, second = world.incident("web"), world.incident("api")
    inner: list[dict[str, Any]] = []
    ask = lambda: inner.append(world.ask(api, second, target="api"))  # noqa: E731
    at_call(world.cloud, "DescribeServices", ask)
    outer = world.ask(web, first, target="web")
    assert (result(outer), result(inner[0])) == ("done", "done")


def test_no_more_than_three_are_repaired_at_once(world: ServiceWorld) -> None:
    webs = {f"web-{number}": world.service(f"web-{number}") for number in range(5)}

    def reason_of(name: str) -> str:
        answer = world.ask(webs[name], world.incident(name), target=name)
        return str(answer["outcomes"][0]["reason"])

    assert [reason_of(name) for name in webs] == ["asked"] * 3 + ["at_once_budget"] * 2
    world.clock.advance(6 * MINUTE)
    assert reason_of("web-4") == "asked"


def test_a_service_that_changes_before_the_last_look_is_left(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    at_call(world.cloud, "DescribeServices", lambda: setattr(web, "controller", "EXTERNAL"), nth=2)
    answer = world.ask(web, incident)
    assert told(answer, "prod/web") == ("skip", "changed_meanwhile", "unchanged")
    assert world.repairs() == []


def test_the_oldest_task_is_the_one_of_the_last_look(world: ServiceWorld) -> None:
    web, incident = world.service(tasks=3), world.incident()

    first, second, _ = web.tasks

    def gone() -> None:
        web.stop(first, "by hand", "UserInitiated", world.clock.now())
        web.tasks[-1].starts_at = world.clock.now()  # and is replaced at once

    at_call(world.cloud, "DescribeServices", gone, nth=2)
    world.ask(web, incident)
    assert world.stopped() == [second.arn]


def test_nothing_is_repaired_while_the_state_table_cannot_be_reached(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    world.cloud.faults.add("unavailable", service="dynamodb", times=None)
    with pytest.raises(StateError):
        world.ask(web, incident)
    assert world.repairs() == []


def test_nothing_is_repaired_in_the_last_minute(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    with suppress(OutOfTimeError):
        world.ask(web, incident, seconds=55)
    assert world.repairs() == []


@pytest.mark.parametrize(
    "operation", ["DescribeServices", "ListTasks", "DescribeTasks", "DescribeTargetHealth"]
)
def test_what_cannot_be_read_is_not_repaired(world: ServiceWorld, operation: str) -> None:
    web, incident = world.service(health=("unhealthy",)), world.incident()
    fault = world.cloud.faults.add("denied", operation=operation)
    answer = world.ask(web, incident)
    assert told(answer, "prod/web") == ("report", "listing_failed", "failed")
    assert (fault.fired, world.repairs(), answer["status"]) == (1, [], "partial")
    assert world.open_incidents == ["service_repair_failed/shop"]
    assert result(world.ask(web, incident)) == "done"
    assert world.open_incidents == []


def test_what_cannot_be_read_at_the_last_look_is_not_repaired(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    world.cloud.faults.add("denied", operation="ListTasks", nth=2)
    assert told(world.ask(web, incident), "prod/web") == ("stop_task", "asked", "failed")
    assert (world.repairs(), world.attempts) == ([], {})


def test_what_may_pass_is_left_to_lambdas_retry(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()
    world.cloud.faults.add("internal_error", operation="DescribeServices", times=4)
    with pytest.raises(ListingError):
        world.ask(web, incident, request="r-1")
    assert result(world.ask(web, incident, request="r-1")) == "done"


def test_a_command_whose_state_cannot_be_read_is_judged_later(world: ServiceWorld) -> None:
    box, incident = world.machine(), world.incident()
    world.cloud.faults.add("denied", operation="ListCommandInvocations", times=None)
    answer = world.ask(box, incident)
    assert result(answer) == "done"
    assert answer["outcomes"][0]["detail"]["command_state"] == "unknown"
    world.clock.advance(10 * MINUTE)
    assert world.ask(box, incident)["outcomes"][0]["reason"] == "cooldown"


def test_an_intent_that_cannot_be_written_is_not_carried_out(world: ServiceWorld) -> None:
    web, incident = world.service(), world.incident()

    def unreachable() -> None:
        world.cloud.faults.add("unavailable", operation="PutItem", match="prod/web", times=3)

    at_call(world.cloud, "DescribeTasks", unreachable, nth=2)
    assert result(world.ask(web, incident)) == "failed"
    assert (world.repairs(), world.attempts) == ([], {})
    assert result(world.ask(web, incident)) == "done"


def test_a_command_of_which_nobody_answers_now_is_judged_by_lambdas_retry(
    world: ServiceWorld,
) -> None:
    box, incident = world.machine(), world.incident()
    world.account.command_course(ends=20 * MINUTE)
    world.ask(box, incident)
    world.clock.advance(10 * MINUTE)
    world.cloud.faults.add("internal_error", operation="ListCommandInvocations", times=4)
    with pytest.raises(ListingError):
        world.ask(box, incident, request="r-1")
    assert world.ask(box, incident, request="r-1")["outcomes"][0]["reason"] == "repair_under_way"


def test_a_command_that_is_known_late_is_waited_for(world: ServiceWorld) -> None:
    world.account.command_course(late=20, ends=30)
    box, incident = world.machine(), world.incident()
    answer = world.ask(box, incident)
    assert answer["outcomes"][0]["detail"]["command_state"] == "Success"


def test_a_command_that_no_agent_takes_is_told_as_failed(world: ServiceWorld) -> None:
    box, incident = world.machine(), world.incident()
    at_call(world.cloud, "SendCommand", lambda: world.account.agent(box, "ConnectionLost"))
    answer = world.ask(box, incident)
    (item,) = answer["outcomes"]
    assert (item["result"], item["error"]["code"]) == ("failed", "CommandTimedOut")


def test_a_command_that_was_sent_and_not_written_down_is_sent_once(world: ServiceWorld) -> None:
    box, incident = world.machine(), world.incident()

    def unreachable() -> None:
        world.cloud.faults.add("unavailable", operation="PutItem", match=box, times=3)

    at_call(world.cloud, "SendCommand", unreachable)
    answer = world.ask(box, incident)
    assert result(answer) == "done"
    world.clock.advance(10 * MINUTE)
    assert world.ask(box, incident)["outcomes"][0]["reason"] == "cooldown"
    assert len(world.account.commands(box)) == 1


def test_no_parameter_of_a_document_is_ever_told(world: ServiceWorld) -> None:
    box, incident = world.machine(), world.incident()
    secret = "hunter2-canary"
    repair = {
        "ssm_document": {"name": DOCUMENT, "instance": box, "parameters": {"token": secret}},
        "incident": incident,
        "target": "shop",
    }
    answer = world.stack.run(app.CHORE, {"repair": repair})
    (command,) = world.account.commands(box)
    assert command["parameters"] == {"token": [secret]}
    assert secret not in str((answer, world.stack.items(), world.stack.alerts()))
    assert secret not in str(world.stack.report(answer))
