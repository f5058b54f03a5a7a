"""What is decided, and how the last repair is judged."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caretaker.request import parse_request
from functions.service_repair.facts import Deployment, Facts, Telling
from functions.service_repair.plan import plan_repair
from functions.service_repair.request import ServiceRepairRequest
from functions.service_repair.units import plan_units
from tests.support.builders import NOW
from tests.unit.functions.service_repair.building import (
    DOCUMENT,
    ID,
    INCIDENT,
    OPENED,
    OTHER,
    SERVICE,
    SSM,
    a_machine,
    a_service,
    a_task,
    ago,
    an_attempt,
    ask,
    decided,
    ended,
    planned,
    refused,
)

if TYPE_CHECKING:
    from datetime import datetime

    from functions.service_repair.attempt import Attempt
    from functions.service_repair.plan import Plan


def test_one_of_several_tasks_is_stopped_the_one_that_runs_for_longest() -> None:
    plan = planned(a_service(3))
    assert decided(a_service(3)) == ("stop_task", "asked")
    assert plan.intent
    assert plan.intent.subject == a_task(0).arn
    assert plan.decision
    assert plan.decision.detail["task"] == a_task(0).arn.rpartition("/")[2]


def test_a_lone_task_is_replaced_by_a_forced_deployment() -> None:
    plan = planned(a_service(1))
    assert decided(a_service(1)) == ("deploy", "asked")
    assert plan.intent
    assert plan.intent.subject == ""


def test_a_document_is_run_where_it_is_asked_for() -> None:
    request = ask(SSM)
    assert decided(a_machine(), request=request) == ("send_command", "asked")
    assert decided(a_machine(), request=request, documents=frozenset())[1] == "document_not_allowed"
    decision = planned(a_machine(), request=request).decision
    assert decision
    assert (decision.target, decision.detail["document"]) == (ID, DOCUMENT)


def test_parameters_of_a_document_are_told_nobody() -> None:
    secret = {"ssm_document": {**SSM["ssm_document"], "parameters": {"token": "hunter2"}}}
    plan = planned(a_machine(), request=ask(secret))
    assert "hunter2" not in str((plan.decisions, plan.intent))


def test_the_intent_says_what_it_is_for() -> None:
    intent = planned(a_service()).intent
    assert intent
    assert (intent.incident, intent.opened, intent.target) == (INCIDENT, OPENED, "shop")
    assert (intent.at, intent.begun, intent.streak, intent.version) == (NOW, (NOW,), 1, 0)


def test_nothing_is_repaired_unless_the_incident_is_open() -> None:
    assert decided(a_service(), opened={}) == ("skip", "incident_not_open")
    assert decided(a_service(), opened={OTHER: OPENED}) == ("skip", "incident_not_open")


def test_a_run_that_is_asked_nothing_decides_nothing() -> None:
    request = parse_request(ServiceRepairRequest, {})
    plan = planned(request=request, attempts={SERVICE: an_attempt()}, opened={})
    assert (plan.decisions, plan.intent) == ([], None)
    assert plan.attempts[SERVICE].ending == "fixed"


def test_a_gate_is_told_with_what_was_seen() -> None:
    decision = planned(a_service(healthy_targets=2)).decision
    assert decision
    assert (decision.action, decision.reason) == ("report", "load_balancer_sees_healthy")
    assert decision.detail["healthy_targets"] == 2


@pytest.mark.parametrize("minutes", [0, 1, 4.9])
def test_a_repair_is_left_to_work_before_the_next(minutes: float) -> None:
    plan = planned(a_service(), an_attempt(minutes=minutes))
    assert decided(a_service(), an_attempt(minutes=minutes)) == ("report", "repair_under_way")
    assert plan.attempts == {}


def test_it_has_not_helped_when_the_incident_is_still_open_at_the_next_ask() -> None:
    plan = planned(a_service(), an_attempt(minutes=10))
    judged = plan.attempts[SERVICE]
    assert (judged.stand, judged.ending, judged.ended) == ("ended", "not_fixed", NOW)
    assert judged.history == ("stop task at 02:50: not fixed",)
    assert plan.decision
    assert plan.decision.reason == "cooldown"


def test_it_has_helped_when_the_incident_is_over() -> None:
    plan = planned(a_service(), an_attempt(minutes=10), opened={})
    assert plan.attempts[SERVICE].ending == "fixed"


def test_an_incident_that_opened_anew_was_over_in_between() -> None:
    plan = planned(a_service(), an_attempt(minutes=60), opened={INCIDENT: ago(3)})
    assert plan.attempts[SERVICE].ending == "fixed"
    assert plan.decision
    assert plan.decision.action == "stop_task"


def test_a_repair_asked_for_by_another_target_counts_for_both() -> None:
    both = {INCIDENT: OPENED, OTHER: OPENED}
    first = an_attempt(minutes=2, opened=OPENED)
    request = ask(incident=OTHER, target="admin")
    assert decided(a_service(), first, request=request, opened=both)[1] == "repair_under_way"
    later = an_attempt(minutes=10, opened=OPENED)
    plan = planned(a_service(), later, request=request, opened=both)
    assert plan.attempts[SERVICE].ending == "not_fixed"


def test_one_that_helped_another_target_is_waited_for_all_the_same() -> None:
    first = an_attempt(minutes=2, incident=OTHER)
    plan = planned(a_service(), first, opened={INCIDENT: OPENED})
    assert plan.attempts[SERVICE].ending == "fixed"
    assert plan.decision
    assert plan.decision.reason == "repair_under_way"


def test_attempts_of_other_resources_are_left_until_their_incident_is_over() -> None:
    other = {"prod/api": an_attempt(minutes=30, incident=OTHER, opened=OPENED)}
    still = planned(a_service(), attempts=other, opened={INCIDENT: OPENED, OTHER: OPENED})
    assert still.attempts == {}
    over = planned(a_service(), attempts=other, opened={INCIDENT: OPENED})
    assert over.attempts["prod/api"].ending == "fixed"
    assert over.attempt_of("prod/api") == over.attempts["prod/api"]
    assert over.attempt_of("prod/none") is None


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(14.9, "cooldown"), (15, "asked"), (60, "asked")],
)
def test_the_next_repair_begins_when_the_last_one_is_long_enough_ago(
    minutes: float, reason: str
) -> None:
    last = ended(an_attempt(minutes=minutes))
    assert decided(a_service(), last)[1] == reason


@pytest.mark.parametrize(("minutes", "reason"), [(29, "cooldown"), (31, "asked")])
def test_the_wait_doubles_with_each_in_a_row(minutes: float, reason: str) -> None:
    last = ended(an_attempt(minutes=minutes, streak=2))
    assert decided(a_service(), last)[1] == reason


def test_no_wait_is_longer_than_a_day() -> None:
    last = ended(an_attempt(minutes=24 * 60 + 1, streak=40))
    assert decided(a_service(), last)[1] == "asked"


def test_two_repairs_a_day_and_no_more() -> None:
    two = (ago(23 * 60), ago(120))
    last = ended(an_attempt(minutes=120, begun=two, streak=2))
    assert decided(a_service(), last)[1] == "daily_budget"
    old = ended(an_attempt(minutes=120, begun=(ago(24 * 60), ago(120)), streak=2))
    assert decided(a_service(), old)[1] == "asked"


def test_a_smaller_budget_may_be_asked_for() -> None:
    assert decided(a_service(), request=ask(repairs_per_day=0))[1] == "daily_budget"
    last = ended(an_attempt(minutes=120))
    assert decided(a_service(), last, request=ask(repairs_per_day=1))[1] == "daily_budget"


def test_the_next_intent_counts_on_and_tells_what_was_tried() -> None:
    last = ended(an_attempt(minutes=20, version=5), minutes=10)
    intent = planned(a_service(), last).intent
    assert intent
    assert (intent.begun, intent.streak, intent.version) == ((ago(20), NOW), 2, 5)
    assert intent.history == ("stop task at 02:40: not fixed",)


def test_what_was_tried_in_another_incident_is_not_told_in_this_one() -> None:
    last = ended(an_attempt(minutes=120), "fixed", minutes=110)
    intent = planned(a_service(), last, opened={INCIDENT: ago(5)}).intent
    assert intent
    assert intent.history == ()


def test_a_repair_that_held_for_a_day_ends_the_row() -> None:
    last = ended(an_attempt(minutes=25 * 60, streak=4), "fixed")
    held = planned(a_service(), last, opened={INCIDENT: ago(3)}).intent
    assert held
    assert held.streak == 1
    sooner = ended(an_attempt(minutes=23 * 60, streak=1), "fixed")
    again = planned(a_service(), sooner, opened={INCIDENT: ago(3)}).intent
    assert again
    assert again.streak == 2


def test_what_aws_did_not_take_counts_for_the_cooldown_alone() -> None:
    assert decided(a_service(), refused(an_attempt(minutes=10)))[1] == "cooldown"
    again = planned(a_service(), refused(an_attempt(minutes=15))).intent
    assert again
    assert (again.begun, again.streak) == ((NOW,), 1)


def test_a_deployment_of_ours_is_waited_for_and_then_told() -> None:
    under_way = a_service(1, deployments=(Deployment(is_primary=True, rollout="IN_PROGRESS"),))
    assert decided(under_way, an_attempt("deploy", minutes=20))[1] == "repair_under_way"
    assert decided(under_way, an_attempt("deploy", minutes=31))[1] == "deployment_under_way"
    assert decided(under_way, an_attempt("stop_task", minutes=20))[1] == "deployment_under_way"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("InProgress", "repair_under_way"),
        ("Pending", "repair_under_way"),
        ("Success", "cooldown"),
        ("Failed", "cooldown"),
        ("", "cooldown"),
    ],
)
def test_a_command_that_still_runs_is_waited_for(state: str, reason: str) -> None:
    sent = an_attempt("send_command", minutes=10, subject="command-1")
    plan = planned(a_machine(), sent, request=ask(SSM), command_state=state)
    assert plan.decision
    assert plan.decision.reason == reason
    assert plan.decision.detail.get("command_state", "") == state


def test_what_people_were_told_of_is_over_when_its_incident_is() -> None:
    tellings = [Telling("shop", SERVICE, INCIDENT), Telling("admin", "prod/admin", OTHER)]
    plan = planned(a_service(), tellings=tellings)
    assert plan.over == tellings[1:]


def test_every_change_is_one_call_of_its_own_lane() -> None:
    for things, request, lane in (
        (a_service(2), ask(), "StopTask"),
        (a_service(1), ask(), "UpdateService"),
        (a_machine(), ask(SSM), "SendCommand"),
    ):
        (unit,) = plan_units(planned(things, request=request).decisions)
        assert (unit.lane, len(unit.decisions)) == (lane, 1)
    assert plan_units(planned(a_service(pending=1)).decisions) == []


@given(st.data())
def test_never_more_than_two_a_day_and_never_within_the_cooldown(data: st.DataObject) -> None:
    """A day of asks at any times: what is sent keeps the bounds, whatever becomes of it."""
    steps = data.draw(st.lists(st.integers(1, 200), min_size=1, max_size=30))
    fixed = data.draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
    now, opened = NOW, OPENED
    attempt: Attempt | None = None
    sent: list[datetime] = []
    for minutes, is_fixed in zip(steps, fixed, strict=True):
        now += timedelta(minutes=minutes)
        opened = now - timedelta(minutes=1) if is_fixed else opened
        attempts = {SERVICE: attempt} if attempt else {}
        plan = _plan_at(now, opened, attempts)
        attempt = plan.intent or plan.attempt_of(SERVICE)
        if plan.intent:
            sent.append(now)
    for earlier, later in pairwise(sent):
        assert later - earlier >= timedelta(minutes=15)
    for first, third in zip(sent, sent[2:], strict=False):
        assert third - first >= timedelta(days=1)


def _plan_at(now: datetime, opened: datetime, attempts: dict[str, Attempt]) -> Plan:
    facts = Facts({INCIDENT: opened}, attempts=attempts, service=a_service())
    return plan_repair(facts, ask(), now=now)
