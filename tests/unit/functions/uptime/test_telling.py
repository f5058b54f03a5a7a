from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from caretaker.decisions import Result
from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.uptime.checks import findings_of
from functions.uptime.spans import DAY, HOUR, NOTHING, State, Sum
from tests.unit.functions.uptime.building import (
    ADDRESS,
    BEHIND,
    FIX,
    MINUTE,
    OPEN,
    OTHER,
    SECONDS,
    a_past,
    a_record,
    a_target,
    a_try,
    check_of,
    checks,
    down,
    ended,
    failing,
    findings,
    planned,
    probed,
    status,
)

REPORT: Final = {"run": Mode.REPORT, "stack": Mode.REPORT}
HAND: Final = "find out by hand: nothing stands in its `fix`"
OVER: Final = "resolved when it is as it should be"
UNASKED: Final = "a repair was due and could not be asked for"
AGAIN: Final = "every run looks again; a repair is asked for where it may help"


def a_down(**how: Any) -> Any:
    """Return what is told of a target that has been down for twelve minutes."""
    known: dict[str, Any] = {"seen": down(), "record": failing(3, since=SECONDS - 12 * MINUTE)}
    return check_of(**known | how)


def test_a_target_that_is_down_wakes_people_with_why_and_since_when() -> None:
    check = a_down()

    assert (check.healthy, check.severity, check.resource) == (False, Severity.CRITICAL, "shop")
    assert check.what == "down 12m: no connection, refused"
    assert (check.done, check.next, check.stage) == ("nothing", HAND, "")
    assert (check.cause, check.within) == ("connect", "")
    assert check.evidence == {
        "url": "https://shop.example.com/health",
        "address": ADDRESS,
        "phases": "dns 10 ms, connect 10 ms, first_byte 20 ms",
        "group": "default",
    }


def test_the_evidence_names_the_status_and_the_address_that_failed() -> None:
    seen = probed(status(500), a_try(status(503), address=OTHER))
    check = a_down(seen=seen, target=a_target(group="web"))

    assert check.what == "down 12m: status 500"
    assert check.evidence["status"] == "500"
    assert check.evidence["address"] == ADDRESS
    assert check.evidence["group"] == "web"
    assert check.cause == "status"


def test_a_target_that_was_up_until_now_is_down_for_no_time() -> None:
    record = failing(2, since=0, state=State.UP)

    assert a_down(record=record).what == "down 0m: no connection, refused"


@pytest.mark.parametrize(
    ("result", "mode", "done", "then", "stage"),
    [
        (Result.DONE, {}, "asked for a repair", AGAIN, "asked"),
        (Result.FAILED, {}, f"{UNASKED}: failed", AGAIN, "unasked"),
        (Result.DEFERRED, {}, f"{UNASKED}: deferred", AGAIN, "unasked"),
        (
            Result.PLANNED,
            REPORT,
            "nothing: this run only reports; to act is to ask for a repair",
            "repair it by hand: this run only reports, to act is to ask for a repair",
            "",
        ),
    ],
)
def test_it_is_told_how_a_repair_was_asked_for(
    result: Result, mode: dict[str, Mode], done: str, then: str, stage: str
) -> None:
    check = a_down(target=a_target(fix=FIX), result=result, **mode)

    assert (check.done, check.next, check.stage) == (done, then, stage)


@pytest.mark.usefixtures("in_tokyo")
def test_a_repair_that_was_asked_for_before_is_told_of_with_its_time() -> None:
    record = failing(4, asked=SECONDS - 5 * MINUTE)
    check = a_down(target=a_target(fix=FIX), record=record)

    assert check.what == "down 10m: no connection, refused, repair asked for"
    assert check.done == "asked for a repair at 02:55"
    assert check.stage == "asked"


