from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caretaker.incidents import Incident, Severity
from caretaker.rendering import (
    MAX_LISTED,
    MAX_SMS,
    MAX_SUBJECT,
    MAX_TEXT,
    Alert,
    Message,
    Origin,
    Turn,
    console_link,
    plain,
    render_message,
)
from tests.support.builders import ACCOUNT, NOW, SLOT

LIMIT: Final = 256 * 1024
ORIGIN = Origin(
    "caretaker", "prod", ACCOUNT, "eu-west-1", "snapshot", "daily", "01JD", SLOT,
    "s3://bucket/key", "https://example.com/alerts",
)  # fmt: skip
STALE = Incident(
    "backup_stale",
    "vol-0123456789abcdef0",
    Severity.CRITICAL,
    opened=NOW - timedelta(minutes=4),
    what="newest backup is older than 30 h",
    name="web-1",
    evidence={"age": "31 h"},
    done="nothing",
    next="the next slot takes it first",
)
HOME: Final = "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"
GSM: Final = (
    set("@$_\n !\"#%&'()*+,-./0123456789:;<=>?")
    | set(map(chr, range(65, 91)))
    | set(map(chr, range(97, 123)))
)
"""The ASCII part of GSM 03.38, one septet each."""
GSM_EXTENDED: Final = set("^{}\\[~]|")
"""Two septets each."""
NASTY: Final = [
    "\N{GRINNING FACE}" * 1_000,
    "\N{RIGHT-TO-LEFT OVERRIDE}web\N{LEFT-TO-RIGHT MARK}" * 100,
    "\x00\x1b[31m\r\nSubject: x\u2028y" * 50,
    '"\\' * 500,
    "[`{" * 300,
    "x" * 10_000,
    "é" * 1_000,
    "lone \ud800 surrogate",
    "",
]
texts = st.text(max_size=120) | st.sampled_from(NASTY)


def render(*incidents: Incident, turn: Turn = Turn.ALARM, origin: Origin = ORIGIN) -> Message:
    return render_message(Alert(turn, incidents, origin, still_open=3, now=NOW))


def body(message: Message) -> dict[str, str]:
    parts: dict[str, str] = json.loads(message.body)
    return parts


def document(message: Message) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(body(message)["default"])
    return parsed


def all_texts(text: str, **more: Any) -> Incident:
    """Return an incident that says `text` wherever it can."""
    return replace(
        STALE, what=text, name=text, evidence={text: text}, done=text, next=text, cause=text, **more
    )


def test_a_subject_says_state_severity_place_and_what_happened() -> None:
    assert render(STALE).subject == (
        "ALARM: [CRIT] prod web-1 vol-0123456789abcdef0: newest backup is older than 30 h"
    )


def test_a_recovery_says_how_long_it_took() -> None:
    assert render(STALE, turn=Turn.OK).subject == (
        "OK: [CRIT] prod web-1 vol-0123456789abcdef0: healthy after 4m"
    )


def test_many_incidents_are_one_subject_of_the_worst() -> None:
    warnings = [replace(STALE, resource=f"vol-{n}", severity=Severity.WARNING) for n in range(3)]

    assert render(*warnings, STALE).subject == (
        "ALARM: [CRIT] prod 4 x backup_stale: newest backup is older than 30 h"
    )


def test_without_an_environment_or_a_name_the_subject_does_without() -> None:
    message = render(replace(STALE, name=""), origin=replace(ORIGIN, environment=""))

    assert message.subject.startswith("ALARM: [CRIT] caretaker vol-0123456789abcdef0: ")


@pytest.mark.parametrize(
    ("minutes", "span"),
    [(-5, "0m"), (59, "59m"), (60, "1h 0m"), (1439, "23h 59m"), (1440, "1d 0h"), (3000, "2d 2h")],
)
def test_spans_are_short(minutes: int, span: str) -> None:
    opened = replace(STALE, opened=NOW - timedelta(minutes=minutes))

    assert render(opened, turn=Turn.OK).subject.endswith(f"healthy after {span}")


def test_an_email_has_its_parts_in_order() -> None:
    email = body(render(STALE))["email"]

    parts = [
        "web-1 vol-0123456789abcdef0: newest backup is older than 30 h",
        "Since:    2026-11-21 02:56 UTC (4m)",
        "Evidence: age: 31 h",
        "Done:     nothing",
        "Next:     the next slot takes it first",
        "Report:  s3://bucket/key",
        f"Console: {HOME}#VolumeDetails:volumeId=vol-0123456789abcdef0",
        "filter run = '01JD'",
        "Runbook: https://example.com/alerts#backup_stale",
        "3 incident(s) of this policy are open.",
        "tag it caretaker:ignore=true",
    ]
    places = [email.index(part) for part in parts]
    assert places == sorted(places)


