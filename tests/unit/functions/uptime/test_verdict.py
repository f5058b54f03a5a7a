from __future__ import annotations

from typing import Any, Final

import pytest

from functions.uptime.facts import Action, Reason
from functions.uptime.probing import Probed
from functions.uptime.records import Record
from functions.uptime.spans import State, Sum
from tests.unit.functions.uptime.building import (
    OPEN,
    OTHER,
    REFUSED,
    SECONDS,
    SLOT,
    a_record,
    a_target,
    a_try,
    ask,
    down,
    failing,
    judged,
    probed,
    status,
)

SLOW: Final = (900,) * 4


def told(*args: Any, **how: Any) -> tuple[State, Action, Reason]:
    """Return how a target stands, what is done about it, and why."""
    verdict = judged(*args, **how)
    return verdict.state, Action(verdict.decision.action), Reason(verdict.decision.reason)


UP: Final = (State.UP, Action.KEEP, Reason.UP)
FAILING: Final = (State.DOWN, Action.REPORT, Reason.FAILING)
DOWN: Final = (State.DOWN, Action.REPORT, Reason.DOWN)
PARTIAL: Final = (State.DEGRADED, Action.REPORT, Reason.PARTIAL)


def test_a_target_that_answers_is_up() -> None:
    verdict = judged(seen=probed(a_try(ms=40)))

    assert told(seen=probed()) == UP
    assert (verdict.record.state, verdict.record.seen, verdict.record.slot) == (
        State.UP,
        SECONDS,
        SLOT,
    )
    assert (verdict.record.good, verdict.record.bad) == (1, 0)
    assert verdict.record.latencies == (40,)
    assert verdict.failure is None


@pytest.mark.parametrize(("before", "expected"), [(0, FAILING), (1, FAILING), (2, DOWN), (9, DOWN)])
def test_a_target_is_called_down_at_its_third_failure_in_a_row(
    before: int, expected: tuple[State, Action, Reason]
) -> None:
    assert told(seen=down(), record=failing(before)) == expected


@pytest.mark.parametrize(("good", "expected"), [(0, Reason.RECOVERING), (1, Reason.UP)])
def test_a_target_is_well_again_at_its_second_success_in_a_row(good: int, expected: Reason) -> None:
    record = failing(0, is_down=True, good=good)

    assert told(seen=probed(), record=record) == (State.UP, Action.KEEP, expected)


def test_an_outage_begins_with_the_first_run_that_fails() -> None:
    first = judged(seen=down(), record=a_record()).record
    later = judged(seen=down(), record=failing(1, since=first.since)).record

    assert (first.since, later.since) == (SECONDS, SECONDS)
    assert judged(seen=down(), record=failing(1, since=7)).record.since == 7


def test_one_success_among_failures_begins_the_row_anew() -> None:
    assert told(seen=down(), record=failing(0, bad=0, good=1)) == FAILING
    still = failing(0, is_down=True, good=1)
    assert told(seen=down(), record=still) == DOWN


@pytest.mark.parametrize(("failures", "expected"), [(1, DOWN), (2, FAILING)])
def test_the_event_says_how_many_failures_open(
    failures: int, expected: tuple[State, Action, Reason]
) -> None:
    request = ask(confirm={"failures": failures})

    assert told(seen=down(), request=request) == expected


def test_the_event_says_how_many_successes_close() -> None:
    record, request = failing(0, is_down=True), ask(confirm={"successes": 1})

    assert told(seen=probed(), record=record, request=request) == UP


@pytest.mark.parametrize("before", [1, 2])
def test_what_passed_on_retry_is_unstable(before: int) -> None:
    assert told(seen=probed(before=before)) == (State.UNSTABLE, Action.KEEP, Reason.UNSTABLE)


def test_what_passed_on_retry_counts_as_a_success_with_its_time() -> None:
    record = judged(seen=probed(a_try(ms=70), before=2), record=failing(2)).record

    assert (record.good, record.bad, record.latencies) == (1, 0, (70,))


@pytest.mark.parametrize("bad", [[REFUSED, None], [None, REFUSED], [None, status(500), None]])
def test_what_fails_at_some_addresses_is_partial_and_no_failure(bad: list[Any]) -> None:
    verdict = judged(seen=probed(*bad), record=failing(2))

    assert told(seen=probed(*bad), record=failing(2)) == PARTIAL
    assert (verdict.record.bad, verdict.record.good, verdict.record.latencies) == (0, 1, ())
    assert verdict.failure == next(each for each in bad if each)


def test_what_fails_at_all_addresses_fails() -> None:
    assert told(seen=probed(REFUSED, status(500))) == FAILING


