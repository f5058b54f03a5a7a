"""Every ready event, sent to the deployed function, as the pages say by `sam remote invoke`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.tools import ROOT
from tests.contract.template import function_of

EVENTS = sorted((ROOT / "events").glob("*/*.json"))

OTHERWISE: Mapping[str, tuple[str, str | None]] = {
    "snapshot/ebs-snapshot-failed": ("ok", "nothing_of_ours"),
    "snapshot/ebs-snapshot-set-failed": ("ok", "nothing_of_ours"),
    "snapshot/other-region": ("refused", "target_not_allowed"),
    "instance_health/act": ("refused", "mode_not_allowed"),
    "instance_health/other-region": ("refused", "target_not_allowed"),
    "instance_health/wrong-ladder": ("refused", "event_invalid"),
    "instance_health/wrong-windows": ("refused", "event_invalid"),
    "retention/approve": ("refused", "plan_unknown"),
    "retention/empty": ("refused", "event_invalid"),
    "retention/other-region": ("refused", "target_not_allowed"),
    "tagging/approve": ("refused", "plan_unknown"),
    "tagging/empty": ("refused", "event_invalid"),
    "tagging/other-region": ("refused", "target_not_allowed"),
    "tagging/reserved-key": ("refused", "event_invalid"),
    "tagging/wrong-rules": ("refused", "event_invalid"),
}
"""Status and reason of those that do not simply end `ok`: what they name are examples."""
IN_FULL = {"snapshot", "retention", "alerts"}
"""Chores whose events all go the long way by the SAM CLI; of the others one does."""


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.fixture(scope="module")
def organized(demo: DemoAccount, stack: Stack) -> DemoAccount:
    """The account as part of an organization that has tagged it."""
    stack.cloud.ec2.seed("organization", role="management", tags={"CostCenter": "4711"})
    return demo


@pytest.mark.parametrize("file", EVENTS, ids=_name)
def test_every_ready_event_answers_as_its_page_says(
    file: Path, stack: Stack, organized: DemoAccount, ec2: RemoteCloud
) -> None:
    assert organized.instances
    ec2.complete_pending()
    ec2.age(hours=1)

    chore = file.parent.name
    if chore in IN_FULL or file.stem in {"dry-run", "report"}:
        answer = stack.remote_invoke(function_of(chore), file)
    else:
        name = stack.outputs[f"{function_of(chore)}Name"]
        answer = stack.invoke(name, json.loads(file.read_text()))

    assert (answer["status"], answer["reason"]) == OTHERWISE.get(_name(file), ("ok", None))
    assert {each["result"] for each in answer["outcomes"]} <= {"done", "planned", "unchanged"}
