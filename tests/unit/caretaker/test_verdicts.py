from __future__ import annotations

import pytest

from caretaker.decisions import Refusal
from caretaker.errors import FieldError
from caretaker.incidents import Check, Severity
from caretaker.settings import Mode
from caretaker.verdicts import Modes, breaker_check, refusal_check

REFUSAL = Refusal(
    "blast_radius",
    (
        FieldError("blast_radius", "11 marks", "at most 10 of 40"),
        FieldError("blast_radius", "12 stops", "at most 10 of 40"),
        FieldError("approve", "not given", "p-1, to carry out just this plan"),
    ),
)
ACT = Modes(Mode.ACT, Mode.ACT)
LOWERED = Modes(Mode.REPORT, Mode.ACT)


def refused(refusal: Refusal | None, modes: Modes = ACT) -> Check:
    return refusal_check("x_refused", "daily", refusal, modes, plan_id="p-1", what="11 too many")


@pytest.mark.parametrize(
    ("run", "stack", "regular"),
    [
        (Mode.ACT, Mode.ACT, True),
        (Mode.REPORT, Mode.REPORT, True),
        (Mode.REPORT, Mode.ACT, False),
        (Mode.ACT, Mode.REPORT, False),
    ],
)
def test_a_run_is_regular_in_the_mode_of_its_stack(
    run: Mode, stack: Mode, *, regular: bool
) -> None:
    assert Modes(run, stack).are_regular is regular


def test_a_refused_plan_is_told_with_what_to_look_at_and_how_to_approve_it() -> None:
    assert refused(REFUSAL) == Check(
        kind="x_refused",
        resource="daily",
        healthy=False,
        severity=Severity.CRITICAL,
        what="11 too many",
        evidence={
            "plan": "p-1",
            "why": "11 marks, at most 10 of 40; 12 stops, at most 10 of 40",
        },
        done="nothing was changed",
        next='look at the report; the same event with "approve": "p-1" lets just these go',
        cause="blast_radius",
    )


@pytest.mark.parametrize(
    ("refusal", "modes", "healthy"),
    [
        (REFUSAL, ACT, False),
        (REFUSAL, LOWERED, False),
        (None, ACT, True),
        (None, Modes(Mode.REPORT, Mode.REPORT), True),
        (None, LOWERED, None),
    ],
)
def test_only_a_regular_run_knows_that_the_next_one_will_not_be_refused(
    refusal: Refusal | None, modes: Modes, *, healthy: bool | None
) -> None:
    check = refused(refusal, modes)

    assert check.healthy is healthy
    assert check.cause == ("blast_radius" if refusal else "")
    assert check.evidence["plan"] == "p-1"
    assert bool(check.evidence["why"]) is bool(refusal)


def test_a_plan_refused_in_report_mode_wakes_nobody() -> None:
    assert refused(REFUSAL, LOWERED).severity is Severity.NOTICE
    assert refused(REFUSAL, Modes(Mode.REPORT, Mode.REPORT)).severity is Severity.NOTICE


@pytest.mark.parametrize(
    ("stopped", "tried_all", "healthy"),
    [(True, False, False), (True, True, False), (False, True, True), (False, False, None)],
)
def test_only_a_run_that_tried_everything_knows_that_not_too_much_failed(
    *, stopped: bool, tried_all: bool, healthy: bool | None
) -> None:
    assert breaker_check("x_stopped", "daily", stopped=stopped, tried_all=tried_all) == Check(
        kind="x_stopped",
        resource="daily",
        healthy=healthy,
        what="too many changes failed, the rest was not tried",
        done="what had been changed before stands in the report",
        next="the next scheduled run tries again",
    )
