"""The rules that start the instance health chore: which events, and what it takes them for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from caretaker.request import parse_request
from functions.instance_health.arrivals import resolve
from functions.instance_health.request import InstanceHealthRequest
from tests.contract.patterns import matches
from tests.contract.template import properties

if TYPE_CHECKING:
    from caretaker.run import Scene
    from tests.contract.template import Properties

RULES: Final = {
    id_: rule["EventPattern"]
    for id_, rule in properties("AWS::Events::Rule").items()
    if rule["Targets"][0]["Arn"] == {"Fn::GetAtt": ["InstanceHealthFunction", "Arn"]}
}
STATE, HEALTH = "EC2 Instance State-change Notification", "AWS Health Event"
INSTANCE: Final = "i-0a1b2c3d4e5f60718"


def _event(source: str, kind: str, **detail: Any) -> Properties:
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-21T03:00:00Z",
        "region": "eu-west-1",
        "resources": [f"arn:aws:ec2:eu-west-1:123456789012:instance/{INSTANCE}"],
        "detail": detail,
    }


def _changed(state: str) -> Properties:
    return _event("aws.ec2", STATE, **{"instance-id": INSTANCE, "state": state})


def _health(service: str = "EC2", category: str = "issue", **more: Any) -> Properties:
    told = {
        "eventArn": "arn:aws:health:eu-west-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/x_0a1",
        "service": service,
        "eventTypeCode": f"AWS_{service}_OPERATIONAL_ISSUE",
        "eventTypeCategory": category,
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": "0a1",
        "startTime": "Sat, 21 Nov 2026 03:00:00 GMT",
        "lastUpdatedTime": "Sat, 21 Nov 2026 03:10:00 GMT",
        "statusCode": "open",
        "eventRegion": "eu-west-1",
        "eventDescription": [{"language": "en_US", "latestDescription": "An issue."}],
        "affectedEntities": [{"entityValue": INSTANCE, "status": "IMPAIRED"}],
        "affectedAccount": "123456789012",
        "page": "1",
        "totalPages": "1",
        **more,
    }
    return _event("aws.health", HEALTH, **told)


def _request(event: Properties) -> InstanceHealthRequest:
    """Return what the chore takes an event for, which it does without looking at anything."""
    return parse_request(InstanceHealthRequest, resolve(event, cast("Scene", None)))


def _heard_by(event: Properties) -> list[str]:
    return [id_ for id_, pattern in RULES.items() if matches(pattern, event)]


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_an_instance_that_stopped_or_ended_starts_a_run_about_it_alone(state: str) -> None:
    event = _changed(state)

    assert _heard_by(event) == ["InstanceHealthFunctionInstanceStopped"]
    request = _request(event)
    assert request.lease_scope == f"event/{INSTANCE}"
    assert request.scheduled_time is not None


@pytest.mark.parametrize("state", ["pending", "running", "stopping", "shutting-down"])
def test_of_other_states_the_next_poll_tells(state: str) -> None:
    assert _heard_by(_changed(state)) == []


@pytest.mark.parametrize("category", ["issue", "scheduledChange", "accountNotification"])
def test_what_aws_health_tells_of_ec2_starts_a_run(category: str) -> None:
    event = _health(category=category)

    assert _heard_by(event) == ["InstanceHealthFunctionAwsHealth"]
    request = _request(event)
    assert request.lease_scope.startswith("event/")


@pytest.mark.parametrize(
    "event",
    [
        _health("RDS"),
        {**_health(), "source": "aws.trustedadvisor"},
        {**_health(), "detail-type": "AWS Health Abuse Event"},
        {**_changed("stopped"), "source": "custom.ec2"},
        {**_changed("stopped"), "detail-type": "EC2 Spot Instance Interruption Warning"},
    ],
    ids=["another service", "source", "abuse", "another bus user", "spot"],
)
def test_other_events_start_nothing(event: Properties) -> None:
    assert _heard_by(event) == []


def test_both_rules_send_events_as_they_are() -> None:
    rules = properties("AWS::Events::Rule")

    assert len(RULES) == 2
    for id_ in RULES:
        (target,) = rules[id_]["Targets"]
        assert not {"Input", "InputPath", "InputTransformer"} & target.keys()
