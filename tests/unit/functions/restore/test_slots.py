"""The slot that brings all volumes back to one moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from caretaker.slots import slot_time
from functions.restore.facts import Reason
from functions.restore.slots import Known, Slot, first_whole, slot_for
from tests.support.builders import NOW
from tests.support.restoring import OLD, a_backup, a_disk, gathered

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.ec2 import Snapshot

NEW = "vol-00000009"


def known(*snapshots: Snapshot, made: datetime | None = None) -> Known:
    """Return what is known; NEW is a volume that was restored then, of a backup of the first."""
    lines = {NEW: (NEW, OLD[0])} if made else {}
    return Known.of(gathered(*snapshots, a_disk(NEW, created=made), lines=lines), "daily")


def found(volume: str, known: Known, at: datetime = NOW) -> str:
    """Return the snapshot that a volume comes back from."""
    slot = slot_for([volume], known, at)
    assert isinstance(slot, Slot), slot
    return slot.snapshots[volume].id


def days_back(found: Slot | Reason) -> int:
    """Return how old the slot is that was found."""
    assert isinstance(found, Slot)
    return (NOW - slot_time(found.name)).days


FULL = [a_backup(each, days=days) for each in OLD for days in (1, 2, 3)]


def test_the_newest_slot_that_is_not_after_the_moment() -> None:
    for at, days in ((NOW, 1), (NOW - timedelta(days=1), 1), (NOW - timedelta(hours=25), 2)):
        assert days_back(slot_for(OLD, known(*FULL), at)) == days


def test_all_volumes_come_from_the_same_slot_even_if_one_has_a_newer() -> None:
    some = [a_backup(OLD[0], days=1), a_backup(OLD[0], days=2), a_backup(OLD[1], days=2)]
    found = slot_for(OLD, known(*some), NOW)

    assert days_back(found) == 2
    assert isinstance(found, Slot)
    assert {v: s.id for v, s in found.snapshots.items()} == {OLD[0]: some[1].id, OLD[1]: some[2].id}


def test_a_moment_before_the_first_slot_has_none() -> None:
    assert slot_for(OLD, known(*FULL), NOW - timedelta(days=4)) is Reason.NO_COMPLETE_SLOT


def test_volumes_without_a_slot_in_common_have_none() -> None:
    some = [a_backup(OLD[0], days=1), a_backup(OLD[1], days=2)]

    assert slot_for(OLD, known(*some), NOW) is Reason.NO_COMPLETE_SLOT


def test_a_volume_that_was_never_backed_up_is_told() -> None:
    assert slot_for(OLD, known(a_backup(OLD[0])), NOW) is Reason.NO_BACKUP


@pytest.mark.parametrize(
    "odd", [{"state": "pending"}, {"state": "error"}, {"policy": "hourly"}, {"slot": "yesterday"}]
)
def test_only_completed_snapshots_of_the_policy_and_of_a_slot_count(odd: dict[str, Any]) -> None:
    newer = a_backup(OLD[0], days=1, **odd)

    backups = known(newer, a_backup(OLD[0], days=2))
    assert days_back(slot_for([OLD[0]], backups, NOW)) == 2


def test_of_two_in_one_slot_the_newer_is_used() -> None:
    slot = FULL[0].slot
    one = a_backup(OLD[0], name="snap-b", started=NOW - timedelta(hours=24))
    two = a_backup(OLD[0], name="snap-a", slot=slot, started=NOW - timedelta(hours=23))

    for order in ([one, two], [two, one]):
        found = slot_for([OLD[0]], known(*order), NOW)
        assert isinstance(found, Slot)
        assert found.snapshots[OLD[0]].id == "snap-a"


def test_a_snapshot_that_was_started_after_the_moment_holds_what_came_then() -> None:
    slot = FULL[0].slot
    late = a_backup(OLD[0], slot=slot, started=NOW - timedelta(hours=20))
    known_ones = known(late, a_backup(OLD[0], days=2))

    assert days_back(slot_for([OLD[0]], known_ones, NOW - timedelta(hours=21))) == 2
    assert days_back(slot_for([OLD[0]], known_ones, NOW - timedelta(hours=20))) == 1


def test_a_later_snapshot_of_a_slot_does_not_hide_the_one_in_time() -> None:
    own = a_backup(OLD[0], name="in time")
    again = a_backup(OLD[0], name="again", slot=own.slot, started=NOW - timedelta(hours=20))
    both = known(own, again)

    assert found(OLD[0], both, NOW - timedelta(hours=21)) == "in time"
    assert found(OLD[0], both) == "again"


def test_what_is_lost_counts_from_the_first_snapshot_of_a_slot() -> None:
    slot = FULL[0].slot
    late = a_backup(OLD[1], slot=slot, started=NOW - timedelta(hours=20))
    both = slot_for(OLD, known(a_backup(OLD[0]), late), NOW)

    assert isinstance(both, Slot)
    assert (both.began, both.ended) == (NOW - timedelta(hours=24), NOW - timedelta(hours=20))


def test_a_volumes_own_snapshot_comes_before_that_of_the_one_it_replaced() -> None:
    own = a_backup(NEW, name="snap-own", started=NOW - timedelta(hours=24))
    other = a_backup(OLD[0], name="snap-other", slot=own.slot, started=NOW - timedelta(hours=25))
    both = known(own, other, made=NOW - timedelta(hours=24.5))

    assert (found(NEW, both), found(OLD[0], both)) == ("snap-own", "snap-other")


def test_a_restored_volume_has_the_backups_of_the_one_before_it() -> None:
    snapshots = a_backup(OLD[0], days=2, name="before"), a_backup(NEW, name="own")
    both = known(*snapshots, made=NOW - timedelta(days=1, hours=12))

    assert found(NEW, both, NOW - timedelta(days=1, hours=1)) == "before"
    assert found(NEW, both) == "own"


def test_what_the_one_before_it_held_later_was_never_its_own() -> None:
    """Both are backed up: what was replaced, and a copy that was made beside."""
    snapshots = a_backup(OLD[0], days=2, name="before"), a_backup(OLD[0], name="destroyed")
    both = known(*snapshots, made=NOW - timedelta(days=1, hours=12))

    assert (found(NEW, both), found(OLD[0], both)) == ("before", "destroyed")


def test_what_a_copy_of_it_holds_is_not_a_volumes_own() -> None:
    snapshots = a_backup(OLD[0], days=2, name="own"), a_backup(NEW, name="of the copy")
    both = known(*snapshots, made=NOW - timedelta(days=1, hours=12))

    assert found(OLD[0], both) == "own"


def test_an_archived_snapshot_is_told_and_nothing_older_taken_instead() -> None:
    archived = a_backup(OLD[0], days=1, tier="archive")
    backups = known(archived, a_backup(OLD[1]), a_backup(OLD[0], days=2), a_backup(OLD[1], days=2))

    assert slot_for(OLD, backups, NOW) is Reason.ARCHIVED


def test_tells_the_first_slot_that_has_all_volumes_and_which_are_in_none() -> None:
    later = [each for each in FULL if each.volume_id == OLD[0] or each is FULL[-2]]

    assert first_whole(OLD, known(*FULL)) == (FULL[2].slot, [])
    assert first_whole(OLD, known(*later)) == (FULL[-2].slot, [])
    assert first_whole([OLD[0], NEW], known(*FULL)) == ("", [NEW])
