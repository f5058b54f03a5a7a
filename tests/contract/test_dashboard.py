"""The dashboard: JSON that CloudWatch takes, and figures that some chore writes."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from typing import Any, Final, NamedTuple

import pytest

from caretaker import telemetry
from tests.contract.template import (
    ROOT,
    chore_of,
    deployed,
    expanded,
    functions,
    properties,
    with_values,
)

ID: Final = "ChoresDashboard"
GRID: Final = 24
"""Columns. Source: Amazon CloudWatch API reference, "Dashboard Body Structure and Syntax"."""

SHOWN: Final = {
    *("UptimePercent", "LatencyMs", "PhaseMs", "TargetsProbed", "TargetsDown"),
    *("OpenIncidents", "UnsentAlerts", "ConfirmedSubscriptions"),
    *("NewestBackupAgeHours", "ItemsDone", "ItemsFailed", "ItemsDeferred"),
    *("TagCompliancePercent", "InstancesWatched", "InstancesImpaired", "RepairsUnderWay"),
    *("OldestProofAgeDays", "OpenRestores", "Heartbeat"),
}
_SEARCH: Final = re.compile(
    r"SEARCH\('\{Caretaker,(?P<dimensions>[\w,]+)} MetricName=\"(?P<metric>\w+)\""
    r" Installation=\"(?P<owner>[\w-]+)\"(?: Chore=\"(?P<chore>\w+)\")?', '\w+', \d+\)"
)


class Line(NamedTuple):
    """A metric that a widget shows; without a chore those of all are meant."""

    metric: str
    dimensions: tuple[str, ...]
    owner: str
    chore: str | None


def _body(**parameters: str) -> Any:
    text, named = properties("AWS::CloudWatch::Dashboard")[ID]["DashboardBody"]["Fn::Sub"]
    kept = text.replace("${!", "$[").replace("${AWS::Region}", "eu-west-1")
    known = {"AWS::StackName": "caretaker-prod", **parameters}
    filled = with_values({"Fn::Sub": [kept, named]}, expanded(), **known)
    return json.loads(filled.replace("$[", "${"))


def _lines(**parameters: str) -> list[Line]:
    return [
        _line(metric)
        for widget in _body(**parameters)["widgets"]
        for metric in widget["properties"]["metrics"]
    ]


def _line(metric: list[Any]) -> Line:
    if isinstance(metric[0], dict):
        found = _SEARCH.fullmatch(metric[0]["expression"])
        assert found, metric
        names = tuple(found["dimensions"].split(","))
        return Line(found["metric"], names, found["owner"], found["chore"])
    namespace, name, *pairs = (each for each in metric if isinstance(each, str))
    assert namespace == telemetry.NAMESPACE
    values = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Line(name, tuple(values), values["Installation"], values["Chore"])


@cache
def _words(place: str) -> frozenset[str]:
    """Return the texts in the code of a file or a folder."""
    paths = [ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py")
    return frozenset(
        node.value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


OF_EVERY_CHORE: Final = _words("layers/common/caretaker/finish.py")
LINES: Final = sorted(set(_lines()), key=str)
each_line = pytest.mark.parametrize(
    "line", LINES, ids=lambda line: f"{line.metric} of {line.chore} by {line.dimensions[-1]}"
)


@each_line
def test_every_figure_is_one_that_a_chore_writes(line: Line) -> None:
    chores = {chore_of(id_) for id_ in functions()}
    written = OF_EVERY_CHORE | (_words(f"functions/{line.chore}") if line.chore else frozenset())

    assert line.metric in telemetry.UNITS
    assert line.metric in written
    assert line.chore in {None, *chores}


@each_line
def test_every_figure_has_the_dimensions_that_it_is_written_with(line: Line) -> None:
    ours, more = line.dimensions[:3], line.dimensions[3:]

    assert ours in {("Installation", "Chore"), ("Installation", "Chore", "Policy")}
    assert len(more) <= 1
    if more:
        assert line.chore
        assert more[0] in _words(f"functions/{line.chore}")


def test_availability_latency_incidents_and_the_figures_of_all_chores_are_shown() -> None:
    assert {line.metric for line in LINES} == SHOWN


@pytest.mark.parametrize(
    ("installation", "owner"), [("", "caretaker-prod"), ("Our-fleet", "Our-fleet")]
)
def test_figures_of_another_installation_are_not_shown(installation: str, owner: str) -> None:
    assert {line.owner for line in _lines(Installation=installation)} == {owner}


def test_widgets_lie_side_by_side_and_fill_the_rows() -> None:
    cells = [
        (x, y)
        for widget in _body()["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    rows = {y for _, y in cells}

    assert len(cells) == len(set(cells))
    assert set(cells) == {(x, y) for x in range(GRID) for y in rows}


def test_every_widget_has_a_title_of_its_own_and_shows_this_region() -> None:
    shown = [widget["properties"] for widget in _body()["widgets"]]

    assert len({each["title"] for each in shown}) == len(shown)
    assert {each["region"] for each in shown} == {"eu-west-1"}


def test_backups_and_proofs_are_old_on_the_dashboard_when_they_are_to_alarm_and_chore() -> None:
    ages = {"SnapshotMaxAgeHours": "31", "DrillMaxProofAgeDays": "32"}
    limits = [
        line["value"]
        for widget in _body(**ages)["widgets"]
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    ]

    assert limits == [31, 32]


@pytest.mark.parametrize(("switch", "made"), [("on", True), ("off", False)])
def test_there_is_a_dashboard_only_while_it_is_on(switch: str, *, made: bool) -> None:
    template = deployed(Dashboard=switch)

    assert (ID in template["Resources"]) is made
    assert ("DashboardName" in template["Outputs"]) is made
    assert (ID in deployed()["Resources"]) is True
