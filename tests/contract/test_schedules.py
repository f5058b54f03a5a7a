"""What starts the functions, what it sends them, and what becomes of events that fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.request import parse_request
from caretaker.settings import Mode
from functions.alerts.request import AlertsRequest
from functions.retention.request import RetentionRequest
from functions.snapshot.request import ONE, SET, SnapshotRequest
from tests.contract.template import (
    EXTRA_POLICY,
    TEMPLATE,
    environment,
    expanded,
    functions,
    properties,
    with_values,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from caretaker.request import BaseRequest
    from tests.contract.template import Properties


KEEP_WORDS = ("Last", "Hourly", "Daily", "Weekly", "Monthly", "Yearly", "WithinDays")
STATE = {"Fn::If": ["IsEnabled", "ENABLED", "DISABLED"]}
QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}

REQUESTS: dict[str, type[BaseRequest]] = {
    "SnapshotFunction": SnapshotRequest,
    "RetentionFunction": RetentionRequest,
    "AlertsFunction": AlertsRequest,
}
"""The event that each function takes."""

SECONDS_BETWEEN_RUNS = {
    "SnapshotFunction": 3600,
    "RetentionFunction": 86_400,
    "AlertsFunction": 300,
}
"""The shortest time between two scheduled runs of each function."""


def test_every_schedule_and_rule_stops_with_enabled() -> None:
    timers = properties("AWS::Scheduler::Schedule") | properties("AWS::Events::Rule")

    assert timers
    assert {id_: timer.get("State") for id_, timer in timers.items()} == dict.fromkeys(
        timers, STATE
    )


def test_every_schedule_has_the_role_the_group_the_queue_and_its_retries_spelled_out() -> None:
    for schedule in properties("AWS::Scheduler::Schedule").values():
        assert schedule["GroupName"] == {"Ref": "ScheduleGroup"}
        assert schedule["Target"]["RoleArn"] == {"Fn::GetAtt": ["SchedulerRole", "Arn"]}
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": QUEUE}
        assert schedule["Target"]["RetryPolicy"].keys() == {
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
        }
        assert schedule["ScheduleExpressionTimezone"] == {"Ref": "ScheduleTimeZone"}


def test_every_rule_keeps_what_it_cannot_deliver() -> None:
    for rule in properties("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": QUEUE}
            assert target["RetryPolicy"].keys() == {
                "MaximumEventAgeInSeconds",
                "MaximumRetryAttempts",
            }


def test_rules_start_the_snapshot_chore_for_both_kinds_of_failed_snapshots_alone() -> None:
    patterns = [rule["EventPattern"] for rule in properties("AWS::Events::Rule").values()]

    assert [each["source"] for each in patterns] == [["aws.ec2"]] * len(patterns)
    assert {each["detail-type"][0]: each["detail"] for each in patterns} == {
        ONE: {"event": ["createSnapshot"], "result": ["failed"]},
        SET: {"event": ["createSnapshots"], "result": ["failed"]},
    }


def test_only_rules_of_this_stack_may_call_a_function() -> None:
    rules = properties("AWS::Events::Rule")
    for permission in properties("AWS::Lambda::Permission").values():
        rule, attribute = permission["SourceArn"]["Fn::GetAtt"]

        assert permission["Principal"] == "events.amazonaws.com"
        assert (rule in rules, attribute) == (True, "Arn")


def _target(schedule: Properties) -> str:
    """Return the logical id of the function that a schedule starts, in this stack or from it."""
    arn = schedule["Target"]["Arn"]
    if "Fn::GetAtt" in arn:
        return str(arn["Fn::GetAtt"][0])
    return str(arn["Fn::ImportValue"]["Fn::Sub"].rpartition("-")[2].removesuffix("Arn"))


def _schedules(path: Path) -> list[Any]:
    template = expanded() if path == TEMPLATE else written(path)
    return [
        pytest.param(template, resource["Properties"], id=f"{path.stem}-{id_}")
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]


SCHEDULES = [*_schedules(TEMPLATE), *_schedules(EXTRA_POLICY)]


def _event(template: Properties, schedule: Properties, **values: str) -> Any:
    text = with_values(schedule["Target"]["Input"], template, **values)
    placeholder = "<aws.scheduler.scheduled-time>"
    assert placeholder in text
    return json.loads(text.replace(placeholder, "2026-11-21T03:00:00Z"))


@pytest.mark.parametrize(("template", "schedule"), SCHEDULES)
def test_every_schedule_sends_an_event_that_the_chore_takes(
    template: Properties, schedule: Properties
) -> None:
    request = parse_request(REQUESTS[_target(schedule)], _event(template, schedule))

    assert request.scheduled_time is not None


@pytest.mark.parametrize("limit", ["MinValue", "MaxValue"])
@pytest.mark.parametrize(("template", "schedule"), SCHEDULES)
def test_the_chore_takes_every_number_that_a_parameter_allows(
    template: Properties, schedule: Properties, limit: str
) -> None:
    for name, parameter in template["Parameters"].items():
        if limit in parameter:
            event = _event(template, schedule, **{name: str(parameter[limit])})
            parse_request(REQUESTS[_target(schedule)], event)


@pytest.mark.parametrize("path", [TEMPLATE, EXTRA_POLICY], ids=lambda path: path.name)
def test_every_chore_with_a_policy_is_scheduled(path: Path) -> None:
    targets = {_target(each.values[1]) for each in _schedules(path)}

    assert targets >= {"SnapshotFunction", "RetentionFunction"}
    assert path != TEMPLATE or targets == functions().keys()


def test_schedules_follow_the_stacks_mode_and_freshness_only_reports() -> None:
    modes = {
        id_: _event(expanded(), schedule).get("mode")
        for id_, schedule in properties("AWS::Scheduler::Schedule").items()
    }

    assert modes.pop("SnapshotFunctionFreshness") == "report"
    assert set(modes.values()) == {None}


def test_schedules_send_what_the_parameters_say() -> None:
    made = properties("AWS::Scheduler::Schedule")
    snapshot = _event(expanded(), made["SnapshotFunctionDaily"], SnapshotMaxAgeHours="31")
    retention = _event(
        expanded(),
        made["RetentionFunctionDaily"],
        **{f"RetentionKeep{word}": str(n) for n, word in enumerate(KEEP_WORDS)},
        RetentionOrphansKeepDays="21",
        RetentionMaxCount="22",
        RetentionMaxPercent="23",
        SnapshotPricePerGiBMonth="0.24",
    )
    alerts = _event(expanded(), made["AlertsFunctionOften"], RemindCriticalHours="7")

    assert snapshot["max_age_hours"] == 31
    assert list(retention["keep"].values()) == list(range(len(KEEP_WORDS)))
    assert retention["orphans_keep_days"] == 21
    assert retention["blast_radius"] == {"count": 22, "percent": 23}
    assert retention["price_per_gib_month"] == 0.24
    assert alerts["remind_critical_hours"] == 7


def test_retention_only_reports_unless_asked_to_act_and_alerts_always_act() -> None:
    modes = {id_: environment(id_)["CARETAKER_MODE"] for id_ in functions()}

    assert modes == {
        "SnapshotFunction": {"Ref": "SnapshotMode"},
        "RetentionFunction": {"Ref": "RetentionMode"},
        "AlertsFunction": Mode.ACT,
    }
    assert written()["Parameters"]["RetentionMode"]["Default"] == Mode.REPORT


def test_every_function_has_a_failure_destination_and_its_retries_spelled_out() -> None:
    configured = {
        config["FunctionName"]["Ref"]: config
        for config in properties("AWS::Lambda::EventInvokeConfig").values()
    }

    assert configured.keys() == functions().keys()
    for config in configured.values():
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == QUEUE
        assert 0 <= config["MaximumRetryAttempts"] <= 2


def test_no_event_waits_until_the_next_run() -> None:
    waits = {
        config["FunctionName"]["Ref"]: config["MaximumEventAgeInSeconds"]
        for config in properties("AWS::Lambda::EventInvokeConfig").values()
    }

    assert waits.keys() == SECONDS_BETWEEN_RUNS.keys()
    for function, seconds in waits.items():
        assert seconds < SECONDS_BETWEEN_RUNS[function]
        assert seconds <= 6 * 3600, "Lambda keeps no event longer"


def test_a_run_of_the_alerts_chore_is_over_before_the_next() -> None:
    (schedule,) = (
        each
        for each in properties("AWS::Scheduler::Schedule").values()
        if _target(each) == "AlertsFunction"
    )

    assert written()["Parameters"]["AlertsSchedule"]["Default"] == "rate(5 minutes)"
    assert functions()["AlertsFunction"]["Timeout"] < SECONDS_BETWEEN_RUNS["AlertsFunction"]
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] < 300
