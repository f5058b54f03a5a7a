"""The alert runbook: an entry for every incident and alarm, and the messages as they are sent."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest

from caretaker.aws import incidents as store
from caretaker.aws import outbox
from caretaker.incidents import MAX_EVIDENCE, MAX_TEXT, Incident, Severity
from caretaker.rendering import _LISTED, MAX_BYTES, chat, people, text
from caretaker.rendering.people import _INTERNAL
from caretaker.settings import Channel
from functions.alerts.request import AlertsRequest
from tests.contract.template import written
from tests.support import docs
from tests.support.docs_pages import (
    DOCS,
    anchors,
    headings,
    incident_kinds,
    missing,
    page_of,
    rows,
    section,
    text_of,
)

ALERTS: Final = DOCS / "alerts.md"
KINDS: Final = incident_kinds()
ALARMS: Final = {
    name
    for name, resource in written()["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
PARTS: Final = ("**Means**", "**Look here first**", "**Fix**", "**Worry when**")
ASKED: Final = AlertsRequest()


def test_reads_what_it_holds_the_docs_to() -> None:
    assert {"backup_failed", "retention_refused", "topic_unheard", "test"} <= KINDS
    assert {"tagging_stopped", "owner_unreachable", "resource_untaggable"} <= KINDS
    assert {"SnapshotStaleAlarm", "AlertsUnsentAlarm"} <= ALARMS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_incident_has_a_runbook_entry_under_its_own_anchor(kind: str) -> None:
    assert kind in anchors(ALERTS)


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_every_alarm_has_a_runbook_entry(alarm: str) -> None:
    assert alarm in headings(ALERTS)


@pytest.mark.parametrize("entry", sorted(KINDS | ALARMS))
def test_a_runbook_entry_says_what_to_do(entry: str) -> None:
    said = section(ALERTS, f"### {entry}")

    assert [part for part in PARTS if part not in said] == []


def test_no_runbook_entry_is_about_something_that_is_gone() -> None:
    runbook = text_of(ALERTS).partition("\n## Runbook\n")[2]

    assert set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE)) == KINDS | ALARMS


def test_the_json_document_is_explained_field_by_field() -> None:
    example = json.loads(docs.on_page(ALERTS)["document"])
    (incident,) = example["incidents"]

    assert set(incident) == set(Incident.__dataclass_fields__) - _INTERNAL | {"key", "thread"}
    assert not missing(set(example) | set(incident), ALERTS)


def test_every_channel_and_severity_has_a_row() -> None:
    table = section(ALERTS, "## Channels")

    assert [channel for channel in Channel if f"\n| {channel} (" not in table] == []
    shown = rows(section(ALERTS, "## How alerts work"))
    assert {severity: text.WORD[severity] in shown[severity] for severity in Severity} == (
        dict.fromkeys(Severity, True)
    )


@pytest.mark.parametrize(
    "sentence",
    [
        f"critical ones every {ASKED.remind_critical_hours} hours",
        f"warnings every {ASKED.remind_warning_hours}",
        f"open for {ASKED.escalate_after_hours} hours",
        f"at most {text.MAX_SUBJECT} characters",
        f"at most {people.MAX_SMS})",
        f"It spells out {people.MAX_LISTED} incidents",
        f"It spells out {chat.MAX_LISTED} incidents",
        f"at most {_LISTED[0]}, fewer where they would not fit",
        f"at most {MAX_BYTES:,} bytes",
        f"at most {MAX_TEXT} characters",
        f"at most {MAX_EVIDENCE} entries",
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(text_of(ALERTS).split())


@pytest.mark.parametrize(
    "sentence",
    [
        f"open for {ASKED.escalate_after_hours} hours (`escalate_after_hours`)",
        f"{ASKED.remind_critical_hours} hours ago or more if it is urgent",
        f"kept for {outbox._KEPT_SECONDS // 86_400} days",  # noqa: SLF001 - a number of the docs
        f"leave that scope alone for {store.WRITING_SECONDS} s",
    ],
)
def test_the_numbers_of_the_chores_page_are_those_of_the_code(sentence: str) -> None:
    assert sentence in " ".join(text_of(page_of("alerts")).split())


def test_two_minutes_are_what_a_writer_has_to_publish() -> None:
    assert outbox._PUBLISH_SECONDS == 120  # noqa: SLF001 - a number of the docs
    assert "after two minutes" in text_of(page_of("alerts"))
