"""The short answer of a run that has a caller, over one round and over many."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.cells import Ending, caller_in, cell_answer
from caretaker.decisions import Outcome, Result
from caretaker.errors import FieldError
from caretaker.report import Findings, Heading, answer_of, answer_without_items
from caretaker.request import BaseRequest, Caller, SoFar, parse_request
from tests.support.builders import SLOT, an_outcome

HEADING: Final = Heading("snapshot", "daily", "act", "01JD", SLOT, "123456789012", "eu-west-1")
CALLER: Final = {"run": "daily-1", "fleet": "snapshot-daily"}
EVENT: Final = {"policy": "daily", "caller": CALLER}
STEP_BYTES: Final = 256 * 1024
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html ."""
NOTHING: Final = Ending({})
FIELDS: Final = {
    *("account", "region", "chore", "policy", "mode", "status", "reason", "complete", "errors"),
    *("progress", "rounds", "counts", "gauges", "opened", "resolved", "untold", "open", "reports"),
}


def came_to(*outcomes: Outcome, report: str | None = "s3://b/one") -> dict[str, Any]:
    return answer_of(HEADING, Findings(outcomes), report=report, duration_ms=5)


def done(number: int, action: str = "create") -> list[Outcome]:
    return [
        an_outcome(target=f"vol-{action}-{each}", action=action, result=Result.DONE)
        for each in range(number)
    ]


def deferred(number: int) -> list[Outcome]:
    return [an_outcome(Result.DEFERRED, target=f"vol-later-{each}") for each in range(number)]


def carried(answer: dict[str, Any]) -> SoFar:
    """Return what an answer hands to the next round, read as that round reads it."""
    caller = parse_request(BaseRequest, answer["next"]).caller
    assert caller is not None
    return caller.so_far


def test_a_cell_says_what_its_one_round_came_to() -> None:
    told = Ending({"Heartbeat": 1}, opened=2, resolved=1, still_open=3)

    answer = cell_answer(came_to(*done(2)), told, SoFar())
    assert set(answer) == FIELDS
    assert (answer["status"], answer["rounds"], answer["progress"]) == ("ok", 1, 2)
    assert answer["counts"] == {"create": {"done": 2}}
    assert (answer["opened"], answer["resolved"], answer["open"], answer["untold"]) == (2, 1, 3, 0)
    assert (answer["gauges"], answer["reports"]) == ({"Heartbeat": 1}, ["s3://b/one"])


def test_a_cell_does_not_list_its_items() -> None:
    answer = cell_answer(came_to(*done(500)), NOTHING, SoFar())

    assert len(json.dumps(answer)) < 1024


def test_a_run_that_decided_nothing_says_its_first_error_alone() -> None:
    errors = [FieldError("keep", "missing", "x" * 9_000), FieldError("policy", "wrong", "")]
    refused = answer_without_items(HEADING, "refused", "event_invalid", errors, duration_ms=5)

    answer = cell_answer(refused, NOTHING, SoFar())
    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert answer["errors"] == [{"path": "keep", "problem": "missing", "expected": "x" * 300}]
    assert (answer["complete"], answer["counts"], answer["reports"]) == (False, {}, [])


def test_the_next_round_is_asked_what_this_one_was_and_what_has_been_done() -> None:
    told = Ending({}, opened=1, untold=1, following=EVENT)

    answer = cell_answer(came_to(*done(2), *deferred(1)), told, SoFar())
    assert {**answer["next"], "caller": None} == {**EVENT, "caller": None}
    caller = answer["next"]["caller"]
    assert (caller["run"], caller["fleet"]) == ("daily-1", "snapshot-daily")
    assert carried(answer) == SoFar(
        rounds=1, done={"create": 2}, reports=("s3://b/one",), opened=1, untold=1
    )


def test_the_event_that_came_is_left_as_it_was() -> None:
    event = {"caller": {**CALLER}}
    cell_answer(came_to(*done(1)), Ending({}, following=event), SoFar())

    assert event == {"caller": CALLER}


def test_nothing_follows_a_last_round() -> None:
    assert "next" not in cell_answer(came_to(*done(1)), NOTHING, SoFar(rounds=4))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(["create", "delete"]), st.integers(1, 4)),
            st.integers(0, 3),
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_rounds_add_up_whatever_each_of_them_did(
    rounds: list[tuple[dict[str, int], int, int, int]],
) -> None:
    so_far, answer = SoFar(), dict[str, Any]()
    for by_action, opened, resolved, untold in rounds:
        outcomes = [each for action, n in by_action.items() for each in done(n, action)]
        told = Ending({}, opened, resolved, 1, untold, EVENT)
        answer = cell_answer(came_to(*outcomes, *deferred(1)), told, so_far)
        so_far = carried(answer)

    assert answer["rounds"] == len(rounds)
    assert len(answer["reports"]) == len(rounds)
    for place, name in enumerate(("opened", "resolved", "untold"), start=1):
        assert answer[name] == sum(each[place] for each in rounds)  # type: ignore[misc]
    for action in ("create", "delete"):
        total = sum(by_action.get(action, 0) for by_action, *_ in rounds)
        assert answer["counts"].get(action, {}).get("done", 0) == total
    assert answer["counts"]["create"]["deferred"] == 1, "what is left, the last round says"
    assert answer["open"] == 1, "what is open, the last round says"


def test_what_is_handed_from_round_to_round_does_not_grow_beyond_a_step() -> None:
    so_far, report = SoFar(), f"s3://{'b' * 63}/{'k' * 900}"
    answer = dict[str, Any]()
    for _ in range(40):
        round_ = came_to(*done(3), *deferred(1), report=report)
        answer = cell_answer(round_, Ending({}, following={**EVENT, "x": "y" * 8_192}), so_far)
        caller = Caller.model_validate_json(json.dumps(answer["next"]["caller"]))
        so_far = caller.so_far

    assert len(answer["reports"]) == 20
    assert len(json.dumps(answer)) < STEP_BYTES / 4


@pytest.mark.parametrize("event", [{**EVENT, "polcy": 1}, EVENT])
def test_who_asked_is_known_where_the_rest_of_the_event_is_wrong(event: dict[str, Any]) -> None:
    assert caller_in(event) == Caller(run="daily-1", fleet="snapshot-daily")


def test_what_was_done_so_far_is_known_there_too() -> None:
    so_far = {"rounds": 3, "done": {"create": 7}, "reports": ["s3://b/one"]}
    caller = caller_in({"caller": {**CALLER, "so_far": so_far}})

    assert caller is not None
    assert (caller.so_far.rounds, caller.so_far.done) == (3, {"create": 7})


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        "caller",
        {"caller": None},
        {"caller": "daily-1"},
        {"caller": {}},
        {"caller": {**CALLER, "run": "a b"}},
        {"caller": {**CALLER, "fleet": "A B"}},
        {"caller": {"run": "daily-1"}},
        {"caller": {**CALLER, "token": "x"}},
    ],
)
def test_a_caller_that_does_not_say_who_it_is_is_none(event: object) -> None:
    assert caller_in(event) is None
