"""Whatever names, tags and evidence hold, every channel takes every message."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caretaker.rendering import Turn
from caretaker.rendering.text import plain
from caretaker.settings import Channel
from tests.support.alerts import NASTY, ORIGIN, STALE, everywhere, numbered, rendered

if TYPE_CHECKING:
    from caretaker.rendering import Message

MAX_MESSAGE: Final = 262_144
GSM: Final = {
    *"@$_\n !\"#%&'()*+,-./0123456789:;<=>?",
    *map(chr, (*range(65, 91), *range(97, 123))),
}
"""The ASCII part of GSM 03.38, one septet each."""
GSM_EXTENDED: Final = {*"^{}\\[~]|"}
"""Two septets each."""
MENTIONS: Final = re.compile(r"[<>@]|&lt;|\]\(|!\[")
MARKUP: Final = re.compile(r"[`~|]|^[#>]", re.MULTILINE)

texts = st.text(st.characters(), max_size=120) | st.sampled_from(NASTY)
turns = st.sampled_from(Turn)
channels = st.sampled_from(Channel)
strange = st.builds(
    everywhere,
    texts,
    resource=texts,
    name=texts,
    what=texts,
    evidence=st.dictionaries(texts, texts, max_size=4),
    reminders=st.integers(0, 3),
)


def check_subject(subject: str, turn: Turn) -> None:
    """SNS: ASCII, one line, under 100 characters, nothing that controls."""
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) <= 99
    assert subject.startswith(f"{turn}: [CRIT] ")


def check_sms(sms: str) -> None:
    assert set(sms) <= GSM | GSM_EXTENDED
    assert 0 < len(sms) + sum(character in GSM_EXTENDED for character in sms) <= 160


def check_email(email: str) -> None:
    """Lines of ours alone: what is told cannot look like another part of the mail."""
    assert all(line.isprintable() for line in email.split("\n"))
    assert sum(line.startswith(("Report:", "Subject:")) for line in email.split("\n")) == 1


def check_chat(body: dict[str, Any]) -> None:
    content, metadata = body["content"], body["metadata"]
    assert len(content["description"]) <= 3_000
    assert len(content["title"]) <= 250
    shown = [content["title"], content["description"], metadata["summary"], *content["nextSteps"]]
    more = [*metadata["relatedResources"], *metadata["additionalContext"].values()]
    for text in [*shown, *more, *content["keywords"]]:
        assert not MENTIONS.search(text), text
    assert not MARKUP.search(content["description"])
    assert content["description"].count("*") % 2 == 0
    assert "_" not in content["description"]


def check_pager(body: dict[str, Any], turn: Turn) -> None:
    assert body["NewStateValue"] == turn.value
    assert 0 < len(body["AlarmName"]) <= 255
    assert len(body["NewStateReason"]) <= 1_023
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.000\+0000", body["StateChangeTime"])


def check(message: Message, turn: Turn) -> None:
    assert len(message.body.encode()) <= MAX_MESSAGE
    check_subject(message.subject, turn)
    body = json.loads(message.body)
    if message.structured:
        assert set(body) == {"default", "email", "sms"}
        check_sms(body["sms"])
        check_email(body["email"])
        assert json.loads(body["default"])["state"] == turn.value
    elif message.channel is Channel.CHAT:
        check_chat(body)
    else:
        check_pager(body, turn)


@settings(max_examples=250, deadline=None)
@given(st.lists(strange, min_size=1, max_size=3), st.text("abc-019", max_size=16), turns, channels)
@example([everywhere(NASTY[2], name=NASTY[2])], "prod", Turn.ALARM, Channel.ALERTS)
@example([everywhere(NASTY[8])], "prod", Turn.ALARM, Channel.CHAT)
@example([everywhere(NASTY[9])], "prod", Turn.OK, Channel.CHAT)
@example([everywhere("x" * 10_000, what="* " * 500)], "", Turn.ALARM, Channel.CHAT)
def test_any_text_makes_a_message_that_its_channel_takes(
    incidents: list[Any], where: str, turn: Turn, to: Channel
) -> None:
    origin = replace(ORIGIN, environment=where)

    message = rendered(*incidents, to=to, turn=turn, origin=origin, still_open=())

    check(message, turn)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text[:6]))
def test_a_message_of_ten_thousand_incidents_is_one_that_sns_takes(
    text: str, channel: Channel
) -> None:
    worst = numbered(10_000, everywhere(text[:1_000]))

    check(rendered(*worst, to=channel), Turn.ALARM)


@pytest.mark.parametrize("text", ["x", '"', "\\", "é", "\N{GRINNING FACE}", "\x00"], ids=ascii)
def test_a_document_counts_what_it_leaves_out(text: str) -> None:
    evidence = {f"{n} {text * 250}": text * 256 for n in range(10)}
    worst = numbered(3_000, everywhere(text * 256, evidence=evidence))

    told = json.loads(json.loads(rendered(*worst).body)["default"])

    assert told["incidents"]
    assert told["incidents_omitted"] == 3_000 - len(told["incidents"])


@pytest.mark.parametrize("channel", Channel)
def test_endless_evidence_makes_no_endless_message(channel: Channel) -> None:
    evidence = {f"evidence {n}": "x" * 10_000 for n in range(2_000)}

    assert len(rendered(replace(STALE, evidence=evidence), to=channel).body.encode()) <= 10_000


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(4, 300))
def test_plain_text_is_one_line_that_prints(text: str, limit: int) -> None:
    line = plain(text, limit)

    assert line.isprintable()
    assert len(line) <= limit
    assert line == line.strip()
