"""Which volumes sit where, and which are to."""

from __future__ import annotations

from typing import Any

import pytest

from functions.restore.facts import Disk
from functions.restore.journal import Goal
from functions.restore.seats import Seating
from tests.support.restoring import (
    DATA,
    NEW,
    OLD,
    ROOT,
    a_disk,
    a_journal,
    a_sight,
    free_originals,
    new_ones,
    new_ones_seated,
    old_ones,
    on_its_way_back,
    under_way,
)


def seating(*disks: Disk, back: bool = False) -> Seating:
    return Seating(on_its_way_back() if back else under_way(), a_sight("stopped", *disks))


def test_on_the_way_there_the_new_ones_are_to_sit_and_on_the_way_back_the_old() -> None:
    assert seating().wanted == {ROOT: NEW[0], DATA: NEW[1]}
    assert seating(back=True).wanted == {ROOT: OLD[0], DATA: OLD[1]}


def test_all_sit_once_each_is_attached_where_it_is_to() -> None:
    assert seating(*new_ones_seated()).is_done
    assert not seating(*new_ones_seated()[:1], a_disk(NEW[1])).is_done
    assert not seating(*new_ones_seated()[:1], a_disk(NEW[1], "/dev/sdg")).is_done
    assert not seating(*new_ones_seated()[:1], a_disk(NEW[1], DATA, seat="attaching")).is_done
    assert not seating(*new_ones_seated()[:1], a_disk(NEW[1], DATA, instance="i-2")).is_done
    assert not seating(*old_ones(), *new_ones()).is_done
    assert seating(*old_ones(), back=True).is_done


@pytest.mark.parametrize("state", ["error", "creating", "deleting"])
def test_one_that_is_neither_free_nor_in_use_is_lost(state: str) -> None:
    assert seating(*free_originals(), a_disk(NEW[0]), a_disk(NEW[1], state=state)).is_lost
    assert seating(*free_originals(), a_disk(NEW[0])).is_lost
    assert not seating(*new_ones()).is_lost
    assert not seating(*new_ones_seated()).is_lost


@pytest.mark.parametrize(
    ("disk", "leaves"),
    [
        (a_disk(OLD[1], DATA), True),
        (a_disk(OLD[1], DATA, seat="attaching"), True),
        (a_disk(OLD[1], DATA, seat="detaching"), False),
        (a_disk(OLD[1], DATA, seat="busy"), False),
        (a_disk(OLD[1], "/dev/sdg"), False),
        (a_disk(OLD[1], DATA, instance="i-00000002"), False),
        (a_disk(OLD[1]), False),
    ],
)
def test_what_sits_in_the_seat_of_another_is_to_leave(disk: Disk, *, leaves: bool) -> None:
    assert seating(disk, *new_ones()).to_leave == ([(DATA, OLD[1])] if leaves else [])


def test_whoever_is_to_sit_there_stays() -> None:
    assert seating(*new_ones_seated()).to_leave == []
    assert seating(*new_ones_seated(), back=True).to_leave == [(ROOT, NEW[0]), (DATA, NEW[1])]


def test_those_sit_down_who_are_free_and_whose_seat_is() -> None:
    assert seating(*free_originals(), *new_ones()).to_sit == [(ROOT, NEW[0]), (DATA, NEW[1])]
    taken = a_disk(OLD[0], ROOT, seat="detaching")
    assert seating(taken, a_disk(OLD[1]), *new_ones()).to_sit == [(DATA, NEW[1])]
    elsewhere = a_disk(NEW[0], "/dev/sdg")
    assert seating(*free_originals(), elsewhere, a_disk(NEW[1])).to_sit == [(DATA, NEW[1])]


def test_a_seat_at_another_instance_is_not_taken() -> None:
    other = a_disk(OLD[0], ROOT, instance="i-00000002")

    assert (ROOT, NEW[0]) in seating(other, a_disk(OLD[1]), *new_ones()).to_sit


def test_attaching_are_those_that_are_to_sit_there() -> None:
    attaching: dict[str, Any] = {"seat": "attaching"}
    seen = [a_disk(NEW[0], ROOT, **attaching), a_disk(NEW[1], DATA)]

    assert seating(*seen).attaching == [(ROOT, NEW[0])]
    assert seating(*seen, *free_originals(), back=True).attaching == []


def test_they_are_to_go_or_stay_with_the_instance_as_before() -> None:
    assert seating(*new_ones_seated(dies=False)).unlike == {ROOT: True}
    assert seating(*new_ones_seated(dies=True)).unlike == {}
    data = a_disk(NEW[1], DATA, dies=True)
    assert seating(*new_ones_seated()[:1], data).unlike == {DATA: False}
    assert seating(a_disk(OLD[0], ROOT, dies=False), back=True).unlike == {ROOT: True}


def test_whoever_does_not_belong_there_is_left_as_it_is() -> None:
    assert seating(a_disk(OLD[0], ROOT, dies=False)).unlike == {}
    assert seating(a_disk(NEW[0], "/dev/sdg")).unlike == {}


def test_a_part_is_found_by_its_key() -> None:
    journal = a_journal()

    assert journal.part(DATA) == journal.parts[1]
    assert a_journal(goal=Goal.BACK).goal is Goal.BACK
