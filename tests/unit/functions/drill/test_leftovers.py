"""Volumes that drills have made: judged by a later run, or swept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from caretaker import tags as tag
from functions.drill.units import plan_units
from tests.support.builders import BACKED_UP
from tests.support.drills import (
    a_backup,
    a_drill_volume,
    a_proof,
    facts,
    fleet,
    plan,
    reasons,
    request,
    volume_id,
)

ONE, TWO, THREE, FOUR = (volume_id(number) for number in (1, 2, 3, 4))


def test_volumes_of_drills_are_no_volumes_to_prove() -> None:
    made = plan(facts(a_drill_volume(tags=BACKED_UP)), select={"everything": True})
    assert reasons(made) == {volume_id(99): "keep not_expired"}


@pytest.mark.parametrize(
    ("how", "decided"),
    [
        ({"expires_in_hours": -1}, "sweep expired"),
        ({"expires_in_hours": 0}, "sweep expired"),
        ({"expires_in_hours": -1, "state": "error"}, "sweep expired"),
        ({"expires_in_hours": 1}, "keep not_expired"),
        ({"expires_in_hours": -1, "at": "i-00000001"}, "skip in_use"),
        ({"expires_in_hours": -1, "state": "creating"}, "skip in_use"),
        ({"expires_in_hours": -1, "state": "deleting"}, "keep expired"),
        ({"tags": {tag.EXPIRES_AT: "soon"}}, "skip end_unreadable"),
        ({"tags": {tag.EXPIRES_AT: "2020-01-01T00:00:00"}}, "skip end_unreadable"),
    ],
)
def test_only_a_free_volume_past_its_end_is_swept(how: dict[str, Any], decided: str) -> None:
    made = plan(facts(a_drill_volume(**how)))
    assert reasons(made) == {volume_id(99): decided}


def test_without_the_state_table_nothing_is_swept() -> None:
    known = facts(a_drill_volume(expires_in_hours=-1), table_reachable=False)
    assert reasons(plan(known))[volume_id(99)] == "skip state_unavailable"


@pytest.mark.parametrize("how", [{tag.RESTORED_FROM: "snap-00000001"}, {tag.RUN: "p-0123/i-0a1"}])
def test_a_restored_volume_on_which_somebody_wrote_an_end_is_never_swept(
    how: dict[str, str],
) -> None:
    volume = a_drill_volume(expires_in_hours=-1, tags=how)
    assert reasons(plan(facts(volume)))[volume.id] == "skip not_selected"


@pytest.mark.parametrize("missing", [tag.MANAGED_BY, tag.EXPIRES_AT, tag.RUN, tag.SLOT, tag.POLICY])
def test_what_lacks_one_of_our_tags_is_never_swept(missing: str) -> None:
    volume = a_drill_volume(expires_in_hours=-1)
    kept = {key: value for key, value in volume.tags.items() if key != missing}
    made = plan(facts(replace(volume, tags=kept)), select={"everything": True})
    assert reasons(made)[volume.id] == "skip no_backup"


def test_another_installation_s_volume_is_never_swept() -> None:
    volume = a_drill_volume(expires_in_hours=-1, tags={tag.MANAGED_BY: "another"})
    assert reasons(plan(facts(volume)))[volume.id] == "skip not_selected"


def test_a_volume_that_an_earlier_run_made_is_judged_first_of_all() -> None:
    known = facts(*fleet(3), a_drill_volume(snapshot=3), a_proof(3, tried=1))
    made = plan(known, how="volume", sample={"count": 1})
    assert reasons(made)[THREE] == "drill under_way"
    units = {unit.decision.target: unit for unit in plan_units(made, request(how="volume"))}
    adopted = units[THREE].adopted
    assert adopted
    assert adopted.id == volume_id(99)
    assert units[ONE].adopted is None


def test_a_volume_that_took_long_is_judged_however_late_and_whatever_was_backed_up_since() -> None:
    known = facts(*fleet(1), a_backup(2, of=1, age_hours=1), a_drill_volume(expires_in_hours=-1))
    made = plan(known, how="volume")
    assert reasons(made) == {ONE: "drill under_way", volume_id(99): "keep under_way"}
    (unit,) = plan_units(made, request(how="volume"))
    assert (unit.snapshot.id, unit.adopted and unit.adopted.id) == ("snap-00000001", volume_id(99))


@pytest.mark.parametrize(
    ("of", "run_slot", "decided"),
    [
        (1, "2026-11-21T02:00Z", "drill sampled"),
        (1, "2026-11-21T01:00Z", "drill under_way"),
        (2, "2026-11-21T02:00Z", "drill under_way"),
    ],
)
def test_a_volume_that_was_judged_and_could_not_go_is_not_judged_again(
    of: int, run_slot: str, decided: str
) -> None:
    """It was made in the slot of 02:00."""
    proof = a_proof(1, run_slot=run_slot, snapshot=f"snap-{of:08x}")
    made = plan(facts(*fleet(1), a_drill_volume(), proof), how="volume")
    assert reasons(made)[ONE] == decided


@pytest.mark.parametrize(
    "how",
    [
        {"at": "i-00000001"},
        {"state": "deleting"},
        {"tags": {tag.POLICY: "weekly"}},
        {"snapshot": 7},
    ],
)
def test_a_volume_that_cannot_be_judged_is_not_adopted(how: dict[str, Any]) -> None:
    made = plan(facts(*fleet(1), a_drill_volume(**how)), how="volume")
    assert reasons(made)[ONE] == "drill sampled"


def test_blocks_are_read_whatever_volumes_there_are() -> None:
    made = plan(facts(*fleet(1), a_drill_volume()))
    assert reasons(made)[ONE] == "drill sampled"
    assert [unit.adopted for unit in plan_units(made, request())] == [None]
