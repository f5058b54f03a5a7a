from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from caretaker.breaker import Breaker
from caretaker.decisions import Outcome, Result
from caretaker.errors import HaltError
from caretaker.failures import Kind
from tests.support.builders import an_outcome

GOOD = an_outcome(Result.DONE)
KEPT = an_outcome(Result.UNCHANGED)
BAD = an_outcome(Result.FAILED, error={"code": "Odd", "message": "no"})


def after(*outcomes: Outcome) -> Breaker:
    """Return a breaker that counted a call for each of these."""
    breaker = Breaker()
    for outcome in outcomes:
        breaker.count([outcome])
    return breaker


def test_lets_changes_start_before_anything_was_tried() -> None:
    Breaker().check()

    assert Breaker().is_open is False


@pytest.mark.parametrize("bad", [1, 2])
def test_two_failures_in_a_row_stop_nothing(bad: int) -> None:
    breaker = after(*[BAD] * bad)

    breaker.check()
    assert not breaker.is_open


def test_three_failures_in_a_row_stop_the_rest() -> None:
    breaker = after(*[GOOD] * 100, BAD, BAD, BAD)

    assert breaker.is_open
    with pytest.raises(HaltError) as halted:
        breaker.check()
    assert halted.value.failure.code == "breaker"
    assert halted.value.failure.kind is Kind.INVALID
    assert halted.value.failure.message == "3 of 103 calls failed: none further was started"


def test_a_change_that_went_well_ends_a_row() -> None:
    assert not after(*[GOOD] * 40, BAD, BAD, GOOD, BAD, BAD).is_open


def test_a_protected_snapshot_ends_a_row_too() -> None:
    assert not after(*[GOOD] * 40, BAD, BAD, KEPT, BAD, BAD).is_open


def test_protected_snapshots_are_no_failures() -> None:
    assert not after(*[KEPT] * 200).is_open


def test_a_tenth_may_fail_and_no_more() -> None:
    tenth = [*[GOOD] * 9, BAD] * 3

    assert not after(*tenth).is_open
    assert after(*tenth, BAD).is_open


def test_two_of_two_are_no_share() -> None:
    assert not after(BAD, GOOD, BAD, GOOD).is_open


def test_three_of_a_few_are_more_than_a_tenth() -> None:
    assert after(BAD, GOOD, BAD, GOOD, BAD).is_open


def test_it_never_closes_again() -> None:
    assert after(BAD, BAD, BAD, *[GOOD] * 1_000).is_open


def test_counts_what_many_threads_tell_it() -> None:
    breaker = Breaker()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(breaker.count, [each]) for each in [GOOD, BAD] * 200]:
            done.result()

    with pytest.raises(HaltError, match="200 of 400"):
        breaker.check()


def test_one_call_for_many_snapshots_counts_once() -> None:
    breaker = Breaker()

    breaker.count([BAD] * 50)
    breaker.count([BAD] * 50)

    assert not breaker.is_open
    breaker.count([BAD, KEPT])
    assert breaker.is_open


def test_a_call_that_came_to_something_did_not_fail() -> None:
    breaker = Breaker()

    for _ in range(50):
        breaker.count([BAD, BAD, GOOD])

    assert not breaker.is_open


def test_a_call_for_nothing_did_not_fail() -> None:
    breaker = after(BAD, BAD)

    breaker.count([])
    breaker.count([BAD])

    assert breaker.is_open, "three of four"


def test_calls_that_raised_are_failures_and_calls_without_time_are_none() -> None:
    raised, without_time = Breaker(), Breaker()
    for _ in range(3):
        raised.count(None)
        without_time.count([])

    assert raised.is_open
    assert not without_time.is_open
