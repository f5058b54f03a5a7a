"""How cells ended: each exactly once, whatever the state machine wrote of its children."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.fleet.checks import Verdict, findings_of
from functions.fleet.ends import read_ends, unanswered
from functions.fleet.facts import Cell, Reason
from tests.support.fleets import (
    EMPTY,
    OWN,
    UNDONE,
    answered,
    child,
    grid,
    lost_child,
    manifest_of,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.fleet.ends import End

CELLS: Final = grid(4, 3)
MANIFEST: Final = manifest_of(CELLS)
CELL: Final = CELLS[0]
STATUSES: Final = ("ok", "partial", "failed", "unreachable", "refused")
LOST: Final = ("FAILED", "TIMED_OUT", "ABORTED", "PENDING")

fates = st.lists(st.sampled_from([*STATUSES, *LOST]), max_size=3)
"""What became of a cell: of each of its children, for a redrive or a second map run make more."""


def children_of(cell: Cell, fate: list[str]) -> list[dict[str, Any]]:
    return [
        lost_child(MANIFEST, cell, status)
        if status in LOST
        else child(MANIFEST, answered(cell, status))
        for status in fate
    ]


def end_of(*children: Mapping[str, Any]) -> End:
    return read_ends(children, [CELL])[CELL]


@settings(max_examples=300, deadline=None)
@given(st.lists(fates, min_size=12, max_size=12), st.integers(0, 99))
def test_every_cell_of_the_manifest_has_one_outcome_whatever_became_of_it(
    lots: list[list[str]], seed: int
) -> None:
    fate = dict(zip(CELLS, lots, strict=True))
    children = [each for cell in CELLS for each in children_of(cell, fate[cell])]
    Random(seed).shuffle(children)

    findings = findings_of(Verdict(MANIFEST, read_ends(children, CELLS)))

    reasons = {each.decision.target: each.decision.reason for each in findings.outcomes}
    assert [each.decision.target for each in findings.outcomes] == [cell.name for cell in CELLS]
    missing = {cell.name for cell in CELLS if not set(fate[cell]) & set(STATUSES)}
    assert {name for name, reason in reasons.items() if reason == Reason.UNANSWERED} == missing
    told = {
        check.resource
        for check in findings.checks
        if check.kind == "cell_unanswered" and check.healthy is False
    }
    assert told == missing


@settings(max_examples=100, deadline=None)
@given(fates.filter(bool), st.integers(0, 99))
def test_what_a_cell_answered_counts_before_what_never_came_to_its_end(
    fate: list[str], seed: int
) -> None:
    children = children_of(CELL, fate)
    Random(seed).shuffle(children)

    assert bool(end_of(*children).answer) is bool(set(fate) & set(STATUSES))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(CELLS), unique=True))
def test_a_child_that_nobody_expected_makes_no_end(expected: list[Cell]) -> None:
    """One of another wave, or of an execution of the same name before."""
    children = [child(MANIFEST, answered(cell)) for cell in CELLS]

    assert set(read_ends(children, expected)) == set(expected)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answered(CELL), Reason.ENDED),
        (answered(CELL, "partial"), Reason.PARTIAL),
        (answered(CELL, "partial", complete=False), Reason.UNFINISHED),
        (answered(CELL, "failed"), Reason.FAILED),
        (answered(CELL, "unreachable"), Reason.UNREACHABLE),
        (refused(CELL), Reason.REFUSED),
    ],
)
def test_an_answer_says_how_its_cell_ended(answer: dict[str, Any], reason: Reason) -> None:
    assert end_of(child(MANIFEST, answer)).reason is reason


@pytest.mark.parametrize(
    ("answer", "is_bad"),
    [
        (answered(CELL), False),
        (answered(CELL, **EMPTY), False),
        (answered(CELL, "partial"), False),
        (answered(CELL, "partial", **UNDONE), True),
        (answered(CELL, "unreachable"), False),
        (answered(CELL, "partial", complete=False), True),
        (answered(CELL, "failed"), True),
        (refused(CELL), True),
        (refused(CELL, "blast_radius"), False),
    ],
)
def test_a_place_that_lets_nobody_in_or_whose_gate_closed_speaks_for_no_other(
    answer: dict[str, Any], *, is_bad: bool
) -> None:
    assert end_of(child(MANIFEST, answer)).is_bad is is_bad


@pytest.mark.parametrize(
    ("answer", "is_good"),
    [
        (answered(CELL), True),
        (answered(CELL, counts={"keep": {"unchanged": 4}}), True),
        (answered(CELL, "partial"), True),
        (answered(CELL, "partial", **UNDONE), False),
        (answered(CELL, **EMPTY), False),
        (answered(CELL, counts={}), False),
        (answered(CELL, "unreachable"), False),
        (refused(CELL, "blast_radius"), False),
    ],
)
def test_only_a_cell_in_which_there_was_something_speaks_for_going_on(
    answer: dict[str, Any], *, is_good: bool
) -> None:
    assert end_of(child(MANIFEST, answer)).is_good is is_good


def test_a_partly_planned_report_is_no_bad_end() -> None:
    """An acting fleet of a chore whose own stack may only report."""
    counts = {"delete": {"planned": 50, "failed": 1}}

    assert end_of(child(MANIFEST, answered(CELL, "partial", counts=counts))).is_good


def test_a_cell_in_which_another_run_was_at_work_is_unfinished_and_not_unknown() -> None:
    end = end_of(lost_child(MANIFEST, CELL, Error="BusyError", Cause="lease is held"))

    assert (end.reason, end.error["code"]) == (Reason.UNFINISHED, "BusyError")


def test_a_cell_without_any_answer_ended_badly() -> None:
    assert unanswered(CELL).is_bad
    assert end_of(lost_child(MANIFEST, CELL)).is_bad


@pytest.mark.parametrize(
    ("reason", "every_other_would_meet_it"),
    [
        ("event_invalid", True),
        ("mode_not_allowed", True),
        ("target_not_allowed", True),
        ("blast_radius", False),
        ("evidence_incomplete", False),
    ],
)
def test_a_wrong_event_is_wrong_in_every_cell_and_a_closed_gate_is_not(
    reason: str, *, every_other_would_meet_it: bool
) -> None:
    end = end_of(child(MANIFEST, refused(CELL, reason)))

    assert end.is_fault_of_the_event is every_other_would_meet_it


def test_a_child_that_was_killed_says_what_killed_it() -> None:
    end = end_of(lost_child(MANIFEST, CELL, Error="Lambda.Unknown", Cause="exit status 137"))

    assert end.error == {"code": "Lambda.Unknown", "message": "exit status 137", "request_id": ""}


def test_a_child_without_a_word_is_named_by_its_status() -> None:
    end = end_of(lost_child(MANIFEST, CELL, "TIMED_OUT"))

    assert end.error["code"] == "TIMED_OUT"
    assert end.error["message"]


def test_a_cell_of_which_nothing_was_written_says_so() -> None:
    end = read_ends([], [CELL])[CELL]

    assert (end.reason, end.error["code"]) == (Reason.UNANSWERED, "NoResult")


def test_a_long_cause_is_cut() -> None:
    end = end_of(lost_child(MANIFEST, CELL, Error="E", Cause="x" * 32_768))

    assert len(end.error["message"]) == 300


def test_the_first_error_of_an_answer_is_told_with_what_was_expected() -> None:
    end = end_of(child(MANIFEST, answered(CELL, "unreachable")))

    assert end.error["code"] == "listing_failed"
    assert end.error["message"] == (
        "DescribeVolumes: AccessDenied: role not taken on; expected a call that is allowed"
    )


def test_a_refusal_without_a_word_still_has_its_reason() -> None:
    end = end_of(child(MANIFEST, answered(CELL, "refused", reason="no_reason", errors=[])))

    assert (end.reason, end.error) == (Reason.REFUSED, {})


def test_the_last_of_two_answers_counts() -> None:
    """A redrive begins when the run before is over."""
    first, last = answered(CELL, "failed"), answered(CELL)

    assert end_of(child(MANIFEST, first), child(MANIFEST, last)).reason is Reason.ENDED


def test_the_accounts_of_ends_keep_their_zeros() -> None:
    cell = Cell("000000000012", "eu-west-1")
    manifest = manifest_of([cell, Cell(OWN, "eu-west-1")])

    assert set(read_ends([child(manifest, answered(cell))], manifest.cells)) == set(manifest.cells)
