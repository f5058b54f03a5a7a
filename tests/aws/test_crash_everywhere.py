"""Every call of a run goes wrong once, in every way; a clean run afterwards makes it good.

The calls of a clean run stand in a table, so that each way of failing is a test of its own. A first
test holds the table to the truth.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.crashes import (
    FAULTS,
    FIRST,
    RETRY_SECONDS,
    SECOND,
    UNCLEAR_FAULTS,
    kill,
    strike,
    strike_and_go_on,
)
from tests.support.snapshot_world import snapshot_world

CALLS: Final = {
    "BatchWriteItem": 2,
    "CreateSnapshot": 3,
    "CreateSnapshots": 1,
    "DeleteItem": 1,
    "DeleteSnapshot": 1,
    "DescribeInstances": 1,
    "DescribeSnapshots": 2,
    "DescribeVolumes": 3,
    "PutItem": 7,
    "PutObject": 1,
    "Publish": 1,
    "Query": 4,
    "UpdateItem": 2,
}
POINTS: Final = [(name, nth) for name, count in CALLS.items() for nth in range(1, count + 1)]
CREATING: Final = {"CreateSnapshot", "CreateSnapshots"}


def test_the_table_names_every_call_of_a_clean_run() -> None:
    with snapshot_world() as clean:
        clean.run()
        assert dict(clean.cloud.calls.operations()) == CALLS
        clean.assert_good()


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(("operation", "nth"), POINTS)
def test_a_retry_makes_good_what_one_failed_call_left(operation: str, nth: int, kind: str) -> None:
    with snapshot_world() as struck:
        first = strike(struck, operation, nth, kind)
        if operation in CREATING and kind == "denied":
            assert first is not None
            assert first["progress"] >= 5 - 2, "one that is denied must not stop the others"
        struck.assert_good()


@pytest.mark.parametrize("kind", UNCLEAR_FAULTS)
@pytest.mark.parametrize(("operation", "nth"), POINTS)
def test_the_next_invocation_makes_good_what_one_failed_call_left(
    operation: str, nth: int, kind: str
) -> None:
    with snapshot_world() as struck:
        strike_and_go_on(struck, operation, nth, kind)
        struck.assert_good()


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("operation", "nth"), POINTS)
def test_lambdas_retries_make_good_what_a_killed_run_left(
    operation: str, nth: int, *, effective: bool
) -> None:
    with snapshot_world() as struck:
        kill(struck, operation, nth, effective=effective)
        struck.assert_good()


@pytest.mark.parametrize("operation", sorted(CREATING))
def test_an_answer_that_is_lost_while_nothing_can_be_listed_is_never_called_done(
    operation: str,
) -> None:
    with snapshot_world() as struck:
        struck.cloud.faults.add("answer_lost", operation=operation)
        struck.cloud.faults.add("unavailable", operation="DescribeSnapshots", nth=2, times=None)
        struck.run(FIRST)
        struck.cloud.faults.clear()
        struck.clock.advance(RETRY_SECONDS[0])
        struck.run(SECOND)
        struck.clock.advance(RETRY_SECONDS[0] * 3)
        struck.run(SECOND)
        struck.assert_good()


@pytest.mark.parametrize("operation", sorted(CREATING))
@pytest.mark.parametrize("kind", ["answer_lost", "connection_dropped", "internal_error"])
def test_an_error_that_took_effect_is_found_and_adopted(operation: str, kind: str) -> None:
    with snapshot_world() as struck:
        struck.cloud.faults.add(kind, operation=operation, times=None, effective=True)
        answer = struck.run(FIRST)
        assert answer is not None
        assert answer["counts"]["create"] == {"done": 5}
        struck.check_truth()
