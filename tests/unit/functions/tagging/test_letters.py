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
    assert found.body == (
        f"""Owner ann, account {ACCOUNT}, eu-west-1: these instances have tags
missing or wrong that a rule asks for.

  i-1: Owner wrong_value, Env missing
  i-2: Owner missing

Next: the next run writes the tag caretaker:stop-after, 7 day(s) ahead.
An instance that still is without its tags by then is stopped, never terminated.
To get more time: write a later time into caretaker:stop-after.
To end this: set the tags right, or set the tag caretaker:ignore=true on the instance.
"""
    )


def test_names_five_tags_of_an_instance_and_counts_the_others() -> None:
    five, six = ({f"k{n}": "missing" for n in range(number)} for number in (5, 6))

    assert letter(a_letter_to(findings=five)).body.count("\n  i-00000001: k0 missing") == 1
    assert "k4 missing\n" in letter(a_letter_to(findings=five)).body
    assert "k4 missing, 1 more\n" in letter(a_letter_to(findings=six)).body


def test_says_what_an_instance_is_called_and_what_stands_there() -> None:
    found = letter(a_letter_to(findings={OWNER: "wrong_value"}, found={OWNER: "bob"}, name="web-1"))

    assert "  web-1 i-00000001: Owner wrong_value: bob\n" in found.body


def test_a_long_name_is_cut() -> None:
    found = letter(a_letter_to(name="x" * 65))

    assert f"  {'x' * 61}... i-00000001: " in found.body


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
