"""Every call of a swap goes wrong once, in every way; the machine that goes on makes it good.

The calls of a clean swap stand in a table. A first test holds the table to the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.restore_crash import RestoreCrash, crash_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGES: Final = {
    "AttachVolume": 2,
    "CreateTags": 2,
    "CreateVolume": 2,
    "DetachVolume": 2,
    "ModifyInstanceAttribute": 1,
    "StartInstances": 1,
    "StopInstances": 1,
}
"""Calls of a clean swap of one instance with two volumes, by operation."""
DONE_WITHOUT: Final = {"CreateTags", "ModifyInstanceAttribute"}
READS: Final = {"DescribeInstanceStatus": 1, "DescribeInstances": 6, "DescribeVolumes": 6}
WRITES: Final = {"GetItem": 6, "PutItem": 25}
BACK: Final = {"AttachVolume": 2, "DeleteVolume": 2, "DetachVolume": 2, "StartInstances": 1}
"""Those of the way back, which come after those of the way there."""


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestoreCrash]:
    """An instance whose restore has been started, and not played yet."""
    with crash_scene(monkeypatch) as made:
        yield made


def each_in(scene: RestoreCrash, count: int) -> Iterator[int]:
    """Yield 1, 2 and so on, each in an account of its own."""
    for nth in range(1, count + 1):
        scene.open()
        yield nth


def test_the_table_names_every_change_of_a_clean_swap(scene: RestoreCrash) -> None:
    scene.play(scene.plan_id)
    calls = scene.cloud.calls.operations()
    assert {name: calls[name] for name in CHANGES} == CHANGES
    assert set(scene.changes()) == set(CHANGES)
    for name, count in (READS | WRITES).items():
        assert count <= calls[name] <= 1.5 * count, name
    scene.assert_good("restored")


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", CHANGES)
def test_a_worker_killed_at_a_change_is_followed_by_one_that_goes_on(
    scene: RestoreCrash, operation: str, *, effective: bool
) -> None:
    for nth in each_in(scene, CHANGES[operation]):
        scene.kill_at(operation, nth, effective=effective)
        scene.play_out("restored")
        assert scene.killed == 1


@pytest.mark.parametrize("operation", WRITES)
def test_a_worker_killed_between_any_two_calls_is_followed_by_one_that_goes_on(
    scene: RestoreCrash, operation: str
) -> None:
    """To die before a call is to die after the one before it."""
    for nth in each_in(scene, WRITES[operation]):
        scene.kill_at(operation, nth, effective=True)
        scene.play_out("restored")
        assert scene.killed == 1


@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_that_is_denied_once_leaves_all_as_it_was(
    scene: RestoreCrash, operation: str
) -> None:
    """But for tags, and what happens at the instance's end, which it does without."""
    for nth in each_in(scene, CHANGES[operation]):
        fault = scene.cloud.faults.add("denied", operation=operation, nth=nth)
        scene.play_out("restored" if operation in DONE_WITHOUT else "rolled_back")
        assert fault.fired == 1


@pytest.mark.parametrize("kind", ["answer_lost", "internal_error", "never_arrived"])
@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_whose_end_nobody_knows_is_told_from_what_is_there(
    scene: RestoreCrash, operation: str, kind: str
) -> None:
    """Four times over."""
    for nth in each_in(scene, CHANGES[operation]):
        fault = scene.cloud.faults.add(kind, operation=operation, nth=nth, times=4)
        scene.play_out("restored")
        assert fault.fired >= 1


@pytest.mark.parametrize("operation", READS)
def test_a_look_that_is_denied_once_is_taken_again(scene: RestoreCrash, operation: str) -> None:
    for nth in each_in(scene, READS[operation]):
        fault = scene.cloud.faults.add("denied", operation=operation, nth=nth)
        scene.play_out("restored")
        assert fault.fired == 1


@pytest.mark.parametrize("kind", ["answer_lost", "denied"])
@pytest.mark.parametrize("operation", WRITES)
def test_a_write_that_fails_once_is_made_good(
    scene: RestoreCrash, operation: str, kind: str
) -> None:
    for nth in each_in(scene, WRITES[operation]):
        fault = scene.cloud.faults.add(kind, operation=operation, nth=nth)
        scene.play_out("restored")
        assert fault.fired == 1


@pytest.mark.parametrize("effective", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", BACK)
def test_a_worker_killed_on_the_way_back_is_followed_by_one_that_goes_on(
    scene: RestoreCrash, operation: str, *, effective: bool
) -> None:
    for nth in each_in(scene, BACK[operation]):
        scene.fails_its_checks()
        scene.kill_at(operation, CHANGES.get(operation, 0) + nth, effective=effective)
        scene.play_out("rolled_back")
        assert scene.killed == 1
