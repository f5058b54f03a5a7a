"""Repairs are asked for where they may help, of who may do them, and not over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.request import parse_request
from functions.instance_health.request import InstanceHealthRequest
from functions.service_repair.request import ServiceRepairRequest
from tests.cloud import ACCOUNT, REGION
from tests.support.stack import INSTANCE_REPAIRS, SERVICE_REPAIRS
from tests.support.uptime_world import SHOP, http, https, item_of, reason, told

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

INCIDENT: Final = f"caretaker/{ACCOUNT}/{REGION}/uptime/default/target_down/shop"
SERVICE: Final = {"ecs_service": {"cluster": "web", "service": "shop"}}
INSTANCE: Final = {"instance": "i-0123456789abcdef0"}
DOCUMENT: Final = {
    "ssm_document": {"name": "restart-unit", "parameters": {"unit": "shop"}, **INSTANCE}
}
FIXED: Final = {**SHOP, "fix": SERVICE}
QUICK: Final = {"timeout_seconds": 0.2}


@pytest.fixture(autouse=True)
def functions(uptime: UptimeWorld) -> None:
    """The functions that repair are there."""
    uptime.functions()


def test_a_repair_is_asked_for_once_the_incident_is_open(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=503)
    answers = uptime.runs(4, FIXED)
    assert [told(each) for each in answers] == [
        ("report", "failing", "unchanged"),
        ("report", "failing", "unchanged"),
        ("report", "down", "unchanged"),
        ("fix", "down", "done"),
    ]
    repair = {**SERVICE, "target": "shop", "incident": INCIDENT}
    slot = "2026-11-21T03:03:00+00:00"
    assert uptime.asked == [(SERVICE_REPAIRS, {"repair": repair, "scheduled_time": slot})]
    (call,) = uptime.cloud.calls.of("Invoke")
    assert call.params["InvocationType"] == "Event", "nobody waits for a repair"
    assert item_of(answers[3])["detail"]["asked"] == "caretaker-service-repair"


@pytest.mark.parametrize(
    ("fix", "function", "request_of"),
    [
        (SERVICE, SERVICE_REPAIRS, ServiceRepairRequest),
        (DOCUMENT, SERVICE_REPAIRS, ServiceRepairRequest),
        (INSTANCE, INSTANCE_REPAIRS, InstanceHealthRequest),
    ],
    ids=["service", "document", "instance"],
)
def test_each_kind_is_asked_of_who_does_it_in_words_that_it_takes(
    uptime: UptimeWorld, fix: Any, function: str, request_of: Any
) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(4, {**SHOP, "fix": fix})
    ((asked, event),) = uptime.asked
    assert asked == function
    parse_request(request_of, event)
    assert event["repair"]["incident"] == INCIDENT
    assert fix.items() <= event["repair"].items()


def test_it_is_asked_for_again_after_a_while_and_not_before(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=503)
    answers = uptime.runs(24, FIXED)
    assert [number for number, each in enumerate(answers) if told(each)[0] == "fix"] == [3, 13, 23]
    assert len(uptime.asked) == 3


def test_how_long_that_is_stands_in_the_event(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=503)
    answers = uptime.runs(9, FIXED, fix_again_minutes=5)
    assert [number for number, each in enumerate(answers) if told(each)[0] == "fix"] == [3, 8]


def test_people_hear_of_the_opening_of_what_was_asked_and_of_the_end(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(20, FIXED)
    uptime.farm.set("shop", status=200)
    uptime.runs(4, FIXED)
    messages = uptime.stack.alerts()
    states = [each["state"] for each in messages]
    assert states.count("ALARM") <= 2
    assert states[-1] == "OK"
    assert states.count("OK") == 1
    done = [each["done"] for message in messages for each in message["incidents"]]
    assert any("asked for a repair" in each for each in done)


def test_what_was_asked_for_a_service_is_asked_once_more_when_it_is_over(
    uptime: UptimeWorld,
) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(4, FIXED)
    uptime.farm.set("shop", status=200)
    answers = uptime.runs(6, FIXED)
    assert [each for each in map(told, answers) if each[0] == "fix"] == [
        ("fix", "recovered", "done")
    ]
    look = {"scheduled_time": "2026-11-21T03:06:00+00:00"}
    assert uptime.asked[1:] == [(SERVICE_REPAIRS, look)], "to look at what it told"


def test_of_instances_nothing_is_asked_when_it_is_over(uptime: UptimeWorld) -> None:
    target = {**SHOP, "fix": INSTANCE}
    uptime.farm.set("shop", status=503)
    uptime.runs(4, target)
    uptime.farm.set("shop", status=200)
    uptime.runs(6, target)
    assert len(uptime.asked) == 1


def test_where_nothing_was_asked_nothing_is_when_it_is_over(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=404)
    uptime.runs(5, FIXED)
    uptime.farm.set("shop", status=200)
    uptime.runs(6, FIXED)
    assert uptime.asked == []


@pytest.mark.parametrize(
    ("behaviour", "port", "target", "is_asked"),
    [
        ({"status": 500}, "", {}, True),
        ({"status": 502}, "", {}, True),
        ({"status": 503}, "", {}, True),
        ({"status": 504}, "", {}, True),
        ({"status": 501}, "", {}, False),
        ({"status": 505}, "", {}, False),
        ({"status": 404}, "", {}, False),
        ({"status": 429}, "", {}, False),
        ({"status": 401}, "", {}, False),
        ({"status": 301}, "", {"expect": {"status": ["200"], "redirects": 0}}, False),
        ({"body": "bye"}, "", {"expect": {"body_matches": "hello"}}, True),
        ({"how": "empty"}, "", {}, True),
        ({"how": "silent"}, "", QUICK, True),
        ({"how": "endless"}, "", {"expect": {"body_matches": "never"}}, False),
        ({"redirect": "http://shop.example.com/"}, "", {}, False),
        ({"redirect": "http://127.0.0.1/"}, "", {}, False),
        ({}, "refused", {}, True),
        ({"certificate": "expired"}, "", https(), False),
        ({}, "http", https(), False),
        ({}, "", {"url": "http://nobody.example.com/"}, False),
    ],
)
def test_only_what_a_restart_may_change_is_asked_to_be_repaired(
    uptime: UptimeWorld, behaviour: Any, port: str, target: Any, *, is_asked: bool
) -> None:
    uptime.farm.set("shop", **behaviour)
    if port:
        uptime.place(port)
    answers = uptime.runs(2, {**FIXED, **target}, confirm={"failures": 1})
    assert reason(answers[-1]) == "down"
    assert bool(uptime.asked) is is_asked


def test_nothing_is_asked_where_no_fix_is_named(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(5)
    assert uptime.asked == []


def test_nothing_is_asked_while_one_of_its_addresses_answers(uptime: UptimeWorld) -> None:
    uptime.net.names["shop.example.com"] = ["93.184.215.10", "93.184.215.66"]
    uptime.place("refused", "93.184.215.66")
    assert reason(uptime.runs(5, FIXED)[-1]) == "partial"
    assert uptime.asked == []


def test_a_run_that_passes_between_asks_for_nothing(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(3, FIXED)
    uptime.farm.set("shop", status=200)
    assert reason(uptime.run(FIXED)) == "recovering"
    assert uptime.asked == []


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("denied", "failed"),
        ("throttled", "deferred"),
        ("internal_error", "failed"),
        ("never_arrived", "failed"),
    ],
)
def test_a_call_that_fails_is_told_and_made_again_by_the_next_run(
    uptime: UptimeWorld, kind: str, result: str
) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(3, FIXED)
    uptime.cloud.faults.add(kind, operation="Invoke", times=None)
    answer = uptime.run(FIXED)
    item = item_of(answer)
    assert (item["action"], item["result"], answer["status"]) == ("fix", result, "partial")
    assert item["error"]["code"] if result == "failed" else item["detail"]["deferred_by"]
    uptime.cloud.faults.clear()
    uptime.cloud.calls.clear()
    assert told(uptime.run(FIXED)) == ("fix", "down", "done")
    assert len(uptime.asked) == 1


@pytest.mark.parametrize("kind", ["denied", "throttled"])
def test_people_hear_once_that_a_repair_could_not_be_asked_for(
    uptime: UptimeWorld, kind: str
) -> None:
    uptime.farm.set("shop", status=503)
    uptime.runs(3, FIXED)
    uptime.stack.alerts()
    uptime.cloud.faults.add(kind, operation="Invoke", times=None)
    uptime.runs(5, FIXED)
    (message,) = uptime.stack.alerts()
    assert any("could not be asked for" in each["done"] for each in message["incidents"])


def test_one_call_that_fails_stops_no_other(uptime: UptimeWorld) -> None:
    uptime.host("blog", status=503)
    uptime.farm.set("shop", status=503)
    two: tuple[Any, ...] = (FIXED, http("blog", fix=INSTANCE))
    uptime.runs(3, *two)
    uptime.cloud.faults.add("denied", operation="Invoke", match=SERVICE_REPAIRS, times=None)
    answer = uptime.run(*two)
    assert (told(answer)[2], told(answer, "blog")[2]) == ("failed", "done")
