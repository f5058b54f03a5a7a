from __future__ import annotations

import pytest

from functions.uptime.patterns import check_pattern, is_found
from functions.uptime.targets import MAX_BODY


@pytest.mark.parametrize(
    "pattern",
    ["ok", "status: (ok|up)", "(?i)OK", r"^\s*\{", "(?m)^up$", r"\bup\b", "ä+", "a{1,100}", "."],
)
def test_a_pattern_that_works_is_taken_as_it_is(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "[", "*", r"\1", r"(a)\1", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?P<", "a{2,1}"],
)
def test_a_pattern_that_does_not_compile_or_looks_around_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a pattern without look-around"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(((a{100}){100}){100})", r"\w{50000}", "((a{900}){900}){900}"]
)
def test_a_pattern_that_would_take_much_memory_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="must be a pattern"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("ok", "all ok here", True),
        ("ok", "OK", False),
        ("(?i)ok", "OK", True),
        ("^ok$", "ok", True),
        ("^ok$", "ok\n", False),
        ("^ok$", "not\nok", False),
        ("(?m)^ok$", "not\nok\n", True),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("", "", True),
        ("x", "", False),
        ("\ufffd", b"\xff".decode(errors="replace"), True),
    ],
)
def test_a_pattern_is_found_anywhere_in_a_text(pattern: str, text: str, *, expected: bool) -> None:
    assert is_found(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        "(a|a)*b",
        "(a|aa)+$",
        "([a-z]+)*1",
        "(.*a){12}b",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ],
)
def test_a_pattern_that_backtracks_elsewhere_comes_back_on_the_longest_body(pattern: str) -> None:
    assert not is_found(pattern, "a" * (MAX_BODY - 1) + "!")
