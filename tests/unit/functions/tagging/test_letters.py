from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.decisions import Decision
from functions.tagging.letters import Letter, Place, render_letter
from functions.tagging.units import TOLD_AT_ONCE
from tests.support.builders import ACCOUNT
from tests.support.tagging import OWNER, a_letter_to, ask

PLACE = Place("prod", ACCOUNT, "eu-west-1")
MOST_BYTES = 256 * 1024
"""https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
ODD = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\n\r\t\x00\x1b\u200f\u202e\u2028\N{GRINNING FACE}"),
    max_size=300,
)


def letter(*decisions: Decision, days: int = 7, place: Place = PLACE) -> Letter:
    return render_letter(decisions, ask(stop_after_days=days), place)


def is_sendable(found: Letter) -> bool:
    """Whether SNS takes it: a subject of one line of ASCII, and a body within its limit."""
    subject = found.subject
    return (
        subject.isascii()
        and subject.isprintable()
        and 0 < len(subject) <= 99
        and not subject[0].isspace()
        and len(found.body.encode()) <= MOST_BYTES
    )


def test_tells_an_owner_what_is_wrong_and_what_happens_next() -> None:
    found = letter(
        a_letter_to("ann", "i-1", findings={OWNER: "wrong_value", "Env": "missing"}),
        a_letter_to("ann", "i-2"),
    )

    assert found.subject == (
        "ALARM: [NOTE] prod 2 instance(s) of ann without right tags will be stopped"
    )
    lines = found.body.splitlines()
    assert lines[0].startswith(f"Owner ann, account {ACCOUNT}, eu-west-1:")
    assert any("i-1" in line and f"{OWNER} wrong_value, Env missing" in line for line in lines)
    assert any("i-2" in line and f"{OWNER} missing" in line for line in lines)
    assert "caretaker:stop-after, 7 day(s) ahead" in found.body
    assert "stopped, never terminated" in found.body
    assert "caretaker:ignore=true" in found.body
    assert found.body.endswith("\n")


def test_says_what_an_instance_is_called_and_what_stands_there() -> None:
    found = letter(a_letter_to(findings={OWNER: "wrong_value"}, found={OWNER: "bob"}, name="web-1"))

    assert "  web-1 i-00000001: Owner wrong_value: bob\n" in found.body


def test_threatens_nothing_that_will_not_happen() -> None:
    found = letter(a_letter_to(), days=0)

    assert found.subject.endswith("of ann without right tags need their tags")
    assert "stop" not in found.body


def test_the_days_are_those_of_the_event() -> None:
    assert "caretaker:stop-after, 30 day(s) ahead" in letter(a_letter_to(), days=30).body


@settings(max_examples=100, deadline=None)
@given(ODD, st.lists(ODD, min_size=1, max_size=5, unique=True), ODD)
def test_can_be_sent_and_has_no_lines_of_others_whatever_names_and_tags_hold(
    owner: str, keys: list[str], environment: str
) -> None:
    findings = dict.fromkeys(keys, "missing")
    place = Place(environment, ACCOUNT, "eu-west-1")

    found = letter(a_letter_to(owner, findings=findings), place=place)
    plain = letter(a_letter_to("ann"), place=PLACE)

    assert is_sendable(found)
    assert all(line.isprintable() for line in found.body.split("\n"))
    assert found.body.count("\n") == plain.body.count("\n")


@pytest.mark.parametrize(
    "letter_of_key", ["x", "\N{GRINNING FACE}", "\N{LATIN SMALL LETTER U WITH DIAERESIS}"]
)
def test_the_longest_letter_can_be_sent(letter_of_key: str) -> None:
    findings = {f"{n:02}{letter_of_key * 126}": "wrong_value" for n in range(50)}
    owner = letter_of_key * 256

    found = letter(
        *(a_letter_to(owner, f"i-{n:017x}", findings=findings) for n in range(TOLD_AT_ONCE))
    )

    assert is_sendable(found)
    assert all(f"i-{n:017x}" in found.body for n in range(TOLD_AT_ONCE))


def test_the_longest_values_can_be_sent() -> None:
    findings = {f"{n:02}{'x' * 126}": "wrong_value" for n in range(50)}
    found = dict.fromkeys(findings, "\N{GRINNING FACE}" * 256)

    told = letter(
        *(
            a_letter_to("ann", f"i-{n:017x}", findings=findings, found=found, name="x" * 256)
            for n in range(TOLD_AT_ONCE)
        )
    )

    assert is_sendable(told)


def test_a_value_of_ten_kilobytes_does_not_fill_the_letter() -> None:
    found = letter(a_letter_to("x" * 10_000))

    assert is_sendable(found)
    assert len(found.body) < 2_000
