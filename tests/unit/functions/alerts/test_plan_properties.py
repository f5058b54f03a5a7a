"""Every incident is judged once, in any order, and one scope at most is paged for."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.incidents import Incident, Severity, Silence
from caretaker.settings import Channel
from functions.alerts.plan import TELLING, Facts, IncidentDecision, Scope, plan_alerts
from functions.alerts.request import AlertsRequest
from tests.support.alerts import STALE
from tests.support.builders import NOW

SCOPES: Final = (STALE.scope, "caretaker/123456789012/us-east-1/snapshot/daily")


def an_incident(
    severity: Severity,
    open_hours: int,
    told_hours: int | None,
    resource: str,
    scope: str,
    *,
    escalated: bool,
) -> Incident:
    return replace(
        STALE,
        severity=severity,
        opened=NOW - timedelta(hours=open_hours),
        told=None if told_hours is None else NOW - timedelta(hours=told_hours),
        resource=resource,
        scope=scope,
        escalated=escalated,
    )


def facts(incidents: list[Incident], *, silences: list[Silence]) -> Facts:
    scopes = [Scope(name, 1, [i for i in incidents if i.scope == name]) for name in SCOPES]
    return Facts(scopes, silences, [], frozenset(Channel))


incidents = st.builds(
    an_incident,
    st.sampled_from(Severity),
    st.integers(0, 100),
    st.integers(0, 100) | st.none(),
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(SCOPES),
    escalated=st.booleans(),
)
patterns = st.sampled_from(["*/a", "*/b", "*us-east-1*", "*"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(incidents, max_size=8, unique_by=lambda i: i.full_key),
    st.lists(patterns, max_size=2),
    st.integers(0, 99),
)
def test_every_incident_has_one_decision_whatever_the_order(
    told: list[Incident], silenced: list[str], seed: int
) -> None:
    silences = [Silence(pattern, NOW + timedelta(1)) for pattern in silenced]
    expected = plan_alerts(facts(told, silences=silences), AlertsRequest(), now=NOW)
    random.Random(seed).shuffle(told)

    assert plan_alerts(facts(told, silences=silences), AlertsRequest(), now=NOW) == expected
    assert sorted(d.target for d in expected) == sorted(i.full_key for i in told)
    paged = [
        decision.after.scope
        for decision in expected
        if isinstance(decision, IncidentDecision)
        and decision.action in TELLING
        and decision.after.is_urgent
    ]
    assert len(set(paged)) <= 1