def test_a_repair_that_could_not_be_asked_for_is_told_with_its_error() -> None:
    plan = planned(a_target(fix=FIX), probed={"shop": down()}, records={"shop": failing(3)})
    run = ended(plan, Result.FAILED)
    failed = [replace(each, error={"code": "AccessDeniedException"}) for each in run.outcomes]
    told = {each.kind: each for each in findings_of(replace(run, outcomes=failed)).checks}

    assert told["target_down"].done == f"{UNASKED}: AccessDeniedException"


def test_an_outage_is_as_long_as_it_has_lasted_whatever_was_not_seen() -> None:
    record = failing(2, state=State.UNKNOWN, since=SECONDS - 3 * 60 * MINUTE)

    assert a_down(record=record).what == "down 3h 0m: no connection, refused"


def test_a_second_repair_is_no_news() -> None:
    first = a_down(target=a_target(fix=FIX))
    second = a_down(target=a_target(fix=FIX), record=failing(20, asked=SECONDS - 700))

    assert first.stage == second.stage


def test_a_repair_of_an_outage_that_is_over_is_told_of_no_more() -> None:
    recovering = failing(0, is_down=True, asked=SECONDS - 60, good=1)
    plan = planned(a_target(), records={"shop": recovering})
    over = plan.verdicts[0].record
    again = a_down(record=failing(3, asked=over.asked))

    assert again.done == "nothing"


@pytest.mark.parametrize(
    ("seen", "record", "healthy"),
    [
        (probed(), a_record(), True),
        (probed(before=1), a_record(), True),
        (probed(None, status(500)), a_record(), True),
        (probed(), failing(0, is_down=True, good=1), True),
        (probed(), failing(0, is_down=True), None),
        (down(), a_record(), None),
        (down(), failing(1), None),
        (down(), failing(2), False),
        (down(), failing(3), False),
    ],
)
def test_a_target_is_down_or_up_once_it_is_confirmed(
    seen: Any, record: Any, *, healthy: bool | None
) -> None:
    assert check_of(seen=seen, record=record).healthy is healthy


