from __future__ import annotations

import pytest

from functions.uptime.spans import (
    DAY,
    NOTHING,
    Budget,
    State,
    Sum,
    as_sums,
    budget_of,
    lasted,
    probed,
    total,
)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.UP, Sum(up=60)),
        (State.UNSTABLE, Sum(up=60)),
        (State.DEGRADED, Sum(up=60)),
        (State.DOWN, Sum(down=60)),
        (State.MAINTENANCE, Sum(maintenance=60)),
        (State.UNKNOWN, Sum()),
    ],
)
def test_time_in_a_state_counts_as_what_people_mean_by_it(state: State, expected: Sum) -> None:
    assert lasted(state, 60) == expected


def test_sums_add_up_and_keep_the_slowest() -> None:
    first, second = Sum(1, 2, 3, 4, 5, 6), Sum(10, 20, 30, 40, 50, 5)

    assert first + second == second + first == Sum(11, 22, 33, 44, 55, 6)
    assert total([first, second, NOTHING]) == Sum(11, 22, 33, 44, 55, 6)
    assert total([]) == NOTHING


def test_a_probe_that_counts_is_one_with_its_time() -> None:
    assert probed(40.6) == Sum(probes=1, ms=41, slowest=41)
    assert probed(0) == Sum(probes=1)
    assert probed(None) == NOTHING


@pytest.mark.parametrize(
    ("sum_", "share"),
    [
        (Sum(up=60), 1),
        (Sum(down=60), 0),
        (Sum(up=30, down=10), 0.75),
        (Sum(up=30, down=10, maintenance=1000), 0.75),
        (Sum(maintenance=60), None),
        (NOTHING, None),
    ],
)
def test_maintenance_and_what_nobody_knows_are_no_part_of_the_share(
    sum_: Sum, share: float | None
) -> None:
    assert sum_.share_up == share


def test_a_sum_is_read_back_as_it_is_kept() -> None:
    sums = (Sum(1, 2, 3, 4, 5, 6), NOTHING)

    assert as_sums([each.values for each in sums]) == sums
    assert sums[0].values == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("slo", "days", "allowed"), [(99.9, 30, 2592), (99, 30, 25920), (99.99, 90, 777.6)]
)
def test_a_budget_is_what_an_objective_leaves_of_the_time(
    slo: float, days: int, allowed: float
) -> None:
    budget = budget_of(Sum(up=DAY, down=1000, maintenance=500), slo, days)

    assert budget.allowed == pytest.approx(allowed)
    assert budget.spent == 1000


@pytest.mark.parametrize(
    ("allowed", "spent", "left"), [(1000, 0, 1), (1000, 250, 0.75), (1000, 1500, -0.5), (0, 0, 0)]
)
def test_what_is_left_of_a_budget_may_be_overdrawn(allowed: float, spent: int, left: float) -> None:
    assert Budget(allowed, spent).left == left
