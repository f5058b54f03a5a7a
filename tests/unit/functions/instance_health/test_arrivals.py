"""Events as EventBridge delivers them, each after the example in the documentation of AWS."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.instance_health.arrivals import (
    RECOVERY_FAILED,
    Arrival,
    HealthEvent,
    StateChange,
    resolve,
)
from functions.instance_health.request import InstanceHealthRequest

SCENE: Any = SimpleNamespace()
STATE: dict[str, Any] = {
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2026-11-21T21:29:54Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:ec2:eu-west-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-abcd1111", "state": "pending"},
}
HEALTH: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "AWS Health Event",
    "source": "aws.health",
    "account": "123456789012",
    "time": "2026-11-21T10:00:00Z",
    "region": "eu-west-1",
    "resources": ["i-abcd2222", "i-abcd1111"],
    "detail": {
        "eventArn": "arn:aws:health:eu-west-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/7f3b",
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": "1234abc01232a4012345678-1",
        "startTime": "Sat, 21 Nov 2026 09:50:00 GMT",
        "endTime": "Sat, 21 Nov 2026 11:00:00 GMT",
        "lastUpdatedTime": "Sat, 21 Nov 2026 10:00:00 GMT",
        "statusCode": "open",
        "eventRegion": "eu-west-1",
        "eventDescription": [{"language": "en_US", "latestDescription": "We are investigating."}],
        "eventMetadata": {"keystring1": "valuestring1"},
        "affectedEntities": [
            {"entityValue": "i-abcd2222", "tags": {"stage": "prod"}, "status": "IMPAIRED"},
            {"entityValue": "arn:aws:ec2:eu-west-1:123456789012:instance/i-abcd1111"},
            {"entityValue": "i-abcd2222"},
            {"entityValue": "vol-0123456789abcdef0"},
            {"entityArn": "arn:aws:health:eu-west-1::entity/x"},
        ],
        "affectedAccount": "123456789012",
        "page": "1",
        "totalPages": "1",
    },
}


def arrived(event: dict[str, Any]) -> InstanceHealthRequest:
    return parse_request(InstanceHealthRequest, resolve(event, SCENE))


def detail_of(event: dict[str, Any], **changed: Any) -> Arrival:
    other = copy.deepcopy(event)
    for key, value in changed.items():
        if value is None:
            del other["detail"][key]
        else:
            other["detail"][key] = value
    made = arrived(other).event
    assert made
    return made


def wrong(event: dict[str, Any]) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        arrived(event)
    return {error["path"] for error in refused.value.errors}


def test_a_state_change_tells_of_one_instance() -> None:
    request = arrived(STATE)

    assert request.event
    assert request.event.detail == StateChange.model_validate(STATE["detail"])
    assert request.event.about == "i-abcd1111"
    assert f"{request.scheduled_time:%H:%M:%S}" == "21:29:54"
    assert request.lease_scope == "event/i-abcd1111"


def test_a_health_event_tells_of_the_instances_among_its_entities() -> None:
    detail = detail_of(HEALTH).detail

    assert isinstance(detail, HealthEvent)
    assert detail.instance_ids == ("i-abcd1111", "i-abcd2222")
    assert (detail.eventTypeCategory, detail.statusCode) == ("issue", "open")
    assert detail.startTime == "Sat, 21 Nov 2026 09:50:00 GMT"


def test_a_health_event_may_affect_nothing_that_is_named() -> None:
    detail = detail_of(HEALTH, affectedEntities=None, statusCode=None, startTime=None).detail

    assert isinstance(detail, HealthEvent)
    assert (detail.instance_ids, detail.statusCode, detail.startTime) == ((), "open", "")


def test_all_that_is_told_of_one_health_event_is_about_the_same() -> None:
    first, later = detail_of(HEALTH), detail_of(HEALTH, statusCode="closed")
    another = detail_of(HEALTH, eventArn="arn:aws:health:eu-west-1::event/EC2/OTHER/1")

    assert first.about == later.about != another.about
    assert len(first.about) == 16


def test_aws_may_add_to_its_events() -> None:
    state = copy.deepcopy(STATE)
    state["detail"]["reason"] = {"code": "new"}

    assert arrived(state).event == arrived(STATE).event
    assert detail_of(HEALTH, personas=["OPERATIONS"]).about == detail_of(HEALTH).about


def test_the_name_of_a_failed_recovery_is_that_of_aws() -> None:
    detail = detail_of(HEALTH, eventTypeCode=RECOVERY_FAILED).detail

    assert isinstance(detail, HealthEvent)
    assert detail.eventTypeCode == "AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_FAILURE"


@pytest.mark.parametrize("time", [None, "2026-11-21T21:29:54Z"])
def test_an_event_without_a_time_has_the_time_of_its_run(time: str | None) -> None:
    event = {**STATE, "time": time} if time else {k: v for k, v in STATE.items() if k != "time"}

    assert (arrived(event).scheduled_time is None) == (time is None)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"source": "aws.autoscaling"}, "event.source"),
        ({"source": None}, "event.source"),
        ({"source": "aws.health"}, "event"),
        ({"detail": None}, "event.detail"),
        ({"detail": {}}, "event.detail"),
        ({"detail": {"instance-id": "i-abcd1111"}}, "event.detail"),
        ({"detail": {"instance-id": "vol-1", "state": "stopped"}}, "event.detail"),
        ({"detail": {"instance-id": "i-abcd1111", "state": "x" * 33}}, "event.detail"),
        ({"detail": []}, "event.detail"),
        ({"time": "soon"}, "scheduled_time"),
    ],
    ids=str,
)
def test_what_is_no_such_event_is_refused(changed: dict[str, Any], path: str) -> None:
    found = wrong({**STATE, **changed})

    assert found
    assert all(each == path or each.startswith(f"{path}.") for each in found)


def test_the_detail_of_one_source_is_not_that_of_another() -> None:
    with pytest.raises(RefusedError) as refused:
        arrived({**HEALTH, "source": "aws.ec2"})

    assert [(e["path"], e["expected"]) for e in refused.value.errors] == [
        ("event", "the detail that its source sends")
    ]


def test_a_health_event_has_an_arn() -> None:
    detail = {k: v for k, v in HEALTH["detail"].items() if k != "eventArn"}

    assert wrong({**HEALTH, "detail": detail})
    assert wrong({**HEALTH, "detail": {**HEALTH["detail"], "eventArn": ""}})
