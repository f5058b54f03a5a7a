"""What becomes of what a run has left undone."""

from __future__ import annotations

from typing import Any, Final

import pytest

from caretaker.cells import MAX_ROUNDS_OF_A_CELL
from caretaker.decisions import Outcome, Result
from caretaker.report import Findings
from caretaker.request import MAX_ROUNDS, BaseRequest, parse_request
from caretaker.rounds import check_left_over, left_by, next_round
from caretaker.settings import Mode
from tests.support.builders import SLOT, an_outcome

DONE: Final = an_outcome(target="vol-1")
LEFT: Final = Outcome(
    an_outcome(target="vol-2").decision, Result.DEFERRED, {"deferred_by": "out_of_time"}
)
CALLER: Final = {"run": "daily-1", "fleet": "snapshot-daily"}
CALLED: Final = {"policy": "daily", "caller": CALLER}


def follows(
    event: dict[str, Any], *outcomes: Outcome, mode: Mode = Mode.ACT, may_continue: bool = True
) -> dict[str, Any] | None:
    request = parse_request(BaseRequest, event)
    findings = Findings(outcomes, may_continue=may_continue)
    return next_round(event, request, SLOT, findings, mode)


def after(rounds: int) -> dict[str, Any]:
    return {**CALLED, "caller": {**CALLER, "so_far": {"rounds": rounds}}}


def test_a_run_with_progress_goes_on_in_the_next_round_of_the_same_slot() -> None:
    following = follows({"policy": "daily", "round": 2}, DONE, LEFT)

    assert following == {
        "policy": "daily",
        "scheduled_time": "2026-11-21T03:00:00+00:00",
        "round": 3,
    }


def test_a_caller_is_to_ask_the_same_again() -> None:
    assert follows(CALLED, DONE, LEFT) == CALLED


@pytest.mark.parametrize("event", [{}, CALLED])
@pytest.mark.parametrize(
    ("outcomes", "odd"),
    [
        ([DONE], {}),
        ([LEFT], {}),
        ([], {}),
        ([DONE, LEFT], {"may_continue": False}),
        ([DONE, LEFT], {"mode": Mode.REPORT}),
    ],
    ids=["nothing left", "no progress", "nothing to do", "stopped", "report"],
)
def test_nothing_follows_where_another_round_would_come_to_nothing(
    event: dict[str, Any], outcomes: list[Outcome], odd: dict[str, Any]
) -> None:
    assert follows(event, *outcomes, **odd) is None


def test_a_run_by_itself_has_ten_rounds_after_its_first() -> None:
    assert follows({"round": MAX_ROUNDS - 1}, DONE, LEFT)
    assert follows({"round": MAX_ROUNDS}, DONE, LEFT) is None


def test_a_cell_has_twenty_rounds_in_all() -> None:
    assert MAX_ROUNDS_OF_A_CELL == 20
    assert follows(after(18), DONE, LEFT)
    assert follows(after(19), DONE, LEFT) is None


def test_the_rounds_of_a_cell_are_counted_by_its_caller_alone() -> None:
    assert follows({**CALLED, "round": MAX_ROUNDS}, DONE, LEFT)


def test_what_was_deferred_is_left_and_what_failed_was_tried() -> None:
    failed = an_outcome(Result.FAILED, target="vol-3")

    assert left_by(Findings([DONE, LEFT, failed])) == [LEFT]


def test_what_is_left_is_told_with_what_deferred_it() -> None:
    check = check_left_over([LEFT, LEFT], "")

    assert (check.healthy, check.what) == (False, "2 item(s) left undone: out_of_time")
    assert check.evidence == {}


def test_a_round_that_could_not_be_asked_for_is_told_too() -> None:
    assert check_left_over([LEFT], "Invoke: denied").evidence == {"next round": "Invoke: denied"}


def test_nothing_left_is_well() -> None:
    assert check_left_over([], "").healthy is True
