"""Events that are wrong: each names its field, is told, and makes no call to the account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.instance_health import app
from tests.support.snapshots import MAX_ANSWER, kinds
from tests.support.stack import SLOT

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack

INCIDENT: Final = "caretaker/123456789012/eu-west-1/uptime/default/site_down/web"


def repairs(**fields: Any) -> dict[str, Any]:
    return {"repairs": fields}


def window(**fields: Any) -> dict[str, Any]:
    return {"maintenance_windows": [{"start": "02:00", "duration_minutes": 60, **fields}]}


WRONG: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "unknown field": ({"ladder": []}, "ladder", "unknown"),
    "unknown field of repairs": (repairs(rungs=1), "repairs.rungs", "unknown"),
    "unknown step": (repairs(ladders={"ebs": ["terminate"]}), "repairs.ladders.ebs.0", "stop"),
    "unknown class": (repairs(ladders={"network": ["reboot"]}), "repairs.ladders.network", ""),
    "an empty ladder": (repairs(ladders={"ebs": []}), "repairs.ladders.ebs", "1"),
    "an endless ladder": (repairs(ladders={"ebs": ["reboot"] * 7}), "repairs.ladders.ebs", "6"),
    "more of a group": (repairs(group_percent=11), "repairs.group_percent", "10"),
    "more ladders": (repairs(ladders_per_day=3), "repairs.ladders_per_day", "2"),
    "a weaker breaker": (repairs(breaker_percent=21), "repairs.breaker_percent", "20"),
    "a later breaker": (repairs(breaker_count=4), "repairs.breaker_count", "3"),
    "no breaker": (repairs(breaker_percent=0), "repairs.breaker_percent", "1"),
    "one poll": (repairs(polls=1), "repairs.polls", "2"),
    "less patience": (repairs(impaired_minutes=2), "repairs.impaired_minutes", "3"),
    "no settling": (repairs(settle_minutes=9), "repairs.settle_minutes", "10"),
    "no time for AWS": (repairs(recovery_minutes=9), "repairs.recovery_minutes", "10"),
    "a hasty ladder": (repairs(step_minutes=9), "repairs.step_minutes", "10"),
    "a ladder beyond its judgement": (repairs(step_minutes=16), "repairs.step_minutes", "15"),
    "no cooldown": (repairs(cooldown_minutes=14), "repairs.cooldown_minutes", "15"),
    "text for true": (repairs(address_may_change="yes"), "repairs.address_may_change", ""),
    "text for a number": (repairs(polls="2"), "repairs.polls", ""),
    "a zone that is none": (window(zone="Europe/Atlantis"), "maintenance_windows.0.zone", "IANA"),
    "a path for a zone": (window(zone="../etc/passwd"), "maintenance_windows.0.zone", "IANA"),
    "an hour that is none": (window(start="24:00"), "maintenance_windows.0.start", ""),
    "an endless window": (
        window(duration_minutes=1441), "maintenance_windows.0.duration_minutes", "1440"),
    "an empty window": (window(duration_minutes=0), "maintenance_windows.0.duration_minutes", "1"),
    "a day that is none": (
        window(weekdays=["monday"]), "maintenance_windows.0.weekdays.0", "mon"),
    "no days": (window(weekdays=[]), "maintenance_windows.0.weekdays", "1"),
    "a date that is none": (window(date="2026-02-30"), "maintenance_windows.0", "calendar"),
    "a date and days": (
        window(date="2026-12-01", weekdays=["tue"]), "maintenance_windows.0", "not both"),
    "a time that the clocks skip": (
        window(date="2027-03-28", start="02:30", zone="Europe/Berlin"),
        "maintenance_windows.0", "clocks skip"),
    "windows for every day of a month": (
        {"maintenance_windows": window()["maintenance_windows"] * 21}, "maintenance_windows", "20"),
    "no window": ({"maintenance_windows": {}}, "maintenance_windows", ""),
    "an endless key": ({"group_by": "x" * 129}, "group_by", "128"),
    "an empty key": ({"group_by": ""}, "group_by", "1"),
    "a repair of nothing": ({"repair": {}}, "repair.instance", "missing"),
    "a repair of a name": (
        {"repair": {"instance": "web-1", "incident": INCIDENT}}, "repair.instance", ""),
    "a repair without a reason": (
        {"repair": {"instance": "i-0123456789abcdef0"}}, "repair.incident", "missing"),
    "a repair for a blank": (
        {"repair": {"instance": "i-0123456789abcdef0", "incident": "a b"}}, "repair.incident", ""),
    "a repair and an event": (
        {"repair": {"instance": "i-0123456789abcdef0", "incident": INCIDENT},
         "event": {"source": "aws.ec2",
                   "detail": {"instance-id": "i-0123456789abcdef0", "state": "stopped"}}},
        "event", "not both"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "path", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_event_is_refused_with_its_field_and_told_and_touches_nothing(
    stack: Stack, account: Account, cloud: StrictCloud, event: dict[str, Any], path: str, says: str
) -> None:
    account.impaired_crowd(3)

    answer = stack.run(app.CHORE, {"scheduled_time": SLOT, **event})

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert path in {error["path"] for error in answer["errors"]}
    assert says.lower() in json.dumps(answer["errors"]).lower()
    assert not {call.service for call in cloud.calls} - {"dynamodb", "sns"}
    assert kinds(stack.alerts()) == ["event_refused"]


def test_everything_wrong_at_once_names_every_field_and_changes_nothing(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    account.impaired_crowd(3)
    event = {
        "policy": "Not A Policy",
        "mode": "destroy",
        "pace": 2,
        "group_by": 7,
        "wrong": True,
        **window(zone="Nowhere", start="2 am", duration_minutes="long", weekdays="mon"),
        **repairs(polls=0, group_percent=100, breaker_count=99, ladders={"system": ["explode"]}),
        "repair": {"instance": "*", "incident": "", "force": True},
    }

    answer = stack.run(app.CHORE, event)

    assert {error["path"] for error in answer["errors"]} >= {
        "policy",
        "mode",
        "pace",
        "group_by",
        "wrong",
        "maintenance_windows.0.zone",
        "maintenance_windows.0.start",
        "maintenance_windows.0.duration_minutes",
        "maintenance_windows.0.weekdays",
        "repairs.polls",
        "repairs.group_percent",
        "repairs.breaker_count",
        "repairs.ladders.system.0",
        "repair.instance",
        "repair.incident",
        "repair.force",
    }
    assert not {call.service for call in cloud.calls} - {"dynamodb", "sns"}
    assert len(json.dumps(answer)) < MAX_ANSWER


def test_an_event_may_not_raise_the_mode_of_a_stack_that_reports(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")

    answer = stack.run(app.CHORE, {"mode": "act"})

    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")


def test_the_same_wrong_schedule_is_told_once_however_often_it_comes(stack: Stack) -> None:
    for minute in range(5):
        stack.run(app.CHORE, {"wrong": 1, "scheduled_time": f"2026-11-21T03:0{minute}:00Z"})

    assert len(stack.alerts()) == 1
