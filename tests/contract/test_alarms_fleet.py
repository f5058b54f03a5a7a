"""The alarms of fleets: the stack's come with fleets alone, and whoever schedules one misses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.fleet.ends import End
from functions.fleet.facts import Cell, Reason
from functions.fleet.totals import on_behalf_of
from tests.contract.template import EXTRA_FLEET, deployed, with_values, written
from tests.support.fleets import manifest_of

if TYPE_CHECKING:
    from tests.contract.template import Properties

CELL: Final = Cell("111111111111", "eu-west-1")
FLEETS: Final = {
    id_.removesuffix("Fleet"): resource["Properties"]
    for id_, resource in written(EXTRA_FLEET)["Resources"].items()
    if resource["Type"] == "AWS::Scheduler::Schedule"
}


def _alarms_of_fleets(template: Properties) -> set[str]:
    return {
        id_
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and id_.startswith("Fleet")
    }


def _asked(schedule: Properties, policy: str) -> Any:
    text = with_values(schedule["Target"]["Input"], written(EXTRA_FLEET), Policy=policy)
    return json.loads(text.replace("<aws.scheduler.scheduled-time>", "2026-11-21T02:00:00Z"))


def test_who_has_no_fleet_has_no_alarm_of_one() -> None:
    assert len(_alarms_of_fleets(deployed(FleetMode="report"))) >= 3
    assert not _alarms_of_fleets(deployed(FleetMode="off"))


@pytest.mark.parametrize("name", FLEETS)
def test_a_fleet_is_missed_under_the_names_that_its_judgement_measures_by(name: str) -> None:
    asked = _asked(FLEETS[name], "everywhere")
    answer = {"status": "ok", "policy": asked["event"]["policy"], "counts": {}, "gauges": {}}
    manifest = manifest_of([CELL], chore=asked["chore"], event=asked["event"])
    measured = on_behalf_of(manifest, [End(CELL, Reason.ENDED, {**answer, "open": 0})])
    alarm = written(EXTRA_FLEET)["Resources"][f"{name}FleetHeartbeatAlarm"]["Properties"]
    watched = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}

    assert measured is not None
    assert alarm["MetricName"] in measured.values
    assert watched["Chore"] == measured.chore
    assert watched["Policy"] == {"Ref": "Policy"}
    assert measured.policy == "everywhere"
