"""The deployed service repair function restarts what is asked for, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count

import pytest

from tests.cloud.demo_memory import let_minutes_pass, remembered
from tests.cloud.deployment import SCHEDULED, Json
from tests.cloud.remote import RemoteCloud
from tests.e2e.healer import Healer
from tests.e2e.plays import SECONDS, Plays
from tests.e2e.prober import DOCUMENT, Prober, event, service, told

LONG = 30
"""Minutes after which no repair is under way any more."""

_numbers = count(1)


@pytest.fixture
def policy(prober: Prober, ec2: RemoteCloud) -> Iterator[str]:
    """A policy of the test's own, under which an incident is open until the test is over.

    Repairs of the tests before are long over: only some may be under way at once.
    """
    let_minutes_pass(prober.stack, "service_repair", LONG)
    name = f"repairs-{next(_numbers)}"
    yield name
    prober.close(name)


@pytest.fixture
def incident(prober: Prober, policy: str) -> str:
    """Return the full key of that incident."""
    return prober.incident(policy)


def happened(answer: Json) -> tuple[str, str, str]:
    """Return what an answer says of the one thing that was asked for."""
    (item,) = answer["outcomes"]
    return item["action"], item["reason"], item["result"]


def test_a_repair_that_helped_is_judged_by_the_incident_that_asked_for_it(
    plays: Plays, prober: Prober
) -> None:
    assert told(plays.answers["shop"][-1], "shop") == ("fix", "recovered", "done")

    attempt = _ended(prober, "prod/shop")
    assert (attempt["stand"], attempt["ending"]) == ("ended", "fixed")
    assert attempt["incident"].endswith("/uptime/shop/target_down/shop")


def _ended(prober: Prober, resource: str) -> Json:
    """Return the last repair of a resource once it is judged, or as it stands in the end."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and _attempts(prober)[resource]["stand"] != "ended":
        time.sleep(0.2)
    return _attempts(prober)[resource]


def _attempts(prober: Prober) -> dict[str, Json]:
    """Return the last repair of each resource, as the table has it."""
    return {
        item["sk"]["S"]: json.loads(item["document"]["S"])
        for item in remembered(prober.stack)
        if item["pk"]["S"].startswith("attempts#service_repair/")
    }


def test_of_two_tasks_the_one_that_ran_for_longest_is_stopped_and_no_other_soon_after(
    prober: Prober, incident: str
) -> None:
    tasks = prober.add_service("pair")

    first = prober.repair(service("pair"), incident)
    second = prober.repair(service("pair"), incident)

    assert happened(first) == ("stop_task", "asked", "done")
    assert happened(second) == ("report", "repair_under_way", "unchanged")
    assert len(set(tasks) & set(prober.tasks("pair"))) == 1


def test_a_service_with_one_task_is_deployed_anew(prober: Prober, incident: str) -> None:
    prober.add_service("single", running=1)

    answer = prober.repair(service("single"), incident)

    assert happened(answer) == ("deploy", "asked", "done")
    assert len(prober.tasks("single")) == 2


def test_a_service_that_did_not_opt_in_is_left_alone_and_people_hear(
    prober: Prober, incident: str, policy: str, healer: Healer
) -> None:
    tasks = prober.add_service("private", tags={})

    answer = prober.repair(service("private"), incident, policy=policy)

    assert happened(answer) == ("report", "not_opted_in", "unchanged")
    assert prober.tasks("private") == tasks
    heard = healer.http.wait_for_one(lambda each: "prod/private" in each.message)
    assert heard.document["chore"] == "service_repair"


def test_a_document_of_the_stack_is_run_on_the_instance(prober: Prober, incident: str) -> None:
    instance = _with_agent(prober)
    prober.ec2.seed("command_course", DOCUMENT, begins=0, ends=1)

    answer = prober.repair(_document(DOCUMENT, instance), incident)

    assert happened(answer) == ("send_command", "asked", "done")
    (sent,) = prober.ec2.seed("commands", instance)
    assert (sent["document"], sent["parameters"]) == (DOCUMENT, {"unit": ["web"]})


def test_a_document_that_the_stack_does_not_name_is_not_run(prober: Prober, incident: str) -> None:
    instance = _with_agent(prober)

    answer = prober.repair(_document("AWS-RunShellScript", instance), incident)

    assert happened(answer) == ("report", "document_not_allowed", "unchanged")
    assert prober.ec2.seed("commands", instance) == []


def _with_agent(prober: Prober) -> str:
    """Add an instance on which documents may be run."""
    for name in (DOCUMENT, "AWS-RunShellScript"):
        prober.ec2.seed("document", name, takes=["unit"])
    tags = {"caretaker:remediate": "restart"}
    made = prober.ec2.instance({}, tags=tags, zone="b", name="worker").id
    prober.ec2.seed("agent", made)
    return made


def _document(name: str, instance: str) -> Json:
    parameters = {"unit": "web"}
    return {"ssm_document": {"name": name, "instance": instance, "parameters": parameters}}


def test_what_nobody_has_an_open_incident_of_is_not_repaired(plays: Plays, prober: Prober) -> None:
    assert happened(plays.unasked) == ("skip", "incident_not_open", "unchanged")
    assert prober.tasks("well") == plays.well


def test_a_dry_run_by_hand_plans_the_repair_and_does_nothing(prober: Prober, incident: str) -> None:
    tasks = prober.add_service("dry")

    answer = prober.repair(service("dry"), incident, mode="report")

    assert happened(answer) == ("stop_task", "asked", "planned")
    assert prober.tasks("dry") == tasks
    assert "prod/dry" not in _attempts(prober)


def test_a_stack_in_report_mode_plans_alone_and_cannot_be_asked_to_act(onlooker: Prober) -> None:
    tasks, incident = onlooker.add_service("looked-at"), onlooker.incident("looks")

    planned = onlooker.repair(service("looked-at"), incident)
    refused = onlooker.repair(service("looked-at"), incident, mode="act")

    onlooker.close("looks")
    assert happened(planned) == ("stop_task", "asked", "planned")
    assert (refused["status"], refused["reason"]) == ("refused", "mode_not_allowed")
    assert onlooker.tasks("looked-at") == tasks


@pytest.mark.parametrize("name", ["wrong-repair", "wrong-bounds", "other-region"])
def test_a_wrong_event_changes_nothing_and_people_hear(
    name: str, prober: Prober, healer: Healer
) -> None:
    prober.ec2.clear_calls()

    wrong = {**event(name, "service_repair"), "policy": name, "scheduled_time": SCHEDULED}
    answer = prober.stack.invoke(prober.repairs, wrong)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert prober.ec2.calls() == []
    heard = healer.http.wait_for_one(lambda each: f"/service_repair/{name}/" in each.message)
    assert heard.subject.startswith("ALARM: [CRIT]")
