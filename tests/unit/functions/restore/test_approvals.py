"""Which approvals are of another event than the one whose plan was started."""

from __future__ import annotations

from typing import Any

import pytest

from functions.restore.approvals import another_than, no_such_plan
from functions.restore.memory import Restore
from tests.support.builders import NOW
from tests.support.restoring import ID, OLD, PLAN, a_journal, ask

BEGUN = Restore(PLAN, "daily", (ID,), OLD, (), 0.5, NOW)


@pytest.mark.parametrize(
    ("event", "paths"),
    [
        ({}, []),
        ({"select": {"instances": [ID, "i-0000000f"]}}, []),
        ({"select": {"volumes": [OLD[1]]}}, []),
        ({"select": {"tags_all": ["Role=web"]}}, []),
        ({"select": {"instances": ["i-0000000f"]}}, ["select"]),
        ({"policy": "weekly"}, ["policy"]),
        ({"how": "root"}, ["how"]),
    ],
)
def test_an_event_is_told_from_that_whose_plan_was_started(
    event: dict[str, Any], paths: list[str]
) -> None:
    refusal = another_than(BEGUN, [a_journal()], ask(**{"how": "swap", "approve": PLAN, **event}))

    assert [each["path"] for each in (refusal.errors if refusal else ())] == paths
    assert refusal is None or refusal.reason == "plan_changed"


def test_an_approval_alone_may_be_of_any_restore() -> None:
    request = ask(select={}, approve=PLAN)

    assert another_than(BEGUN, [a_journal()], request) is None
    assert no_such_plan(request).errors[0]["path"] == "select"
