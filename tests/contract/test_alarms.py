"""What the alarms watch, when silence counts, and whom they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caretaker import telemetry
from tests.contract.template import (
    EXTRA_FLEET,
    EXTRA_POLICY,
    EXTRA_TAGGING,
    TEMPLATES,
    deployed,
    expanded,
    function_of,
    functions,
    properties,
    template_of,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.template import Properties

ALERTS = [{"Ref": "AlertsTopic"}]
WATCHDOG = [{"Ref": "WatchdogTopic"}]

NEVER_SCHEDULED = {"ServiceRepairFunction"}
"""Started by another function alone: nobody misses it, and Lambda tries again what it held back."""
WITHOUT_SCHEDULE = {*NEVER_SCHEDULED, "FleetFunction"}
"""Each fleet is a schedule of its user's, whose stack watches the heartbeat of its chore."""

SEVEN_DAYS = 604_800
ONE_DAY = 86_400
ONE_HOUR = 3_600


def _alarms(template: Properties) -> dict[str, Properties]:
    return {
        id_: resource["Properties"]
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


MAIN = _alarms(expanded())
EXTRA = _alarms(written(EXTRA_POLICY))
TAGGING = _alarms(written(EXTRA_TAGGING))
FLEET = _alarms(written(EXTRA_FLEET))


def _watching(
    alarms: dict[str, Properties], metric: str, chore: str | None = None
) -> list[Properties]:
    return [
        alarm
        for alarm in alarms.values()
        if alarm["MetricName"] == metric and chore in {None, _dimensions(alarm).get("Chore")}
    ]


def _dimensions(alarm: Properties) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in alarm["Dimensions"]}


@pytest.mark.parametrize(
    ("metric", "apart"), [("Errors", set()), ("Throttles", NEVER_SCHEDULED)], ids=str
)
def test_every_function_has_an_alarm_on(metric: str, apart: set[str]) -> None:
    watched = [_dimensions(alarm)["FunctionName"] for alarm in _watching(MAIN, metric)]

    assert watched == [{"Ref": id_} for id_ in functions() if id_ not in apart]
    for alarm in _watching(MAIN, metric):
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Sum",
            "GreaterThanThreshold",
            0,
        )


@pytest.mark.parametrize(
    ("alarms", "chores"),
    [
        (
            MAIN,
            {
                *("snapshot", "retention", "tagging", "instance_health", "uptime", "alerts"),
                *("restore", "drill"),
            },
        ),
        (EXTRA, {"snapshot", "retention"}),
        (TAGGING, {"tagging"}),
        (FLEET, {"snapshot", "retention"}),
    ],
    ids=["template", "extra policy", "tagging policy", "fleet"],
)
def test_heartbeat_alarm_breaches_on_missing_data(
    alarms: dict[str, Properties], chores: set[str]
) -> None:
    beats = _watching(alarms, "Heartbeat")

    assert {_dimensions(alarm)["Chore"] for alarm in beats} == chores
    for alarm in beats:
        assert alarm["TreatMissingData"] == "breaching"
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Sum",
            "LessThanThreshold",
            1,
        )


def test_every_chore_with_a_schedule_has_a_heartbeat_alarm() -> None:
    beating = [_dimensions(alarm)["Chore"] for alarm in _watching(MAIN, "Heartbeat")]

    assert sorted(map(function_of, beating)) == sorted(functions().keys() - WITHOUT_SCHEDULE)


def test_tagging_is_missed_only_where_there_are_rules() -> None:
    without, given = deployed(), deployed(TaggingRules='{"Owner": {}}')

    assert set(_alarms(given)) - set(_alarms(without)) == {"TaggingHeartbeatAlarm"}
    assert not set(_alarms(without)) - set(_alarms(given))
    assert _dimensions(MAIN["TaggingHeartbeatAlarm"])["Policy"] == "default"


@pytest.mark.parametrize(("metric", "minutes"), [("Heartbeat", 20), ("ConfirmedSubscriptions", 15)])
def test_alerts_chore_may_be_silent_for_minutes_alone(metric: str, minutes: int) -> None:
    (alarm,) = _watching(MAIN, metric, "alerts")

    assert alarm["Period"] * alarm["EvaluationPeriods"] == minutes * 60
    assert "DatapointsToAlarm" not in alarm


