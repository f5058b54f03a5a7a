"""Every call of a poll goes wrong once, in every way; the polls that follow make it good.

The calls of a clean poll stand in a table. A first test holds the table to the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.crashes import KilledError, killed_at
from tests.support.health_crash_scene import Scene, crash_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS: Final = {
    "reads": {
        "DescribeInstanceAttribute": 1,
        "DescribeInstanceStatus": 1,
        "DescribeInstanceTypes": 1,
        "DescribeInstances": 3,
        "DescribeVolumes": 1,
        "Query": 8,
    },
    "repairs": {
        "RebootInstances": 1,
        "SetInstanceHealth": 1,
        "StartInstances": 1,
        "StopInstances": 1,
    },
    "writes": {"BatchWriteItem": 4, "DeleteItem": 1, "Publish": 2, "PutItem": 12, "PutObject": 1},
}


def points(*groups: str) -> list[tuple[str, int]]:
    """Return each call of some groups: its operation, and which one of that it is."""
    named = [each for group in groups for each in CALLS[group].items()]
    return [(name, nth) for name, count in named for nth in range(1, count + 1)]


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A fleet in which this poll has something of everything to do."""
    with crash_scene() as made:
        yield made


def test_the_table_names_every_call_of_a_clean_poll(scene: Scene) -> None:
    scene.poll()
    known = {name: count for group in CALLS.values() for name, count in group.items()}
    assert dict(scene.cloud.calls.operations()) == known
    scene.go_on()
    scene.assert_good()


@pytest.mark.parametrize("kind", ["answer_lost", "never_arrived", "throttled", "denied"])
@pytest.mark.parametrize(("operation", "nth"), points("repairs"))
def test_a_repair_that_fails_once_is_made_good(
    scene: Scene, operation: str, nth: int, kind: str
) -> None:
    fault = scene.cloud.faults.add(kind, operation=operation, nth=nth)
    scene.try_poll()
    assert fault.fired == 1
    scene.go_on()
    scene.assert_good()


@pytest.mark.parametrize(("operation", "nth"), points("reads", "writes"))
def test_a_call_that_is_denied_once_is_made_good(scene: Scene, operation: str, nth: int) -> None:
    fault = scene.cloud.faults.add("denied", operation=operation, nth=nth)
    scene.try_poll()
    assert fault.fired == 1
    scene.go_on()
    scene.assert_good()


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("operation", "nth"), points("repairs"))
def test_a_poll_killed_at_a_repair_is_made_good(
    scene: Scene, operation: str, nth: int, *, effective: bool
) -> None:
    with killed_at(scene.cloud, operation, nth, effective=effective), pytest.raises(KilledError):
        scene.run()
    scene.go_on()
    scene.assert_good()


@pytest.mark.parametrize(("operation", "nth"), points("writes"))
def test_a_poll_killed_between_any_two_calls_is_made_good(
    scene: Scene, operation: str, nth: int
) -> None:
    """To die before a call is to die after the one before it."""
    with killed_at(scene.cloud, operation, nth, effective=True), pytest.raises(KilledError):
        scene.run()
    scene.go_on()
    scene.assert_good()
