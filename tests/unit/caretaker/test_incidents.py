from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.incidents import Check, Incident, Severity, Transitions, plan_transitions
from tests.support.builders import NOW

ALL = frozenset({"stale"})
BAD = Check("stale", "vol-1", healthy=False, what="old", cause="stale")
GOOD = replace(BAD, healthy=True)
UNKNOWN = replace(BAD, healthy=None)
LATER = NOW + timedelta(hours=1)


def step(
    known: list[Incident], *checks: Check, judged: frozenset[str] = ALL, now: datetime = NOW
) -> tuple[Transitions, list[Incident]]:
    """Return what changed, and what is open afterwards."""
    changed = plan_transitions(known, checks, judged=judged, now=now)
    after = {i.key: i for i in known} | {i.key: i for i in changed.opened}
    for incident in changed.resolved:
        del after[incident.key]
    return changed, list(after.values())


def opened(*checks: Check) -> list[Incident]:
    return step([], *checks)[1]


def test_what_becomes_unhealthy_opens() -> None:
    changed, _ = step([], BAD)

    (incident,) = changed.opened
    assert (incident.key, incident.opened, incident.what) == ("stale/vol-1", NOW, "old")
    assert changed.still_open == 1


def test_what_stays_unhealthy_is_told_once() -> None:
    changed, _ = step(opened(BAD), BAD, now=LATER)

    assert changed == Transitions(still_open=1)


def test_what_becomes_healthy_is_resolved_once() -> None:
    changed, after = step(opened(BAD), GOOD, now=LATER)

    assert [incident.key for incident in changed.resolved] == ["stale/vol-1"]
    assert changed.still_open == 0
    assert step(after, GOOD)[0] == Transitions()


def test_what_worsened_is_told_and_is_as_old_as_it_was() -> None:
    changed, after = step(opened(BAD), replace(BAD, severity=Severity.CRITICAL), now=LATER)

    assert [(i.severity, i.opened) for i in changed.opened] == [(Severity.CRITICAL, NOW)]
    assert changed.still_open == len(after) == 1
    assert step(after, replace(BAD, severity=Severity.CRITICAL))[0].opened == ()


def test_what_got_less_severe_is_not_told() -> None:
    known = opened(replace(BAD, severity=Severity.CRITICAL))

    assert step(known, BAD)[0] == Transitions(still_open=1)


@pytest.mark.parametrize("known", [[], opened(BAD)], ids=["healthy", "open"])
def test_what_cannot_be_told_changes_nothing(known: list[Incident]) -> None:
    assert step(known, UNKNOWN)[0] == Transitions(still_open=len(known))


@pytest.mark.parametrize(
    ("judged", "resolved"), [(ALL, 1), (frozenset(), 0)], ids=["judged", "not judged"]
)
def test_what_is_gone_is_resolved_where_all_were_judged(
    judged: frozenset[str], resolved: int
) -> None:
    changed, _ = step(opened(BAD), judged=judged)

    assert len(changed.resolved) == resolved
    assert changed.still_open == 1 - resolved


def test_openings_of_one_kind_and_cause_have_one_parent() -> None:
    denied = replace(BAD, kind="failed", cause="denied")
    checks = [
        replace(BAD, resource="vol-2"),
        BAD,
        denied,
        replace(denied, cause="full", resource="vol-3"),
    ]

    changed, _ = step([], *checks)

    assert {i.key: i.parent for i in changed.opened} == {
        "stale/vol-1": "stale/vol-1",
        "stale/vol-2": "stale/vol-1",
        "failed/vol-1": "failed/vol-1",
        "failed/vol-3": "failed/vol-3",
    }


@pytest.mark.parametrize("verdicts", [(True, False), (False, True)], ids=str)
def test_of_two_checks_of_one_key_the_unhealthy_one_counts(verdicts: tuple[bool, bool]) -> None:
    changed, _ = step([], *(replace(BAD, healthy=verdict) for verdict in verdicts))

    assert len(changed.opened) == 1


checks = st.builds(
    Check,
    kind=st.sampled_from(["stale", "failed"]),
    resource=st.sampled_from(["vol-1", "vol-2", "vol-3"]),
    healthy=st.sampled_from([True, False, None]),
    severity=st.sampled_from(Severity),
    cause=st.sampled_from(["", "x"]),
)
some_checks = st.lists(checks, unique_by=lambda check: check.key)
judged_kinds = st.frozensets(st.sampled_from(["stale", "failed"]))


@settings(max_examples=80, deadline=None)
@given(some_checks, some_checks, judged_kinds, st.integers(0, 99))
def test_the_order_of_what_is_known_and_checked_does_not_matter(
    before: list[Check], now: list[Check], judged: frozenset[str], seed: int
) -> None:
    known = opened(*before)
    expected = plan_transitions(known, now, judged=judged, now=LATER)
    chance = random.Random(seed)
    chance.shuffle(known)
    chance.shuffle(now)

    assert plan_transitions(known, now, judged=judged, now=LATER) == expected


@settings(max_examples=80, deadline=None)
@given(some_checks, some_checks, judged_kinds)
def test_the_same_checks_again_change_nothing_and_the_count_is_right(
    before: list[Check], now: list[Check], judged: frozenset[str]
) -> None:
    changed, after = step(opened(*before), *now, judged=judged)

    assert changed.still_open == len(after)
    again = plan_transitions(after, now, judged=judged, now=LATER)
    assert (again.opened, again.resolved, again.still_open) == ((), (), len(after))


def test_an_incident_survives_the_table() -> None:
    there = Incident(
        "stale",
        "vol-1",
        Severity.CRITICAL,
        opened=NOW.astimezone(timezone(timedelta(hours=5))),
        evidence={"age": "31 h"},
        parent="stale/vol-1",
    )

    assert Incident.from_document(json.loads(json.dumps(there.as_document()))) == there
