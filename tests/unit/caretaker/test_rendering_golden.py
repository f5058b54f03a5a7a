"""Every message, word for word: the files in `golden` are what people get.

`REWRITE_GOLDEN=1 pytest tests/unit/caretaker/test_rendering_golden.py` writes them anew (see
`tests/support/golden.py`). What `test` sends is compared in `tests/aws/test_alerts_test_event.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from caretaker.incidents import Severity
from caretaker.rendering import Alert, Turn, render_messages
from caretaker.settings import Channel
from tests.support.alerts import ORIGIN, STALE, WARNING, numbered
from tests.support.builders import NOW
from tests.support.golden import FOLDER, check_golden

CHANNELS: Final = (Channel.ALERTS, Channel.URGENT, Channel.CHAT, Channel.PAGER)
ALERTING: Final = replace(ORIGIN, chore="alerts", policy="default", report="")
REMINDED: Final = replace(
    STALE, opened=NOW - timedelta(hours=8), reminders=2, report=ORIGIN.report, told=NOW
)
ESCALATED: Final = replace(
    WARNING, opened=NOW - timedelta(hours=72, minutes=5), reminders=3, escalated=True, told=NOW
)
FAILED: Final = replace(
    STALE,
    kind="item_failed",
    resource="i-0123456789abcdef0",
    severity=Severity.WARNING,
    name="",
    what="CreateSnapshots: InsufficientPermission",
    evidence={},
    done="",
    next="",
)
CASES: Final = {
    "opening_of_one": Alert(Turn.ALARM, [STALE], ORIGIN, [STALE], NOW),
    "opening_of_many": Alert(
        Turn.ALARM, [FAILED, *numbered(24, WARNING), STALE], ORIGIN, numbered(30), NOW
    ),
    "reminder": Alert(Turn.ALARM, [REMINDED], ALERTING, [REMINDED], NOW, paged=()),
    "escalation": Alert(Turn.ALARM, [ESCALATED], ALERTING, [ESCALATED], NOW, paged=[ESCALATED]),
    "recovery": Alert(Turn.OK, [STALE], ORIGIN, [], NOW),
}
OTHERS: Final = {"test"}


@pytest.mark.parametrize("case", CASES)
def test_every_channel_is_told_word_for_word(case: str) -> None:
    check_golden(case, render_messages(CASES[case], CHANNELS))


def test_no_golden_file_is_left_over() -> None:
    assert {path.name.partition(".")[0] for path in FOLDER.iterdir()} == {*CASES, *OTHERS}
