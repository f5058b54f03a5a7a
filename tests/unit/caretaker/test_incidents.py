from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.incidents import (
    Check,
    Incident,
    Origin,
    Severity,
    Silence,
)
from caretaker.transitions import Transitions, plan_transitions
from tests.support.builders import ACCOUNT, NOW, SLOT

ALL = frozenset({"stale"})
LATER = NOW + timedelta(hours=1)
ORIGIN = Origin("caretaker", "prod", ACCOUNT, "eu-west-1", "snapshot", "daily", "01JD", SLOT)
SCOPE = f"caretaker/{ACCOUNT}/eu-west-1/snapshot/daily"
BAD = Check("stale", "vol-1", healthy=False, what="old", cause="stale")
GOOD = replace(BAD, healthy=True)
UNKNOWN = replace(BAD, healthy=None)
CRITICAL = replace(BAD, severity=Severity.CRITICAL)
ANOTHER = replace(BAD, resource="vol-2")


def step(
    known: list[Incident],
    *checks: Check,
    judged: frozenset[str] = ALL,
    now: datetime = NOW,
    silenced: str = "",
) -> tuple[Transitions, list[Incident]]:
    """Return what changed, and what is open afterwards."""
    silences = [Silence(silenced, now + timedelta(hours=8))] if silenced else []
    changed = plan_transitions(
        known, checks, judged=judged, now=now, origin=ORIGIN, silences=silences
    )
    after = {i.key: i for i in known} | {i.key: i for i in changed.opened}
    for incident in changed.resolved:
        del after[incident.key]
    assert sorted(changed.still_open, key=lambda i: i.key) == sorted(
        after.values(), key=lambda i: i.key
    )
    return changed, list(after.values())


def opened(*checks: Check, silenced: str = "") -> list[Incident]:
    return step([], *checks, silenced=silenced)[1]


def news(changed: Transitions) -> tuple[tuple[Incident, ...], tuple[Incident, ...]]:
    return changed.opened, changed.resolved


NOTHING: tuple[tuple[Incident, ...], tuple[Incident, ...]] = ((), ())


def test_what_becomes_unhealthy_opens() -> None:
    changed, _ = step([], BAD)

    (incident,) = changed.opened
    assert (incident.key, incident.opened, incident.what) == ("stale/vol-1", NOW, "old")
    assert incident.full_key == f"{SCOPE}/stale/vol-1"
    assert (incident.told, incident.reminders, incident.escalated) == (NOW, 0, False)


def test_an_incident_knows_the_report_of_the_run_that_opened_it() -> None:
    origin = replace(ORIGIN, report="s3://bucket/first")
    first = plan_transitions([], [BAD], judged=ALL, now=NOW, origin=origin)

    assert [incident.report for incident in first.opened] == ["s3://bucket/first"]


def test_what_stays_unhealthy_is_told_once() -> None:
    assert news(step(opened(BAD), BAD, now=LATER)[0]) == NOTHING


def test_what_becomes_healthy_is_resolved_once() -> None:
    changed, after = step(opened(BAD), GOOD, now=LATER)

    assert [incident.key for incident in changed.resolved] == ["stale/vol-1"]
    assert after == []
    assert step(after, GOOD)[0] == Transitions()


def test_what_worsened_is_told_and_is_as_old_as_it_was() -> None:
    changed, after = step(opened(BAD), CRITICAL, now=LATER)

    (worse,) = changed.opened
    assert (worse.severity, worse.opened, worse.told) == (Severity.CRITICAL, NOW, LATER)
    assert news(step(after, CRITICAL)[0]) == NOTHING


def test_what_worsened_keeps_what_was_told_of_it() -> None:
    (known,) = opened(BAD)
    known = replace(known, reminders=3, escalated=True)

    (worse,) = step([known], CRITICAL, now=LATER)[0].opened

    assert (worse.reminders, worse.escalated) == (3, True)


def test_what_worsened_under_a_silence_is_still_known_as_told() -> None:
    (worse,) = step(opened(BAD), CRITICAL, now=LATER, silenced="*")[0].opened

    assert worse.told == NOW


def test_what_got_less_severe_is_not_told() -> None:
    assert news(step(opened(CRITICAL), BAD)[0]) == NOTHING


@pytest.mark.parametrize("known", [(), (BAD,)], ids=["healthy", "open"])
def test_what_cannot_be_told_changes_nothing(known: tuple[Check, ...]) -> None:
    assert news(step(opened(*known), UNKNOWN)[0]) == NOTHING


@pytest.mark.parametrize(
    ("judged", "resolved"), [(ALL, 1), (frozenset(), 0)], ids=["judged", "not judged"]
)
def test_what_is_gone_is_resolved_where_all_were_judged(
    judged: frozenset[str], resolved: int
) -> None:
    changed, after = step(opened(BAD), judged=judged)

    assert len(changed.resolved) == resolved
    assert len(after) == 1 - resolved


def test_openings_of_one_kind_and_cause_have_one_parent() -> None:
    denied = replace(BAD, kind="failed", cause="denied")
    checks = [ANOTHER, BAD, denied, replace(denied, cause="full", resource="vol-3")]

    changed, _ = step([], *checks)

    assert {i.key: i.parent for i in changed.opened} == {
        "stale/vol-1": "stale/vol-1",
        "stale/vol-2": "stale/vol-1",
        "failed/vol-1": "failed/vol-1",
        "failed/vol-3": "failed/vol-3",
    }


def test_a_group_is_one_thread_until_its_last_member_is_healthy() -> None:
    first, second = opened(BAD, ANOTHER)
    later, _ = step([first, second], GOOD, replace(ANOTHER, severity=Severity.CRITICAL), now=LATER)

    told = [first, second, *later.opened, *later.resolved]
    assert len(told) == 4
    assert len({incident.thread for incident in told}) == 1


