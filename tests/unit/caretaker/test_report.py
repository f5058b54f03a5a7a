from __future__ import annotations

import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.decisions import Decision, Outcome, Result
from caretaker.errors import FieldError
from caretaker.report import (
    MAX_OUTCOMES,
    Findings,
    Heading,
    answer_of,
    answer_without_items,
    counts_of,
    item_of,
    plan_id,
    report_lines,
    status_of,
)
from tests.support.builders import SLOT, a_decision, an_outcome

LIMIT = 256 * 1024
HEADING = Heading("snapshot", "daily", "act", "01JD", SLOT, "123456789012", "eu-west-1")
HUGE = {"code": "X", "message": "\N{GRINNING FACE}" * 300, "request_id": "r"}


def answer(*outcomes: Outcome) -> dict[str, object]:
    return answer_of(HEADING, Findings(outcomes), report="s3://bucket/key", duration_ms=5)


def targets(answered: dict[str, object]) -> list[str]:
    items = answered["outcomes"]
    assert isinstance(items, list)
    return [item["target"] for item in items]


def test_tells_how_every_item_ended() -> None:
    decision = Decision("vol-1", "create", "due", {"attempt": 1})
    failed = Outcome(decision, Result.FAILED, {"note": "x"}, {"code": "C"})

    assert item_of(failed) == {
        "target": "vol-1",
        "action": "create",
        "reason": "due",
        "result": "failed",
        "detail": {"attempt": 1, "note": "x"},
        "error": {"code": "C"},
    }
    assert "error" not in item_of(Outcome(decision, Result.DONE))


def test_an_answer_has_the_promised_fields() -> None:
    answered = answer(an_outcome(), an_outcome(Result.UNCHANGED, target="vol-2", action="skip"))

    assert list(answered) == [
        "schema", "chore", "policy", "mode", "run", "slot", "account", "region", "status", "reason",
        "errors", "complete", "progress", "plan_id", "counts", "summary", "outcomes",
        "outcomes_omitted", "report", "duration_ms",
    ]  # fmt: skip
    assert answered["counts"] == {"create": {"done": 1}, "skip": {"unchanged": 1}}
    assert (answered["status"], answered["complete"], answered["progress"]) == ("ok", True, 1)


def test_a_plan_has_a_name_where_something_is_planned() -> None:
    kept = an_outcome(Result.UNCHANGED, action="skip")
    about = Findings([kept], plan="p-0123456789abcdef", reason="already_started")
    answered = answer_of(HEADING, about, report=None, duration_ms=5)

    assert answer(an_outcome())["plan_id"] == plan_id([an_outcome().decision])
    assert (answer(kept)["plan_id"], answer()["plan_id"]) == (None, None)
    assert (answered["plan_id"], answered["reason"]) == ("p-0123456789abcdef", "already_started")


def test_a_run_without_any_item_is_ok() -> None:
    answered = answer()

    assert (answered["status"], answered["complete"], answered["counts"]) == ("ok", True, {})


@pytest.mark.parametrize(
    ("result", "status", "complete"),
    [
        (Result.DONE, "ok", True),
        (Result.PLANNED, "ok", True),
        (Result.UNCHANGED, "ok", True),
        (Result.FAILED, "partial", True),
        (Result.REFUSED, "partial", False),
        (Result.DEFERRED, "partial", False),
    ],
)
def test_one_item_decides_the_status(result: Result, status: str, *, complete: bool) -> None:
    answered = answer(an_outcome(), an_outcome(result, target="vol-2"))

    assert (answered["status"], answered["complete"]) == (status, complete)
    assert status_of([an_outcome(result)]) == status


def test_failures_come_first() -> None:
    results = [Result.UNCHANGED, Result.DONE, Result.DEFERRED, Result.FAILED, Result.PLANNED]
    outcomes = [an_outcome(r, target=r.value) for r in results]

    assert targets(answer(*outcomes)) == ["failed", "deferred", "done", "planned", "unchanged"]


