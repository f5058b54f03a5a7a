"""Every call of a drill goes wrong once; the next run makes it good, and nothing stays behind.

A first run counts the calls; then each of them is the one at which the process dies, before or
after it took effect, or that fails in one way.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crashes import RETRY_SECONDS, THIRD, kill, killed_at, strike_and_go_on
from tests.support.drill_world import CrashWorld, crash_world

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCKS: Final = {"blocks": 1}
VOLUME: Final = {"how": "volume", "rto_minutes": 10}
CHANGES: Final = ("CreateTags", "CreateVolume", "DeleteVolume", "PutItem")
_MOST: Final = 7
"""Of the calls of one operation: more are of the same kind, of one backup after the other."""
READS: Final = (
    "DeleteItem",
    "DescribeInstances",
    "DescribeSnapshots",
    "DescribeVolumes",
    "GetSnapshotBlock",
    "ListSnapshotBlocks",
    "PutObject",
    "Query",
    "UpdateItem",
)


@cache
def calls_of(name: str) -> dict[str, int]:
    """Return the calls of a run in which nothing goes wrong."""
    with crash_world(how_of(name)) as world:
        assert world.run()
        found = dict(world.cloud.calls.operations())
        del found["Scan"]  # the test's own
        world.check_truth()
        world.clock.advance(10)
        assert world.volumes_of_drills == {}
        world.check_nothing_stays()
        return found


def how_of(name: str) -> Mapping[str, Any]:
    return BLOCKS if name == "blocks" else VOLUME


def holds(world: CrashWorld) -> None:
    """All is proven, a further run changes nothing, two days later nothing of a drill is left."""
    world.check_truth()
    before = (world.proofs, {each: world.proven_at(each) for each in world.backups.values()})
    again = world.run(THIRD)
    assert again
    assert not any(item["action"] == "drill" for item in again["outcomes"])
    assert before == (
        world.proofs,
        {each: world.proven_at(each) for each in world.backups.values()},
    )
    world.check_messages()
    world.check_nothing_stays()


def test_the_tables_name_every_call_of_a_clean_run(one_at_a_time: None) -> None:
    for name in ("blocks", "volume"):
        assert set(calls_of(name)) <= {*CHANGES, *READS, "BatchWriteItem", "Publish"}


@pytest.mark.parametrize("name", ["blocks", "volume"])
@pytest.mark.parametrize("operation", [*CHANGES, *READS])
def test_a_drill_that_is_killed_is_made_good_by_lambdas_retries(
    name: str,
    operation: str,
    one_at_a_time: None,
    subtests: pytest.Subtests,
) -> None:
    for effective in (False, True) if operation in CHANGES else (False,):
        for nth in range(1, min(calls_of(name).get(operation, 0), _MOST) + 1):
            with subtests.test(effective=effective, nth=nth), crash_world(how_of(name)) as world:
                kill(world, operation, nth, effective=effective)
                holds(world)


@pytest.mark.parametrize("name", ["blocks", "volume"])
@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize("kind", ["answer_lost", "throttled", "denied"])
def test_a_drill_whose_change_fails_is_made_good_by_the_next_run(
    name: str,
    operation: str,
    kind: str,
    one_at_a_time: None,
    subtests: pytest.Subtests,
) -> None:
    for nth in range(1, min(calls_of(name).get(operation, 0), _MOST) + 1):
        with subtests.test(nth=nth), crash_world(how_of(name)) as world:
            strike_and_go_on(world, operation, nth, kind)
            proven = [each for each in world.proofs.values() if each["problem"] == ""]
            assert len(proven) >= len(world.backups) - 1
            world.check_nothing_stays()


_DEADLY: Final = ("CreateVolume", "DescribeVolumes", "DescribeVolumes")


def test_a_drill_that_is_killed_at_every_retry_leaves_what_a_later_day_sweeps(
    one_at_a_time: None,
) -> None:
    with crash_world(VOLUME) as world:
        for seconds, operation in zip((0, *RETRY_SECONDS), _DEADLY, strict=True):
            world.clock.advance(seconds)
            with killed_at(world.cloud, operation, 1, effective=True):
                assert world.run() is None
        assert len([v for v in world.volumes_of_drills if v != world.left]) == 1
        assert world.proofs == {}
        world.check_nothing_stays()
