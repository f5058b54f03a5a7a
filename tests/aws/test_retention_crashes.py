"""Every call of a retention run goes wrong once, in every way; a clean run makes it good.

The calls of a clean run stand in a table. A first test holds the table to the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.crashes import FAULTS, UNCLEAR_FAULTS, kill, strike, strike_and_go_on
from tests.support.retention_world import CrashWorld, crash_world

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS: Final = {
    "BatchWriteItem": 2,
    "CreateTags": 1,
    "DeleteItem": 1,
    "DeleteSnapshot": 3,
    "DeleteTags": 1,
    "DescribeAutoScalingGroups": 1,
    "DescribeFastSnapshotRestores": 1,
    "DescribeImages": 1,
    "DescribeLaunchTemplateVersions": 1,
    "DescribeLockedSnapshots": 1,
    "DescribeSnapshotAttribute": 5,
    "DescribeSnapshots": 5,
    "DescribeVolumes": 1,
    "ListRules": 1,
    "Publish": 1,
    "PutItem": 9,
    "PutObject": 1,
    "Query": 10,
}
CHANGES: Final = ("CreateTags", "DeleteTags", "DeleteSnapshot")


@pytest.fixture
def world() -> Iterator[CrashWorld]:
    """A cloud for one scenario after the other."""
    with crash_world() as made:
        yield made


def faults_of(operation: str) -> tuple[str, ...]:
    """Return those that are told apart: the others are met by the SDK or the table's own tries."""
    return FAULTS if operation in CHANGES else ("denied",)


def test_the_table_names_every_call_of_a_clean_run(world: CrashWorld) -> None:
    for _ in range(2):
        world.build()
        world.run()
        assert dict(world.cloud.calls.operations()) == CALLS
        world.assert_good()


@pytest.mark.parametrize("operation", CALLS)
def test_a_retry_makes_good_what_one_failed_call_left(
    world: CrashWorld, operation: str, subtests: pytest.Subtests
) -> None:
    for kind in faults_of(operation):
        for nth in range(1, CALLS[operation] + 1):
            with subtests.test(kind=kind, nth=nth):
                world.build()
                strike(world, operation, nth, kind)
                world.assert_good()


@pytest.mark.parametrize("operation", CHANGES)
def test_the_next_invocation_makes_good_what_one_failed_call_left(
    world: CrashWorld, operation: str, subtests: pytest.Subtests
) -> None:
    for kind in UNCLEAR_FAULTS:
        for nth in range(1, CALLS[operation] + 1):
            with subtests.test(kind=kind, nth=nth):
                world.build()
                strike_and_go_on(world, operation, nth, kind)
                world.assert_good()


@pytest.mark.parametrize("operation", CALLS)
def test_lambdas_retries_make_good_what_a_killed_run_left(
    world: CrashWorld, operation: str, subtests: pytest.Subtests
) -> None:
    """To die after a call that changes nothing here is to die before the next one."""
    for effective in (False, True) if operation in {*CHANGES, "PutItem"} else (False,):
        for nth in range(1, CALLS[operation] + 1):
            with subtests.test(effective=effective, nth=nth):
                world.build()
                kill(world, operation, nth, effective=effective)
                world.assert_good()
