"""What something else needs, or somebody asked to keep, is not marked; a mark on it is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.retention_needs import FREE, NEEDED
from tests.support.retention_world import RetentionWorld, a_world, verdict

if TYPE_CHECKING:
    from tests.cloud import ManualClock, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def world(cloud: StrictCloud, clock: ManualClock, stack: Stack) -> RetentionWorld:
    """An empty account, in pages of ten."""
    cloud.pages.size = 10
    return a_world(cloud, clock, stack)


def test_what_is_needed_is_neither_marked_nor_deleted_but_unmarked(
    world: RetentionWorld,
) -> None:
    fresh, marked = {}, {}
    for need, (close, _) in NEEDED.items():
        fresh[need], marked[need] = world.expired(), world.expired(marked_hours_ago=49)
        for each in (fresh[need], marked[need]):
            close(world, each)
            world.ledger.needed[each] = need
    other = world.expired(marked_hours_ago=49)

    answer = world.sweep()

    expected = {need: reason for need, (_, reason) in NEEDED.items()}
    assert {need: verdict(answer, each)[1] for need, each in fresh.items()} == expected
    assert {verdict(answer, each)[0] for each in fresh.values()} == {"keep"}
    assert {need: verdict(answer, each)[1] for need, each in marked.items()} == expected
    assert {verdict(answer, each)[0::2] for each in marked.values()} == {("unmark", "done")}
    assert verdict(answer, other) == ("delete", "expired", "done")
    assert answer["status"] == "ok"
    assert {*fresh.values(), *marked.values()} <= world.left
    assert world.marks == {}


def test_what_only_looks_like_a_need_keeps_nothing(world: RetentionWorld) -> None:
    fresh, marked = {}, {}
    for need, close in FREE.items():
        fresh[need], marked[need] = world.expired(), world.expired(marked_hours_ago=49)
        for each in (fresh[need], marked[need]):
            close(world, each)

    answer = world.sweep()

    done = {need: verdict(answer, each) for need, each in fresh.items()}
    assert done == dict.fromkeys(FREE, ("mark", "expired", "done"))
    gone = {need: verdict(answer, each) for need, each in marked.items()}
    in_use = gone.pop("another's image")  # EC2 itself refuses to delete what backs an image
    assert in_use == ("keep", "in_use", "unchanged")
    assert set(gone.values()) == {("delete", "expired", "done")}


def test_two_days_begin_anew_when_a_gate_closed_in_between(world: RetentionWorld) -> None:
    old = world.expired()
    world.sweep()
    ami = world.account.image(old)
    world.later(days=1)
    world.sweep()
    world.account.deregister_image(ami)
    world.later(days=2)

    assert verdict(world.sweep(), old) == ("mark", "expired", "done")
    world.later(hours=47)
    assert verdict(world.sweep(), old) == ("keep", "marked", "unchanged")
    world.later(hours=1)
    assert verdict(world.sweep(), old) == ("delete", "expired", "done")
