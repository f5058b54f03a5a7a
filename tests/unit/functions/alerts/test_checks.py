"""What is said of the topics, and measured."""

from __future__ import annotations

from typing import Final

import pytest

from caretaker.aws.topics import Subscriptions
from caretaker.incidents import Severity
from functions.alerts.checks import Listeners, judge_topics, measure
from functions.alerts.plan import Facts, Scope
from tests.support.alerts import STALE

HEARD: Final = Subscriptions(2, 0)
WAITING: Final = Subscriptions(0, 3)


@pytest.mark.parametrize(
    ("found", "healthy"),
    [(HEARD, True), (Subscriptions(1, 9), True), (WAITING, False), (None, None)],
)
def test_a_topic_is_heard_by_whoever_confirmed(
    found: Subscriptions | None, *, healthy: bool | None
) -> None:
    (check,) = judge_topics({"pager": found})

    assert (check.kind, check.resource, check.healthy) == ("topic_unheard", "pager", healthy)
    assert check.severity is Severity.CRITICAL


def test_a_topic_says_how_many_have_not_confirmed() -> None:
    (check,) = judge_topics({"pager": WAITING})

    assert check.evidence["waiting for confirmation"] == "3"


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ({"alerts": HEARD, "pager": Subscriptions(1, 0)}, 1),
        ({"alerts": HEARD, "pager": WAITING}, 0),
        ({"alerts": HEARD, "pager": None}, None),
        ({}, None),
    ],
    ids=["the least", "none", "unknown", "no topics"],
)
def test_measures_the_least_heard_topic_if_all_are_known(
    listeners: Listeners, expected: int | None
) -> None:
    gauges = measure(Facts([], [], [], frozenset()), 0, listeners)

    assert gauges.get("ConfirmedSubscriptions") == expected


def test_measures_what_is_open_in_all_scopes_and_what_waits() -> None:
    facts = Facts([Scope("a", 1, [STALE, STALE]), Scope("b", 1, [STALE])], [], [], frozenset())

    assert measure(facts, 7, {}) == {"UnsentAlerts": 7, "OpenIncidents": 3}
