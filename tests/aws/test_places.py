"""Work in other accounts and regions, by the role of the stack; what is the stack's stays home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.snapshot import app
from tests.cloud import Account
from tests.support.snapshots import BACKUP, DAILY, good_in_slot, kinds, results

if TYPE_CHECKING:
    import pytest

    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ELSEWHERE = "210987654321"


def test_works_in_another_account_through_its_role_and_external_id(
    stack: Stack, account: Account, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    monkeypatch.setenv("CARETAKER_TARGET_EXTERNAL_ID", "a-secret-name")
    there = Account(cloud, account=ELSEWHERE)
    volume, mine = there.volume(tags=BACKUP), account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"account": ELSEWHERE}})

    assert answer["account"] == ELSEWHERE
    assert results(answer) == {volume: "done"}
    assert len(good_in_slot(there, volume)) == 1
    assert good_in_slot(account, mine) == []
    (assumed,) = cloud.calls.of("AssumeRole")
    assert assumed.params["RoleArn"] == f"arn:aws:iam::{ELSEWHERE}:role/caretaker-target"
    assert assumed.params["ExternalId"] == "a-secret-name"
    assert {call.account for call in cloud.calls if call.service == "ec2"} == {ELSEWHERE}


def test_works_in_another_region_while_the_stacks_own_things_stay_home(
    stack: Stack, account: Account, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    there = Account(cloud, region="eu-central-1")
    volume, mine = there.volume(tags=BACKUP), account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"region": "eu-central-1"}})

    assert answer["region"] == "eu-central-1"
    assert results(answer) == {volume: "done"}
    assert good_in_slot(account, mine) == []
    assert stack.report(answer)


def test_a_role_that_may_not_be_assumed_fails_the_run_and_is_told(
    stack: Stack, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")
    cloud.faults.add("denied", operation="AssumeRole", times=None)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"account": ELSEWHERE}})

    assert answer["status"] == "failed"
    assert kinds(stack.alerts()) == ["run_failed"]
