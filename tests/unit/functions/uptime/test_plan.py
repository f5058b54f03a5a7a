from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from caretaker.errors import FieldError
from functions.uptime.facts import Action, Facts, Reason, Wrong
from functions.uptime.plan import is_suspect, plan_uptime
from functions.uptime.records import Closed
from functions.uptime.spans import HOUR, State, Sum
from functions.uptime.units import INVOKE, plan_units
from tests.support.builders import NOW
from tests.unit.functions.uptime.building import (
    FIX,
    MINUTE,
    OPEN,
    REFUSED,
    SECONDS,
    SLOT,
    a_record,
    a_target,
    ask,
    down,
    failing,
    planned,
    probed,
    status,
)

ERROR: Final = FieldError("url", "no URL", "a URL")
CUT_OFF: Final = down(REFUSED)


def test_every_target_has_one_decision_sorted_by_name_and_then_the_wrong_ones() -> None:
    targets = [a_target(name) for name in ("c", "a", "b")]
    plan = planned(*targets, wrong=[Wrong("bad", [ERROR])], probed={"a": probed(), "b": down()})

    assert [(d.target, d.action, d.reason) for d in plan.decisions] == [
        ("a", Action.KEEP, Reason.UP),
        ("b", Action.REPORT, Reason.FAILING),
        ("c", Action.SKIP, Reason.NOT_PROBED),
        ("bad", Action.SKIP, Reason.WRONG),
    ]
    assert {verdict.record.slot for verdict in plan.verdicts} == {SLOT}
    assert plan.decisions[3].detail == {
        "errors": [{"path": "url", "problem": "no URL", "expected": "a URL"}]
    }


def test_no_targets_are_no_decisions() -> None:
    assert plan_uptime(Facts({}), ask(), slot=SLOT, now=NOW).decisions == []


def test_spans_that_are_over_are_closed_for_every_target() -> None:
    targets = [a_target("new"), a_target("old"), a_target("unseen")]
    records = {"old": a_record(State.DOWN), "unseen": a_record(), "unlisted": a_record()}
    plan = planned(*targets, records=records, probed={"new": probed(), "old": probed()})

    minute = Sum(down=60)
    assert plan.closed["old"] == [
        Closed(300, SECONDS - 300, minute),
        Closed(HOUR, SECONDS - HOUR, minute),
    ]
    assert [each.sum for each in plan.closed["unseen"]] == [Sum(up=60)] * 2
    assert plan.closed.keys() == {"old", "unseen"}


def test_the_records_of_targets_that_are_not_listed_are_kept_as_they_were() -> None:
    gone = a_record(minutes=20)
    plan = planned(records={"gone": gone})

    assert plan.case.facts.records["gone"] == gone


@pytest.mark.parametrize(("gap", "up"), [(10, 600), (30, 1800), (60, 1800)])
def test_the_event_says_how_long_a_state_lasts(gap: int, up: int) -> None:
    request = ask(longest_gap_minutes=gap)
    plan = planned(request=request, records={"shop": a_record(minutes=30)})
    total = sum((each.sum for each in plan.closed["shop"] if each.length == HOUR), Sum())
    (verdict,) = plan.verdicts

    assert total.up + verdict.record.running[1].up == up


def test_time_before_a_window_is_not_maintenance_and_time_within_is() -> None:
    target = a_target(maintenance=[OPEN])
    first = planned(target, records={"shop": a_record(State.DOWN)})
    later = planned(
        target,
        records={"shop": first.verdicts[0].record},
        now=NOW + timedelta(minutes=2),
    )

    assert first.verdicts[0].record.running[2] == Sum(down=60)
    assert later.verdicts[0].record.running[2] == Sum(down=60, maintenance=120)


def test_a_case_knows_its_time_in_seconds() -> None:
    assert planned().case.seconds == SECONDS
    assert planned(now=NOW + timedelta(microseconds=999_999)).case.seconds == SECONDS


@pytest.mark.parametrize(
    ("cut_off", "well", "expected"),
    [
        (0, 0, False),
        (1, 0, False),
        (2, 0, True),
        (2, 1, False),
        (4, 1, True),
        (3, 1, False),
        (8, 2, True),
        (79, 21, False),
        (796, 204, False),
        (80, 20, True),
        (0, 10, False),
    ],
)
def test_the_prober_is_suspected_when_four_of_five_are_cut_off(
    cut_off: int, well: int, *, expected: bool
) -> None:
    assert is_suspect([*[CUT_OFF] * cut_off, *[probed()] * well]) is expected


def test_servers_that_fail_by_themselves_are_no_sign_of_it() -> None:
    assert not is_suspect([down(status(500))] * 10)
    assert is_suspect([*[CUT_OFF] * 8, *[down(status(500))] * 2])


def test_a_blind_run_decides_nothing_and_asks_for_nothing() -> None:
    targets = [a_target(name, fix=FIX) for name in ("a", "b")]
    records = {"a": failing(5), "b": a_record()}
    seen = {"a": CUT_OFF, "b": CUT_OFF}
    plan = planned(*targets, probed=seen, records=records, is_blind=True)

    assert {(d.action, d.reason) for d in plan.decisions} == {(Action.SKIP, Reason.BLIND)}
    assert [v.record.is_down for v in plan.verdicts] == [True, False]


def test_every_repair_is_a_call_of_its_own_and_nothing_else_is_a_call() -> None:
    targets = [a_target(name, fix=FIX) for name in ("a", "b", "c", "d")]
    seen: dict[str, Any] = {"a": CUT_OFF, "b": CUT_OFF, "c": probed()}
    plan = planned(*targets, probed=seen, records={"a": failing(3), "b": failing(3)})
    units = plan_units(plan.decisions)

    assert [(unit.lane, [d.target for d in unit.decisions]) for unit in units] == [
        (INVOKE, ["a"]),
        (INVOKE, ["b"]),
    ]


def test_a_gap_closes_what_was_open_before_it() -> None:
    plan = planned(records={"shop": a_record(minutes=3 * 24 * 60, running=(Sum(up=9),) * 3)})

    assert {each.length for each in plan.closed["shop"]} == {300, HOUR, 24 * HOUR}
    assert plan.verdicts[0].record.running == (Sum(probes=1, ms=40, slowest=40),) * 3
    assert plan.verdicts[0].record.seen == SECONDS
    assert MINUTE == 60
