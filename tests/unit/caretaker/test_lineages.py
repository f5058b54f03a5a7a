"""A volume that was restored continues the lineage of the one before it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from caretaker import tags as tag
from caretaker.ec2 import COPIED_VOLUME_ID
from caretaker.lineages import backups_along, lineages
from tests.support.builders import NOW, a_snapshot

ONE, TWO, THREE = "vol-00000001", "vol-00000002", "vol-00000003"


def restored_from(snapshot: str) -> dict[str, str]:
    return {tag.RESTORED_FROM: snapshot}


def test_a_volume_is_the_first_of_its_own_line() -> None:
    assert lineages([a_snapshot("snap-1", of=ONE)], {TWO: {}}) == {ONE: ONE, TWO: TWO}


def test_one_that_was_restored_continues_the_line_of_its_snapshot() -> None:
    snapshots = [a_snapshot("snap-1", of=ONE)]

    assert lineages(snapshots, {ONE: {}, TWO: restored_from("snap-1")}) == {ONE: ONE, TWO: ONE}


def test_also_when_the_first_is_gone_and_over_several_restores() -> None:
    snapshots = [a_snapshot("snap-1", of=ONE), a_snapshot("snap-2", of=TWO)]
    volumes = {TWO: restored_from("snap-1"), THREE: restored_from("snap-2")}

    assert lineages(snapshots, volumes) == {ONE: ONE, TWO: ONE, THREE: ONE}


def test_a_snapshot_that_is_gone_breaks_the_line() -> None:
    assert lineages([], {TWO: restored_from("snap-1")}) == {TWO: TWO}


def test_a_copy_tells_nothing_of_its_volume() -> None:
    snapshots = [a_snapshot("snap-1", of=COPIED_VOLUME_ID)]

    assert lineages(snapshots, {TWO: restored_from("snap-1")}) == {TWO: TWO}


def test_volumes_restored_from_two_copies_are_no_family() -> None:
    """The id that copies name is always the same."""
    copies = [a_snapshot(each, of=COPIED_VOLUME_ID) for each in ("copy-1", "copy-2")]
    volumes = {ONE: restored_from("copy-1"), TWO: restored_from("copy-2")}

    assert lineages(copies, volumes) == {ONE: ONE, TWO: TWO}


@pytest.mark.parametrize(
    "parents",
    [
        {ONE: ONE},
        {ONE: TWO, TWO: ONE},
        {ONE: TWO, TWO: THREE, THREE: ONE},
        {ONE: TWO, TWO: ONE, THREE: ONE},
    ],
    ids=["itself", "two", "three", "two and a third of them"],
)
def test_a_circle_ends_and_comes_out_the_same_in_any_order(parents: dict[str, str]) -> None:
    snapshots = [a_snapshot(f"of-{each}", of=each) for each in (ONE, TWO, THREE)]
    volumes = [(each, restored_from(f"of-{parent}")) for each, parent in parents.items()]

    found = [lineages(snapshots, dict(order)) for order in permutations(volumes)]

    assert found == [found[0]] * len(found)
    assert set(found[0]) == {ONE, TWO, THREE}


def test_what_one_held_after_the_next_was_made_of_it_is_not_the_next_ones() -> None:
    """Each is bounded by the birth of the one that continues it, not by that of the youngest."""
    taken = {
        each: [a_snapshot(f"{each}-{days}", of=each, age_hours=24 * days) for days in (6, 4, 2)]
        for each in (ONE, TWO, THREE)
    }
    made = {TWO: NOW - timedelta(days=5), THREE: NOW - timedelta(days=3)}

    found = backups_along((THREE, TWO, ONE), made, taken)

    assert [each.id for each in found] == [
        f"{ONE}-6",
        f"{TWO}-6",
        f"{TWO}-4",
        f"{THREE}-6",
        f"{THREE}-4",
        f"{THREE}-2",
    ]


def test_where_nobody_knows_when_a_volume_was_made_its_own_alone_count() -> None:
    taken = {each: [a_snapshot(f"of-{each}", of=each)] for each in (ONE, TWO)}

    assert [each.id for each in backups_along((TWO, ONE), {}, taken)] == [f"of-{TWO}"]
