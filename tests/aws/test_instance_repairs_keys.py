"""Encrypted volumes: nothing is stopped that would not start again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.health_crash import RepairWorld
from tests.support.health_world import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account
) -> Iterator[RepairWorld]:
    """An account whose instances are about to break."""
    cloud.pages.size = None
    made = RepairWorld(cloud, clock, stack, account)
    yield made
    assert made.unwritten == []


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "denied", "not the stack's"])
def test_an_instance_whose_key_could_not_be_used_is_not_stopped_and_the_key_is_named(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    is_state = state in {"Disabled", "PendingDeletion"}
    key = world.account.key(state=state if is_state else "Enabled", denied=state == "denied")
    ours = key if state != "not the stack's" else world.account.key()
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", ours)
    broken = world.broken(kms_key=key)
    answers = world.polls(4)
    assert told(answers[-1], broken) == ("report", "key_unusable", "unchanged")
    assert world.account.power_log(broken) == []
    (alert,) = world.stack.alerts()
    assert "[CRIT]" in alert["Subject"]
    assert key in str(alert["incidents"][0]["evidence"])


def test_one_bad_key_of_several_volumes_is_enough(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = world.account.key(), world.account.key(state="Disabled")
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", f"{good},{bad}")
    broken = world.broken(kms_key=good)
    world.account.attach(world.account.volume(kms_key=bad), broken, "/dev/sdz")
    assert told(world.polls(2)[-1], broken)[1] == "key_unusable"


def test_a_bad_key_forbids_no_reboot(world: RepairWorld) -> None:
    broken = world.broken("instance", "reboot", kms_key=world.account.key(state="Disabled"))
    world.until_quiet()
    assert world.account.power_log(broken) == ["reboot"]


@pytest.mark.parametrize("of", ["AWS", "the stack"])
def test_an_instance_whose_keys_can_be_used_is_stopped_and_started(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    key = world.account.key()
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", f"arn:aws:kms:eu-west-1:1:key/x,{key}")
    broken = world.broken(kms_key=key) if of == "the stack" else world.broken(encrypted=True)
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]


def test_a_key_disabled_before_the_next_rung_ends_the_ladder_with_people(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", key := world.account.key())
    broken = world.broken("instance", "nothing", kms_key=key)
    world.polls(13)
    world.account.set_key_state(key, "Disabled")
    answers = world.polls(12)
    assert world.account.power_log(broken) == ["reboot", "reboot"]
    assert "key_unusable" in {told(each, broken)[1] for each in answers}
    assert "[CRIT]" in world.heard()[-1]


def test_a_key_disabled_while_the_instance_is_stopped_is_waited_for(
    world: RepairWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_KMS_KEY_ARNS", key := world.account.key())
    broken = world.stopped_by_us(kms_key=key)
    world.account.set_key_state(key, "Disabled")
    world.polls(8)
    assert world.state(broken) == "stopped"
    assert world.account.power_log(broken).count("fell-back") >= 3
    assert f"instance_left_stopped/{broken}" in world.open_incidents
    world.account.set_key_state(key, "Enabled")
    world.until_quiet()
    assert world.state(broken) == "running"
    assert world.open_incidents == []


@pytest.mark.parametrize("fault", ["unavailable", "never_arrived"])
def test_a_key_that_cannot_be_asked_about_now_is_asked_about_later(
    world: RepairWorld, fault: str
) -> None:
    broken = world.broken(encrypted=True)
    world.poll()
    world.cloud.faults.add(fault, operation="DescribeKey", times=None)
    answer = world.poll()
    assert told(answer, broken)[0] == "report"
    assert world.account.power_log(broken) == []
    world.cloud.faults.clear()
    world.until_quiet()
    assert world.account.power_log(broken) == ["stop", "start"]