@pytest.mark.parametrize(
    ("chore", "schedule"),
    [("instance_health", "InstanceHealthSchedule"), ("uptime", "UptimeSchedule")],
)
def test_runs_of_every_minute_may_be_missed_for_minutes_that_fit_their_schedule(
    chore: str, schedule: str
) -> None:
    (alarm,) = _watching(MAIN, "Heartbeat", chore)
    minutes = written()["Parameters"][alarm["EvaluationPeriods"]["Ref"]]
    told = written()["Parameters"][schedule]

    assert alarm["Period"] == 60
    assert "DatapointsToAlarm" not in alarm
    assert told["Default"] == "rate(1 minute)"
    assert "At most 5 minutes apart" in told["Description"]
    assert minutes["Default"] >= 2 * 5, "one poll of the longest schedule may fail"
    assert minutes["MinValue"] > 1


def test_restores_may_be_left_alone_for_minutes_that_fit_their_schedule() -> None:
    (alarm,) = _watching(MAIN, "Heartbeat", "restore")
    minutes = written()["Parameters"][alarm["EvaluationPeriods"]["Ref"]]
    told = written()["Parameters"]["RestoreSchedule"]

    assert (alarm["Period"], told["Default"]) == (60, "rate(15 minutes)")
    assert "DatapointsToAlarm" not in alarm
    assert "At most 15 minutes apart" in told["Description"].replace("\n", " ")
    assert minutes["MinValue"] >= 2 * 15, "one look of the longest schedule may fail"
    assert minutes["Default"] > minutes["MinValue"]


@pytest.mark.parametrize(
    ("machine", "metrics"),
    [
        ("RestoreMachine", ["ExecutionsFailed"]),
        ("FleetMachine", ["ExecutionsFailed", "ExecutionsAborted", "ExecutionsTimedOut"]),
    ],
)
def test_a_machine_that_has_not_come_to_its_end_is_an_alarm(
    machine: str, metrics: list[str]
) -> None:
    watched = {"StateMachineArn": {"Ref": machine}}
    alarms = [alarm for alarm in MAIN.values() if _dimensions(alarm) == watched]

    assert [alarm["MetricName"] for alarm in alarms] == metrics
    assert {alarm["Namespace"] for alarm in alarms} == {"AWS/States"}
    for alarm in alarms:
        _is_raised_by_one(alarm)


def _is_raised_by_one(alarm: Properties) -> None:
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Sum",
        "GreaterThanThreshold",
        0,
    )
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("chore", ["InstanceHealth", "Uptime"])
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_a_poll_that_was_held_up_and_its_retries_are_no_alarm_and_a_lasting_fault_is(
    metric: str, chore: str
) -> None:
    alarm = MAIN[f"{chore}{metric}Alarm"]
    retries = properties("AWS::Lambda::EventInvokeConfig")[f"{chore}FunctionEventInvokeConfig"]
    of_one_poll = 1 + retries["MaximumRetryAttempts"]

    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 10)
    assert of_one_poll < alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"] / 2


@pytest.mark.parametrize("alarms", [MAIN, EXTRA], ids=["template", "extra policy"])
def test_stale_backups_alarm_breaches_on_missing_data(alarms: dict[str, Properties]) -> None:
    (alarm,) = _watching(alarms, "NewestBackupAgeHours")

    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Maximum", "GreaterThanThreshold")
    assert alarm["Threshold"] in ({"Ref": "SnapshotMaxAgeHours"}, {"Ref": "MaxAgeHours"})