@pytest.mark.parametrize(
    ("latencies", "now", "expected"),
    [
        (SLOW, 900, Reason.SLOW),
        (SLOW, 100, Reason.SLOW),
        ((100, 900, 100, 900), 900, Reason.SLOW),
        ((100, 900, 100, 900), 100, Reason.UP),
        ((501, 501, 1, 1), 501, Reason.SLOW),
        ((500, 500, 500, 500), 500, Reason.UP),
        ((900, 900, 900), 900, Reason.UP),
        ((), 30_000, Reason.UP),
    ],
)
def test_slow_is_when_three_of_the_last_five_are_over_the_limit(
    latencies: tuple[int, ...], now: float, expected: Reason
) -> None:
    target = a_target(max_latency_ms=500)
    state, action, reason = told(target, probed(a_try(ms=now)), a_record(latencies=latencies))

    assert reason == expected
    assert state is (State.DEGRADED if reason is Reason.SLOW else State.UP)
    assert action is (Action.REPORT if reason is Reason.SLOW else Action.KEEP)


def test_without_a_limit_nothing_is_slow() -> None:
    assert told(seen=probed(a_try(ms=30_000)), record=a_record(latencies=SLOW)) == UP


def test_the_slowest_address_counts() -> None:
    seen = probed(a_try(ms=40), a_try(ms=90, address=OTHER))

    assert judged(seen=seen).record.latencies == (90,)


def test_times_of_a_cold_start_and_of_failures_do_not_count() -> None:
    assert judged(seen=probed(), is_cold=True).record.latencies == ()
    assert judged(seen=down()).record.latencies == ()


@pytest.mark.parametrize(
    ("record", "seen", "expected"),
    [
        (a_record(latencies=SLOW), down(), Reason.FAILING),
        (failing(3, latencies=SLOW), down(), Reason.DOWN),
        (a_record(latencies=(900,) * 5), probed(None, REFUSED), Reason.PARTIAL),
        (failing(0, is_down=True, latencies=SLOW), probed(a_try(ms=900)), Reason.SLOW),
        (failing(0, is_down=True), probed(before=1), Reason.RECOVERING),
        (a_record(latencies=SLOW), probed(a_try(ms=900), before=1), Reason.SLOW),
    ],
)
def test_the_gravest_reason_is_told(record: Record, seen: Probed, expected: Reason) -> None:
    assert judged(a_target(max_latency_ms=500), seen, record).decision.reason == expected


UNSEEN: Final[list[tuple[dict[str, Any], dict[str, Any], Reason]]] = [
    ({"maintenance": [OPEN]}, {}, Reason.MAINTENANCE),
    ({}, {"unreadable": {"shop": "AccessDenied"}}, Reason.SECRET_UNREADABLE),
    ({}, {"probed": {}}, Reason.NOT_PROBED),
    ({}, {"is_blind": True}, Reason.BLIND),
    (
        {"maintenance": [OPEN]},
        {"unreadable": {"shop": "x"}, "probed": {}, "is_blind": True},
        Reason.MAINTENANCE,
    ),
    ({}, {"unreadable": {"shop": "x"}, "probed": {}, "is_blind": True}, Reason.SECRET_UNREADABLE),
    ({}, {"probed": {}, "is_blind": True}, Reason.NOT_PROBED),
]


@pytest.mark.parametrize(("odd", "facts", "reason"), UNSEEN)
@pytest.mark.parametrize("record", [failing(2), failing(5), a_record(good=7, latencies=(1, 2))])
def test_what_was_not_seen_is_skipped_and_counts_neither_way(
    odd: dict[str, Any], facts: dict[str, Any], reason: Reason, record: Record
) -> None:
    facts = {"probed": {"shop": down()}} | facts
    verdict = judged(a_target(**odd), record=record, **facts)
    after = verdict.record

    assert (verdict.decision.action, verdict.decision.reason) == (Action.SKIP, reason)
    assert (verdict.name, verdict.decision.target, after.slot) == ("shop", "shop", SLOT)
    state = State.MAINTENANCE if reason is Reason.MAINTENANCE else State.UNKNOWN
    assert (verdict.state, after.state, after.seen) == (state, state, SECONDS)
    assert (after.bad, after.good, after.is_down) == (record.bad, record.good, record.is_down)
    assert after.latencies == record.latencies
    assert (verdict.failure, verdict.shown) == (None, None)


def test_a_window_that_is_closed_is_no_maintenance() -> None:
    closed = {"start": "03:01", "duration_minutes": 60}

    assert told(a_target(maintenance=[closed]), probed()) == UP
    either = a_target(maintenance=[closed, OPEN])
    assert told(either, probed())[2] == Reason.MAINTENANCE


def test_the_time_before_a_run_is_that_of_the_state_before_it() -> None:
    record = judged(seen=down(), record=a_record(State.UP, minutes=2)).record

    assert record.running[2] == Sum(up=120)
    assert record.state is State.DOWN


@pytest.mark.parametrize("seen", [probed(), down()])
def test_a_run_that_is_repeated_counts_once(seen: Probed) -> None:
    once = judged(seen=seen, record=a_record()).record
    twice = judged(seen=seen, record=once).record

    assert twice == once
    another = judged(seen=seen, record=once, slot="2026-11-21T03:01Z").record
    assert another.bad + another.good == once.bad + once.good + 1


def test_a_run_that_is_repeated_and_fails_everywhere_is_not_called_partial() -> None:
    once = judged(seen=probed(), record=a_record()).record

    assert judged(seen=down(), record=once).decision.reason != Reason.PARTIAL
