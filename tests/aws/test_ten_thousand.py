"""Ten thousand failures: one message that SNS takes, and an answer that Lambda takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from caretaker.aws.session import home
from caretaker.aws.state import Table
from caretaker.decisions import Decision, Outcome, Result
from caretaker.finish import Finish
from caretaker.incidents import Check, Severity
from caretaker.report import Findings, Heading
from caretaker.settings import Settings
from tests.cloud import ACCOUNT, REGION
from tests.support.snapshots import MAX_ANSWER, SLOT_TAG
from tests.support.stack import ENVIRONMENT, TABLE

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack

MANY: Final = 10_000
PLAIN: Final = "You are not authorized to use the key " + "k" * 260
WIDE: Final = "\u753b\U0001f4be" * 128
"""As long as a tag may be, of characters that JSON writes with six letters or twelve."""


def outcomes(message: str) -> list[Outcome]:
    error = {"code": "UnauthorizedOperation", "message": message, "request_id": "r" * 36}
    return [
        Outcome(Decision(f"vol-{n:017x}", "create", "due"), Result.FAILED, error=error)
        for n in range(MANY)
    ]


def checks(text: str, *, healthy: bool) -> list[Check]:
    return [
        Check(
            kind="backup_failed",
            resource=f"vol-{number:017x}",
            healthy=healthy,
            severity=Severity.CRITICAL,
            what=text,
            name=text,
            evidence={"error": text, "newest good snapshot": text},
            done=text,
            next=text,
            cause=f"{text} {number}",
        )
        for number in range(MANY)
    ]


def finish(clock: ManualClock) -> Finish:
    settings = Settings.from_env(ENVIRONMENT)
    heading = Heading("snapshot", "daily", "act", "01RUN", SLOT_TAG, ACCOUNT, REGION)
    table = Table(home(REGION).dynamodb, TABLE, clock)
    return Finish(settings, table, clock, heading, clock.now(), clock.monotonic())


@pytest.mark.parametrize("text", [PLAIN, WIDE], ids=["plain", "wide"])
def test_ten_thousand_failures_are_one_message_and_an_answer_within_bounds(
    stack: Stack, cloud: StrictCloud, clock: ManualClock, text: str
) -> None:
    # The table is down: writing so many incidents to moto takes a minute, and alerting must go on.
    cloud.faults.add("denied", service="dynamodb", times=None)
    findings = Findings(outcomes(text), checks(text, healthy=False))

    answer = finish(clock).ended(findings, [], heartbeat=True)

    assert len(json.dumps(answer)) < MAX_ANSWER
    assert answer["counts"] == {"create": {"failed": MANY}}
    assert len(answer["outcomes"]) + answer["outcomes_omitted"] == MANY
    (sent,) = cloud.calls.of("Publish")
    assert sent.outcome == "ok"
    assert len(sent.params["Message"].encode()) < MAX_ANSWER
    (alarm,) = stack.alerts()
    assert len(alarm["incidents"]) + alarm["incidents_omitted"] == MANY
    assert f"{MANY} x backup_failed" in alarm["Subject"]
    assert len(alarm["Subject"]) < 100
    assert alarm["Subject"].isascii()


def test_four_hundred_incidents_open_and_resolve_with_one_message_each(
    stack: Stack, cloud: StrictCloud, clock: ManualClock
) -> None:
    for healthy in (False, True):
        told = checks(WIDE, healthy=healthy)[:400]
        finish(clock).ended(Findings([], told), [], heartbeat=True)

    assert [each["state"] for each in stack.alerts()] == ["ALARM", "OK"]
    open_now = [item for item in stack.items() if item["pk"].startswith("incidents#")]
    assert all(item["sk"].startswith("#") for item in open_now)