def test_an_email_says_so_when_nothing_was_done_and_nothing_written() -> None:
    bare = replace(STALE, done="", next="", evidence={})
    email = body(render(bare, origin=replace(ORIGIN, report="", runbook="")))["email"]

    assert "Done:     nothing yet" in email
    assert "Next:     the next run looks again" in email
    assert "Report:  none was written" in email
    assert "Evidence" not in email
    assert "Runbook" not in email


def test_an_email_of_a_recovery_asks_for_nothing() -> None:
    email = body(render(STALE, turn=Turn.OK))["email"]

    assert "healthy again" in email
    assert "Next:" not in email


def test_an_email_lists_the_first_and_counts_the_others() -> None:
    many = [replace(STALE, resource=f"vol-{n:08x}") for n in range(MAX_LISTED + 5)]

    email = body(render(*many))["email"]

    assert email.count("Since:") == MAX_LISTED
    assert "... and 5 more; the report lists them all." in email


def test_the_document_is_for_programs() -> None:
    told = document(render(STALE))

    assert told["schema"] == 1
    assert (told["state"], told["severity"]) == ("ALARM", "critical")
    assert told["time"] == "2026-11-21T03:00:00+00:00"
    assert told["incidents"][0]["resource"] == STALE.resource
    assert told["incidents"][0]["opened"] == "2026-11-21T02:56:00+00:00"
    assert told["runbook"] == "https://example.com/alerts#backup_stale"
    assert (told["incidents_omitted"], told["incidents_open"]) == (0, 3)


def test_without_a_runbook_the_document_names_none() -> None:
    assert document(render(STALE, origin=replace(ORIGIN, runbook="")))["runbook"] == ""


@settings(max_examples=50, deadline=None)
@given(texts, st.text(max_size=120), st.sampled_from(Turn), st.integers(1, 3))
@example(NASTY[2], NASTY[2], Turn.ALARM, 1)
def test_any_text_makes_a_subject_that_sns_takes(
    text: str, where: str, turn: Turn, number: int
) -> None:
    incidents = [all_texts(text, resource=f"{where}-{n}") for n in range(number)]

    message = render(*incidents, turn=turn, origin=replace(ORIGIN, environment=where))

    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert 0 < len(message.subject) <= MAX_SUBJECT
    assert message.subject.startswith(f"{turn}: [CRIT]")


@settings(max_examples=50, deadline=None)
@given(texts, texts)
@example("[" * 200, "`")
def test_any_text_makes_one_sms(name: str, what: str) -> None:
    sms = body(render(replace(STALE, name=name, what=what)))["sms"]

    assert set(sms) <= GSM | GSM_EXTENDED
    assert len(sms) + sum(character in GSM_EXTENDED for character in sms) <= MAX_SMS


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text[:6]))
def test_a_body_of_ten_thousand_incidents_stays_under_256_kib(text: str) -> None:
    worst = [all_texts(text[:1_000], resource=f"vol-{n:017x}") for n in range(10_000)]

    message = render(*worst)

    assert len(message.body.encode()) <= LIMIT
    told = document(message)
    assert told["incidents"]
    assert told["incidents_omitted"] == 10_000 - len(told["incidents"])
    assert set(body(message)) == {"default", "email", "sms"}


def test_a_body_stays_under_256_kib_with_endless_evidence() -> None:
    evidence = {f"evidence {n}": "x" * MAX_TEXT for n in range(5_000)}

    assert len(render(replace(STALE, evidence=evidence)).body.encode()) <= LIMIT


def test_a_message_is_the_same_whatever_the_order_of_its_incidents() -> None:
    several = [replace(STALE, resource=f"vol-{n}") for n in range(4)]

    assert render(*several) == render(*several[::-1])


def test_another_turn_run_or_incident_is_another_message() -> None:
    others = [
        render(STALE, turn=Turn.OK),
        render(STALE, origin=replace(ORIGIN, run="01JE")),
        render(replace(STALE, resource="vol-2")),
    ]

    assert len({message.id for message in [render(STALE), *others]}) == 4


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(4, 300))
def test_plain_text_is_one_line_that_prints(text: str, limit: int) -> None:
    line = plain(text, limit)

    assert line.isprintable()
    assert len(line) <= limit
    assert line == line.strip()


@pytest.mark.parametrize(
    ("resource", "link"),
    [
        ("vol-0123456789abcdef0", HOME + "#VolumeDetails:volumeId=vol-0123456789abcdef0"),
        ("i-0123456789abcdef0", HOME + "#InstanceDetails:instanceId=i-0123456789abcdef0"),
        ("daily", HOME),
        ("before-upgrade", HOME),
        ("i-am-a-policy", HOME),
        ("caretaker-state", HOME),
        ("run", HOME),
        ("", HOME),
    ],
)
def test_links_to_the_page_of_a_volume_or_an_instance(resource: str, link: str) -> None:
    assert console_link(ORIGIN, resource) == link


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_links_to_the_console_of_the_partition(region: str, host: str) -> None:
    assert console_link(replace(ORIGIN, region=region), STALE.resource).startswith(host)
