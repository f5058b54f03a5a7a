from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from functions.tagging.escalation import as_text, moment, stop_after
from functions.tagging.facts import Links, Step
from tests.support.builders import NOW, SLOT
from tests.support.tagging import (
    BORN,
    ESCALATED,
    OWNER,
    a_resource,
    a_step,
    an_instance,
    ask,
    gathered,
    only_decision,
    verdict,
)

I1 = "i-00000001"
DAY = timedelta(days=1)
MARK = "caretaker:stop-after"


def mark(due: timedelta) -> dict[str, str]:
    return {MARK: as_text(NOW + due)}


def step_of(step: Step | None, *, event: Any = None, **odd: Any) -> tuple[str, str]:
    """Return what happens to an instance without an owner at this point of its escalation."""
    steps = {} if step is None else {I1: step}
    (one,) = verdict(an_instance(**odd), ESCALATED, steps=steps, event=event)
    return one


def undo_of(step: Step | None, **odd: Any) -> tuple[str, str]:
    """Return what happens to one whose owner is there again."""
    odd["tags"] = {OWNER: "ann", **odd.get("tags", {})}
    return step_of(step, **odd)


def test_first_its_owner_is_told() -> None:
    assert step_of(None) == ("tell", "missing")


def test_in_a_run_of_a_later_slot_it_is_marked() -> None:
    assert step_of(a_step()) == ("mark", "missing")


@pytest.mark.parametrize("told", [SLOT, "2026-11-21T03:01Z", "2026-11-22T03:00Z"])
def test_a_run_of_the_same_slot_or_an_earlier_one_takes_no_step(told: str) -> None:
    assert step_of(a_step(told)) == ("report", "told")
    assert step_of(a_step(told, due=-DAY), tags=mark(-DAY)) == ("report", "told")


def test_with_no_days_to_wait_nothing_follows_on_the_letter() -> None:
    never = {"stop_after_days": 0}

    assert step_of(None, event=never) == ("tell", "missing")
    assert step_of(a_step(), event=never) == ("report", "told")
    assert step_of(a_step(due=-DAY), tags=mark(-DAY), event=never) == ("report", "told")


@pytest.mark.parametrize("due", [timedelta(seconds=1), DAY, 30 * DAY])
def test_until_the_mark_has_passed_it_waits(due: timedelta) -> None:
    assert step_of(a_step(due=due), tags=mark(due)) == ("report", "waiting")


@pytest.mark.parametrize("due", [timedelta(0), timedelta(seconds=-1), -DAY, -14 * DAY])
def test_once_the_mark_has_passed_it_is_stopped(due: timedelta) -> None:
    assert step_of(a_step(due=due), tags=mark(due)) == ("stop", "missing")


def test_a_mark_that_nobody_acted_on_for_two_weeks_is_written_anew() -> None:
    due = -14 * DAY - timedelta(seconds=1)

    assert step_of(a_step(due=due), tags=mark(due)) == ("mark", "missing")


def test_people_may_move_the_mark_into_the_future_and_never_into_the_past() -> None:
    assert step_of(a_step(due=-DAY), tags=mark(DAY)) == ("report", "waiting")
    assert step_of(a_step(due=DAY), tags=mark(-DAY)) == ("report", "waiting")


def test_the_later_of_both_is_told() -> None:
    def told(written: timedelta, ours: timedelta) -> object:
        facts = gathered(an_instance(tags=mark(written)), steps={I1: a_step(due=ours)})
        return only_decision(facts, ask(ESCALATED)).detail["stop_after"]

    assert told(3 * DAY, DAY) == "2026-11-24T03:00:00Z"
    assert told(DAY, 3 * DAY) == "2026-11-24T03:00:00Z"
    assert told(-DAY, -2 * DAY) == "2026-11-20T03:00:00Z"


def test_a_mark_that_is_gone_is_written_again() -> None:
    assert step_of(a_step(due=-DAY)) == ("mark", "missing")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "2026-11-20",
        "2026-11-20T03:00:00",
        "1795143600",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_a_mark_that_cannot_be_read_stops_nothing(written: str) -> None:
    odd: dict[str, Any] = {"tags": {MARK: written}}

    assert step_of(a_step(due=-DAY), **odd) == ("report", "mark_unreadable")
    facts = gathered(an_instance(**odd), steps={I1: a_step(due=-DAY)})
    assert only_decision(facts, ask(ESCALATED)).detail["stop_after"] == written


def test_a_mark_that_we_do_not_remember_stops_nothing() -> None:
    assert step_of(None, tags=mark(-DAY)) == ("tell", "missing")
    assert step_of(a_step(), tags=mark(-DAY)) == ("mark", "missing")


def test_a_mark_that_we_do_not_remember_is_kept_where_it_gives_more_time() -> None:
    assert step_of(a_step(), tags=mark(6 * DAY)) == ("mark", "missing")
    assert step_of(a_step(), tags=mark(8 * DAY)) == ("report", "waiting")


def test_a_mark_that_we_do_not_remember_is_kept_where_it_gives_as_much_time() -> None:
    as_much = stop_after(NOW, 7) - NOW

    assert step_of(a_step(), tags=mark(as_much)) == ("report", "waiting")
    assert step_of(a_step(), tags=mark(as_much - timedelta(seconds=1)))[0] == "mark"


