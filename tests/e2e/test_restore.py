"""The deployed restore: a plan, its approval, and the state machine that carries it out."""

from __future__ import annotations

import time
from itertools import count

import pytest

from tests.cloud.demo_workers import kill_worker
from tests.cloud.remote import RemoteCloud
from tests.e2e.restorer import GOOD, LOST, Restorer
from tests.e2e.tagger import Tagger

_numbers = count(1)
STALL = 6
"""So many seconds a call hangs in which the function is killed."""


@pytest.fixture
def restorer(tagger: Tagger, ec2: RemoteCloud) -> Restorer:
    """A policy of the test's own, on a cloud whose volumes move quickly."""
    ec2.settings(creating_seconds=1, attaching_seconds=1, detaching_seconds=1, deleting_seconds=1)
    return Restorer(tagger.stack, f"restore-{next(_numbers)}")


def test_a_plan_tells_everything_and_changes_nothing(restorer: Restorer, ec2: RemoteCloud) -> None:
    (machine,) = restorer.machines(1)
    before = ec2.state()
    answer = restorer.plan([machine])
    (item,) = answer["outcomes"]
    assert (item["action"], item["reason"], item["result"]) == ("restore", "asked", "planned")
    assert {each["volume"] for each in item["detail"]["volumes"]} == set(machine.volume_ids)
    assert ec2.state() == before


def test_without_the_plan_that_was_read_nothing_begins(
    restorer: Restorer, ec2: RemoteCloud
) -> None:
    (machine,) = restorer.machines(1)
    wanted = {"policy": restorer.policy, "select": {"instances": [machine.id]}, "how": "swap"}
    for approve in ({}, {"approve": "p-0123456789abcdef"}):
        answer = restorer.stack.invoke(restorer.function, {**wanted, "mode": "act", **approve})
        assert answer["status"] == "refused"
        assert answer["errors"][0]["path"] == "approve"
    assert ec2.seed("power_log", machine.id) == []


def test_lost_data_comes_back_wave_by_wave_and_the_originals_stay(
    restorer: Restorer, ec2: RemoteCloud
) -> None:
    machines = restorer.machines(3)
    assert {data for each in machines for data in restorer.data(each).values()} == set(
        LOST.values()
    )
    execution = restorer.approve(machines, wave=2, check_minutes=0)
    assert restorer.ended(execution) == "SUCCEEDED"
    for machine in machines:
        assert set(restorer.data(machine).values()) == set(GOOD.values())
        assert ec2.seed("power_log", machine.id) == ["stop", "start"]
        for original in machine.volume_ids:
            assert "caretaker:replaced-by" in ec2.seed("tags_of", original)


def test_a_worker_that_is_killed_in_the_middle_is_followed_by_another(
    restorer: Restorer, ec2: RemoteCloud
) -> None:
    (machine,) = restorer.machines(1)
    ec2.add_fault("answer_lost", operation="StopInstances", match=machine.id, seconds=STALL)
    execution = restorer.approve([machine], check_minutes=0)
    until = time.monotonic() + 60
    while not ec2.seed("power_log", machine.id) and time.monotonic() < until:
        time.sleep(0.05)
    kill_worker(restorer.function)
    ec2.clear_faults()
    assert restorer.ended(execution) == "SUCCEEDED"
    assert set(restorer.data(machine).values()) == set(GOOD.values())
    assert ec2.seed("power_log", machine.id)[-1] == "start"
