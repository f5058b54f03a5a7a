from __future__ import annotations

from typing import Any, Final

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_part
from functions.uptime.targets import Target
from tests.unit.functions.uptime.building import URL, a_target

NO_FIELD: Final = "no such field; see the chore's page"
A_FIELD: Final = "this field; see the chore's page"
A_PATTERN: Final = "a pattern without look-around and back-references, as 'status: (ok|up)'"
A_STATUS: Final = "a status, or a range as 200-399"
A_PATH: Final = "a JMESPath, as status.database"
TOKEN: Final = "text that matches ^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"
STATUS: Final = "text that matches ^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"


def wrong(**target: Any) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        parse_part(Target, {"name": "shop", "url": URL, **target}, "target")
    return [(error["path"], error["expected"]) for error in refused.value.errors]


@pytest.mark.parametrize("field", ["body_matches", "body_lacks"])
def test_a_pattern_for_the_body_makes_it_read(field: str) -> None:
    assert a_target(expect={field: "ok"}).expect.reads_body


def test_a_header_alone_needs_no_body() -> None:
    expect = {"header": {"name": "X-Up", "matches": "1"}}

    assert not a_target(expect=expect).expect.reads_body


@pytest.mark.parametrize(
    ("expect", "path", "expected"),
    [
        ({"status": []}, ".status", "at least this long: 1"),
        ({"status": ["200"] * 21}, ".status", "at most this many: 20"),
        ({"status": "200"}, ".status", "a valid array"),
        ({"status": ["200", 200]}, ".status.1", "a valid string"),
        ({"status": ["200", "399-200"]}, ".status.1", A_STATUS),
        (
            {"status": ["200", "2xx"]},
            ".status.1",
            STATUS,
        ),
        (
            {"status": ["200", "099"]},
            ".status.1",
            STATUS,
        ),
        (
            {"status": ["200", "600"]},
            ".status.1",
            STATUS,
        ),
        (
            {"status": ["200", "200-"]},
            ".status.1",
            STATUS,
        ),
        (
            {"status": ["200", "٢٠٠"]},
            ".status.1",
            STATUS,
        ),
        ({"body_matches": ""}, ".body_matches", "at least this long: 1"),
        ({"body_matches": "a" * 513}, ".body_matches", "at most this many: 512"),
        ({"body_matches": "("}, ".body_matches", A_PATTERN),
        ({"body_matches": "a{2000000}"}, ".body_matches", A_PATTERN),
        ({"body_lacks": r"(a)\1"}, ".body_lacks", A_PATTERN),
        ({"body_lacks": "(?=a)"}, ".body_lacks", A_PATTERN),
        ({"body_lacks": "(?<!a)b"}, ".body_lacks", A_PATTERN),
        ({"header": {"name": "X-Up", "matches": "["}}, ".header.matches", A_PATTERN),
        ({"header": {"name": "X Up", "matches": "1"}}, ".header.name", TOKEN),
        ({"header": {"name": "X-Up"}}, ".header.matches", A_FIELD),
        ({"json": {"path": "a..b", "equals": 1}}, ".json.path", A_PATH),
        ({"json": {"path": "nope(a)", "equals": 1}}, ".json.path", A_PATH),
        ({"json": {"path": "a[?length(b) > nope(c)]", "equals": 1}}, ".json.path", A_PATH),
        ({"json": {"path": "length(a, b)", "equals": 1}}, ".json.path", A_PATH),
        ({"json": {"path": "not_null()", "equals": 1}}, ".json.path", A_PATH),
        ({"json": {"path": "", "equals": 1}}, ".json.path", "at least this long: 1"),
        ({"json": {"path": "a" * 257, "equals": 1}}, ".json.path", "at most this many: 256"),
        ({"json": {"path": "a"}}, ".json.equals", A_FIELD),
        ({"json_value": {"path": "a", "equals": 1}}, ".json_value", NO_FIELD),
        ({"code": 200}, ".code", NO_FIELD),
        ("200", "", "an object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_wrong_expectations(expect: object, path: str, expected: str) -> None:
    assert wrong(expect=expect) == [(f"expect{path}", expected)]


def test_a_header_of_an_answer_may_be_any() -> None:
    for name in ("Content-Length", "host", "x" * 64):
        a_target(expect={"header": {"name": name, "matches": "."}})


@pytest.mark.parametrize(
    ("status", "taken", "refused"),
    [
        (["200-399"], [200, 301, 399], [199, 400, 500]),
        (["204"], [204], [200, 203, 205]),
        (["200", "500-599"], [200, 500, 599], [201, 499]),
        (["200-200"], [200], [201]),
        (["404", "200"], [200, 404], [302]),
    ],
)
def test_a_status_is_one_of_those_or_in_a_range(
    status: list[str], taken: list[int], refused: list[int]
) -> None:
    expect = a_target(expect={"status": status}).expect

    assert all(expect.takes(each) for each in taken)
    assert not any(expect.takes(each) for each in refused)
