"""What must hold before anything is brought back."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker import tags as tag
from functions.restore.facts import How, Seat
from functions.restore.gates import why_not_disks, why_not_machine, why_not_root
from tests.support.restoring import DATA, ID, OLD, ROOT, a_disk, a_machine, old_ones

OTHER = "i-00000002"


@pytest.mark.parametrize(
    ("odd", "swap", "root"),
    [
        ({}, None, None),
        ({"state": "stopped"}, None, "instance_state"),
        ({"state": "pending"}, "instance_state", "instance_state"),
        ({"state": "stopping"}, "instance_state", "instance_state"),
        ({"state": "shutting-down"}, "instance_state", "instance_state"),
        ({"is_spot": True}, "not_stoppable", "not_stoppable"),
        ({"has_ebs_root": False}, "not_stoppable", "not_stoppable"),
        ({"is_managed": True}, "managed_by_service", "managed_by_service"),
        ({"group": "web", "group_state": "InService"}, "in_scaling_group", "in_scaling_group"),
        ({"group": "web"}, "in_scaling_group", "in_scaling_group"),
        ({"group": "web", "group_state": "Standby"}, None, None),
        ({"tags": {tag.IGNORE: "true"}}, "ignored", "ignored"),
        ({"tags": {tag.IGNORE: "no"}}, None, None),
    ],
)
def test_what_is_odd_about_an_instance_keeps_it_from_being_touched(
    odd: dict[str, Any], swap: str | None, root: str | None
) -> None:
    machine = a_machine(**odd)

    assert why_not_machine(machine, How.SWAP, 10) == swap
    assert why_not_machine(machine, How.ROOT, 10) == root
    beside = why_not_machine(machine, How.VOLUMES, 10)
    assert beside == ("ignored" if swap == "ignored" else None)


@pytest.mark.parametrize("odd", [{"is_spot": True}, {"has_ebs_root": False}])
def test_what_cannot_be_stopped_has_its_root_replaced_where_nothing_leads_back(
    odd: dict[str, Any],
) -> None:
    assert why_not_machine(a_machine(**odd), How.ROOT, 0) is None
    assert why_not_machine(a_machine(**odd), How.ROOT, 1) == "not_stoppable"
    assert why_not_machine(a_machine(**odd), How.SWAP, 0) == "not_stoppable"


@pytest.mark.parametrize(
    ("disk", "swap", "volumes"),
    [
        (a_disk(OLD[1], DATA), None, None),
        (a_disk(OLD[1], DATA, tags={tag.IGNORE: ""}), "ignored", "ignored"),
        (a_disk(OLD[1], DATA, is_managed=True), "managed_by_service", "managed_by_service"),
        (a_disk(OLD[1], DATA, is_multi_attach=True), "multi_attach", None),
        (a_disk(OLD[1], seats=(Seat(ID, DATA), Seat(OTHER, DATA))), "multi_attach", None),
        (a_disk(OLD[1]), "not_attached", None),
        (a_disk(OLD[1], DATA, instance=OTHER), "not_attached", None),
        (a_disk(OLD[1], DATA, state="error"), "volume_state", None),
        (a_disk(OLD[1], state="creating"), "not_attached", "volume_state"),
        (a_disk(OLD[1], DATA, seat="busy"), "volume_state", None),
        (a_disk(OLD[1], DATA, seat="attaching"), "volume_state", None),
    ],
)
def test_one_odd_volume_keeps_them_all_from_being_brought_back(
    disk: Any, swap: str | None, volumes: str | None
) -> None:
    disks = [a_disk(OLD[0], ROOT), disk]

    assert why_not_disks(disks, a_machine(), How.SWAP) == swap
    assert why_not_disks(disks, a_machine(), How.ROOT) == swap
    assert why_not_disks(disks, a_machine(), How.VOLUMES) == volumes


def test_a_volume_on_its_own_is_made_beside_and_never_swapped() -> None:
    assert why_not_disks([a_disk()], None, How.VOLUMES) is None
    assert why_not_disks([a_disk()], None, How.SWAP) == "not_attached"


def test_ec2_replaces_a_root_volume_from_its_own_snapshots_alone() -> None:
    root = old_ones()[:1]

    assert why_not_root(a_machine(), root, OLD[0]) is None
    assert why_not_root(a_machine(), root, "vol-ffffffff") == "root_not_replaceable"
    assert why_not_root(a_machine(), root, OLD[1]) == "root_not_replaceable"
    assert why_not_root(a_machine(), old_ones(), OLD[0]) == "root_not_replaceable"
