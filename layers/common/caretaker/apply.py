"""Carry decisions out: concurrent, within the deadline; one bad item never stops the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Batch, Decision, Outcome, Result
from caretaker.errors import HaltError, OutOfTimeError
from caretaker.failures import short_message
from caretaker.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from caretaker.clock import Deadline
    from caretaker.decisions import Detail

WORKERS_PER_LANE: Final = 16
"""Enough for a bucket's burst of 100 calls of 0.3 s within two seconds."""


def settle(decisions: Iterable[Decision], result: Result, **detail: str) -> list[Outcome]:
    """Return the same outcome for each decision."""
    return [Outcome(decision, result, dict(detail)) for decision in decisions]


def fail(decisions: Iterable[Decision], error: dict[str, str], detail: Detail) -> list[Outcome]:
    """Return a failed outcome with the same error for each decision."""
    return [Outcome(decision, Result.FAILED, detail, error) for decision in decisions]


def apply_batches[B: Batch](
    batches: Iterable[B],
    act: Callable[[B], list[Outcome]],
    *,
    deadline: Deadline,
    may_start: Callable[[], bool] = lambda: True,
    workers: int = WORKERS_PER_LANE,
) -> list[Outcome]:
    """Carry out every batch by `act`, lane beside lane, in order within a lane.

    `act` returns one outcome per decision of its batch. It may raise `OutOfTimeError` (the batch is
    deferred) and `HaltError` (the batch and the rest of its lane are deferred); anything else it
    raises becomes the failure of this batch alone. `may_start` is asked before each batch.
    """
    lanes = [list(lane) for _, lane in groupby(sorted(batches, key=_lane), key=_lane)]
    if not lanes:
        return []
    with ThreadPoolExecutor(len(lanes)) as pool:
        runs = [
            pool.submit(_Lane(act, deadline, may_start).run, lane, min(workers, len(lane)))
            for lane in lanes
        ]
        return [outcome for run in runs for outcome in run.result()]


_lane = attrgetter("lane")


class _Lane[B: Batch]:
    """The batches of one AWS action; a limit met by one of them halts the rest."""

    def __init__(
        self,
        act: Callable[[B], list[Outcome]],
        deadline: Deadline,
        may_start: Callable[[], bool],
    ) -> None:
        self._act = act
        self._deadline = deadline
        self._may_start = may_start
        self._halted: HaltError | None = None

    def run(self, batches: Sequence[B], workers: int) -> list[Outcome]:
        with ThreadPoolExecutor(workers) as pool:
            return [outcome for outcomes in pool.map(self._try, batches) for outcome in outcomes]

    def _try(self, batch: B) -> list[Outcome]:
        if self._halted is not None:
            return _deferred(batch, self._halted.failure.code, self._halted.failure.message)
        if not (self._deadline.allows() and self._may_start()):
            return _deferred(batch, "lease_lost" if self._deadline.allows() else "out_of_time")
        try:
            return self._act(batch)
        except OutOfTimeError:
            return _deferred(batch, "out_of_time")
        except HaltError as halt:
            self._halted = halt
            return _deferred(batch, halt.failure.code, halt.failure.message)
        except Exception as error:
            logger.exception("item failed", targets=[d.target for d in batch.decisions])
            problem = {
                "code": type(error).__name__,
                "message": short_message(str(error)),
                "request_id": "",
            }
            return fail(batch.decisions, problem, {})


def _deferred(batch: Batch, why: str, message: str = "") -> list[Outcome]:
    detail = {"deferred_by": why} | ({"message": message} if message else {})
    return settle(batch.decisions, Result.DEFERRED, **detail)
