"""Every ready event, sent as the page says: by `sam remote invoke` to the deployed function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.tools import ROOT

EVENTS = sorted((ROOT / "events").glob("*/*.json"))

OTHERWISE: Mapping[str, tuple[str, str | None]] = {
    "snapshot/ebs-snapshot-failed": ("ok", "nothing_of_ours"),
    "snapshot/ebs-snapshot-set-failed": ("ok", "nothing_of_ours"),
    "snapshot/other-region": ("refused", "target_not_allowed"),
    "retention/approve": ("refused", "plan_unknown"),
    "retention/empty": ("refused", "event_invalid"),
    "retention/other-region": ("refused", "target_not_allowed"),
}
"""Status and reason of those that do not simply end `ok`: what they name are examples."""


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("file", EVENTS, ids=_name)
def test_every_ready_event_answers_as_its_page_says(
    file: Path, stack: Stack, demo: DemoAccount, ec2: RemoteCloud
) -> None:
    ec2.complete_pending()
    ec2.age(hours=1)

    answer = stack.remote_invoke(f"{file.parent.name.capitalize()}Function", file)

    assert (answer["status"], answer["reason"]) == OTHERWISE.get(_name(file), ("ok", None))
    assert {each["result"] for each in answer["outcomes"]} <= {"done", "planned", "unchanged"}
