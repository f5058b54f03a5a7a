"""The deployed instance health function as it ships: it looks, and tells what it would do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count

import pytest

from tests.cloud.demo_memory import let_minutes_pass
from tests.cloud.deployment import SCHEDULED, Json, Stack
from tests.e2e.conftest import Inboxes, allowed_to
from tests.e2e.healer import CHORE, Healer, Sick, event

CHANGING = {
    "autoscaling:SetInstanceHealth",
    "ec2:RebootInstances",
    "ec2:StartInstances",
    "ec2:StopInstances",
}
NEVER = {"ec2:CreateTags", "ec2:DeleteTags", "ec2:RunInstances", "ec2:TerminateInstances"}

_numbers = count(1)


def test_the_schedule_asks_what_the_parameters_say(stack: Stack) -> None:
    scheduled = stack.schedule(mode="act", function=stack.outputs["InstanceHealthFunctionName"])

    asked = json.loads(scheduled["Target"]["Input"])
    assert asked == {**event("regular"), "scheduled_time": "<aws.scheduler.scheduled-time>"}


def test_by_default_the_schedule_tells_what_it_would_do_and_does_nothing(
    stack: Stack, inboxes: Inboxes, healer: Healer, sick: Sick
) -> None:
    instance, function = sick(), stack.outputs["InstanceHealthFunctionName"]
    schedule = stack.schedule(mode="act", function=function)

    def fire() -> Json:
        started = datetime.now(UTC)
        slot = stack.fire(schedule, started)
        return stack.wait_for_answer(function, started, slot=slot, mode="report")

    fire()
    let_minutes_pass(stack, CHORE, 1)
    answer = fire()

    assert (answer["status"], answer["policy"]) == ("ok", "default")
    planned = {e["target"]: e for e in stack.report(answer)[1:] if e["result"] == "planned"}
    assert (planned[instance]["action"], planned[instance]["reason"]) == ("reboot", "impaired")
    assert healer.power_log(instance) == []
    heard = inboxes.http.wait_for_one(lambda each: instance in each.message)
    assert "to reboot in mode act" in heard.subject
    sms = inboxes.phone.wait_for_one(lambda each: instance in each.message).message
    assert sms.startswith("ALARM: CRIT prod sick")
    assert len(sms) <= 160


def test_in_report_mode_its_role_can_change_nothing_and_no_event_can_ask_for_more(
    stack: Stack, healer: Healer
) -> None:
    allowed, acting = (allowed_to(each, "InstanceHealthRole") for each in (stack, healer.stack))

    assert "ec2:DescribeInstanceStatus" in allowed
    assert allowed & CHANGING == set()
    assert acting >= CHANGING
    assert acting & NEVER == set()
    answer = stack.invoke(stack.outputs["InstanceHealthFunctionName"], event("act"))
    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")


def test_where_the_stack_acts_a_dry_run_by_hand_changes_and_tells_nothing(
    healer: Healer, sick: Sick
) -> None:
    instance = sick()
    assert healer.poll(instance) == ("report", "first_seen", "unchanged")
    healer.pass_minutes(1)

    answer = healer.stack.invoke(healer.function, event("report"))

    assert healer.became(answer, instance) == ("reboot", "impaired", "planned")
    assert healer.power_log(instance) == []
    assert healer.told(instance) == []


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        (
            "wrong-ladder",
            {
                "repairs.group_percent",
                "repairs.breaker_percent",
                "repairs.ladders_per_day",
                "repairs.ladders.instance",
            },
        ),
        ("wrong-windows", {"maintenance_windows"}),
    ],
)
def test_a_wrong_event_is_refused_with_every_field_named_and_people_hear(
    name: str, paths: set[str], healer: Healer
) -> None:
    healer.ec2.clear_calls()
    policy = f"wrong-{next(_numbers)}"

    wrong = {**event(name), "policy": policy, "scheduled_time": SCHEDULED}
    answer = healer.stack.invoke(healer.function, wrong)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    named = [each["path"] for each in answer["errors"]]
    assert all(any(each.startswith(path) for each in named) for path in paths)
    assert all(any(each.startswith(path) for path in paths) for each in named)
    assert healer.ec2.calls() == []
    heard = healer.http.wait_for_one(lambda each: f"/{policy}/" in each.message)
    assert heard.subject.startswith("ALARM: [CRIT]")
