"""The deployed fleet: chores over three accounts and regions, each cell's effect in its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.cloud.account import BACKUP_TAG
from tests.cloud.demo_history import MARK, Past
from tests.e2e.conftest import NEIGHBOUR
from tests.e2e.fleet_world import (
    CELLS,
    EXTERNAL_ID,
    INSTALLATION,
    MEMBERS,
    REGIONS,
    ROLE,
    Cell,
    Hub,
)
from tests.support.accounts import error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud.stack import LocalCloud

SLOT = "2026-11-21T03:00:00Z"
NEXT_SLOT = "2026-11-22T03:00:00Z"
NAME = "20261121T0300Z"
RULE = {"pattern": "[a-z]+", "from": ["instance"], "applies_to": ["volume"]}
_numbers = count(1)


@pytest.fixture(scope="module")
def hub(cloud: LocalCloud) -> Iterator[Hub]:
    cloud.ec2.clear_faults()
    made = Hub.deploy(cloud, NEIGHBOUR)
    yield made
    made.leave()


@pytest.fixture
def policy(hub: Hub) -> Iterator[str]:
    """A policy of the test's own; what others have heard is no concern of it."""
    hub.heard.news()
    yield f"fleet-{next(_numbers)}"
    hub.ec2.clear_faults()
    for each in MEMBERS:
        hub.ec2.fleet("access/reopen", each)


@pytest.fixture
def volumes(hub: Hub, policy: str) -> dict[Cell, str]:
    """A volume that is to be backed up, in each cell."""
    return {cell: hub.ec2.volume(tags={BACKUP_TAG: policy}, **cell.place) for cell in CELLS}


def test_a_snapshot_is_taken_in_every_cell_however_often_the_slot_is_started(
    hub: Hub, policy: str, volumes: dict[Cell, str]
) -> None:
    start = partial(hub.start, policy, "snapshot", {"policy": policy}, scheduled_time=SLOT)
    first, again = start(), start()
    assert first["summary"]["run"] == again["summary"]["run"] == f"{policy}-{NAME}"
    assert again["summary"]["execution"] in {first["summary"]["execution"], ""}
    judged = hub.ended(first)
    assert (judged["status"], judged["summary"]["ended"]) == ("ok", {"ended": 9})
    assert hub.ledger(judged).keys() == {cell.name for cell in CELLS}
    after = start()
    assert (after["reason"], after["summary"]["execution"]) == ("already_ended", "")
    for cell in CELLS:
        (taken,) = hub.snapshots(cell, policy=policy)
        assert taken["caretaker:managed-by"] == INSTALLATION
        assert taken["caretaker:slot"] == "2026-11-21T03:00Z"
    assert [len(wave) for wave in hub.waves(judged)] == [1, 8]


def test_retention_goes_in_waves_and_marks_in_every_cell(
    hub: Hub, policy: str, volumes: dict[Cell, str]
) -> None:
    past = Past(hub.ec2, INSTALLATION, datetime.now(UTC))
    for cell, volume in volumes.items():
        for night in range(1, 5):
            place: dict[str, Any] = cell.place
            past.snapshot(policy, volume, night, **place)
    event = {"policy": policy, "keep": {"last": 2}}
    for slot in (SLOT, NEXT_SLOT):
        judged = hub.run(policy, "retention", event, scheduled_time=slot)
        assert (judged["status"], judged["summary"]["ended"]) == ("ok", {"ended": 9})
        waves = hub.waves(judged)
        assert [len(wave) for wave in waves] == [1, 1, 7]
        assert len({cell for wave in waves for cell in wave}) == 9
    for cell in CELLS:
        found = hub.snapshots(cell, policy=policy)
        assert (len(found), sum(MARK in each for each in found)) == (4, 2)


def test_tags_are_set_in_every_cell(hub: Hub, policy: str) -> None:
    machines = {
        cell: hub.ec2.instance({}, {}, tags={"Team": "web"}, **cell.place) for cell in CELLS
    }
    event = {"policy": policy, "rules": {"Team": RULE}, "blast_radius": {"count": 500}}
    judged = hub.run(policy, "tagging", event, scheduled_time=SLOT)
    assert (judged["status"], judged["summary"]["ended"]) == ("ok", {"ended": 9})
    for cell, machine in machines.items():
        for volume in machine.volume_ids:
            assert hub.ec2.seed("tags_of", volume, **cell.place)["Team"] == "web"


