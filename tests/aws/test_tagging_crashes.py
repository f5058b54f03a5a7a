"""Every call of a tagging run goes wrong once, in every way; a clean run makes it good.

The calls of a clean run stand in a table. A first test holds the table to the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.crashes import kill, strike
from tests.support.tagging_crash_world import CrashWorld, crash_world

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS: Final = {
    "reads": {
        "DescribeAutoScalingGroups": 1,
        "DescribeInstances": 3,
        "DescribeTags": 1,
        "DescribeVolumes": 1,
        "GetResources": 1,
        "Query": 6,
    },
    "tags": {"CreateTags": 3, "DeleteTags": 2, "TagResources": 1},
    "steps": {"Publish": 3, "StartInstances": 1, "StopInstances": 1},
    "memory": {"BatchWriteItem": 7, "DeleteItem": 1, "PutItem": 11, "PutObject": 2},
}
CHANGES: Final = {*CALLS["tags"], "StartInstances", "StopInstances"}


@pytest.fixture
def world() -> Iterator[CrashWorld]:
    """A cloud for one scenario after the other."""
    with crash_world() as made:
        yield made


def faults_of(operation: str) -> tuple[str, ...]:
    """Return those that are told apart: the others are met by the SDK or the table's own tries."""
    return ("answer_lost", "throttled", "denied") if operation in CHANGES else ("denied",)


def points(group: str) -> list[tuple[str, int]]:
    """Return each call of a group: its operation, and which one of that it is."""
    return [(name, nth) for name, count in CALLS[group].items() for nth in range(1, count + 1)]


def test_the_table_names_every_call_of_a_clean_run(world: CrashWorld) -> None:
    for _ in range(2):
        world.build()
        world.run()
        known = {name: count for group in CALLS.values() for name, count in group.items()}
        assert dict(world.cloud.calls.operations()) == known
        world.assert_good()


@pytest.mark.parametrize("group", CALLS)
def test_a_retry_makes_good_what_one_failed_call_left(
    world: CrashWorld, group: str, subtests: pytest.Subtests
) -> None:
    for operation, nth in points(group):
        for kind in faults_of(operation):
            with subtests.test(operation=operation, nth=nth, kind=kind):
                world.build()
                strike(world, operation, nth, kind)
                world.assert_good()


@pytest.mark.parametrize("group", [each for each in CALLS if each != "reads"])
def test_lambdas_retries_make_good_what_a_killed_run_left(
    world: CrashWorld, group: str, subtests: pytest.Subtests
) -> None:
    """To die before a write of the state table is to die after the one before it."""
    for operation, nth in points(group):
        for effective in (True,) if group == "memory" else (False, True):
            with subtests.test(operation=operation, nth=nth, effective=effective):
                world.build()
                kill(world, operation, nth, effective=effective)
                world.assert_good()
