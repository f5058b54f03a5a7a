from __future__ import annotations

from typing import Any

import pytest

from caretaker.blast_radius import BlastRadius
from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.retention.request import Keep, RetentionRequest
from tests.support.retention import ask

RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly", "within_days")
HIGHEST = {
    "last": 10_000,
    "hourly": 10_000,
    "daily": 3_660,
    "weekly": 530,
    "monthly": 1_200,
    "yearly": 100,
    "within_days": 36_500,
}


def wrong(event: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_request(RetentionRequest, event)
    assert refused.value.reason == "event_invalid"
    return [(error["path"], error["expected"]) for error in refused.value.errors]


def test_an_event_with_keep_alone_has_the_documented_defaults() -> None:
    request = parse_request(RetentionRequest, {"keep": {"daily": 14}})

    assert request.policy == "daily"
    assert request.keep == Keep(daily=14)
    assert request.orphans_keep_days == 0
    assert request.blast_radius == BlastRadius(count=10, percent=25)
    assert request.price_per_gib_month == 0.05
    assert request.approve is None
    assert request.lease_scope == ""


def test_an_event_must_say_what_to_keep() -> None:
    assert [path for path, _ in wrong({})] == ["keep"]


@pytest.mark.parametrize("keep", [{}, dict.fromkeys(RULES, 0)], ids=["empty", "all zero"])
def test_an_event_must_keep_something(keep: dict[str, int]) -> None:
    ((path, expected),) = wrong({"keep": keep})

    assert path == "keep"
    assert "a rule above 0, as {'daily': 14, 'weekly': 8}" in expected


@pytest.mark.parametrize("rule", RULES)
def test_one_rule_is_enough(rule: str) -> None:
    assert getattr(ask({rule: 1}).keep, rule) == 1


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_takes_up_to_its_limit(rule: str) -> None:
    most = HIGHEST[rule]

    assert getattr(ask({rule: most}).keep, rule) == most
    assert wrong({"keep": {rule: most + 1}}) == [(f"keep.{rule}", f"at most {most}")]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_never_negative(rule: str) -> None:
    assert wrong({"keep": {rule: -1, "last": 5} if rule != "last" else {rule: -1}}) == [
        (f"keep.{rule}", "at least 0")
    ]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", [True, "14", 1.5, None, [], {"count": 3}], ids=str)
def test_a_rule_is_a_whole_number(rule: str, value: object) -> None:
    ((path, _),) = wrong({"keep": {rule: value}})

    assert path == f"keep.{rule}"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"keep": None}, "keep"),
        ({"keep": 14}, "keep"),
        ({"keep": [14]}, "keep"),
        ({"keep": {"minutely": 5}}, "keep.minutely"),
        ({"keep": {"Daily": 5}}, "keep.Daily"),
        ({"kept": {"daily": 5}}, "kept"),
        ({"orphans_keep_days": -1}, "orphans_keep_days"),
        ({"orphans_keep_days": 36_501}, "orphans_keep_days"),
        ({"orphans_keep_days": "365"}, "orphans_keep_days"),
        ({"orphans_keep_days": True}, "orphans_keep_days"),
        ({"blast_radius": 10}, "blast_radius"),
        ({"blast_radius": None}, "blast_radius"),
        ({"blast_radius": {"share": 10}}, "blast_radius.share"),
        ({"blast_radius": {"count": -1}}, "blast_radius.count"),
        ({"blast_radius": {"count": 100_001}}, "blast_radius.count"),
        ({"blast_radius": {"count": True}}, "blast_radius.count"),
        ({"blast_radius": {"percent": -1}}, "blast_radius.percent"),
        ({"blast_radius": {"percent": 51}}, "blast_radius.percent"),
        ({"blast_radius": {"percent": 12.5}}, "blast_radius.percent"),
        ({"blast_radius": {"percent": "25"}}, "blast_radius.percent"),
        ({"price_per_gib_month": -0.01}, "price_per_gib_month"),
        ({"price_per_gib_month": 1_000.5}, "price_per_gib_month"),
        ({"price_per_gib_month": float("nan")}, "price_per_gib_month"),
        ({"price_per_gib_month": float("inf")}, "price_per_gib_month"),
        ({"price_per_gib_month": "0.05"}, "price_per_gib_month"),
        ({"approve": ""}, "approve"),
        ({"approve": "p-"}, "approve"),
        ({"approve": "5f1c0123456789ab"}, "approve"),
        ({"approve": "p-5f1c0123456789a"}, "approve"),
        ({"approve": "p-5f1c0123456789abc"}, "approve"),
        ({"approve": True}, "approve"),
        ({"policy": "Daily"}, "policy"),
    ],
    ids=str,
)
def test_refuses_a_wrong_field_and_names_it(event: dict[str, Any], path: str) -> None:
    assert [named for named, _ in wrong({"keep": {"daily": 14}, **event})] == [path]


def test_names_every_wrong_field_at_once() -> None:
    event = {"keep": {"daily": -1, "often": 2}, "blast_radius": {"percent": 80}, "approve": "all"}

    assert {path for path, _ in wrong(event)} == {
        "keep.daily",
        "keep.often",
        "blast_radius.percent",
        "approve",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("orphans_keep_days", 36_500),
        ("price_per_gib_month", 0),
        ("price_per_gib_month", 1_000),
        ("approve", "p-5f1c0123456789ab"),
        ("policy", "weekly"),
    ],
)
def test_takes_what_is_within_the_limits(field: str, value: object) -> None:
    request = parse_request(RetentionRequest, {"keep": {"last": 1}, field: value})

    assert getattr(request, field) == value


@pytest.mark.parametrize(
    ("asked", "good", "limit"),
    [
        ({}, 0, 10),
        ({}, 43, 10),
        ({}, 44, 11),
        ({}, 1_000, 250),
        ({"percent": 50}, 1_000, 500),
        ({"percent": 0}, 1_000, 10),
        ({"count": 0}, 1_000, 250),
        ({"count": 0}, 8, 2),
        ({"count": 0, "percent": 0}, 1_000, 0),
        ({"count": 3, "percent": 10}, 20, 3),
        ({"count": 3, "percent": 10}, 39, 3),
        ({"count": 3, "percent": 10}, 40, 4),
        ({"count": 100}, 60, 30),
        ({"count": 100}, 61, 30),
        ({"count": 100}, 62, 31),
        ({"count": 100_000}, 19, 10),
        ({"count": 100_000}, 20, 10),
        ({"count": 100_000}, 22, 11),
        ({"count": 100_000, "percent": 50}, 1, 10),
    ],
    ids=str,
)
def test_the_greater_of_count_and_share_may_go_but_beyond_ten_never_more_than_half(
    asked: dict[str, int], good: int, limit: int
) -> None:
    blast_radius = ask(blast_radius=asked).blast_radius

    assert blast_radius.limit(good) == limit
