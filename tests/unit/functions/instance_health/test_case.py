from __future__ import annotations

from typing import Any

import pytest

from functions.instance_health.case import Counts
from functions.instance_health.facts import Reason
from tests.support.health import (
    ID,
    OPEN,
    OTHER_ZONE,
    ZONE,
    a_case,
    a_ladder,
    a_machine,
    a_status,
    crowd,
)


def ill(number: int, *, zone: str = ZONE) -> list[Any]:
    return [a_status(f"i-ill{zone[-1]}{n}", "instance", zone=zone) for n in range(number)]


@pytest.mark.parametrize(
    ("impaired", "well", "is_closed"),
    [
        (2, 0, False),
        (2, 2, False),
        (3, 0, True),
        (3, 11, True),
        (3, 12, False),
        (3, 13, False),
        (4, 15, True),
        (4, 16, False),
        (20, 80, False),
        (21, 79, True),
    ],
)
def test_nothing_is_repaired_above_twenty_percent_and_from_three_impaired_on(
    impaired: int, well: int, *, is_closed: bool
) -> None:
    case = a_case(*ill(impaired), *crowd(well))

    assert (case.breaker(ZONE) is not None) is is_closed
    assert ("" in case.closed) is is_closed


def test_a_zone_that_fails_is_not_repaired_and_the_others_are() -> None:
    case = a_case(*ill(4), *crowd(4), *crowd(30, zone=OTHER_ZONE))

    assert case.closed == {ZONE: Counts(4, 8)}
    assert case.breaker(ZONE) is Reason.ZONE_IMPAIRED
    assert case.breaker(OTHER_ZONE) is None


def test_a_fleet_that_fails_is_not_repaired_anywhere() -> None:
    zones = ["a", "b", "c"]
    case = a_case(*(each for z in zones for each in (*ill(1, zone=z), *crowd(3, zone=z))))

    assert case.closed == {"": Counts(3, 12)}
    assert case.breaker("a") is case.breaker("") is Reason.FLEET_IMPAIRED


def test_the_limits_may_be_tighter() -> None:
    event = {"repairs": {"breaker_count": 2, "breaker_percent": 1}}

    assert a_case(*ill(2), *crowd(197), event=event).breaker(ZONE)
    assert a_case(*ill(2), *crowd(198), event=event).breaker(ZONE) is None
    assert a_case(*ill(1), *crowd(5), event=event).breaker(ZONE) is None


def test_those_that_do_not_run_do_not_count() -> None:
    off = [a_status(f"i-off{n}", state="stopped") for n in range(50)]

    assert a_case(*ill(3), *crowd(5), *off).closed[ZONE] == Counts(3, 8)


def test_one_under_repair_counts_as_impaired_until_it_is_well() -> None:
    ladders = {
        "i-down": a_ladder("stop-start", "starting"),
        "i-new": a_ladder(),
        "i-well": a_ladder(),
        "i-over": a_ladder(ended=1),
        "i-ended": a_ladder(ended=1),
    }
    under = [
        a_status("i-down", state="stopped"),
        a_status("i-new", "instance", word="initializing"),
        a_status("i-well"),
        a_status("i-over", "instance", word="initializing"),
        a_status("i-ended", state="stopped"),
    ]
    case = a_case(*ill(1), *under, *crowd(7), ladders=ladders)

    assert case.zone_sizes[ZONE] == 12
    assert case.closed[ZONE] == Counts(3, 12)


def test_a_group_is_the_zone_unless_a_tag_names_it() -> None:
    machine = a_machine(tags={"App": "shop=1"})
    plain = a_case(machine)
    grouped = a_case(machine, event={"group_by": "App"})

    assert plain.group_of(ID, ZONE) == ZONE
    assert grouped.group_of(ID, ZONE) == "App=shop=1"
    assert grouped.group_of("i-other", ZONE) == ZONE
    assert a_case(a_machine(), event={"group_by": "App"}).group_of(ID, ZONE) == ZONE


@pytest.mark.parametrize(
    ("size", "percent", "limit"),
    [(1, 10, 1), (19, 10, 1), (20, 10, 2), (29, 10, 2), (100, 10, 10), (100, 1, 1), (100, 0, 0)],
)
def test_a_tenth_of_a_group_is_under_repair_at_once_and_one_at_least(
    size: int, percent: int, limit: int
) -> None:
    event = {"group_by": "App", "repairs": {"group_percent": percent}}
    case = a_case(*crowd(size), event=event, group_sizes={"shop": size})

    assert case.group_limit(ZONE) == limit
    assert case.group_limit("App=shop") == limit
    assert case.group_limit("App=unknown") == min(limit, 1)
    assert case.group_limit("eu-west-1z") == min(limit, 1)


def test_a_group_whose_value_holds_an_equals_sign_has_its_own_size() -> None:
    case = a_case(event={"group_by": "App"}, group_sizes={"shop=1": 40, "shop": 10})

    assert case.group_limit("App=shop=1") == 4


def test_a_group_whose_key_holds_an_equals_sign_has_its_own_size() -> None:
    machine = a_machine(tags={"k=v": "shop"})
    case = a_case(machine, event={"group_by": "k=v"}, group_sizes={"shop": 40})

    assert case.group_limit(case.group_of(ID, ZONE)) == 4


def test_any_open_window_counts() -> None:
    closed = {"start": "05:00", "duration_minutes": 5}

    assert a_case(event={"maintenance_windows": [closed, OPEN]}).in_window
    assert not a_case(event={"maintenance_windows": [closed]}).in_window
    assert not a_case().in_window
