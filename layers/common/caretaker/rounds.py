"""What becomes of what a run has left undone: its next round, or the next scheduled run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker import report as reports
from caretaker.cells import MAX_ROUNDS_OF_A_CELL
from caretaker.decisions import Result
from caretaker.incidents import Check
from caretaker.request import MAX_ROUNDS
from caretaker.settings import Mode
from caretaker.slots import slot_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caretaker.decisions import Outcome
    from caretaker.report import Findings
    from caretaker.request import BaseRequest


def next_round(
    event: Mapping[str, Any], request: BaseRequest, slot: str, findings: Findings, mode: Mode
) -> dict[str, Any] | None:
    """Return the event of the next round, of a run that made progress and left something.

    One that has a caller is asked again by that, and the rounds are counted there.
    """
    progress = findings.may_continue and reports.progress_of(findings.outcomes)
    if mode is Mode.REPORT or not progress or not left_by(findings):
        return None
    if request.caller:
        has_more = request.caller.so_far.rounds + 1 < MAX_ROUNDS_OF_A_CELL
        return dict(event) if has_more else None
    if request.round >= MAX_ROUNDS:
        return None
    slot_text = slot_time(slot).isoformat()
    return {**event, "scheduled_time": slot_text, "round": request.round + 1}


def left_by(findings: Findings) -> list[Outcome]:
    """Return what a run has left undone."""
    return [outcome for outcome in findings.outcomes if outcome.result is Result.DEFERRED]


def check_left_over(left: Sequence[Outcome], problem: str) -> Check:
    """Judge whether anything is left for the next scheduled run; `problem` is that of a round."""
    causes = sorted({str(outcome.detail.get("deferred_by", "")) for outcome in left})
    return Check(
        kind="work_left_over",
        resource="run",
        healthy=not left,
        what=f"{len(left)} item(s) left undone: {', '.join(causes)}",
        evidence={"next round": problem} if problem else {},
        next="the next scheduled run takes them first",
    )
