"""What is gone: of its snapshots it is made again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from caretaker.ec2 import COPIED_VOLUME_ID
from functions.restore.facts import Make
from tests.support.builders import NOW
from tests.support.restoring import ID, OLD, ZONE, a_backup, a_disk, a_fleet, a_machine
from tests.unit.functions.restore.wanting import targets, why

OTHER = "i-00000002"


def test_what_is_gone_is_made_again_in_a_zone_that_is_told() -> None:
    event = {"select": {"volumes": [OLD[0]]}}
    assert why(a_backup(OLD[0]), **event) == {OLD[0]: "zone_needed"}
    assert why(a_backup(OLD[0]), **event, zone=ZONE, how="swap") == {OLD[0]: "not_attached"}

    (target,) = targets(a_backup(OLD[0], volume_gib=20), **event, zone=ZONE).values()
    (part,) = target.parts
    assert (target.reason, part.original, part.device) == ("asked", "", "")
    assert part.make == Make(ZONE, 20, "gp3")


def test_all_volumes_of_an_instance_that_is_gone_come_back_from_one_slot() -> None:
    some = [a_backup(OLD[0], days=1), a_backup(OLD[0], days=2), a_backup(OLD[1], days=2)]
    found = targets(*some, zone=ZONE)

    assert {part.snapshot for part in found[ID].parts} == {some[1].id, some[2].id}
    assert found[ID].left_out == {}


def test_a_volume_of_it_that_is_still_there_is_not_made_again() -> None:
    lone = a_disk(OLD[1])
    found = targets(lone, a_backup(OLD[0]), a_backup(OLD[1]), zone=ZONE)

    assert [part.snapshot for part in found[ID].parts] == ["snap-000000011"]
    assert found[ID].left_out == {OLD[1]: "still_there"}


def test_a_disk_that_was_taken_away_before_does_not_bring_back_an_old_slot() -> None:
    backups = [a_backup(OLD[0], days=days) for days in (1, 2, 30)]
    away = a_backup(OLD[1], days=30)
    target = targets(*backups, away, zone=ZONE)[ID]

    assert [part.snapshot for part in target.parts] == [backups[0].id]
    assert target.left_out == {OLD[1]: "not_in_newest_slots"}
    then = targets(*backups, away, zone=ZONE, at=NOW - timedelta(days=29))[ID]
    assert {part.snapshot for part in then.parts} == {backups[2].id, away.id}
    named = {"instances": [ID], "volumes": [OLD[1]]}
    both = targets(*backups, away, zone=ZONE, select=named)[ID]
    assert {part.snapshot for part in both.parts} == {backups[2].id, away.id}
    assert both.left_out == {}


def test_of_what_is_gone_too_a_volume_may_be_excluded() -> None:
    select = {"instances": [ID], "exclude_volumes": [OLD[1]]}
    target = targets(a_backup(OLD[0]), a_backup(OLD[1]), zone=ZONE, select=select)[ID]

    assert [part.snapshot for part in target.parts] == ["snap-000000011"]
    assert target.left_out == {OLD[1]: "excluded"}


@pytest.mark.parametrize("state", ["error", "pending"])
def test_a_disk_whose_newest_backup_failed_comes_back_from_the_slot_before(state: str) -> None:
    whole = [a_backup(OLD[0], days=2), a_backup(OLD[1], days=2)]
    newest = [a_backup(OLD[0]), a_backup(OLD[1], state=state)]
    target = targets(*whole, *newest, zone=ZONE)[ID]

    assert {part.snapshot for part in target.parts} == {each.id for each in whole}


def test_of_what_is_gone_other_instances_and_policies_and_copies_say_nothing() -> None:
    others = [
        a_backup("vol-00000003", instance=OTHER),
        a_backup("vol-00000004", policy="hourly"),
        a_backup("vol-00000005", slot="some day"),
        a_backup(COPIED_VOLUME_ID),
    ]
    target = targets(a_backup(OLD[0]), *others, zone=ZONE)[ID]

    assert (len(target.parts), target.left_out) == (1, {})


def test_a_time_before_the_first_backup_of_what_is_gone_says_which_was_the_first() -> None:
    early = targets(a_backup(OLD[0]), zone=ZONE, at=NOW - timedelta(days=9))[ID]

    assert (early.reason, early.detail["first_complete_slot"]) == (
        "no_complete_slot",
        "2026-11-20T03:00Z",
    )


def test_an_instance_whose_volumes_are_all_elsewhere_has_none_to_bring_back() -> None:
    (target,) = targets(a_disk(OLD[0]), a_backup(OLD[0]), zone=ZONE).values()

    assert (target.reason, target.detail) == ("no_volumes", {"left_out": {OLD[0]: "still_there"}})
    assert why(a_machine(), zone=ZONE) == {ID: "no_volumes"}


def test_what_is_gone_without_a_backup_is_not_found() -> None:
    assert why(zone=ZONE) == {ID: "not_found"}
    assert why(zone=ZONE, select={"volumes": [OLD[0]]}) == {OLD[0]: "not_found"}
    hourly = a_backup(OLD[0], policy="hourly")
    assert why(hourly, zone=ZONE, select={"volumes": [OLD[0]]}) == {OLD[0]: "not_found"}


def test_what_is_gone_is_not_made_twice_at_once() -> None:
    busy = {"busy": {ID: "p-other"}}

    assert why(a_backup(OLD[0]), zone=ZONE, facts=busy) == {ID: "restore_open"}


def test_a_lost_volume_of_an_instance_that_is_there_is_a_target_of_its_own() -> None:
    lost = "vol-00000003"
    event = {"select": {"instances": [ID], "volumes": [lost]}, "zone": ZONE}
    found = targets(*a_fleet(), a_backup(lost), **event)

    assert [part.original for part in found[ID].parts] == list(OLD)
    assert found[lost].reason == "asked"
    assert len(found) == 2


def test_a_lost_volume_that_is_named_beside_its_lost_instance_is_made_once() -> None:
    event = {"select": {"instances": [ID], "volumes": [OLD[0]]}, "zone": ZONE}
    found = targets(a_backup(OLD[0]), a_backup(OLD[1]), **event)

    assert [len(target.parts) for target in found.values()] == [2]