def test_ten_thousand_outcomes_with_long_messages_fit_and_show_failures() -> None:
    good = [an_outcome(target=f"vol-{n:08x}") for n in range(9_000)]
    bad = [an_outcome(Result.FAILED, target=f"vol-9{n:07x}", error=HUGE) for n in range(1_000)]

    answered = answer(*good, *bad)

    assert len(json.dumps(answered).encode()) < LIMIT
    shown = targets(answered)
    assert shown
    assert all(target.startswith("vol-9") for target in shown)
    assert answered["outcomes_omitted"] == 10_000 - len(shown)
    assert answered["counts"] == {"create": {"done": 9_000, "failed": 1_000}}


def test_shows_at_most_five_hundred() -> None:
    answered = answer(*(an_outcome(target=f"vol-{n}") for n in range(501)))

    assert len(targets(answered)) == MAX_OUTCOMES
    assert answered["outcomes_omitted"] == 1


def test_one_enormous_item_does_not_hide_the_others() -> None:
    enormous = an_outcome(Result.FAILED, target="vol-1", error={"message": "x" * 300_000})

    answered = answer(enormous, an_outcome(Result.FAILED, target="vol-2", error=HUGE))

    assert "vol-2" in targets(answered)
    assert len(json.dumps(answered).encode()) < LIMIT


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Result), st.text(max_size=20)), max_size=20))
def test_every_item_is_shown_or_counted(ended: list[tuple[Result, str]]) -> None:
    outcomes = [
        an_outcome(r, target=str(n), error={"message": m}) for n, (r, m) in enumerate(ended)
    ]

    answered = answer(*outcomes)

    assert sorted(targets(answered)) == sorted(o.decision.target for o in outcomes)
    assert answered["progress"] == sum(r is Result.DONE for r, _ in ended)
    assert sum(sum(by.values()) for by in counts_of(outcomes).values()) == len(ended)


def test_a_run_that_decided_nothing_says_why() -> None:
    errors = [FieldError("pace", "too high", "le 1.0")]

    answered = answer_without_items(HEADING, "refused", "event_invalid", errors, 3)

    assert (answered["status"], answered["reason"]) == ("refused", "event_invalid")
    assert answered["errors"] == [{"path": "pace", "problem": "too high", "expected": "le 1.0"}]
    assert (answered["complete"], answered["plan_id"], answered["report"]) == (False, None, None)
    assert set(answered) == set(answer())


def test_the_whole_report_has_every_item_once() -> None:
    outcomes = [an_outcome(target=f"vol-{n:04}") for n in range(600)]

    head, *lines = map(json.loads, report_lines(answer(*outcomes), outcomes[::-1]))

    assert "outcomes" not in head
    assert head["counts"] == {"create": {"done": 600}}
    assert [line["target"] for line in lines] == [o.decision.target for o in outcomes]


def test_a_plan_has_the_same_name_in_any_order() -> None:
    decisions = [a_decision("vol-1"), a_decision("vol-2"), a_decision("vol-3", "give_up")]

    assert len({plan_id(order) for order in permutations(decisions)}) == 1


@pytest.mark.parametrize(
    "other",
    [a_decision("vol-2"), a_decision(action="delete"), a_decision(reason="retake")],
    ids=["target", "action", "reason"],
)
def test_another_plan_has_another_name(other: Decision) -> None:
    assert plan_id([other]) != plan_id([a_decision()])


def test_what_else_makes_a_change_this_one_is_part_of_the_plan() -> None:
    plain = Decision("vol-1", "restore", "asked")
    one = Decision("vol-1", "restore", "asked", identity="snap-1")
    other = Decision("vol-1", "restore", "asked", identity="snap-2")

    assert len({plan_id([each]) for each in (plain, one, other)}) == 3
    told = Decision("vol-1", "restore", "asked", {"age": 3}, "snap-1")
    assert plan_id([told]) == plan_id([one])


def test_keeps_and_skips_are_no_part_of_a_plan_s_name() -> None:
    assert plan_id([a_decision(), a_decision("vol-2", "keep")]) == plan_id([a_decision()])