def test_the_next_time_is_another_thread() -> None:
    (first,) = opened(BAD)
    (next_time,) = step([], BAD, now=LATER)[0].opened

    assert first.key == next_time.key
    assert first.thread != next_time.thread


def test_what_opens_beside_one_that_worsens_is_a_group_of_its_own() -> None:
    known = opened(BAD)
    both = (CRITICAL, replace(ANOTHER, severity=Severity.CRITICAL))

    told = {i.key: i for i in step(known, *both, now=LATER)[0].opened}
    worse, new = told["stale/vol-1"], told["stale/vol-2"]

    assert worse.thread == known[0].thread
    assert new.parent == "stale/vol-2"
    assert new.thread != worse.thread


def test_two_scopes_never_share_a_thread() -> None:
    (here,) = opened(BAD)

    assert replace(here, scope=f"{SCOPE}-2").thread != here.thread


@pytest.mark.parametrize(("severity", "escalated"), [("critical", False), ("warning", True)])
def test_what_is_critical_or_escalated_wakes_people(severity: str, *, escalated: bool) -> None:
    (known,) = opened(BAD)
    assert not known.is_urgent

    assert replace(known, severity=Severity(severity), escalated=escalated).is_urgent


def test_what_opens_under_a_silence_is_not_told() -> None:
    changed, _ = step([], BAD, ANOTHER, silenced="*/vol-1")

    assert {i.key: i.told for i in changed.opened} == {"stale/vol-1": None, "stale/vol-2": NOW}


checks = st.builds(
    Check,
    kind=st.sampled_from(["stale", "failed"]),
    resource=st.sampled_from(["vol-1", "vol-2", "vol-3"]),
    healthy=st.sampled_from([True, False, None]),
    severity=st.sampled_from(Severity),
    cause=st.sampled_from(["", "x"]),
)
some_checks = st.lists(checks, max_size=6)
unlike_checks = st.lists(checks, unique_by=lambda check: check.key)
judged_kinds = st.frozensets(st.sampled_from(["stale", "failed"]))
patterns = st.sampled_from(["", "*", "*/vol-1", "*/stale/*"])


@pytest.mark.parametrize("verdicts", [(True, False), (False, True)], ids=str)
def test_of_two_checks_of_one_key_the_unhealthy_one_counts(verdicts: tuple[bool, bool]) -> None:
    changed, _ = step([], *(replace(BAD, healthy=verdict) for verdict in verdicts))

    assert len(changed.opened) == 1


@settings(max_examples=150, deadline=None)
@given(some_checks, some_checks, judged_kinds, patterns, st.integers(0, 99))
def test_the_order_of_what_is_known_and_checked_does_not_matter(
    before: list[Check], now: list[Check], judged: frozenset[str], pattern: str, seed: int
) -> None:
    known = opened(*before)
    expected, _ = step(known, *now, judged=judged, now=LATER, silenced=pattern)
    chance = random.Random(seed)
    chance.shuffle(known)
    chance.shuffle(now)

    shuffled, _ = step(known, *now, judged=judged, now=LATER, silenced=pattern)

    assert _unlike(shuffled.opened) == _unlike(expected.opened)
    assert shuffled.resolved == expected.resolved


def _unlike(told: tuple[Incident, ...]) -> list[tuple[Any, ...]]:
    """Return all but the cause, of which two checks of one key may name another."""
    return [(i.key, i.severity, i.opened, i.told) for i in told]


@settings(max_examples=80, deadline=None)
@given(unlike_checks, unlike_checks, judged_kinds, patterns)
def test_the_same_checks_again_change_nothing(
    before: list[Check], now: list[Check], judged: frozenset[str], pattern: str
) -> None:
    _, after = step(opened(*before), *now, judged=judged, silenced=pattern)

    again, _ = step(after, *now, judged=judged, now=LATER)
    assert news(again) == NOTHING


def test_an_open_one_in_another_stage_is_told_again_and_is_as_old_as_it_was() -> None:
    marked = replace(BAD, stage="marked", what="marked")

    changed, after = step(opened(replace(BAD, stage="told")), marked, now=LATER)

    (told,) = changed.opened
    assert (told.stage, told.what, told.opened, told.told) == ("marked", "marked", NOW, LATER)
    assert news(step(after, marked)[0]) == NOTHING


def test_a_stage_that_comes_first_or_goes_is_news_too() -> None:
    staged = replace(BAD, stage="told")

    assert [i.stage for i in step(opened(BAD), staged)[0].opened] == ["told"]
    assert [i.stage for i in step(opened(staged), BAD)[0].opened] == [""]


def test_the_stage_of_what_is_healthy_or_unknown_is_no_news() -> None:
    known = opened(replace(BAD, stage="told"))

    assert step(known, replace(UNKNOWN, stage="marked"))[0].opened == ()
    assert step(known, replace(GOOD, stage="marked"))[0].opened == ()


def test_a_stage_under_a_silence_is_known_and_not_told() -> None:
    known = opened(replace(BAD, stage="told"))

    (told,) = step(known, replace(BAD, stage="marked"), now=LATER, silenced="*")[0].opened

    assert (told.stage, told.told) == ("marked", NOW)


def test_a_stage_is_remembered_with_its_incident() -> None:
    (known,) = opened(replace(BAD, stage="x" * 300))

    assert Incident.from_document(known.as_document()).stage == "x" * 256
    older = {key: value for key, value in known.as_document().items() if key != "stage"}
    assert Incident.from_document(older).stage == ""
