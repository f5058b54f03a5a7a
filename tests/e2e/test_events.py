"""Every ready event, sent as the page says: by `sam remote invoke` to the deployed function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.tools import ROOT

EVENTS = sorted((ROOT / "events" / "snapshot").glob("*.json"))

OTHERWISE: Mapping[str, tuple[str, str | None]] = {
    "ebs-snapshot-failed": ("ok", "nothing_of_ours"),
    "ebs-snapshot-set-failed": ("ok", "nothing_of_ours"),
    "other-region": ("refused", "target_not_allowed"),
}
"""Status and reason of those that do not simply end `ok`: their snapshots and role are examples."""


@pytest.mark.parametrize("file", EVENTS, ids=lambda file: file.stem)
def test_every_ready_event_answers_as_its_page_says(
    file: Path, stack: Stack, demo: DemoAccount, ec2: RemoteCloud
) -> None:
    ec2.complete_pending()
    ec2.age(hours=1)

    answer = stack.remote_invoke("SnapshotFunction", file)

    assert (answer["status"], answer["reason"]) == OTHERWISE.get(file.stem, ("ok", None))
    assert {each["result"] for each in answer["outcomes"]} <= {"done", "planned", "unchanged"}
