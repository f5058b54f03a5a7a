from __future__ import annotations

from typing import Any

import pytest

from functions.uptime.judging import failure_of
from functions.uptime.targets import MAX_BODY
from functions.uptime.traces import Failure, Fault, Fetched
from tests.unit.functions.uptime.building import a_target

TOO_LARGE = Failure(Fault.TOO_LARGE, "body")


def body(why: str) -> Failure:
    return Failure(Fault.BODY, why)


def judged(expect: dict[str, Any], content: bytes | str = b"", **odd: Any) -> Failure | None:
    answer = content if isinstance(content, bytes) else content.encode()
    known: dict[str, Any] = {"phases": {}, "status": 200, "body": answer}
    fetched = Fetched(**known | odd)
    return failure_of(fetched, a_target(expect=expect).expect)


@pytest.mark.parametrize("status", [200, 204, 301, 399])
def test_an_answer_with_an_expected_status_is_well(status: int) -> None:
    assert judged({}, status=status) is None


@pytest.mark.parametrize("status", [100, 199, 400, 404, 500, 503, 0])
def test_another_status_is_a_failure_that_names_it(status: int) -> None:
    assert judged({}, status=status) == Failure(Fault.STATUS, str(status))


def test_the_status_is_judged_before_the_body() -> None:
    assert judged({"body_matches": "ok"}, "no", status=500) == Failure(Fault.STATUS, "500")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-up": "yes"}, None),
        ({"x-up": "yes, indeed"}, None),
        ({"x-up": "no"}, body("header")),
        ({"x-down": "yes"}, body("header")),
        ({}, body("header")),
    ],
)
def test_a_header_matches_whatever_the_case_of_its_name(
    headers: dict[str, str], expected: Failure | None
) -> None:
    assert judged({"header": {"name": "X-Up", "matches": "^yes"}}, headers=headers) == expected


def test_a_header_that_is_not_there_is_taken_for_an_empty_one() -> None:
    assert judged({"header": {"name": "X-Up", "matches": "^$"}}) is None


@pytest.mark.parametrize(
    ("expect", "content", "expected"),
    [
        ({"body_matches": "ok"}, "all ok", None),
        ({"body_matches": "ok"}, "down", body("not_found")),
        ({"body_matches": "ok"}, "", body("not_found")),
        ({"body_lacks": "error"}, "fine", None),
        ({"body_lacks": "error"}, "an error", body("found")),
        ({"body_lacks": "error"}, "", None),
        ({"body_matches": "ok", "body_lacks": "error"}, "ok", None),
        ({"body_matches": "ok", "body_lacks": "error"}, "ok error", body("found")),
        ({"body_matches": "ok", "body_lacks": "error"}, "error", body("found")),
        ({"body_matches": "ok", "body_lacks": "error"}, "none", body("not_found")),
        ({"body_matches": "grün"}, "grün", None),
        ({"body_matches": "ok"}, b"\xff\xfe ok", None),
    ],
)
def test_the_body_has_what_it_must_and_lacks_what_it_must_not(
    expect: dict[str, Any], content: bytes | str, expected: Failure | None
) -> None:
    assert judged(expect, content) == expected


@pytest.mark.parametrize(
    ("expect", "content", "expected"),
    [
        ({}, "x", None),
        ({"status": ["200"]}, "x", None),
        ({"body_matches": "ok"}, "ok", None),
        ({"body_matches": "ok"}, "no", TOO_LARGE),
        ({"body_lacks": "error"}, "error", body("found")),
        ({"body_lacks": "error"}, "fine", TOO_LARGE),
        ({"body_matches": "ok", "body_lacks": "error"}, "ok", TOO_LARGE),
        ({"body_matches": "ok", "body_lacks": "error"}, "no", TOO_LARGE),
        ({"json": {"path": "a", "equals": 1}}, '{"a": 1}', TOO_LARGE),
        ({"body_matches": "1", "json": {"path": "a", "equals": 1}}, '{"a": 1}', TOO_LARGE),
    ],
)
def test_of_a_body_that_was_cut_off_only_what_is_certain_is_said(
    expect: dict[str, Any], content: str, expected: Failure | None
) -> None:
    assert judged(expect, content, is_cut=True) == expected


