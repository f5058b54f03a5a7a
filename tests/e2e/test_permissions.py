"""What the role's policies allow is enforced for all but EC2: what happens when a part is missing.

That the other tests of this folder pass shows that the role may do all that it needs there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.e2e.conftest import Fleet, denied, ours

SLOT = "2026-11-21T03:00Z"

type Deny = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def deny(other_stack: Stack) -> Deny:
    """Deny the neighbour's function all actions of a service, for as long as it is needed."""
    return partial(denied, other_stack, "SnapshotRole")


@pytest.fixture
def take(other_stack: Stack, fleet: Fleet) -> Callable[[], Json]:
    """Take the fleet's snapshots with the neighbour's function."""

    def run() -> Json:
        event = {"policy": fleet.policy, "scheduled_time": SLOT}
        answer: Json = other_stack.invoke(other_stack.outputs["SnapshotFunctionName"], event)
        return answer

    return run


def warnings_of(stack: Stack, run: str) -> set[str]:
    """Return what one run logged above INFO."""
    lines = stack.log_documents(stack.outputs["SnapshotFunctionName"])
    return {
        each["message"]
        for each in lines
        if each.get("run") == run and each.get("level") in {"WARNING", "ERROR"}
    }


def test_with_all_that_the_template_gives_nothing_is_logged_above_info(
    other_stack: Stack, take: Callable[[], Json]
) -> None:
    answer = take()

    assert answer["counts"]["create"] == {"done": 3}
    assert warnings_of(other_stack, answer["run"]) == set()


def test_without_the_state_table_first_snapshots_go_on(
    other_stack: Stack, ec2: RemoteCloud, fleet: Fleet, take: Callable[[], Json], deny: Deny
) -> None:
    with deny("dynamodb:*"):
        answer = take()

    assert answer["counts"]["create"] == {"done": 3}
    taken = ours(ec2, "neighbour", policy=fleet.policy)
    assert sorted(each["VolumeId"] for each in taken) == sorted(fleet.volumes)
    assert "lease not taken" in warnings_of(other_stack, answer["run"])


def test_without_the_bucket_the_run_goes_on_and_says_so(
    take: Callable[[], Json], other_stack: Stack, deny: Deny
) -> None:
    with deny("s3:PutObject"):
        answer = take()

    assert answer["counts"]["create"] == {"done": 3}
    assert answer["report"] is None
    assert warnings_of(other_stack, answer["run"]) == {"report unwritten"}


def test_without_the_topic_the_unsent_alert_is_counted(
    take: Callable[[], Json], other_stack: Stack, ec2: RemoteCloud, fleet: Fleet, deny: Deny
) -> None:
    ec2.add_fault("denied", operation="CreateSnapshot", match=fleet.loose)
    with deny("sns:Publish"):
        answer = take()

    assert answer["counts"]["create"] == {"done": 2, "failed": 1}
    measured = other_stack.metrics(other_stack.outputs["SnapshotFunctionName"])[-1]
    assert measured["UnsentAlerts"] == [1]
