"""Who allows a restart, and what speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker import tags as tag
from functions.service_repair.facts import Deployment, Service
from functions.service_repair.gates import (
    action_for,
    stoppable,
    why_not_machine,
    why_not_service,
)
from tests.support.builders import NOW
from tests.unit.functions.service_repair.building import (
    DOCUMENT,
    RESTART,
    a_machine,
    a_service,
    a_task,
    happened,
)

DOCUMENTS = frozenset({DOCUMENT})
PRIMARY = Deployment(is_primary=True, rollout="COMPLETED")


def why_not(service: Service | None) -> str | None:
    return why_not_service(service, NOW)


def test_a_steady_service_that_is_opted_in_is_restarted() -> None:
    assert why_not(a_service()) is None
    assert why_not(a_service(1)) is None


def test_a_service_that_is_not_there_is_not() -> None:
    assert why_not(None) == "not_found"
    assert why_not(a_service(status="INACTIVE")) == "not_found"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, "not_opted_in"),
        ({"owner": "web"}, "not_opted_in"),
        ({tag.REMEDIATE: "none"}, "opted_out"),
        ({tag.REMEDIATE: "reboot"}, "remediate_unreadable"),
        ({tag.REMEDIATE: "Restart"}, "remediate_unreadable"),
        ({**RESTART, tag.IGNORE: "true"}, "ignored"),
        ({**RESTART, tag.IGNORE: ""}, "ignored"),
    ],
)
def test_nobody_restarts_what_its_users_have_not_opted_in(
    tags: dict[str, str], reason: str
) -> None:
    assert why_not(a_service(tags=tags)) == reason


def test_an_ignore_that_says_no_ignores_nothing() -> None:
    assert why_not(a_service(tags={**RESTART, tag.IGNORE: "false"})) is None


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"status": "DRAINING"}, "not_active"),
        ({"scheduling": "DAEMON"}, "daemon"),
        ({"controller": "CODE_DEPLOY"}, "deployment_controller"),
        ({"controller": "EXTERNAL"}, "deployment_controller"),
        ({"desired": 0}, "desired_zero"),
        ({"deployments": (PRIMARY, Deployment(is_primary=False))}, "deployment_under_way"),
        (
            {"deployments": (Deployment(is_primary=True, rollout="IN_PROGRESS"),)},
            "deployment_under_way",
        ),
        (
            {"deployments": (Deployment(is_primary=True, rollout="COMPLETED", failed_tasks=3),)},
            "start_failures",
        ),
        ({"pending": 1}, "tasks_starting"),
        ({"healthy_targets": 1}, "load_balancer_sees_healthy"),
    ],
)
def test_what_is_odd_about_a_service_speaks_against_it(odd: dict[str, Any], reason: str) -> None:
    assert why_not(a_service(**odd)) == reason
    assert why_not(a_service(1, **odd)) == reason


def test_a_deployment_that_failed_is_over() -> None:
    assert why_not(a_service(deployments=(Deployment(is_primary=True, rollout="FAILED"),))) is None


@pytest.mark.parametrize(
    "message",
    [
        "was unable to place a task because no container instance met all of its requirements",
        "is unable to consistently start tasks successfully",
    ],
)
def test_tasks_that_do_not_start_are_not_replaced_by_others(message: str) -> None:
    assert why_not(a_service(happenings=(happened(message),))) == "start_failures"
    steady = happened("has reached a steady state", minutes=29)
    assert why_not(a_service(happenings=(steady, happened(message)))) is None
    before = happened("has reached a steady state", minutes=31)
    assert why_not(a_service(happenings=(happened(message), before))) == "start_failures"


def test_an_event_speaks_for_six_hours() -> None:
    message = "was unable to place a task"
    late, later = happened(message, minutes=359), happened(message, minutes=360)
    assert why_not(a_service(happenings=(late,))) == "start_failures"
    assert why_not(a_service(happenings=(later,))) is None


def test_of_several_tasks_one_is_stopped_and_a_lone_one_is_deployed_anew() -> None:
    assert action_for(a_service(2)) == "stop_task"
    assert action_for(a_service(1)) == "deploy"
    assert action_for(a_service(1, tasks=())) == "deploy"


def test_tasks_without_the_tags_of_their_service_are_replaced_by_a_deployment() -> None:
    bare = a_service(tasks=(a_task(1, tags={}), a_task(2, tags={tag.REMEDIATE: "none"})))
    assert action_for(bare) == "deploy"
    some = a_service(tasks=(a_task(1, tags={}), a_task(2)))
    assert (action_for(some), stoppable(some)) == ("stop_task", [a_task(2)])


def test_the_task_that_runs_for_longest_comes_first_and_its_name_decides_a_tie() -> None:
    tasks = (a_task(3, minutes=9), a_task(2, minutes=9), a_task(1, minutes=8))
    assert stoppable(a_service(tasks=tasks)) == [tasks[1], tasks[0], tasks[2]]


@pytest.mark.parametrize(
    ("minimum", "maximum", "desired", "running", "reason"),
    [
        (100, 200, 1, 1, None),
        (0, 100, 1, 1, None),
        (50, 100, 1, 1, "no_room"),
        (100, 150, 1, 1, "no_room"),
        (50, 100, 2, 2, None),
        (75, 100, 2, 2, "no_room"),
        (100, 100, 2, 1, None),
    ],
)
def test_a_deployment_that_could_start_or_stop_no_task_is_not_begun(
    minimum: int, maximum: int, desired: int, running: int, reason: str | None
) -> None:
    tasks = tuple(a_task(each, tags={}) for each in range(running))
    limits = {"minimum_percent": minimum, "maximum_percent": maximum}
    assert why_not(a_service(desired, tasks=tasks, **limits)) == reason


def test_only_rolling_deployments_are_forced() -> None:
    assert why_not(a_service(1, strategy="BLUE_GREEN")) == "not_rolling"
    assert why_not(a_service(2, strategy="BLUE_GREEN")) is None


@pytest.mark.parametrize("value", ["restart", "reboot", "stop-start"])
def test_a_document_is_run_on_an_instance_that_is_opted_in(value: str) -> None:
    assert why_not_machine(a_machine(value), DOCUMENT, DOCUMENTS) is None


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"tags": {}}, "not_opted_in"),
        ({"tags": {tag.REMEDIATE: "none"}}, "opted_out"),
        ({"tags": {tag.REMEDIATE: "yes"}}, "remediate_unreadable"),
        ({"tags": {**RESTART, tag.IGNORE: "1"}}, "ignored"),
        ({"state": "stopped"}, "not_running"),
        ({"ping": "ConnectionLost"}, "not_online"),
        ({"ping": ""}, "not_online"),
    ],
)
def test_what_is_odd_about_an_instance_speaks_against_it(odd: dict[str, Any], reason: str) -> None:
    assert why_not_machine(a_machine(**odd), DOCUMENT, DOCUMENTS) == reason


def test_a_document_that_the_stack_does_not_name_is_never_run() -> None:
    assert why_not_machine(a_machine(), "AWS-RunShellScript", DOCUMENTS) == "document_not_allowed"
    assert why_not_machine(a_machine(), DOCUMENT, frozenset()) == "document_not_allowed"
    assert why_not_machine(None, DOCUMENT, DOCUMENTS) == "not_found"
