"""Every ready event of a fleet, sent to a hub of an organization, answers as its page says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.fleet import app
from tests.cloud import ACCOUNT
from tests.contract.template import ROOT, environment
from tests.support.fleet_world import MEMBERS, FleetWorld

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

FILES: Final = sorted((ROOT / "events" / "fleet").glob("*.json"))
OTHERWISE: Final[Mapping[str, tuple[str, str]]] = {
    "empty": ("refused", "event_invalid"),
    "units": ("refused", "event_invalid"),
    "wrong-event": ("refused", "event_invalid"),
}
"""Status and reason of those that do not simply begin: what they name are examples."""


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> FleetWorld:
    """A hub and two accounts, all in the organization, all with the role."""
    made = FleetWorld(cloud, clock, stack, account, monkeypatch)
    made.has_members()
    told = environment("FleetFunction")["CARETAKER_FLEET_CHORES"]["Fn::Sub"]
    monkeypatch.setenv("CARETAKER_FLEET_CHORES", told)
    for each in (ACCOUNT, *MEMBERS):
        cloud.organization.join(each, role="delegated" if each == ACCOUNT else "member")
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_ready_event_answers_as_its_page_says(path: Path, world: FleetWorld) -> None:
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    answer = world.stack.run(app.CHORE, event)

    assert (answer["status"], answer["reason"]) == OTHERWISE.get(path.stem, ("ok", None))
