from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import pytest

from caretaker.apply import apply_batches, fail, settle
from caretaker.clock import Deadline
from caretaker.decisions import Batch, Outcome, Result
from caretaker.errors import HaltError, OutOfTimeError
from caretaker.failures import Failure, Kind
from tests.support.builders import FakeClock, a_decision

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Failure(Kind.FULL, "PendingSnapshotLimitExceeded", "too many")


def a_batch(*targets: str, lane: str = "CreateSnapshot") -> Batch:
    return Batch(lane, tuple(a_decision(target) for target in targets))


def done(batch: Batch) -> list[Outcome]:
    return settle(batch.decisions, Result.DONE)


def raising(error: Exception, *, at: str) -> Callable[[Batch], list[Outcome]]:
    def act(batch: Batch) -> list[Outcome]:
        if any(decision.target == at for decision in batch.decisions):
            raise error
        return done(batch)

    return act


def apply(
    batches: list[Batch],
    act: Callable[[Batch], list[Outcome]] = done,
    *,
    seconds: float = 900,
    may_start: Callable[[], bool] = lambda: True,
) -> dict[str, Outcome]:
    deadline = Deadline(FakeClock(), seconds)
    outcomes = apply_batches(batches, act, deadline=deadline, may_start=may_start, workers=1)
    assert len(outcomes) == sum(len(batch.decisions) for batch in batches)
    return {outcome.decision.target: outcome for outcome in outcomes}


def test_nothing_to_do_is_nothing_done() -> None:
    assert apply([]) == {}


def test_every_decision_gets_its_outcome_over_all_lanes() -> None:
    ended = apply([a_batch("a", "b"), a_batch("c", lane="CreateSnapshots"), a_batch("d")])

    assert {target: o.result for target, o in ended.items()} == dict.fromkeys("abcd", Result.DONE)


def test_works_in_order_within_a_lane() -> None:
    begun: list[str] = []
    lock = Lock()

    def act(batch: Batch) -> list[Outcome]:
        with lock:
            begun.append(batch.decisions[0].target)
        return done(batch)

    apply([a_batch("b"), a_batch("x", lane="Z"), a_batch("a"), a_batch("c")], act)

    assert [each for each in begun if each != "x"] == ["b", "a", "c"]


def test_one_bad_item_never_stops_the_others() -> None:
    ended = apply([a_batch(t) for t in "abc"], raising(ValueError("odd answer"), at="b"))

    assert [ended[t].result for t in "abc"] == [Result.DONE, Result.FAILED, Result.DONE]
    assert ended["b"].error == {"code": "ValueError", "message": "odd answer", "request_id": ""}


def test_the_message_of_an_unexpected_error_is_one_short_line() -> None:
    ended = apply([a_batch("a")], raising(ValueError("long\n" * 100_000), at="a"))

    assert ended["a"].error is not None
    assert len(ended["a"].error["message"]) <= 300


def test_a_limit_of_the_account_halts_its_lane_alone() -> None:
    batches = [a_batch("a"), a_batch("b", "c"), a_batch("d"), a_batch("e", lane="Z")]

    ended = apply(batches, raising(HaltError(FULL), at="b"))

    assert [ended[t].result for t in "abcde"] == [
        Result.DONE,
        Result.DEFERRED,
        Result.DEFERRED,
        Result.DEFERRED,
        Result.DONE,
    ]
    assert ended["d"].detail == {"deferred_by": FULL.code, "message": FULL.message}


def test_what_runs_out_of_time_is_deferred_and_others_are_still_tried() -> None:
    ended = apply([a_batch("a"), a_batch("b")], raising(OutOfTimeError("x"), at="a"))

    assert ended["a"].detail == {"deferred_by": "out_of_time"}
    assert ended["b"].result is Result.DONE


def test_nothing_starts_in_the_last_minute() -> None:
    ended = apply([a_batch("a")], seconds=60)

    assert ended["a"].result is Result.DEFERRED
    assert ended["a"].detail == {"deferred_by": "out_of_time"}


def test_nothing_starts_once_the_lease_is_lost() -> None:
    answers = iter([True, False])

    ended = apply([a_batch("a"), a_batch("b")], may_start=lambda: next(answers))

    assert ended["a"].result is Result.DONE
    assert ended["b"].detail == {"deferred_by": "lease_lost"}


@pytest.mark.parametrize("number", [0, 3])
def test_a_failure_is_told_for_every_decision(number: int) -> None:
    decisions = [a_decision(str(n)) for n in range(number)]

    failed = fail(decisions, {"code": "x"}, {"note": "y"})

    assert [o.decision for o in failed] == decisions
    assert all(o.result is Result.FAILED and o.error == {"code": "x"} for o in failed)
