"""What people are told again: one test for each action and reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from caretaker.errors import RefusedError
from caretaker.incidents import Incident, Severity, Silence
from caretaker.rendering import Message, Unsent
from caretaker.settings import Channel
from functions.alerts.plan import (
    Action,
    Facts,
    IncidentDecision,
    Reason,
    Scope,
    plan_alerts,
    plan_units,
)
from functions.alerts.request import AlertsRequest, CloseRequest, SilenceRequest
from tests.support.alerts import STALE
from tests.support.builders import NOW

ALL: Final = frozenset(Channel) - {Channel.WATCHDOG}
QUIET: Final = frozenset({Channel.ALERTS, Channel.CHAT})
ELSEWHERE: Final = "caretaker/123456789012/us-east-1/snapshot/daily"
CRITICAL, WARNING, NOTICE = Severity.CRITICAL, Severity.WARNING, Severity.NOTICE


def an_incident(
    severity: Severity = WARNING,
    *,
    open_hours: float = 1,
    told_hours: float | None = 1,
    **more: Any,
) -> Incident:
    told = None if told_hours is None else NOW - timedelta(hours=told_hours)
    opened = NOW - timedelta(hours=open_hours)
    return replace(STALE, severity=severity, opened=opened, told=told, **more)


def facts(
    *incidents: Incident,
    silences: tuple[Silence, ...] = (),
    unsent: tuple[Unsent, ...] = (),
    channels: frozenset[Channel] = ALL,
) -> Facts:
    names = sorted({incident.scope for incident in incidents})
    scopes = [Scope(name, 1, [i for i in incidents if i.scope == name]) for name in names]
    return Facts(scopes, silences, unsent, channels)


def judged(incident: Incident, **more: Any) -> tuple[str, str]:
    """Return the action and the reason of one incident."""
    (decision,) = plan_alerts(facts(incident, **more), AlertsRequest(), now=NOW)
    return decision.action, decision.reason


def after(incident: Incident, **more: Any) -> Incident:
    (decision,) = plan_alerts(facts(incident, **more), AlertsRequest(), now=NOW)
    assert isinstance(decision, IncidentDecision)
    return decision.after


KEPT: Final = (Action.KEEP, Reason.TOLD)
REMINDED: Final = (Action.REMIND, Reason.STILL_OPEN)


@pytest.mark.parametrize(
    ("severity", "hours", "expected"),
    [
        (CRITICAL, 3.99, KEPT),
        (CRITICAL, 4, REMINDED),
        (WARNING, 23.99, KEPT),
        (WARNING, 24, REMINDED),
        (NOTICE, 1_000, KEPT),
    ],
)
def test_reminds_after_so_many_hours(
    severity: Severity, hours: float, expected: tuple[str, str]
) -> None:
    incident = an_incident(severity, open_hours=hours, told_hours=hours)

    assert judged(incident, channels=QUIET) == expected


def test_the_hours_count_from_when_people_last_heard_of_it() -> None:
    assert judged(an_incident(CRITICAL, open_hours=100, told_hours=1)) == KEPT
    reminded = after(an_incident(CRITICAL, open_hours=100, told_hours=5, reminders=7))
    assert (reminded.told, reminded.reminders) == (NOW, 8)


def test_the_hours_are_the_events() -> None:
    request = AlertsRequest(remind_critical_hours=1, remind_warning_hours=2, escalate_after_hours=3)
    told = [
        an_incident(CRITICAL, resource="a"),
        an_incident(resource="b"),
        an_incident(resource="c", open_hours=2, told_hours=2),
        an_incident(resource="d", open_hours=3),
    ]

    decisions = plan_alerts(facts(*told), request, now=NOW)

    found = {d.target.rpartition("/")[2]: d.action for d in decisions}
    assert found == {"a": "remind", "b": "keep", "c": "remind", "d": "escalate"}


@pytest.mark.parametrize(
    ("channels", "escalates"),
    [
        (ALL, True),
        ({Channel.ALERTS, Channel.URGENT}, True),
        ({Channel.ALERTS, Channel.PAGER}, True),
        (QUIET, False),
    ],
)
def test_escalates_only_where_a_topic_can_hear_it(
    channels: frozenset[Channel], *, escalates: bool
) -> None:
    found = judged(an_incident(open_hours=72), channels=frozenset(channels))

    assert found == ((Action.ESCALATE, Reason.OPEN_TOO_LONG) if escalates else KEPT)


@pytest.mark.parametrize(
    "incident",
    [
        an_incident(open_hours=71.99),
        an_incident(CRITICAL, open_hours=72),
        an_incident(NOTICE, open_hours=72),
        an_incident(open_hours=100, escalated=True),
    ],
    ids=["not yet", "critical", "a notice", "once is enough"],
)
def test_escalates_old_warnings_alone(incident: Incident) -> None:
    assert judged(incident) == KEPT


def test_what_is_escalated_is_urgent_and_reminded_as_such() -> None:
    escalated = after(an_incident(open_hours=72))

    assert (escalated.escalated, escalated.told, escalated.reminders) == (True, NOW, 1)
    assert escalated.severity is WARNING
    assert judged(an_incident(open_hours=80, told_hours=4, escalated=True)) == REMINDED


def test_what_was_never_told_is_told_when_no_silence_covers_it() -> None:
    incident = an_incident(open_hours=100, told_hours=None)

    assert judged(incident) == (Action.TELL, Reason.SILENCE_ENDED)
    told = after(incident)
    assert (told.told, told.reminders, told.escalated) == (NOW, 0, False)


@pytest.mark.parametrize(
    "incident",
    [
        an_incident(told_hours=None),
        an_incident(CRITICAL, told_hours=50),
        an_incident(open_hours=100),
        an_incident(),
    ],
    ids=["untold", "due", "old", "told"],
)
def test_what_is_silenced_is_left_alone(incident: Incident) -> None:
    silence = Silence("*", NOW + timedelta(minutes=1))

    assert judged(incident, silences=(silence,)) == (Action.KEEP, Reason.SILENCED)
    assert after(incident, silences=(silence,)) == incident


def test_a_silence_that_ended_covers_nothing() -> None:
    assert judged(an_incident(CRITICAL, told_hours=5), silences=(Silence("*", NOW),)) == REMINDED


def test_what_is_part_of_an_open_incident_is_told_by_that_one() -> None:
    within = f"{STALE.kind}/{STALE.resource}"
    part = an_incident(kind="part_of_it", told_hours=100, within=within)
    decisions = plan_alerts(facts(an_incident(told_hours=100), part), AlertsRequest(), now=NOW)

    assert sorted((d.action, d.reason) for d in decisions) == [
        (Action.KEEP, Reason.PART_OF_ANOTHER),
        REMINDED,
    ]
    assert judged(part) == REMINDED


def unsent(channel: Channel = Channel.CHAT, place: str = "1#00#a") -> Unsent:
    return Unsent(Message("a", channel, "ALARM: [CRIT] x", "{}", structured=False), place, 0, 0)


def test_what_was_not_sent_is_sent() -> None:
    (decision,) = plan_alerts(facts(unsent=(unsent(),)), AlertsRequest(), now=NOW)

    assert (decision.action, decision.reason) == (Action.SEND, Reason.UNSENT)
    assert decision.detail == {"channel": "chat", "subject": "ALARM: [CRIT] x"}


def test_what_waits_for_a_topic_that_is_gone_is_dropped() -> None:
    waiting = facts(unsent=(unsent(),), channels=frozenset({Channel.ALERTS}))

    (decision,) = plan_alerts(waiting, AlertsRequest(), now=NOW)

    assert (decision.action, decision.reason) == (Action.DROP, Reason.NO_TOPIC)


def test_a_test_reaches_for_every_channel_and_does_nothing_else() -> None:
    busy = facts(an_incident(CRITICAL, told_hours=50), unsent=(unsent(),))

    decisions = plan_alerts(busy, AlertsRequest(test=True), now=NOW)

    assert {d.target for d in decisions} == set(Channel)
    assert {(d.action, d.reason) for d in decisions} == {(Action.TEST, Reason.ASKED)}


def silenced(hours: float) -> list[Any]:
    asked = SilenceRequest.model_construct(match="*/x", until=NOW + timedelta(hours=hours))
    request = AlertsRequest.model_construct(silence=asked)
    return list(plan_alerts(facts(an_incident(CRITICAL, told_hours=50)), request, now=NOW))


@pytest.mark.parametrize("hours", [-1_000, 0, 8, 30 * 24])
def test_a_silence_is_taken_and_nothing_else_is_done(hours: float) -> None:
    (decision,) = silenced(hours)

    assert (decision.target, decision.action, decision.reason) == ("*/x", "silence", "asked")


def test_a_silence_of_more_than_thirty_days_is_refused() -> None:
    with pytest.raises(RefusedError, match="silence_too_long") as refused:
        silenced(30 * 24 + 0.01)

    (error,) = refused.value.errors
    assert error["path"] == "silence.until"
    assert error["expected"] == "at most 2026-12-21T03:00Z"


def test_what_is_closed_is_what_the_pattern_matches() -> None:
    there = [an_incident(resource=name) for name in ("vol-1", "vol-2", "i-1")]
    request = AlertsRequest(close=CloseRequest(match="*/vol-?"))

    decisions = plan_alerts(facts(*there), request, now=NOW)

    assert [(d.action, d.reason) for d in decisions] == [(Action.CLOSE, Reason.ASKED)] * 2
    assert all(isinstance(d, IncidentDecision) and d.after.closed for d in decisions)


HERE_OLD: Final = an_incident(CRITICAL, open_hours=9, told_hours=5, resource="old")
HERE_NEW: Final = an_incident(CRITICAL, open_hours=5, told_hours=5, resource="new")
THERE: Final = an_incident(CRITICAL, open_hours=7, told_hours=5, scope=ELSEWHERE)
QUIETER: Final = an_incident(open_hours=30, told_hours=25, scope=ELSEWHERE, resource="quieter")


def test_one_scope_a_run_is_paged_for_and_the_others_wait_for_the_next() -> None:
    decisions = plan_alerts(facts(HERE_OLD, HERE_NEW, THERE, QUIETER), AlertsRequest(), now=NOW)

    found = {d.target: (d.action, d.reason) for d in decisions}
    assert found == {
        HERE_OLD.full_key: REMINDED,
        HERE_NEW.full_key: REMINDED,
        THERE.full_key: (Action.KEEP, Reason.NEXT_RUN),
        QUIETER.full_key: REMINDED,
    }


def test_without_a_pager_all_scopes_are_told_at_once() -> None:
    channels = ALL - {Channel.PAGER}
    decisions = plan_alerts(facts(HERE_OLD, THERE, channels=channels), AlertsRequest(), now=NOW)

    assert {d.action for d in decisions} == {Action.REMIND}


def test_all_that_is_told_is_one_message_and_what_waits_keeps_its_order() -> None:
    waiting = tuple(unsent(place=f"{n}#00#x") for n in range(5))
    told = [an_incident(CRITICAL, told_hours=5, resource=f"vol-{n}") for n in range(3)]
    told.append(an_incident(open_hours=100, resource="escalates"))
    decisions = plan_alerts(facts(*told, an_incident(), unsent=waiting), AlertsRequest(), now=NOW)

    units = {unit.lane: unit.decisions for unit in plan_units(decisions)}

    assert set(units) == {"send", "tell"}
    assert [d.target for d in units["send"]] == [each.place for each in waiting]
    assert len(units["tell"]) == 4


def test_a_test_is_a_unit_for_each_topic() -> None:
    decisions = plan_alerts(facts(), AlertsRequest(test=True), now=NOW)

    assert [len(unit.decisions) for unit in plan_units(decisions)] == [1] * len(Channel)
