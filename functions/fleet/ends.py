"""How the cells of a wave ended, read from what the state machine wrote of its children. Pure.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from caretaker.cells import UNREACHABLE
from caretaker.decisions import Result

from .facts import Action, Reason
from .manifest import cell_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .facts import Cell

SUCCEEDED: Final = "SUCCEEDED"
_FAULTS_OF_THE_EVENT: Final = frozenset({"event_invalid", "mode_not_allowed", "target_not_allowed"})
_BUSY: Final = "BusyError"
"""What Lambda calls the error of a run that met another one's lease."""
_WELL: Final = frozenset({Result.DONE, Result.PLANNED})
_MAX_CAUSE: Final = 300
_REASONS: Final = {
    UNREACHABLE: Reason.UNREACHABLE,
    "failed": Reason.FAILED,
    "refused": Reason.REFUSED,
}


@dataclass(frozen=True, slots=True)
class End:
    """How a cell ended; `answer` is what its chore said, `error` what is to be told of it."""

    cell: Cell
    reason: Reason
    answer: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_bad(self) -> bool:
        """Tell whether it speaks against going on.

        A place that lets nobody in, or whose own gate held everything back, says nothing of others.
        """
        if self.reason is Reason.PARTIAL:
            return not any(by.keys() & _WELL for by in self.answer["counts"].values())
        if self.reason is Reason.REFUSED:
            return self.is_fault_of_the_event
        return self.reason not in {Reason.ENDED, Reason.UNREACHABLE}

    @property
    def is_good(self) -> bool:
        """Tell whether it speaks for going on: something was there, and that went well."""
        is_well = self.reason in {Reason.ENDED, Reason.PARTIAL} and not self.is_bad
        return is_well and self.has_found

    @property
    def has_found(self) -> bool:
        """Tell whether the cell has anything that the chore looks after."""
        return bool(self.answer.get("counts", {}).keys() - {Action.SKIP})

    @property
    def is_fault_of_the_event(self) -> bool:
        """Tell whether every other cell would meet the same."""
        return self.answer.get("reason") in _FAULTS_OF_THE_EVENT


def read_ends(children: Iterable[Mapping[str, Any]], expected: Iterable[Cell]) -> dict[Cell, End]:
    """Return how each of the expected cells ended: just once, or else as unanswered.

    A child that was run again, by a redrive, is there twice: then what was answered counts.
    """
    ends: dict[Cell, End] = {}
    for child in children:
        end = _end_of(child)
        if end.answer or end.cell not in ends:
            ends[end.cell] = end
    return {cell: ends.get(cell) or unanswered(cell) for cell in expected}


def unanswered(cell: Cell, code: str = "NoResult", message: str = "") -> End:
    """Return the end of a cell of which nobody knows how it ended."""
    said = message or "the state machine tells nothing of it"
    return End(cell, Reason.UNANSWERED, error=_error(code, said))


def _end_of(child: Mapping[str, Any]) -> End:
    cell = cell_of(json.loads(child["Input"]))
    if child["Status"] != SUCCEEDED:
        code = child.get("Error") or child["Status"]
        if code == _BUSY:
            error = _error(code, "another run of the chore is at work there")
            return End(cell, Reason.UNFINISHED, error=error)
        return unanswered(cell, code, child.get("Cause") or "it did not come to its end")
    answer = json.loads(child["Output"])
    return End(cell, _reason_of(answer), answer, _error_of(answer))


def _reason_of(answer: Mapping[str, Any]) -> Reason:
    if answer["status"] in _REASONS:
        return _REASONS[answer["status"]]
    if not answer["complete"]:
        return Reason.UNFINISHED
    return Reason.PARTIAL if answer["status"] == "partial" else Reason.ENDED


def _error_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the first thing that was wrong, as an item of a report says it."""
    for error in answer["errors"]:
        call = f"{error['path']}: "
        if error["problem"].startswith(call):
            # A call that failed: its name, AWS's code and AWS's message.
            code, _, said = error["problem"].removeprefix(call).partition(": ")
            return _error(code, call + said)
        said = ": ".join(filter(None, (error["path"], error["problem"])))
        expected = f"; expected {error['expected']}" if error["expected"] else ""
        return _error(answer["reason"] or answer["status"], f"{said}{expected}")
    return {}


def _error(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message[:_MAX_CAUSE], "request_id": ""}
