from __future__ import annotations

from typing import Any, Final

import pytest

from functions.uptime.past import figures_of, history_of, past_after, records_after
from functions.uptime.records import Record
from functions.uptime.spans import DAY, HOUR, NOTHING, State, Sum
from functions.uptime.traces import Phase
from tests.unit.functions.uptime.building import (
    SECONDS,
    a_past,
    a_record,
    a_target,
    a_try,
    down,
    planned,
    probed,
    status,
)

TODAY: Final = SECONDS - SECONDS % DAY
SPANS: Final = ("24h", "30d", "90d")


def hours(*sums: Sum) -> dict[int, Sum]:
    """Return the last hours, the latest first."""
    return {SECONDS - number * HOUR: each for number, each in enumerate(sums, 1)}


def days(*sums: Sum) -> dict[int, Sum]:
    """Return the last days, yesterday first."""
    return {TODAY - number * DAY: each for number, each in enumerate(sums, 1)}


def uptime(hour: Sum = NOTHING, day: Sum = NOTHING, **past: Any) -> dict[str, float | None]:
    record = a_record(minutes=0, running=(NOTHING, hour, day))
    return figures_of(record, a_past(**past), None, SECONDS).uptime


def test_of_a_new_target_nothing_is_known() -> None:
    figures = figures_of(Record(), a_past(), None, SECONDS)

    assert figures.uptime == dict.fromkeys(SPANS)
    assert figures.budget is None


def test_what_goes_on_counts() -> None:
    assert uptime(Sum(up=30, down=10), Sum(up=90, down=10)) == {"24h": 75, "30d": 90, "90d": 90}


def test_hours_count_for_a_day_and_days_for_a_month_or_three() -> None:
    seen = uptime(hours=hours(Sum(up=10, down=30)), days=days(Sum(up=30, down=10)))

    assert seen == {"24h": 25, "30d": 75, "90d": 75}


@pytest.mark.parametrize(("number", "counts"), [(23, True), (24, False), (25, False), (200, False)])
def test_an_hour_counts_as_long_as_it_is_within_the_last_day(number: int, *, counts: bool) -> None:
    past = {SECONDS - number * HOUR: Sum(down=3600)}

    assert uptime(Sum(up=3600), hours=past)["24h"] == (50 if counts else 100)


@pytest.mark.parametrize(
    ("number", "counts"),
    [
        (1, (True, True)),
        (29, (True, True)),
        (30, (False, True)),
        (89, (False, True)),
        (90, (False, False)),
    ],
)
def test_a_day_counts_as_long_as_it_is_within_the_span(
    number: int, counts: tuple[bool, bool]
) -> None:
    past = {TODAY - number * DAY: Sum(down=DAY)}
    seen = uptime(day=Sum(up=DAY), days=past)

    assert [seen["30d"], seen["90d"]] == [50 if each else 100 for each in counts]
    assert seen["24h"] is None


@pytest.mark.parametrize("second", [0, 1, 1800, 3599])
def test_the_last_day_is_of_whole_hours_whatever_the_minute(second: int) -> None:
    past = a_past({SECONDS - 23 * HOUR: Sum(down=1), SECONDS - 24 * HOUR: Sum(down=10)})
    figures = figures_of(Record(), past, None, SECONDS + second)

    assert figures.sums["24h"].down == 1


@pytest.mark.parametrize("second", [0, 1, DAY // 2, DAY - 1])
def test_the_last_month_is_of_whole_days_whatever_the_hour(second: int) -> None:
    numbers = {29: 1, 30: 10, 89: 100, 90: 1000}
    past = a_past({}, {TODAY - number * DAY: Sum(down=each) for number, each in numbers.items()})
    figures = figures_of(Record(first=1), past, None, TODAY + second)

    assert figures.sums["30d"].down == 1
    assert figures.sums["90d"].down == 111
    assert figures.unknown == 29 * DAY + second - 1


@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        (86_400, 0, 100),
        (86_399, 1, 99.999),
        (10**9, 1, 99.999),
        (999, 1, 99.9),
        (2, 1, 66.667),
        (1, 10**9, 0),
        (0, 5, 0),
    ],
)
def test_a_share_that_is_not_whole_is_never_shown_as_100(
    up: int, down: int, expected: float
) -> None:
    assert uptime(Sum(up=up, down=down))["24h"] == expected


def test_maintenance_and_gaps_are_left_out_and_shown() -> None:
    record = a_record(running=(NOTHING, Sum(up=50, down=50, maintenance=9000), NOTHING))
    figures = figures_of(record, a_past(), None, SECONDS)

    assert figures.uptime["24h"] == 50
    assert figures.sums["24h"].maintenance == 9000