@pytest.mark.parametrize(
    ("path", "equals", "content", "expected"),
    [
        ("a", 1, '{"a": 1}', None),
        ("a.b[0]", "up", '{"a": {"b": ["up"]}}', None),
        ("a", {"b": [1]}, '{"a": {"b": [1]}}', None),
        ("a", None, '{"a": null}', None),
        ("length(a)", 2, '{"a": [1, 2]}', None),
        ("a", True, '{"a": true}', None),
        ("a", {"b": 1, "c": 2}, '{"a": {"c": 2, "b": 1}}', None),
        ("a", 1, '{"a": 1.0}', None),
        ("a", 1, '{"a": 1e0}', None),
        ("a", 1.0, '{"a": 1}', None),
        ("a", 1.5, '{"a": 1.5}', None),
        ("a", 1, '{"a": 1.5}', body("json")),
        ("a", [True], '{"a": [1]}', body("json")),
        ("a", True, '{"a": 1}', body("json")),
        ("a", 1, '{"a": true}', body("json")),
        ("a", 0, '{"a": false}', body("json")),
        ("a", 1, '{"a": "1"}', body("json")),
        ("a", 1, '{"b": 1}', body("json")),
        ("a", 1, "[]", body("json")),
        ("length(a)", 2, '{"a": 5}', body("json")),
        ("a", 1, "<html>", body("no_json")),
        ("a", 1, "", body("no_json")),
        ("a", 1, '{"a": 1', body("no_json")),
        ("a", 1, b"\xff", body("no_json")),
    ],
)
def test_a_place_in_a_json_body_equals_a_value_of_the_same_kind(
    path: str, equals: Any, content: bytes | str, expected: Failure | None
) -> None:
    assert judged({"json": {"path": path, "equals": equals}}, content) == expected


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("contains(a, b)", '{"a": "x"}'),
        ("a[?b > c]", '{"a": [{"b": 1, "c": "x"}]}'),
        ("ceil(a)", '{"a": 1e999}'),
        ("floor(a)", '{"a": -1e999}'),
        ("avg(a)", '{"a": [1%s, 1]}' % ("0" * 4000)),
        ("avg(a)", '{"a": [1e308, 1%s]}' % ("0" * 4000)),
        ("length(a)", '{"a": 5}'),
        ("sort_by(a, &b)", '{"a": [{"b": 1}, {"b": "x"}]}'),
        ("join(',', a)", '{"a": [1]}'),
        ("a[::0]", '{"a": [1]}'),
        ("to_number(a)", '{"a": "%s"}' % ("9" * 5000)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_whatever_a_path_meets_the_target_fails_and_no_more(path: str, content: str) -> None:
    assert judged({"json": {"path": path, "equals": 2}}, content) == body("json")


def test_json_is_judged_after_the_patterns() -> None:
    expect = {"body_lacks": "down", "json": {"path": "a", "equals": 1}}

    assert judged(expect, '{"a": 1, "b": "down"}') == body("found")
    assert judged(expect, '{"a": 1}') is None


@pytest.mark.parametrize(
    "content",
    [
        "[" * MAX_BODY,
        '{"a":' * (MAX_BODY // 5),
        "[" * 100_000 + "]" * 100_000,
        "1" * MAX_BODY,
        '{"a": 1e999999999}',
        '{"a": NaN}',
    ],
    ids=["open", "nested", "deep", "digits", "huge", "nan"],
)
def test_a_hostile_body_fails_and_no_more(content: str) -> None:
    failure = judged({"json": {"path": "a", "equals": 1}}, content)

    assert failure in {body("no_json"), body("json")}


@pytest.mark.parametrize("path", ["a.b.c", "a | [0]", "*.*.*", "a[?b == `1`]", "to_string(@)"])
def test_a_path_through_a_deep_body_fails_and_no_more(path: str) -> None:
    content = '{"a":' * 900 + "1" + "}" * 900

    assert judged({"json": {"path": path, "equals": 2}}, content) == body("json")
