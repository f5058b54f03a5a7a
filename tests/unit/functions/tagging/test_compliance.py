from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Decision, Outcome, Result
from functions.tagging.case import Subject
from functions.tagging.compliance import (
    ALL,
    NOBODY,
    Dimension,
    Score,
    Tally,
    finding_of,
    is_violation,
    keys_in,
    name_of,
    part_of,
    worst_by,
)
from functions.tagging.facts import ALONE
from functions.tagging.rules import Finding
from tests.support.tagging import OWNER, a_report, a_resource, a_setting, ask

RULES = ask({OWNER: {}, "Env": {}, "Cost": {"required": False}}).rules


def counted(*findings: dict[str, Finding], owner: str = "ann", pending: Any = ()) -> Tally:
    tally = Tally()
    for each in findings:
        subject = Subject(a_resource(), ALONE, owner, is_ignored=False)
        tally.count(subject, RULES, each, pending)
    return tally


def scores(tally: Tally, *outcomes: Outcome) -> dict[tuple[str, str], tuple[int, int]]:
    return {(d.name, d.value): (s.right, s.of) for d, s in tally.scores(outcomes).items()}


@pytest.mark.parametrize(
    ("right", "of", "percent"),
    [(0, 0, 100), (0, 1, 0), (1, 1, 100), (1, 3, 33.3), (2, 3, 66.6), (9_999, 10_000, 99.9)],
)
def test_a_share_is_told_to_a_tenth_and_is_never_rounded_up(
    right: int, of: int, percent: float
) -> None:
    assert Score(right, of).percent == percent
    assert Score(right, of).as_json() == {"right": right, "of": of, "percent": percent}


def test_a_resource_counts_once_for_each_tag_that_is_asked_of_it() -> None:
    tally = counted({}, {OWNER: Finding.MISSING})

    assert tally.resources == 2
    assert scores(tally) == {
        ("", ""): (3, 4),
        ("Key", OWNER): (1, 2),
        ("Key", "Env"): (2, 2),
        ("ResourceType", "volume"): (3, 4),
        ("Owner", "ann"): (3, 4),
    }


def test_resources_that_are_alike_are_counted_each() -> None:
    tally = counted({}, {}, {OWNER: Finding.MISSING}, {OWNER: Finding.MISSING})

    assert tally.resources == 4
    assert scores(tally)["", ""] == (6, 8)


def test_a_tag_that_is_not_required_counts_where_it_is_there_and_wrong() -> None:
    tally = counted({"Cost": Finding.WRONG_VALUE}, {})

    assert scores(tally)["Key", "Cost"] == (0, 1)
    assert scores(tally)["", ""] == (4, 5)


def test_a_tag_that_may_still_come_is_neither_right_nor_wrong() -> None:
    tally = counted({OWNER: Finding.MISSING, "Env": Finding.WRONG_CASE}, pending={OWNER})

    assert tally.resources == 1
    assert scores(tally)["", ""] == (0, 1)
    assert ("Key", OWNER) not in scores(tally)


def test_what_has_no_owner_is_counted_as_nobody_s() -> None:
    assert scores(counted({}, owner=""))["Owner", NOBODY] == (2, 2)
    assert NOBODY == "(none)"


def test_nothing_was_asked_of_nothing() -> None:
    assert (Tally().resources, Tally().scores()) == (0, {})


@pytest.mark.parametrize(
    ("result", "right"),
    [
        (Result.DONE, 2),
        (Result.PLANNED, 1),
        (Result.FAILED, 1),
        (Result.DEFERRED, 1),
        (Result.REFUSED, 1),
    ],
)
def test_a_tag_is_right_once_it_was_set(result: Result, right: int) -> None:
    outcome = Outcome(a_setting(owner="ann"), result)

    found = scores(counted({OWNER: Finding.MISSING}), outcome)

    assert found["", ""] == (right, 2)
    assert found["Key", OWNER] == (right - 1, 1)
    assert found["Owner", "ann"] == (right, 2)
    assert found["ResourceType", "volume"] == (right, 2)


def test_nothing_but_setting_a_tag_puts_it_right() -> None:
    told = Outcome(a_report(action="tell", set={OWNER: "ann"}), Result.DONE)

    assert scores(counted({OWNER: Finding.MISSING}), told)["", ""] == (1, 2)


def test_the_worst_of_a_dimension_comes_first() -> None:
    found = {
        ALL: Score(0, 9),
        Dimension("Key", "b"): Score(1, 2),
        Dimension("Key", "a"): Score(3, 4),
        Dimension("Key", "c"): Score(0, 5),
        Dimension("Owner", "x"): Score(0, 7),
    }

    assert [*worst_by(found, "Key").items()] == [
        ("c", {"right": 0, "of": 5, "percent": 0}),
        ("a", {"right": 3, "of": 4, "percent": 75}),
        ("b", {"right": 1, "of": 2, "percent": 50}),
    ]


def test_fifty_of_a_dimension_are_told() -> None:
    found = {Dimension("Owner", f"{n:03}"): Score(n, 100) for n in range(60)}

    assert [*worst_by(found, "Owner")] == [f"{n:03}" for n in range(50)]


def test_knows_the_keys_that_a_decision_is_about() -> None:
    decision = a_setting(tags={"b": "1", "a": "2"}, findings=None)

    assert keys_in(decision, "set") == ("b", "a")
    assert keys_in(decision, "findings") == ()
    assert keys_in(Decision("x", "keep", "compliant"), "findings") == ()


def test_says_in_words_what_is_wrong_and_what_stands_there() -> None:
    decision = a_report(findings={"a": "missing", "b": "wrong_value"}, found={"b": "x"})

    assert finding_of(decision, "a") == "a missing"
    assert finding_of(decision, "b") == "b wrong_value: x"
    assert part_of(decision, "found", "b") == "x"
    assert part_of(decision, "found", "a") == ""
    assert part_of(decision, "owner", "a") == ""
    assert part_of(decision, "nothing", "a") == ""


def test_each_tag_of_each_resource_has_a_short_name_of_its_own() -> None:
    one, two = a_report("a"), a_report("b")
    names = [name_of(one, "x"), name_of(one, "y"), name_of(two, "x"), name_of(a_report("ab"), "")]

    assert len({*names}) == 4
    assert {len(name) for name in names} == {12}
    assert name_of(one, "x") == name_of(a_report("a", "tell", "told"), "x")


@pytest.mark.parametrize(
    ("action", "result", "violates"),
    [
        ("report", Result.UNCHANGED, True),
        ("tell", Result.DONE, True),
        ("mark", Result.DONE, True),
        ("stop", Result.PLANNED, True),
        ("set", Result.PLANNED, True),
        ("set", Result.FAILED, True),
        ("set", Result.DONE, False),
        ("skip", Result.UNCHANGED, False),
        ("skip", Result.FAILED, False),
        ("keep", Result.UNCHANGED, False),
    ],
)
def test_a_violation_is_what_is_still_wrong(action: str, result: Result, *, violates: bool) -> None:
    assert is_violation(Outcome(a_report(action=action), result)) is violates


@pytest.mark.parametrize("action", ["unmark", "start"])
def test_what_is_let_go_may_still_have_another_tag_wrong(action: str) -> None:
    assert is_violation(Outcome(a_report(action=action), Result.DONE))
