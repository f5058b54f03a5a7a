from __future__ import annotations

from itertools import permutations

import pytest

from functions.retention.facts import lineages
from tests.support.retention import a_backup, a_disk


def lines(*disks: tuple[str, str], snapshots: dict[str, str]) -> dict[str, str]:
    """Return the lineages of volumes restored from snapshots; `snapshots` tells their volumes."""
    made = [a_backup(each, of=volume) for each, volume in snapshots.items()]
    return dict(lineages(made, [a_disk(v, restored_from=each) for v, each in disks]))


def test_a_lineage_reaches_back_over_several_restores() -> None:
    found = lines(("b", "of-a"), ("c", "of-b"), snapshots={"of-a": "a", "of-b": "b", "of-c": "c"})

    assert found == {"a": "a", "b": "a", "c": "a"}


def test_a_snapshot_that_is_gone_breaks_the_line() -> None:
    assert lines(("b", "gone"), ("c", "of-b"), snapshots={"of-b": "b"}) == {"b": "b", "c": "b"}


def test_a_volume_that_was_never_restored_begins_a_lineage() -> None:
    assert lines(("a", ""), snapshots={"of-b": "b"}) == {"a": "a", "b": "b"}


def test_volumes_restored_from_two_copies_are_no_family() -> None:
    """A copy's volume id is arbitrary: it says nothing of what was copied."""
    found = lines(
        ("a", "copy-1"),
        ("b", "copy-2"),
        snapshots={"copy-1": "vol-ffffffff", "copy-2": "vol-ffffffff"},
    )

    assert (found["a"], found["b"]) == ("a", "b")


@pytest.mark.parametrize(
    "disks",
    [
        [("a", "of-a")],
        [("a", "of-b"), ("b", "of-a")],
        [("a", "of-b"), ("b", "of-c"), ("c", "of-a")],
        [("a", "of-b"), ("b", "of-a"), ("c", "of-a")],
    ],
    ids=["itself", "two", "three", "two and a third of them"],
)
def test_a_circle_of_restores_ends_and_comes_out_the_same_in_any_order(
    disks: list[tuple[str, str]],
) -> None:
    snapshots = {"of-a": "a", "of-b": "b", "of-c": "c"}

    found = [lines(*order, snapshots=snapshots) for order in permutations(disks)]

    assert found == [found[0]] * len(found)
    assert set(found[0]) == {"a", "b", "c"}
