from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.tagging.rules import EC2_TYPES, Case, Finding, Rule
from tests.support.tagging import a_rule

ALL_CASES = list(Case)


def test_a_rule_that_says_nothing_asks_for_any_text_on_all_seven_types() -> None:
    rule = a_rule()

    assert (rule.required, rule.case, rule.escalate) == (True, Case.EXACT, False)
    assert (rule.values, rule.pattern, rule.default, rule.sources) == (None, None, None, ())
    assert rule.applies_to == EC2_TYPES
    assert EC2_TYPES == (
        "instance",
        "volume",
        "snapshot",
        "image",
        "network-interface",
        "elastic-ip",
        "security-group",
    )


@pytest.mark.parametrize("value", ["ann", " ann ", "0", "-", "\N{GRINNING FACE}", "x" * 10_000])
def test_any_text_is_right_without_values_and_pattern(value: str) -> None:
    assert a_rule().judge(value) is None
    assert a_rule().put_right(value) == value


@pytest.mark.parametrize("value", ["", " ", "\t\n", "\N{NO-BREAK SPACE}"])
def test_a_blank_text_says_nothing_and_is_wrong(value: str) -> None:
    assert a_rule().judge(value) is Finding.WRONG_VALUE
    assert a_rule().put_right(value) is None


@pytest.mark.parametrize("case", ALL_CASES)
def test_a_listed_value_is_right(case: Case) -> None:
    rule = a_rule(values=["prod", "Dev"], case=case)

    assert rule.judge("prod") is None
    assert rule.judge("Dev") is None
    assert rule.put_right("Dev") == "Dev"


@pytest.mark.parametrize("case", ALL_CASES)
@pytest.mark.parametrize("value", ["test", "", "prod ", " prod", "pro", "prodd", "prod\n"])
def test_a_value_that_is_not_listed_is_wrong(case: Case, value: str) -> None:
    rule = a_rule(values=["prod", "Dev"], case=case)

    assert rule.judge(value) is Finding.WRONG_VALUE
    assert rule.put_right(value) is None


@pytest.mark.parametrize(
    ("case", "finding", "written"),
    [
        (Case.EXACT, Finding.WRONG_CASE, None),
        (Case.IGNORE, None, "Prod"),
        (Case.NORMALISE, Finding.WRONG_CASE, "Prod"),
    ],
)
def test_another_case_of_a_listed_value(
    case: Case, finding: Finding | None, written: str | None
) -> None:
    rule = a_rule(values=["Prod", "dev"], case=case)

    assert rule.judge("pROD") is finding
    assert rule.put_right("pROD") == written


@pytest.mark.parametrize(
    ("case", "finding"),
    [
        (Case.EXACT, Finding.WRONG_CASE),
        (Case.IGNORE, None),
        (Case.NORMALISE, Finding.WRONG_CASE),
    ],
)
def test_another_case_of_what_a_pattern_wants(case: Case, finding: Finding | None) -> None:
    rule = a_rule(pattern="cc-[0-9]+", case=case)

    assert rule.judge("cc-7") is None
    assert rule.judge("CC-7") is finding
    assert rule.judge("CC-x") is Finding.WRONG_VALUE


@pytest.mark.parametrize("case", ALL_CASES)
def test_nothing_tells_how_a_pattern_would_write_it(case: Case) -> None:
    rule = a_rule(pattern="cc-[0-9]+", case=case)

    assert rule.put_right("cc-7") == "cc-7"
    assert rule.put_right("CC-7") is None


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("[0-9]{4}", "1234", "12345"),
        ("[0-9]{4}", "0000", "x1234"),
        ("a|bc", "bc", "abc"),
        ("a|bc", "a", "ac"),
        ("^prod$", "prod", "prod\n"),
        ("(?m)^prod$", "prod", "prod\nx"),
        ("(?s).*", "a\nb", None),
        (".*", "", "a\nb"),
        ("(?i)prod", "PROD", "prods"),
        ("x*", "", "y"),
        (r"\d+", "\N{ARABIC-INDIC DIGIT ONE}", "one"),
        ("(?x) a b ", "ab", "a b"),
    ],
)
def test_the_whole_value_has_to_match_a_pattern(
    pattern: str, right: str, wrong: str | None
) -> None:
    rule = a_rule(pattern=pattern)

    assert rule.judge(right) is None
    assert wrong is None or rule.judge(wrong) is Finding.WRONG_VALUE


@pytest.mark.parametrize(
    "pattern", [r"(a+)+b", r"(a|a)*b", r"(.*)*b", r"(a|aa)+b", r"([a-z]+)*=b", r"(x+x+)+y"]
)
def test_no_pattern_runs_for_ever(pattern: str) -> None:
    rule = a_rule(pattern=pattern)
    began = time.perf_counter()

    for value in ("a" * 256, "x" * 256, "a" * 10_000):
        assert rule.judge(value) is Finding.WRONG_VALUE

    assert time.perf_counter() - began < 2


@given(st.text(), st.sampled_from(ALL_CASES), st.lists(st.text(min_size=1), max_size=3))
def test_what_is_put_right_is_right(value: str, case: Case, listed: list[str]) -> None:
    unique = list({each.lower(): each for each in listed}.values())
    rule = Rule(values=tuple(unique) or None, case=case)

    right = rule.put_right(value)

    assert right is None or rule.judge(right) is None
    assert right is None or right.lower() == value.lower()


@given(st.text())
def test_a_value_is_judged_the_same_each_time(value: str) -> None:
    rule = Rule(values=("prod", "Dev"))

    assert rule.judge(value) is rule.judge(value)
    assert (rule.judge(value) is None) is (value in {"prod", "Dev"})


@pytest.mark.parametrize(
    "fields",
    [
        {"values": ["Prod"], "default": "Prod"},
        {"values": ["Prod"], "default": "pROD", "case": "ignore"},
        {"pattern": "[0-9]{4}", "default": "0000"},
        {"pattern": "x", "default": "X", "case": "ignore"},
        {"default": "nobody"},
    ],
    ids=str,
)
def test_a_default_that_the_rule_allows_is_taken(fields: dict[str, Any]) -> None:
    assert a_rule(**fields).default == fields["default"]


def test_the_words_of_a_rule_stand_for_themselves() -> None:
    assert [str(each) for each in Finding] == ["missing", "wrong_value", "wrong_case"]
    assert [str(each) for each in Case] == ["exact", "ignore", "normalise"]


def test_a_rule_may_be_about_any_service() -> None:
    named = ["rds:db", "s3", "sns", "sqs", "elasticloadbalancing:loadbalancer/app", "instance"]

    assert a_rule(applies_to=named).applies_to == tuple(named)
