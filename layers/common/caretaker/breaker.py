"""Stops the changes of a run in which too many go wrong."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Result
from caretaker.errors import HaltError
from caretaker.failures import Failure, Kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from caretaker.decisions import Outcome

IN_A_ROW: Final = 3
SHARE: Final = 0.1
CODE: Final = "breaker"


class Breaker:
    """Counts how calls end; three failures in a row, or more than a tenth, open it for good.

    A share is one of three failures at least: the first change of a run is no tenth of anything.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._tried = 0
        self._failed = 0
        self._row = 0
        self._open = False

    @property
    def is_open(self) -> bool:
        """Tell whether no further change may start."""
        return self._open

    def check(self) -> None:
        """Raise `HaltError` when it is open."""
        if self._open:
            message = f"{self._failed} of {self._tried} calls failed: none further was started"
            raise HaltError(Failure(Kind.INVALID, CODE, message))

    def count(self, outcomes: Collection[Outcome] | None) -> None:
        """Count how one call ended: failed where it raised, or nothing came of it but errors.

        Refusals that protect something are no failures.
        """
        results = {Result.FAILED} if outcomes is None else {each.result for each in outcomes}
        failed = Result.FAILED in results and Result.DONE not in results
        with self._lock:
            self._tried += 1
            self._failed += failed
            self._row = self._row + 1 if failed else 0
            many = self._failed >= IN_A_ROW and self._failed > SHARE * self._tried
            self._open = self._open or many or self._row >= IN_A_ROW