@pytest.mark.parametrize("state", ["stopped", "stopping", "pending"])
def test_what_does_not_run_is_not_escalated(state: str) -> None:
    assert step_of(None, state=state) == ("report", "missing")
    assert step_of(a_step(due=-DAY), tags=mark(-DAY), state=state) == ("report", "missing")


def test_what_this_chore_stopped_is_reported_as_such() -> None:
    stopped = a_step(due=-DAY, stopped=-DAY / 2)

    assert step_of(stopped, tags=mark(-DAY), state="stopped") == ("report", "stopped")


def test_whoever_starts_it_again_is_told_anew() -> None:
    stopped = a_step(due=-2 * DAY, stopped=-DAY)

    assert step_of(stopped, tags=mark(-DAY), launched=NOW - DAY / 2) == ("tell", "missing")
    assert step_of(stopped, tags=mark(-DAY), launched=NOW - DAY) == ("stop", "missing")


@pytest.mark.parametrize(
    "odd",
    [
        {"links": Links(group="web")},
        {"stoppable": False},
    ],
    ids=str,
)
def test_what_would_be_replaced_or_lost_is_never_escalated(odd: dict[str, Any]) -> None:
    assert step_of(None, **odd) == ("report", "missing")
    assert step_of(a_step(due=-DAY), tags=mark(-DAY), **odd) == ("unmark", "compliant")


def test_nothing_but_an_instance_is_escalated() -> None:
    assert verdict(a_resource(stoppable=True), ESCALATED) == [("report", "missing")]


def test_nothing_is_escalated_for_a_key_that_does_not_say_so() -> None:
    rules = {OWNER: {}, "Env": {"escalate": True}}

    assert verdict(an_instance(tags={"Env": "x"}), rules) == [("report", "missing")]
    assert verdict(an_instance(tags={OWNER: "x"}), rules) == [("tell", "missing")]


def test_nothing_is_escalated_for_what_is_set_in_this_run() -> None:
    rules = {OWNER: {"escalate": True, "default": "ann"}}

    assert verdict(an_instance(), rules) == [("set", "missing")]


def test_nothing_is_undone_that_was_not_begun() -> None:
    assert undo_of(None) == ("keep", "compliant")
    assert undo_of(None, tags=mark(-DAY)) == ("keep", "compliant")


@pytest.mark.parametrize("state", ["running", "stopped", "stopping", "pending"])
def test_the_mark_goes_when_the_tags_appear(state: str) -> None:
    assert undo_of(a_step(due=DAY), tags=mark(DAY), state=state) == ("unmark", "compliant")


def test_what_this_chore_stopped_is_started_when_the_tags_appear() -> None:
    stopped = a_step(due=-DAY, stopped=-DAY / 2)

    assert undo_of(stopped, tags=mark(-DAY), state="stopped") == ("start", "compliant")


def test_what_is_still_stopping_waits_to_be_started() -> None:
    stopped = a_step(due=-DAY, stopped=-DAY / 2)

    assert undo_of(stopped, tags=mark(-DAY), state="stopping") == ("keep", "compliant")


def test_what_somebody_else_stopped_stays_stopped() -> None:
    again = a_step(due=-2 * DAY, stopped=-DAY)
    started = NOW - DAY / 2

    assert undo_of(a_step(due=-DAY), tags=mark(-DAY), state="stopped")[0] == "unmark"
    assert undo_of(again, tags=mark(-DAY), state="stopped", launched=started)[0] == "unmark"
    assert undo_of(again, tags=mark(-DAY), state="stopping", launched=started)[0] == "unmark"


def test_without_the_mark_the_right_to_start_it_is_gone() -> None:
    assert undo_of(a_step(due=-DAY, stopped=-DAY), state="stopped")[0] == "unmark"


def test_what_never_started_was_not_started_since() -> None:
    odd = an_instance(hours=None, tags=mark(-DAY))

    assert odd.launched is None
    stopped = {I1: a_step(due=-2 * DAY, stopped=-DAY)}
    assert verdict(odd, ESCALATED, steps=stopped) == [("stop", "missing")]


def test_at_birth_nothing_is_told() -> None:
    assert step_of(None, event={"birth": BORN}) == ("skip", "too_young")


def test_what_is_young_is_not_escalated() -> None:
    assert step_of(None, hours=23) == ("skip", "too_young")


@pytest.mark.parametrize(
    ("text", "moment_"),
    [
        ("2026-11-28T03:00:00Z", NOW + 7 * DAY),
        ("2026-11-28T05:00:00+02:00", NOW + 7 * DAY),
        ("2026-11-28T03:00:00.000+00:00", NOW + 7 * DAY),
    ],
)
def test_reads_a_time_with_its_zone(text: str, moment_: datetime) -> None:
    assert moment(text) == moment_
    assert moment(text).tzinfo is UTC


def test_a_mark_is_written_in_utc_wherever_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert as_text(NOW.astimezone(timezone(timedelta(hours=-5)))) == "2026-11-21T03:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_mark_is_written_to_the_full_second_and_never_too_early() -> None:
    now = NOW + timedelta(microseconds=1)

    assert as_text(stop_after(now, 7)) == "2026-11-28T03:00:01Z"
    assert stop_after(now, 7) >= now + 7 * DAY
    assert moment(as_text(stop_after(now, 7))) == stop_after(now, 7)
