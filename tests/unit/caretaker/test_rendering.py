"""What each channel is told, and what not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.incidents import Silence
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.request import parse_request
from caretaker.settings import Channel
from functions.alerts.request import AlertsRequest
from tests.support.alerts import NASTY, ORIGIN, STALE, WARNING, numbered, render, rendered
from tests.support.builders import NOW

if TYPE_CHECKING:
    from caretaker.incidents import Incident
    from caretaker.rendering import Message

CONSOLE: Final = "https://eu-west-1.console.aws.amazon.com"
HOME: Final = f"{CONSOLE}/ec2/home?region=eu-west-1"
DASHBOARDS: Final = f"{CONSOLE}/cloudwatch/home?region=eu-west-1#dashboards"
ESCALATED: Final = replace(WARNING, escalated=True)
ELSEWHERE: Final = replace(STALE, scope="caretaker/999999999999/us-east-1/snapshot/daily")


def body(message: Message) -> dict[str, Any]:
    parts: dict[str, Any] = json.loads(message.body)
    return parts


def email(*incidents: Incident, **how: Any) -> str:
    return str(body(rendered(*incidents, **how))["email"])


def document(*incidents: Incident, **how: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(body(rendered(*incidents, **how))["default"])
    return parsed


def test_many_incidents_are_one_subject_of_the_worst() -> None:
    warnings = [replace(WARNING, resource=f"vol-{n}", what="late") for n in range(3)]

    assert rendered(*warnings, STALE).subject == (
        "ALARM: [CRIT] prod 4 x backup_stale: newest backup is older than 30 h"
    )


def test_incidents_of_several_kinds_are_counted() -> None:
    assert " 2 incidents: " in rendered(STALE, replace(STALE, kind="item_failed")).subject


def test_without_an_environment_or_a_name_the_subject_does_without() -> None:
    message = rendered(replace(STALE, name=""), origin=replace(ORIGIN, environment=""))

    assert message.subject.startswith("ALARM: [CRIT] caretaker vol-0123456789abcdef0: ")


@pytest.mark.parametrize(
    ("minutes", "span"),
    [(-5, "0m"), (59, "59m"), (60, "1h 0m"), (1439, "23h 59m"), (1440, "1d 0h"), (3000, "2d 2h")],
)
def test_spans_are_short(minutes: int, span: str) -> None:
    opened = replace(STALE, opened=NOW - timedelta(minutes=minutes))

    assert rendered(opened, turn=Turn.OK).subject.endswith(f"healthy after {span}")


def test_an_email_tells_in_order_what_since_evidence_done_next_links_and_how_to_silence() -> None:
    told = email(STALE)

    parts = [
        "web-1 vol-0123456789abcdef0: newest backup is older than 30 h",
        "Since:    2026-11-21 02:56 UTC (4m)",
        "Evidence: newest good snapshot: snap-0123456789abcdef0",
        "Evidence: age: 31.0 h",
        "Done:     nothing",
        "Next:     the next slot takes it first",
        f"Report:  {ORIGIN.report}",
        f"Console: {HOME}#VolumeDetails:volumeId=vol-0123456789abcdef0",
        "filter run = '01JD'",
        "Runbook: https://example.com/alerts#backup_stale",
        '{"silence": {',
    ]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)


def test_an_email_says_so_when_nothing_was_done_and_nothing_written() -> None:
    bare = replace(STALE, done="", next="", evidence={})
    told = email(bare, origin=replace(ORIGIN, report="", runbook=""))

    assert "Done:     nothing yet" in told
    assert "Next:     the next run looks again" in told
    assert "Report:  none was written" in told
    assert "Evidence" not in told
    assert "Runbook" not in told


def test_a_reminder_links_the_report_of_the_opening() -> None:
    known = replace(STALE, report="s3://bucket/first", reminders=1)

    assert "Report:  s3://bucket/first" in email(known, origin=replace(ORIGIN, report=""))
    assert ", reminder 1)" in email(known)


def test_an_email_of_a_recovery_asks_for_nothing() -> None:
    told = email(STALE, turn=Turn.OK)

    assert "web-1 vol-0123456789abcdef0: healthy\n" in told
    assert "Next:" not in told
    assert "silence" not in told


@pytest.mark.parametrize(
    "resource", [STALE.resource, "my bucket", "größe", "a*b?", "x" * 400, *NASTY[:3], "a/b"]
)
def test_the_silence_that_an_email_shows_covers_what_it_tells_of(resource: str) -> None:
    incident = replace(STALE, resource=resource)
    told = email(incident)
    event = json.loads(told[told.index('{"silence"') :].splitlines()[0])

    asked = parse_request(AlertsRequest, event).silence

    assert asked is not None
    assert asked.until == NOW + timedelta(hours=8)
    silence = Silence(asked.match, asked.until)
    assert silence.covers(incident, NOW)
    assert not silence.covers(replace(incident, resource=f"{resource}z"), NOW)


def test_the_document_is_for_programs() -> None:
    told = document(STALE, still_open=numbered(3))

    assert told["schema"] == 1
    assert (told["state"], told["severity"]) == ("ALARM", "critical")
    assert told["time"] == "2026-11-21T03:00:00+00:00"
    (incident,) = told["incidents"]
    assert (incident["resource"], incident["key"]) == (STALE.resource, STALE.full_key)
    assert incident["opened"] == "2026-11-21T02:56:00+00:00"
    assert incident["thread"] == STALE.thread
    assert told["runbook"] == "https://example.com/alerts#backup_stale"
    assert (told["incidents_omitted"], told["incidents_open"]) == (0, 3)


def test_without_a_runbook_the_document_names_none() -> None:
    assert document(STALE, origin=replace(ORIGIN, runbook=""))["runbook"] == ""


@pytest.mark.parametrize(
    ("incident", "urgent"), [(STALE, True), (ESCALATED, True), (WARNING, False)]
)
@pytest.mark.parametrize("turn", Turn)
@pytest.mark.parametrize("to", [Channel.URGENT, Channel.PAGER])
def test_only_what_is_urgent_and_its_recovery_wakes_people(
    incident: Incident, turn: Turn, to: Channel, *, urgent: bool
) -> None:
    assert (render(incident, to=to, turn=turn) is not None) is urgent


def test_who_is_woken_hears_of_what_is_urgent_alone() -> None:
    told = rendered(WARNING, replace(STALE, resource="vol-2"), to=Channel.URGENT)

    assert [i["resource"] for i in json.loads(body(told)["default"])["incidents"]] == ["vol-2"]


def test_a_pager_hears_again_only_of_what_became_urgent() -> None:
    reminded, new = STALE, replace(STALE, resource="vol-2")

    assert render(reminded, to=Channel.PAGER, paged=()) is None
    told = body(rendered(reminded, new, to=Channel.PAGER, paged=[new]))
    assert "vol-2" in told["NewStateReason"]
    assert STALE.resource not in told["NewStateReason"]


@pytest.mark.parametrize(
    ("left", "recovers"),
    [
        ((), True),
        ((WARNING,), True),
        ((STALE,), False),
        ((WARNING, ESCALATED), False),
        ((replace(STALE, told=None),), True),
    ],
    ids=["nothing", "a warning", "critical", "escalated", "critical, but nobody was told"],
)
def test_a_pager_recovers_when_nothing_urgent_that_it_heard_of_is_left(
    left: tuple[Incident, ...], *, recovers: bool
) -> None:
    healthy = replace(STALE, resource="vol-2")

    told = render(healthy, to=Channel.PAGER, turn=Turn.OK, still_open=left)

    assert (told is not None) is recovers
    assert told is None or body(told)["NewStateReason"] == "nothing urgent is open"


def test_a_page_names_the_place_of_what_it_pages_for() -> None:
    told = body(rendered(ELSEWHERE, to=Channel.PAGER))

    assert told["AlarmName"] == ELSEWHERE.scope
    assert (told["AWSAccountId"], told["Region"]) == ("999999999999", "us-east-1")


def test_links_lead_to_the_region_of_the_incident() -> None:
    link = "https://us-east-1.console.aws.amazon.com/ec2/home?region=us-east-1#VolumeDetails"

    assert link in email(ELSEWHERE)
    assert link in " ".join(body(rendered(ELSEWHERE, to=Channel.CHAT))["content"]["nextSteps"])


def test_all_messages_of_a_group_are_one_thread_in_chat() -> None:
    turns = [rendered(STALE, to=Channel.CHAT, turn=turn) for turn in Turn]
    reminder = replace(STALE, reminders=1)
    later = rendered(reminder, to=Channel.CHAT, origin=replace(ORIGIN, run="01JE"))

    told = [body(each) for each in [*turns, later]]
    assert {each["metadata"]["threadId"] for each in told} == {STALE.thread}
    assert len({each["id"] for each in told}) == 3


def test_chat_lists_the_first_and_counts_the_others() -> None:
    told = body(rendered(*numbered(12, replace(STALE, evidence={})), to=Channel.CHAT))

    assert told["content"]["description"].endswith("... and 2 more")
    assert len(told["metadata"]["relatedResources"]) == 10


def test_an_email_lists_the_first_and_counts_the_others() -> None:
    told = email(*numbered(25))

    assert told.count("Since:") == 20
    assert "... and 5 more; the report lists them all." in told


def test_the_worst_is_told_first() -> None:
    told = document(WARNING, replace(ESCALATED, resource="vol-2"), replace(STALE, resource="vol-3"))

    assert [i["resource"] for i in told["incidents"]] == ["vol-3", "vol-2", STALE.resource]


@pytest.mark.parametrize("to", Channel)
def test_a_message_is_the_same_whatever_the_order_of_its_incidents(to: Channel) -> None:
    several = [replace(STALE, resource=f"vol-{n}") for n in range(4)]

    assert rendered(*several, to=to) == rendered(*several[::-1], to=to)


def test_another_channel_turn_run_or_incident_is_another_message() -> None:
    others = [
        rendered(STALE, to=Channel.URGENT),
        rendered(STALE, turn=Turn.OK),
        rendered(STALE, origin=replace(ORIGIN, run="01JE")),
        rendered(replace(STALE, resource="vol-2")),
        rendered(STALE, replace(STALE, resource="vol-2")),
    ]

    assert len({message.id for message in [rendered(STALE), *others]}) == 6


def test_nothing_to_tell_is_no_message() -> None:
    assert render_messages(Alert(Turn.ALARM, [], ORIGIN, [], NOW), Channel) == []


@pytest.mark.parametrize(
    ("resource", "page"),
    [
        ("vol-0123456789abcdef0", "VolumeDetails:volumeId=vol-0123456789abcdef0"),
        ("i-0123456789abcdef0", "InstanceDetails:instanceId=i-0123456789abcdef0"),
        ("snap-0123456789abcdef0", "SnapshotDetails:snapshotId=snap-0123456789abcdef0"),
    ],
)
def test_links_to_the_page_of_what_ec2_knows(resource: str, page: str) -> None:
    assert f"Console: {HOME}#{page}\n" in email(replace(STALE, resource=resource))


@pytest.mark.parametrize(
    "resource", ["daily", "i-am-a-policy", "vol-0123456789abcdef0 ", "shop/web", ""]
)
def test_links_to_the_dashboards_for_what_ec2_does_not_know(resource: str) -> None:
    assert f"Console: {DASHBOARDS}\n" in email(replace(STALE, resource=resource))


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_links_to_the_console_of_the_partition(region: str, host: str) -> None:
    there = replace(STALE, scope=f"caretaker/1/{region}/snapshot/daily")

    assert f"Console: {host}" in email(there, origin=replace(ORIGIN, region=region))


def test_times_are_told_in_utc() -> None:
    opened = datetime(2026, 11, 20, 23, 0, tzinfo=UTC).astimezone()

    assert "Since:    2026-11-20 23:00 UTC (4h 0m)" in email(replace(STALE, opened=opened))