def test_a_run_that_reports_changes_nothing_and_could_not(
    hub: Hub, policy: str, volumes: dict[Cell, str]
) -> None:
    hub.ec2.clear_calls()
    event = {"policy": policy}
    judged = hub.run(policy, "snapshot", event, scheduled_time=SLOT, mode="report", express=True)
    assert (judged["status"], judged["summary"]["ended"]) == ("ok", {"ended": 9})
    assert not any(hub.snapshots(cell, policy=policy) for cell in CELLS)
    calls = hub.ec2.calls()
    assumed = [each["params"] for each in calls if each["operation"] == "AssumeRole"]
    assert assumed
    allowed = {
        action for each in assumed for action in json.loads(each["Policy"])["Statement"]["Action"]
    }
    assert {action.split(":")[1][:8] for action in allowed} == {"Describe"}


def test_nobody_but_the_hubs_own_functions_takes_the_role(hub: Hub) -> None:
    arn = f"arn:aws:iam::{MEMBERS[0]}:role/{ROLE}"
    ask = partial(
        hub.stack.client("sts").assume_role,
        RoleArn=arn,
        RoleSessionName="caretaker-snapshot",
        ExternalId=EXTERNAL_ID,
    )
    code, message, _ = error_of(ask)
    assert code == "AccessDenied"
    assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {arn}")


def test_one_digest_names_a_closed_account_and_a_killed_child(
    hub: Hub, policy: str, volumes: dict[Cell, str]
) -> None:
    closed, killed = MEMBERS[1], Cell(MEMBERS[2], REGIONS[0])
    hub.ec2.fleet("access/close", closed)
    hub.ec2.add_fault("caller_dies", operation="CreateSnapshot", match=volumes[killed], times=None)
    judged = hub.run(policy, "snapshot", {"policy": policy}, scheduled_time=SLOT)
    assert judged["summary"]["ended"] == {"ended": 5, "unanswered": 1}
    assert judged["summary"]["unreached"] == 1
    ledger = hub.ledger(judged)
    assert ledger[closed]["reason"] == "unreachable"
    assert ledger[killed.name]["reason"] == "unanswered"
    alarms = [each for each in hub.news(policy) if each["state"] == "ALARM"]
    assert len(alarms) == 1, alarms
    told = json.dumps(alarms[0])
    assert closed in told
    assert killed.name in told
    for cell in CELLS:
        reached = cell.account != closed and cell != killed
        assert len(hub.snapshots(cell, policy=policy)) == reached, cell


def test_a_wrong_inner_event_stops_at_the_canary(
    hub: Hub, policy: str, volumes: dict[Cell, str]
) -> None:
    event = {"policy": policy, "max_age_hours": "never"}
    judged = hub.run(policy, "snapshot", event, scheduled_time=SLOT)
    assert "max_age_hours" in judged["summary"]["stopped"]
    assert (judged["summary"]["begun"], judged["summary"]["cells"]) == (1, 9)
    assert [len(wave) for wave in hub.waves(judged)] == [1]
    (alarm,) = [each for each in hub.news(policy) if each["state"] == "ALARM"]
    assert "max_age_hours" in json.dumps(alarm)
    assert not any(hub.snapshots(cell, policy=policy) for cell in CELLS)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"chore": "uptime"}, "chore"),
        ({"accounts": {"ids": ["12"]}}, "accounts.ids"),
        ({"regions": {"names": ["eu-middle-1"]}}, "regions"),
        ({"concurrency": 5_000}, "concurrency"),
        ({"accounts": {"organization": True, "ids": ["444444444444"]}}, "accounts"),
    ],
    ids=["chore", "account", "region", "concurrency", "stranger"],
)
def test_a_wrong_event_is_refused_in_the_answer(
    hub: Hub, policy: str, more: dict[str, object], named: str
) -> None:
    asked: dict[str, Any] = {"chore": "snapshot", **more, "scheduled_time": SLOT}
    answer = hub.start(policy, event={"policy": policy}, **asked)
    assert answer["status"] == "refused"
    assert any(each["path"].startswith(named) for each in answer["errors"]), answer["errors"]
    runs = hub.stack.client("stepfunctions").list_executions(
        stateMachineArn=hub.stack.outputs["FleetMachineArn"]
    )["executions"]
    assert not any(each["name"].startswith(f"{policy}-") for each in runs)
