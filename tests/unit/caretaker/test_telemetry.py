from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.report import Breakdown
from caretaker.telemetry import UNITS, log_items, logger, publish_breakdown, publish_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

WHERE = {"installation": "prod", "chore": "tagging", "policy": "default"}
METRIC = "TagCompliancePercent"


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def broken_down(
    capsys: pytest.CaptureFixture[str], values: Mapping[str, float], by: str = "Owner"
) -> list[dict[str, Any]]:
    publish_breakdown(Breakdown(METRIC, by, values), **WHERE)
    return printed(capsys)


def test_a_metric_is_printed_by_chore_and_by_policy(capsys: pytest.CaptureFixture[str]) -> None:
    publish_metrics({METRIC: 75.5}, **WHERE)

    (line,) = printed(capsys)
    (told,) = line["_aws"]["CloudWatchMetrics"]
    assert told["Namespace"] == "Caretaker"
    assert told["Metrics"] == [{"Name": METRIC, "Unit": "Percent"}]
    assert [set(each) for each in told["Dimensions"]] == [
        {"Installation", "Chore"},
        {"Installation", "Chore", "Policy"},
    ]
    assert line[METRIC] == [75.5]
    assert (line["Installation"], line["Chore"], line["Policy"]) == ("prod", "tagging", "default")


def test_a_breakdown_is_a_metric_for_each_value_by_one_dimension_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = broken_down(capsys, {"ann": 100.0, "other": 12.5})

    assert [(line["Owner"], line[METRIC]) for line in lines] == [
        ("ann", [100.0]),
        ("other", [12.5]),
    ]
    for line in lines:
        (told,) = line["_aws"]["CloudWatchMetrics"]
        assert [set(each) for each in told["Dimensions"]] == [
            {"Installation", "Chore", "Policy", "Owner"}
        ]
        assert line["Policy"] == "default"


def test_no_values_are_no_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    assert broken_down(capsys, {}) == []


@pytest.mark.parametrize(
    "value", ["J\N{LATIN SMALL LETTER U WITH DIAERESIS}rg", "a\x07b", "  ", "a\nb"]
)
def test_what_cloudwatch_does_not_take_is_not_printed(
    capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert [line["Key"] for line in broken_down(capsys, {value: 1, "ok": 2}, by="Key")] == ["ok"]


def test_every_metric_has_a_unit() -> None:
    assert UNITS[METRIC] == "Percent"
    with pytest.raises(KeyError):
        publish_metrics({"Unheard": 1}, **WHERE)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the logger writes."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


def test_each_item_has_a_line_of_its_own(lines: io.StringIO) -> None:
    log_items([{"target": 'a"b', "n": 1}, {"target": "{item}"}])

    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["item"] for line in told] == [{"target": 'a"b', "n": 1}, {"target": "{item}"}]
    assert {line["level"] for line in told} == {"INFO"}
    assert {line["message"] for line in told} == {"item"}


def test_items_are_not_logged_above_their_level(lines: io.StringIO) -> None:
    before = logger.log_level
    logger.setLevel(logging.WARNING)
    try:
        log_items([{"target": "a"}])
    finally:
        logger.setLevel(before)

    assert lines.getvalue() == ""