@pytest.mark.parametrize(
    ("alarms", "metric", "chore"),
    [
        (MAIN, "Heartbeat", "snapshot"),
        (MAIN, "Heartbeat", "retention"),
        (MAIN, "Heartbeat", "tagging"),
        (MAIN, "Heartbeat", "instance_health"),
        (MAIN, "Heartbeat", "uptime"),
        (MAIN, "Heartbeat", "restore"),
        (MAIN, "Heartbeat", "drill"),
        (MAIN, "NewestBackupAgeHours", "snapshot"),
        (EXTRA, "Heartbeat", "snapshot"),
        (EXTRA, "Heartbeat", "retention"),
        (EXTRA, "NewestBackupAgeHours", "snapshot"),
        (TAGGING, "Heartbeat", "tagging"),
        (FLEET, "Heartbeat", "snapshot"),
        (FLEET, "Heartbeat", "retention"),
    ],
    ids=lambda given: given if isinstance(given, str) else f"{len(given)} alarms",
)
def test_one_policy_cannot_hide_the_silence_of_another(
    alarms: dict[str, Properties], metric: str, chore: str
) -> None:
    (alarm,) = _watching(alarms, metric, chore)

    assert list(_dimensions(alarm)) == ["Installation", "Chore", "Policy"]


@pytest.mark.parametrize("metric", ["Heartbeat", "UnsentAlerts", "ConfirmedSubscriptions"])
def test_alerts_chore_has_no_policies_to_tell_apart(metric: str) -> None:
    (alarm,) = _watching(MAIN, metric, "alerts")

    assert list(_dimensions(alarm)) == ["Installation", "Chore"]


def test_alarms_watch_metrics_that_exist() -> None:
    alarms = [*MAIN.values(), *EXTRA.values(), *TAGGING.values(), *FLEET.values()]
    own = [alarm for alarm in alarms if not alarm["Namespace"].startswith("AWS/")]

    assert {alarm["Namespace"] for alarm in own} == {telemetry.NAMESPACE}
    assert {alarm["MetricName"] for alarm in own} <= telemetry.UNITS.keys()
    watched = {function_of(_dimensions(alarm)["Chore"]) for alarm in own}
    assert watched == functions().keys() - WITHOUT_SCHEDULE


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_alarm_looks_back_further_than_cloudwatch_allows(path: Path) -> None:
    template = template_of(path)
    for id_, alarm in _alarms(template).items():
        periods = alarm["EvaluationPeriods"]
        if isinstance(periods, dict):
            periods = template["Parameters"][periods["Ref"]]["MaxValue"]
        limit = SEVEN_DAYS if alarm["Period"] >= ONE_HOUR else ONE_DAY

        assert alarm["Period"] * periods <= limit, id_


def test_what_may_have_silenced_the_alerts_goes_to_the_watchdog() -> None:
    told = {id_: (alarm["AlarmActions"], alarm["OKActions"]) for id_, alarm in MAIN.items()}
    heartbeats = {id_ for id_, alarm in MAIN.items() if alarm["MetricName"] == "Heartbeat"}
    of_alerts = {
        "AlertsErrorsAlarm",
        "AlertsThrottlesAlarm",
        "AlertsHeartbeatAlarm",
        "AlertsUnsentAlarm",
        "AlertsSubscriptionsAlarm",
    }

    assert told == {
        id_: (WATCHDOG, WATCHDOG) if id_ in of_alerts | heartbeats else (ALERTS, ALERTS)
        for id_ in MAIN.keys() | of_alerts
    }


def test_unsent_alerts_stay_an_alarm_until_a_run_says_that_they_were_sent() -> None:
    (alarm,) = _watching(MAIN, "UnsentAlerts")

    assert _dimensions(alarm)["Chore"] == "alerts"
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum",
        "GreaterThanThreshold",
        0,
    )
    assert alarm["TreatMissingData"] == "ignore"


def test_a_topic_without_a_subscriber_and_one_that_nobody_looks_at_are_alarms() -> None:
    (alarm,) = _watching(MAIN, "ConfirmedSubscriptions")

    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Minimum",
        "LessThanThreshold",
        1,
    )
    assert alarm["TreatMissingData"] == "breaching"


def test_failure_queue_alarm_fires_for_a_single_message() -> None:
    (alarm,) = _watching(MAIN, "ApproximateNumberOfMessagesVisible")

    assert _dimensions(alarm) == {"QueueName": {"Fn::GetAtt": ["FailureQueue", "QueueName"]}}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