@pytest.mark.parametrize(
    ("odd", "facts"),
    [
        ({}, {"is_blind": True}),
        ({}, {"probed": {}}),
        ({}, {"unreadable": {"shop": "x"}}),
        ({"maintenance": [OPEN]}, {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("record", [a_record(), failing(4)])
def test_what_was_not_seen_is_not_told_of(
    odd: dict[str, Any], facts: dict[str, Any], record: Any
) -> None:
    target = a_target(max_latency_ms=5, **odd)
    known = {"probed": {"shop": down()}, "records": {"shop": record}} | facts
    told = checks(planned(target, **known))

    kinds = ("target_down", "target_slow", "target_partial", "certificate_expiring")
    assert [told[kind].healthy for kind in kinds] == [None] * 4
    assert told["target_down"].evidence == {}


def test_an_end_is_told_with_the_figures() -> None:
    record = failing(0, is_down=True, good=1, running=(NOTHING, NOTHING, Sum(up=990, down=10)))

    plain = check_of(seen=probed(), record=record)
    assert plain.ending == "up 93.396 % in 30d"
    with_budget = check_of(target=a_target(slo=99.9), seen=probed(), record=record)
    assert with_budget.ending == "42m of 43m error budget left"
    repaired = check_of(seen=probed(), record=replace(record, asked=SECONDS - 60))
    assert repaired.ending == "repair asked for, up 93.396 % in 30d"


def test_the_open_incident_of_the_instance_behind_it_stands_for_it() -> None:
    assert a_down(target=a_target(fix=FIX), behind={"shop": BEHIND}).within == BEHIND
    assert a_down(target=a_target(fix=FIX), behind={"other": BEHIND}).within == ""


def test_the_incident_of_what_it_depends_on_stands_for_it() -> None:
    targets, records = [a_target(depends_on="db"), a_target("db")], {"shop": failing(3)}
    plan = planned(*targets, probed={"shop": down(), "db": down()}, records=records)

    told = [each for each in findings(plan).checks if each.kind == "target_down"]
    assert {each.resource: each.within for each in told} == {"shop": "target_down/db", "db": ""}


def test_where_what_it_depends_on_is_up_the_instance_behind_it_stands_for_it() -> None:
    targets, seen = [a_target(depends_on="db", fix=FIX), a_target("db")], {"shop": down()}
    records, behind = {"shop": failing(3), "db": a_record()}, {"shop": BEHIND}
    plan = planned(*targets, probed=seen | {"db": probed()}, records=records, behind=behind)

    told = [each for each in findings(plan).checks if each.kind == "target_down"]
    assert {each.resource: each.within for each in told} == {"shop": BEHIND, "db": ""}


def test_a_slow_target_is_a_warning_with_its_median() -> None:
    target = a_target(max_latency_ms=500)
    check = check_of("target_slow", target, probed(a_try(ms=700)), a_record(latencies=(700,) * 4))

    assert (check.healthy, check.severity) == (False, Severity.WARNING)
    assert check.what == "slow: 700 ms, the median of five, over 500 ms"
    assert (check.done, check.next) == ("nothing: it answers", OVER)


def test_a_partial_target_is_a_warning_that_names_the_address() -> None:
    check = check_of("target_partial", seen=probed(None, a_try(status(500), address=OTHER)))

    assert (check.healthy, check.severity) == (False, Severity.WARNING)
    assert check.what == "fails at some of its addresses"
    assert (check.done, check.next) == ("nothing: it answers", OVER)
    assert (check.evidence["address"], check.evidence["status"]) == (OTHER, "500")


@pytest.mark.parametrize(
    ("seen", "slow", "partial"),
    [
        (probed(), True, True),
        (probed(before=1), True, True),
        (probed(None, status(500)), None, False),
        (down(), None, None),
    ],
)
def test_slow_and_partial_are_over_when_it_is_up(
    seen: Any, *, slow: bool | None, partial: bool | None
) -> None:
    told = checks(planned(probed={"shop": seen}))

    assert told["target_slow"].healthy is slow
    assert told["target_partial"].healthy is partial


def test_a_slow_target_is_no_partial_one() -> None:
    target, record = a_target(max_latency_ms=5), a_record(latencies=(9,) * 4)
    told = checks(planned(target, records={"shop": record}))

    assert told["target_slow"].healthy is False
    assert told["target_partial"].healthy is None


@pytest.mark.parametrize(
    ("down_seconds", "healthy"), [(0, True), (2591, True), (2592, False), (9999, False)]
)
def test_an_objective_is_missed_when_its_budget_is_spent(
    down_seconds: int, *, healthy: bool
) -> None:
    past = {"shop": a_past({}, {SECONDS - SECONDS % DAY - DAY: Sum(up=DAY, down=down_seconds)})}
    check = check_of("slo_missed", a_target(slo=99.9), past=past)

    assert check.healthy is healthy
    assert check.severity is Severity.WARNING


def test_a_missed_objective_is_told_with_what_is_left_of_its_budget() -> None:
    past = {"shop": a_past({}, {SECONDS - SECONDS % DAY - DAY: Sum(up=DAY, down=25_920)})}
    check = check_of("slo_missed", a_target(slo=99), past=past)

    assert check.healthy is False
    assert check.what == "less than 99 % in 30 days: 0m of 7h 12m error budget left"
    assert check.done == "nothing"
    assert check.next == "resolved when 30 days are as they should be"


def test_an_objective_is_judged_by_the_month_whatever_this_hour_was() -> None:
    past = {"shop": a_past({SECONDS - HOUR: Sum(down=HOUR)}, {})}

    assert check_of("slo_missed", a_target(slo=99.9), past=past).healthy is True


def test_without_an_objective_none_is_missed() -> None:
    assert "slo_missed" not in checks(planned())
