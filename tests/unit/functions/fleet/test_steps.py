"""What a start and a step are spared by."""

from __future__ import annotations

import pytest

from caretaker.request import parse_request
from functions.fleet.request import FleetRequest
from tests.support.fleets import RUN, SLOT_TEXT

STEP = {"policy": "snapshot-daily", "step": {"do": "wave", "run": RUN}}
START = {"policy": "snapshot-daily", "chore": "snapshot"}


@pytest.mark.parametrize(
    ("event", "other", "is_spared"),
    [
        (START, SLOT_TEXT, True),
        (START, "2026-11-20T03:00Z", False),
        (STEP, SLOT_TEXT, False),
        (STEP, "2026-11-20T03:00Z", False),
    ],
)
def test_only_a_start_of_the_same_slot_may_be_left_to_another_run(
    event: dict[str, object], other: str, *, is_spared: bool
) -> None:
    """A step that was skipped would end the state machine."""
    assert parse_request(FleetRequest, event).is_spared_by(other, SLOT_TEXT) is is_spared


def test_a_step_has_the_lease_of_its_run_and_a_start_that_of_its_policy() -> None:
    assert parse_request(FleetRequest, STEP).lease_scope == RUN
    assert parse_request(FleetRequest, START).lease_scope == ""
