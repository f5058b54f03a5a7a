"""The stack's own alarms look at metrics that its functions print, by name and dimensions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Json, Stack
from tests.contract.template import function_of

NAMESPACE = "Caretaker"
ALWAYS = frozenset({"ItemsDone", "ItemsFailed", "ItemsDeferred", "OpenIncidents", "UnsentAlerts"})
ALSO = {
    "snapshot": {"Heartbeat", "NewestBackupAgeHours"},
    "retention": {"Heartbeat"},
    "tagging": {"Heartbeat", "TagCompliancePercent"},
    "instance_health": {"Heartbeat", "InstancesWatched", "InstancesImpaired", "RepairsUnderWay"},
    "uptime": {"Heartbeat", "TargetsDown", "TargetsProbed"},
    "restore": {"Heartbeat", "OpenRestores"},
    "drill": {"Heartbeat", "OldestProofAgeDays"},
    "alerts": {"Heartbeat", "ConfirmedSubscriptions"},
}
"""What a regular run of each chore prints besides."""


@pytest.fixture(scope="module")
def printed(stack: Stack, demo: DemoAccount) -> dict[str, Json]:
    """Let every chore's regular schedule fire; return the last metrics of each."""
    assert demo.selected("daily")
    documents = {}
    for chore in ALSO:
        function = stack.outputs[f"{function_of(chore)}Name"]
        mode = "act" if chore in {"snapshot", "drill", "alerts"} else "report"
        started = datetime.now(UTC)
        slot = stack.fire(stack.schedule(mode="act", function=function))
        stack.wait_for_answer(function, started, slot=slot, mode=mode)
        documents[chore] = [e for e in stack.metrics(function, started) if "Heartbeat" in e][-1]
    return documents


@pytest.fixture(scope="module")
def alarms(stack: Stack) -> list[Json]:
    """The stack's alarms on metrics of its own."""
    names = set(stack.resources("AWS::CloudWatch::Alarm").values())
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate()
    found = [each for page in pages for each in page["MetricAlarms"]]
    return [e for e in found if e["AlarmName"] in names and e["Namespace"] == NAMESPACE]


def test_every_alarm_on_a_metric_of_ours_finds_it_in_the_log(
    alarms: list[Json], printed: dict[str, Json]
) -> None:
    watched = {each["MetricName"] for each in alarms}
    assert watched >= {
        "Heartbeat",
        "NewestBackupAgeHours",
        "UnsentAlerts",
        "ConfirmedSubscriptions",
    }
    for alarm in alarms:
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        document = printed[dimensions["Chore"]]
        (described,) = document["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == NAMESPACE
        assert sorted(dimensions) in [sorted(each) for each in described["Dimensions"]], alarm
        assert {name: document[name] for name in dimensions} == dimensions
        assert alarm["MetricName"] in {each["Name"] for each in described["Metrics"]}, alarm
        assert alarm["MetricName"] in document


@pytest.mark.parametrize("chore", ALSO)
def test_a_chore_prints_its_documented_metrics_and_no_others(
    chore: str, printed: dict[str, Json]
) -> None:
    (described,) = printed[chore]["_aws"]["CloudWatchMetrics"]

    assert {each["Name"] for each in described["Metrics"]} == ALWAYS | ALSO[chore]
