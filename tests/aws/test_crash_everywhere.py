"""Every call of a run goes wrong once, in every way; a clean run afterwards makes it good.

The calls of a clean run stand in a table, so that each way of failing is a test of its own. A first
test holds the table to the truth.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.crashes import FIRST, RETRY_SECONDS, SECOND, World, killed_at, world
from tests.support.snapshots import the_account

CALLS: Final = {
    "BatchWriteItem": 2,
    "CreateSnapshot": 3,
    "CreateSnapshots": 1,
    "DeleteItem": 1,
    "DeleteSnapshot": 1,
    "DescribeInstances": 1,
    "DescribeSnapshots": 2,
    "DescribeVolumes": 3,
    "PutItem": 5,
    "PutObject": 1,
    "Publish": 1,
    "Query": 3,
    "UpdateItem": 2,
}
POINTS: Final = [(name, nth) for name, count in CALLS.items() for nth in range(1, count + 1)]
FAULTS: Final = (
    "answer_lost",
    "never_arrived",
    "throttled",
    "internal_error",
    "unavailable",
    "denied",
)
UNCLEAR_FAULTS: Final = ("answer_lost", "internal_error", "denied")
"""Those that leave most behind; the others are met by the retry."""
CREATING: Final = {"CreateSnapshot", "CreateSnapshots"}


def assert_good(after: World) -> None:
    after.check_truth()
    before = the_account(after.account)
    third = after.run("0c0ffee0-0000-4000-8000-000000000003")
    assert third is not None
    assert third["counts"] == {"keep": {"unchanged": 5}, "skip": {"unchanged": 1}}
    assert the_account(after.account) == before
    after.check_messages()


def test_the_table_names_every_call_of_a_clean_run() -> None:
    with world() as clean:
        clean.run()
        assert dict(clean.cloud.calls.operations()) == CALLS
        assert_good(clean)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(("operation", "nth"), POINTS)
def test_a_retry_makes_good_what_one_failed_call_left(operation: str, nth: int, kind: str) -> None:
    with world() as struck:
        fault = struck.cloud.faults.add(kind, operation=operation, nth=nth)
        first = struck.run(FIRST)
        assert fault.fired == 1
        if operation in CREATING and kind == "denied":
            assert first is not None
            assert first["progress"] >= 5 - 2, "one that is denied must not stop the others"
        again = struck.run(FIRST)
        if again is not None and again["status"] == "skipped":
            assert operation == "DeleteItem", "only a lease that was not given back may be met"
            struck.clock.advance(RETRY_SECONDS[0])
            struck.run(FIRST)
        assert_good(struck)


@pytest.mark.parametrize("kind", UNCLEAR_FAULTS)
@pytest.mark.parametrize(("operation", "nth"), POINTS)
def test_the_next_invocation_makes_good_what_one_failed_call_left(
    operation: str, nth: int, kind: str
) -> None:
    with world() as struck:
        struck.cloud.faults.add(kind, operation=operation, nth=nth)
        struck.run(FIRST)
        struck.clock.advance(RETRY_SECONDS[0])
        struck.run(SECOND)
        assert_good(struck)


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("operation", "nth"), POINTS)
def test_lambdas_retries_make_good_what_a_killed_run_left(
    operation: str, nth: int, *, effective: bool
) -> None:
    with world() as struck:
        with killed_at(struck.cloud, operation, nth, effective=effective):
            assert struck.run(FIRST) is None
        for seconds in RETRY_SECONDS:
            struck.clock.advance(seconds)
            if struck.run(FIRST) is not None:
                break
        assert_good(struck)


@pytest.mark.parametrize("operation", sorted(CREATING))
def test_an_answer_that_is_lost_while_nothing_can_be_listed_is_never_called_done(
    operation: str,
) -> None:
    with world() as struck:
        struck.cloud.faults.add("answer_lost", operation=operation)
        struck.cloud.faults.add("unavailable", operation="DescribeSnapshots", nth=2, times=None)
        struck.run(FIRST)
        struck.cloud.faults.clear()
        struck.clock.advance(RETRY_SECONDS[0])
        struck.run(SECOND)
        struck.clock.advance(RETRY_SECONDS[0] * 3)
        struck.run(SECOND)
        assert_good(struck)


@pytest.mark.parametrize("operation", sorted(CREATING))
@pytest.mark.parametrize("kind", ["answer_lost", "connection_dropped", "internal_error"])
def test_an_error_that_took_effect_is_found_and_adopted(operation: str, kind: str) -> None:
    with world() as struck:
        struck.cloud.faults.add(kind, operation=operation, times=None, effective=True)
        answer = struck.run(FIRST)
        assert answer is not None
        assert answer["counts"]["create"] == {"done": 5}
        struck.check_truth()
