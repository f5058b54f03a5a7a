"""What a restore is about, and what it leaves and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from caretaker import tags as tag
from functions.restore.facts import Make
from tests.support.builders import NOW
from tests.support.restoring import (
    DATA,
    ID,
    MAKE,
    NEW,
    OLD,
    ROOT,
    ZONE,
    a_backup,
    a_disk,
    a_fleet,
    a_machine,
    old_ones,
)
from tests.unit.functions.restore.wanting import targets, why

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
OTHER = "i-00000002"


def test_an_instance_comes_back_with_all_its_volumes_as_they_are() -> None:
    (target,) = targets(*a_fleet(), how="swap").values()

    assert (target.id, target.reason, target.stops) == (ID, "asked", True)
    root, data = target.parts
    assert (root.original, root.device, root.deletes_on_termination) == (OLD[0], ROOT, True)
    assert (data.original, data.device, data.deletes_on_termination) == (OLD[1], DATA, False)
    assert [part.make for part in target.parts] == [MAKE, MAKE]
    assert [part.snapshot for part in target.parts] == ["snap-000000011", "snap-000000021"]


def test_only_a_running_instance_that_is_swapped_stops() -> None:
    stopped = (a_machine("stopped"), *a_fleet()[1:])

    assert not targets(*stopped, how="swap")[ID].stops
    assert not targets(*a_fleet(), how="volumes")[ID].stops


def test_others_are_not_asked_for() -> None:
    other = [a_machine(instance=OTHER), a_disk("vol-00000003", ROOT, instance=OTHER)]
    ignored = a_disk("vol-00000004", tags={tag.IGNORE: "true"})

    assert why(*a_fleet(), *other, ignored) == {ID: "asked"}


def test_a_volume_on_its_own_is_asked_for_by_its_id() -> None:
    lone = a_disk(OLD[0])
    found = targets(lone, a_backup(OLD[0]), select={"volumes": [OLD[0]]})

    assert found[OLD[0]].reason == "asked"
    assert found[OLD[0]].parts[0].original == OLD[0]


def test_one_volume_of_an_instance_comes_back_alone() -> None:
    found = targets(*a_fleet(), how="swap", select={"volumes": [OLD[1]]})

    assert [part.original for part in found[ID].parts] == [OLD[1]]


def test_of_a_root_volume_to_replace_the_others_are_no_part() -> None:
    found = targets(*a_fleet(), how="root")

    assert [part.original for part in found[ID].parts] == [OLD[0]]
    assert not found[ID].stops


def test_a_root_volume_that_was_restored_before_is_not_replaced_by_ec2() -> None:
    fleet = (a_machine(), a_disk(NEW[0], ROOT, tags={}, created=NOW), a_backup(OLD[0]))
    restored = {"lines": {NEW[0]: NEW[:1] + OLD[:1]}}

    assert why(*fleet, how="root", facts=restored) == {ID: "root_not_replaceable"}
    assert why(*fleet, how="swap", facts=restored) == {ID: "asked"}


SCRATCH = a_disk(OLD[1], DATA, tags={tag.IGNORE: "true"})
WITH_SCRATCH = (a_machine(), a_disk(OLD[0], ROOT), SCRATCH, a_backup(OLD[0]), a_backup(OLD[1]))


@pytest.mark.parametrize("event", [{}, {"select": {"everything": True}}])
def test_an_ignored_disk_is_left_out_and_shown(event: dict[str, Any]) -> None:
    target = targets(*WITH_SCRATCH, how="swap", **event)[ID]

    assert (target.reason, [part.original for part in target.parts]) == ("asked", [OLD[0]])
    assert target.left_out == {OLD[1]: "ignored"}


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ({"instances": [ID], "exclude_volumes": [OLD[1]]}, "excluded"),
        ({"tags_any": ["tier=db"], "exclude_volumes": [OLD[1]]}, "excluded"),
        ({"volumes": [OLD[0]]}, "not_selected"),
    ],
)
def test_what_is_excluded_or_not_selected_is_shown(select: dict[str, Any], reason: str) -> None:
    fleet = (a_machine(tags={"tier": "db"}), *a_fleet()[1:])
    target = targets(*fleet, how="swap", select=select)[ID]

    assert [part.original for part in target.parts] == [OLD[0]]
    assert target.left_out == {OLD[1]: reason}
    assert targets(*fleet, how="swap")[ID].left_out == {}


def test_of_a_root_to_replace_the_other_disks_are_not_shown() -> None:
    assert targets(*WITH_SCRATCH, how="root")[ID].left_out == {}


def test_an_ignored_volume_that_is_named_keeps_its_instance_as_it_is() -> None:
    for select in ({"volumes": [OLD[1]]}, {"volumes": list(OLD)}):
        assert why(*WITH_SCRATCH, how="swap", select=select) == {ID: "ignored"}


@pytest.mark.parametrize("select", [{"instances": [ID]}, {"volumes": [OLD[0]]}])
@pytest.mark.parametrize("how", ["volumes", "swap", "root"])
def test_an_ignored_instance_that_is_named_is_told(select: dict[str, Any], how: str) -> None:
    fleet = (a_machine(tags={tag.IGNORE: "true"}), *a_fleet()[1:])

    assert why(*fleet, how=how, select=select) == {ID: "ignored"}
    assert why(*fleet, how=how, select={"everything": True}) == {}


@pytest.mark.parametrize("how", ["volumes", "swap", "root"])
def test_an_instance_of_which_every_disk_is_left_out_says_so(how: str) -> None:
    root = a_disk(OLD[0], ROOT, tags={tag.IGNORE: "true"})
    (target,) = targets(a_machine(), root, a_backup(OLD[0]), how=how).values()

    assert (target.reason, target.detail) == ("no_volumes", {"left_out": {OLD[0]: "ignored"}})
    assert why(a_machine(), root, how=how, select={"everything": True}) == {}


def test_a_volume_in_error_is_told_and_made_beside() -> None:
    fleet = (a_machine(), a_disk(OLD[0], ROOT), a_disk(OLD[1], DATA, state="error"))
    backups = (a_backup(OLD[0]), a_backup(OLD[1]))

    assert why(*fleet, *backups, how="swap") == {ID: "volume_state"}
    (beside,) = targets(*fleet, *backups).values()
    assert [part.original for part in beside.parts] == list(OLD)
    lone = a_disk(OLD[0], state="error")
    assert why(lone, a_backup(OLD[0]), select={"volumes": [OLD[0]]}) == {OLD[0]: "asked"}


def test_a_volume_that_is_being_made_is_told_and_one_that_is_being_deleted_is_gone() -> None:
    event = {"select": {"volumes": [OLD[0]]}}

    assert why(a_disk(state="creating"), a_backup(), **event) == {OLD[0]: "volume_state"}
    assert why(a_disk(state="deleting"), a_backup(), **event) == {OLD[0]: "zone_needed"}
    assert why(a_disk(state="deleting"), a_backup(), select={"everything": True}) == {}


def test_an_ignored_volume_that_is_named_by_its_id_is_told() -> None:
    lone = a_disk(OLD[0], tags={tag.IGNORE: "true"})

    assert why(lone, a_backup(OLD[0]), select={"volumes": [OLD[0]]}) == {OLD[0]: "ignored"}


@pytest.mark.parametrize("busy", [ID, OLD[1]])
def test_what_another_restore_is_at_work_on_is_left(busy: str) -> None:
    assert why(*a_fleet(), facts={"busy": {busy: "p-other"}}) == {ID: "restore_open"}


def test_gates_come_before_slots() -> None:
    fleet = (a_machine("pending"), *a_fleet()[1:])

    assert why(*fleet, how="swap") == {ID: "instance_state"}
    assert why(*fleet, how="volumes") == {ID: "asked"}
    assert why(*old_ones(), *a_fleet()[3:], how="swap") == {ID: "not_attached"}


def test_a_moment_before_the_first_backup_says_which_was_the_first() -> None:
    early = targets(*a_fleet(), at=NOW - timedelta(days=2))[ID]

    assert early.reason == "no_complete_slot"
    assert early.detail == {
        "first_complete_slot": "2026-11-20T03:00Z",
        "volumes_without_backup": [],
    }


def test_an_instance_without_a_backup_says_of_which_volumes() -> None:
    bare = targets(a_machine(), *old_ones(), a_backup(OLD[0]))[ID]

    assert bare.reason == "no_backup"
    assert bare.detail["volumes_without_backup"] == [OLD[1]]


def test_a_key_that_cannot_be_used_keeps_it_as_it_is() -> None:
    locked = a_disk(OLD[1], DATA, make=Make(ZONE, 8, "gp3", 3000, 125, KEY))
    fleet = (a_machine(), a_disk(OLD[0], ROOT), locked, a_backup(OLD[0]), a_backup(OLD[1]))
    target = targets(*fleet, facts={"unusable_keys": {KEY: "Disabled", "other": "Disabled"}})[ID]

    assert (target.reason, target.detail) == ("key_unusable", {"keys": {KEY: "Disabled"}})
    assert why(*fleet, facts={"unusable_keys": {"other": "Disabled"}}) == {ID: "asked"}


def test_an_original_that_was_replaced_is_not_brought_back_with_the_others() -> None:
    kept = a_disk("vol-00000009", tags={tag.REPLACED_BY: OLD[0]})
    backups = (a_backup(OLD[0]), a_backup(OLD[1]), a_backup(kept.id))
    fleet = (a_machine(), *old_ones(), kept, *backups)

    everything = targets(*fleet, select={"everything": True})
    assert {each: found.reason for each, found in everything.items()} == {
        ID: "asked",
        kept.id: "replaced",
    }
    assert everything[kept.id].detail == {"by": OLD[0]}
    assert why(*fleet, select={"volumes": [kept.id]}) == {kept.id: "asked"}
    gone = (a_machine(), *old_ones()[1:], kept, *backups)
    assert why(*gone, select={"everything": True})[kept.id] == "asked"
