from __future__ import annotations

import pytest

from caretaker.decisions import Outcome, Result
from tests.support.builders import a_decision


@pytest.mark.parametrize(
    ("action", "changes"), [("create", True), ("give_up", True), ("keep", False), ("skip", False)]
)
def test_keeps_and_skips_change_nothing(action: str, *, changes: bool) -> None:
    assert a_decision(action=action).is_change is changes


def test_detail_is_added_without_losing_any() -> None:
    outcome = Outcome(a_decision(), Result.DONE, {"a": 1})

    assert outcome.with_detail(b=2).detail == {"a": 1, "b": 2}
    assert outcome.detail == {"a": 1}
