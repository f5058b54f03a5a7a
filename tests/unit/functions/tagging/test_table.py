from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.decisions import Decision, Outcome, Result
from functions.tagging.table import COLUMNS, table_lines
from tests.support.builders import ACCOUNT
from tests.support.tagging import OWNER, a_report, a_setting

WILD = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("=+-@\t\r\n\x00\";,'\u200f\u202e"),
    max_size=40,
)


def read(*outcomes: Outcome) -> list[dict[str, str]]:
    lines = table_lines(outcomes, account=ACCOUNT, region="eu-west-1")
    text = "".join(f"{line}\n" for line in lines)
    return [*csv.DictReader(io.StringIO(text, newline=""))]


def about(decision: Decision, result: Result = Result.UNCHANGED) -> Outcome:
    return Outcome(decision, result)


def test_names_its_columns_once() -> None:
    (line,) = table_lines([], account=ACCOUNT, region="eu-west-1")

    assert line == (
        "account,region,type,resource,name,owner,key,finding,found,action,reason,result,value,from"
    )
    assert line == ",".join(COLUMNS)


def test_has_a_line_for_each_tag_that_was_wrong() -> None:
    wrong = a_report("vol-1", findings={OWNER: "missing", "Env": "wrong_value"})

    assert read(about(wrong)) == [
        {
            "account": ACCOUNT,
            "region": "eu-west-1",
            "type": "volume",
            "resource": "vol-1",
            "name": "",
            "owner": "ann",
            "key": key,
            "finding": finding,
            "found": "",
            "action": "report",
            "reason": "missing",
            "result": "unchanged",
            "value": "",
            "from": "",
        }
        for key, finding in {OWNER: "missing", "Env": "wrong_value"}.items()
    ]


def test_says_what_was_set_and_where_it_came_from() -> None:
    setting = a_setting("vol-1", {OWNER: "bob"}, because={OWNER: "instance"})

    (line,) = read(about(setting, Result.DONE))

    assert (line["action"], line["result"]) == ("set", "done")
    assert (line["value"], line["from"]) == ("bob", "instance")


def test_says_what_a_resource_is_called_and_what_stands_there() -> None:
    wrong = a_report("i-1", findings={OWNER: "wrong_value"}, found={OWNER: "x"}, name="web-1")

    (line,) = read(about(wrong))

    assert (line["name"], line["found"]) == ("web-1", "x")


def test_what_is_right_has_no_line() -> None:
    kept = Decision("vol-1", "keep", "compliant", {"type": "volume", "owner": ""})

    assert read(about(kept)) == []


def test_stands_in_the_order_of_the_resources() -> None:
    outcomes = [about(a_report("b")), about(a_report("a", "tell")), about(a_setting("a"))]

    assert [(each["resource"], each["action"]) for each in read(*outcomes)] == [
        ("a", "set"),
        ("a", "tell"),
        ("b", "report"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@sum(a1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\N{FULLWIDTH EQUALS SIGN}1",
        "\N{FULLWIDTH PLUS SIGN}1",
        "\N{FULLWIDTH HYPHEN-MINUS}1",
        "\N{FULLWIDTH COMMERCIAL AT}x",
    ],
)
def test_no_tag_becomes_a_formula_of_whoever_opens_the_list(text: str) -> None:
    setting = a_setting("vol-1", {text: text}, owner=text)

    (line,) = read(about(setting))

    assert [line["owner"], line["key"], line["value"]] == [f"'{text}"] * 3


@pytest.mark.parametrize("text", ["a=b", "1-2", "'=1", "ann@example.com", " x", "a,b", 'say "x"'])
def test_any_other_text_stands_as_it_is(text: str) -> None:
    (line,) = read(about(a_report(owner=text, findings={text: "missing"})))

    assert (line["owner"], line["key"]) == (text, text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WILD, WILD, WILD), max_size=4))
def test_reads_back_whatever_names_and_tags_hold(found: list[tuple[str, str, str]]) -> None:
    decisions: list[Any] = [
        a_setting(f"vol-{n}", {key: value}, owner=owner)
        for n, (owner, key, value) in enumerate(found)
    ]

    lines = read(*map(about, decisions))

    read_back = [(each["owner"], each["key"], each["value"]) for each in lines]
    assert len(read_back) == len(found)
    for texts, cells in zip(found, read_back, strict=True):
        for text, cell in zip(texts, cells, strict=True):
            assert cell in {text, f"'{text}"}


def test_ten_kilobytes_of_a_tag_read_back() -> None:
    long = "\N{GRINNING FACE}\n" * 5_000

    (line,) = read(about(a_setting("vol-1", {OWNER: long})))

    assert line["value"] == long