def unknown(record: Record, **past: Any) -> int:
    """Return of how many seconds of the last thirty days nothing is known."""
    return figures_of(record, a_past(**past), None, SECONDS).unknown


def test_a_target_that_is_always_seen_has_no_time_of_which_nothing_is_known() -> None:
    today = SECONDS - TODAY
    record = Record(first=1, running=(NOTHING, NOTHING, Sum(up=today - 100, maintenance=100)))
    month = [Sum(up=DAY - 60, down=60)] * 89

    assert unknown(record, days=days(*month)) == 0


def test_time_of_which_nothing_is_known_begins_with_the_first_run() -> None:
    assert unknown(Record()) == 0
    assert unknown(Record(first=SECONDS - 500, running=(NOTHING,) * 2 + (Sum(up=400),))) == 100
    assert unknown(Record(first=SECONDS - 500, running=(NOTHING,) * 2 + (Sum(down=600),))) == 0
    assert unknown(Record(first=1)) == 29 * DAY + SECONDS - TODAY
    week = [Sum(up=DAY - 10), *[Sum(down=DAY)] * 6]
    assert unknown(Record(first=TODAY - 7 * DAY), days=days(*week)) == 10 + SECONDS - TODAY


def test_the_detail_tells_of_all_that_is_known_and_of_what_is_not() -> None:
    sums = (NOTHING, Sum(up=3, down=1), Sum(up=300, down=100, maintenance=50))
    record = Record(first=SECONDS - 1000, running=sums)

    assert figures_of(record, a_past(), 99.9, SECONDS).detail == {
        "24h": 75,
        "30d": 75,
        "90d": 75,
        "down_seconds": 100,
        "maintenance_seconds": 50,
        "unknown_seconds": 550,
    }


def test_a_budget_is_that_of_thirty_days() -> None:
    past = a_past(hours(Sum(down=999)), days(Sum(up=DAY, down=600), *[Sum()] * 28, Sum(down=DAY)))
    record = a_record(running=(NOTHING, Sum(down=999), Sum(down=60)))
    budget = figures_of(record, past, 99.9, SECONDS).budget

    assert budget is not None
    assert budget.allowed == pytest.approx(2592)
    assert budget.spent == 660


def test_records_of_all_targets_are_kept_and_of_those_not_listed_for_a_month() -> None:
    month = 30 * 24 * 60
    old = {"gone": a_record(minutes=month - 1), "lost": a_record(minutes=month)}
    plan = planned(records={"shop": a_record(minutes=2 * month), **old})
    kept = records_after(plan)

    assert kept.keys() == {"shop", "gone"}
    assert kept["gone"] == old["gone"]
    assert kept["shop"] == plan.verdicts[0].record


def test_the_past_of_those_that_are_kept_goes_on() -> None:
    before = a_past({0: Sum(up=1)})
    names = ("shop", "gone", "lost")
    month = 30 * 24 * 60
    plan = planned(
        records={"shop": a_record(), "gone": a_record(), "lost": a_record(minutes=month)},
        past=dict.fromkeys(names, before),
    )
    past = past_after(plan)

    assert past.keys() == {"shop", "gone"}
    assert past["shop"] == a_past({0: Sum(up=1), SECONDS - HOUR: Sum(up=60)})
    assert past["gone"] == before


def test_a_target_whose_first_hour_is_over_has_a_past() -> None:
    assert past_after(planned(records={"shop": a_record()})) == {
        "shop": a_past({SECONDS - HOUR: Sum(up=60)})
    }


def test_where_no_span_is_over_the_past_is_as_it_was() -> None:
    past = {"shop": a_past({0: Sum(up=1)})}

    assert past_after(planned(past=past, records={"shop": a_record(minutes=0)})) == past


def test_the_history_has_every_result_and_the_spans_that_are_over() -> None:
    targets = [a_target(name) for name in ("a", "b", "c")]
    seen = {"a": probed(a_try(ms=40)), "b": down(status(503))}
    plan = planned(*targets, probed=seen, records={"a": a_record(), "b": a_record(State.DOWN)})
    history = history_of(plan)

    assert history.raw == {
        "a": ["up", [10, 10, 20], ""],
        "b": ["down", [10, 10, 20], "status"],
        "c": ["unknown", [], ""],
    }
    sums = {"a": Sum(up=60).values, "b": Sum(down=60).values}
    assert history.sums == {(300, SECONDS - 300): sums, (HOUR, SECONDS - HOUR): sums}


def test_the_history_tells_of_the_address_that_failed() -> None:
    bad = a_try(status(500), phases={Phase.CONNECT: 1.4})
    plan = planned(probed={"shop": probed(a_try(), bad)})

    assert history_of(plan).raw == {"shop": ["degraded", [1], "status"]}
