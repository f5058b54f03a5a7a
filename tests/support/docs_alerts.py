"""What docs/chores/alerts.md and docs/alerts.md show: a week of incidents, and one message.

Ids are random, but the same at every playing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto.moto_api._internal import mock_random

from caretaker.aws import session
from caretaker.incidents import Incident, Origin
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.settings import Channel
from functions.alerts import app
from functions.snapshot import app as snapshot
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, strict_moto
from tests.support.snapshots import BACKUP
from tests.support.stack import INSTALLATION, TOPIC, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS: Final = Path(__file__).parents[2] / "events" / "alerts"
URGENT: Final = TOPIC.replace("-alerts", "-urgent")
WATCHDOG: Final = TOPIC.replace("-alerts", "-watchdog")
_HOUR: Final = 3600
_STALE: Final = {"policy": "daily", "mode": "report", "max_age_hours": 1}


def event(name: str) -> dict[str, Any]:
    """Return one of the ready events, without its time: the clock of the story is its own."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in asked.items() if key != "scheduled_time"}


def play() -> dict[str, Any]:
    """Return the examples by name."""
    clock = ManualClock()
    with strict_moto(clock, page_size=200) as cloud, pytest.MonkeyPatch.context() as patched:
        session.forget()
        stack, account = Stack(clock), Account(cloud)
        account.volume()
        mock_random.seed(20261121)
        volumes = [account.volume(tags=BACKUP) for _ in range(2)]
        _more_topics(account, patched)
        examples: dict[str, Any] = {
            "test": _some(stack.run(app.CHORE, event("test")), "status", "outcomes")
        }
        examples["test-told"] = _subjects(stack)
        account.subscription(WATCHDOG, "somebody-else@example.com")
        stack.run(app.CHORE, event("regular"))
        examples |= _a_week(stack, max(volumes))
    session.forget()
    return examples


def _more_topics(account: Account, patched: pytest.MonkeyPatch) -> None:
    """Add a topic for what is urgent, and a watchdog whose subscriber has not confirmed."""
    for name, arn in {"URGENT": URGENT, "WATCHDOG": WATCHDOG}.items():
        boto3.client("sns", REGION).create_topic(Name=arn.rpartition(":")[2])
        patched.setenv(f"CARETAKER_{name}_TOPIC", arn)
    account.subscription(URGENT, "+15550100123", protocol="sms")
    account.subscription(WATCHDOG, "someone@example.com", confirmed=False)


def _a_week(stack: Stack, silenced: str) -> dict[str, Any]:
    """Let two volumes have no backup, and nobody want to hear of one of them."""
    stack.run(snapshot.CHORE, _STALE)
    stack.clock.advance(5 * _HOUR)
    key = f"{INSTALLATION}/{ACCOUNT}/{REGION}/snapshot/daily/backup_stale"
    silence = {**event("silence")["silence"], "match": f"{key}/{silenced}"}
    answer = stack.run(app.CHORE, {"silence": silence})
    examples: dict[str, Any] = {"silence": _some(answer, "status", "outcomes")}
    stack.alerts()
    stack.run(snapshot.CHORE, _STALE)
    told = _dated(stack)
    items: dict[str, Any] = {}
    for hours in (1, 8, 12, 12, 24, 24):
        stack.clock.advance(hours * _HOUR)
        answer = stack.run(app.CHORE, event("regular"))
        items |= {each["reason"]: each for each in answer["outcomes"] if key in each["target"]}
        told += _dated(stack)
    examples |= {"items": list(items.values()), "told": "".join(told)}
    closed = stack.run(app.CHORE, {"close": {"match": silence["match"], "reason": "retired"}})
    examples |= {"close": _some(closed, "status", "outcomes"), "close-told": _subjects(stack)}
    wrong = {"silence": {**silence, "until": "2027-11-21T00:00:00Z"}}
    refused = stack.run(app.CHORE, wrong)
    return {**examples, "silence-refused": _some(refused, "status", "reason", "errors")}


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: answer[name] for name in names}


def _dated(stack: Stack) -> list[str]:
    now = stack.clock.now()
    return [f"{now:%d %b %H:%M}  {each['Subject']}\n" for each in stack.alerts()]


def _subjects(stack: Stack) -> str:
    return "".join(f"{each['Subject']}\n" for each in stack.alerts())


NOW: Final = datetime(2026, 11, 21, 3, 4, tzinfo=UTC)
ORIGIN: Final = Origin(
    installation="caretaker",
    environment="prod",
    account="123456789012",
    region="eu-west-1",
    chore="snapshot",
    policy="daily",
    run="01M7Y1M52G6TY5WJ13BT7MF1KP",
    slot="2026-11-21T03:00Z",
    report="s3://caretaker-reports/snapshot/daily/2026-11-21T0300Z/01M7Y1M52G6TY5WJ13BT7MF1KP.jsonl.gz",
    runbook="https://wiki.example.com/caretaker/alerts",
)
_ERROR: Final = (
    "SnapshotFailed: Given key ID is not accessible. You must have DescribeKey permissions on the "
    "customer managed key."
)
INCIDENT: Final = Incident(
    kind="backup_failed",
    resource="vol-0123456789abcdef0",
    name="queue",
    what="snapshot failed: SnapshotFailed",
    evidence={
        "error": _ERROR,
        "failed slots in a row": "2026-11-21T03:00Z",
        "newest good snapshot": "snap-0123456789abcdef0 of 2026-11-20 03:00 UTC",
    },
    done="attempt 3 of this slot",
    next="the next slot tries again",
    cause=_ERROR,
    opened=NOW,
    scope=ORIGIN.scope,
    parent="backup_failed/vol-0123456789abcdef0",
    report=ORIGIN.report,
    told=NOW,
)


def render() -> dict[str, Any]:
    """Return one message in the shape of every channel, and a reminder's subject."""
    urgent = replace(INCIDENT, escalated=True, reminders=3)
    alert = Alert(Turn.ALARM, [INCIDENT], ORIGIN, [INCIDENT], NOW)
    by_channel = {m.channel: m for m in render_messages(alert, [Channel.ALERTS, Channel.CHAT])}
    later = Alert(Turn.ALARM, [urgent], ORIGIN, [urgent], NOW + timedelta(days=3))
    (pager,) = render_messages(later, [Channel.PAGER])
    texts = json.loads(by_channel[Channel.ALERTS].body)
    return {
        "subject": f"{by_channel[Channel.ALERTS].subject}\n",
        "email": texts["email"],
        "sms": f"{texts['sms']}\n",
        "document": json.loads(texts["default"]),
        "chat": json.loads(by_channel[Channel.CHAT].body),
        "pager": json.loads(pager.body),
        "reminder": f"{pager.subject}\n",
    }
