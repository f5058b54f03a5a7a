"""What a chore may do in another account is what its own role lets it do at home, to the letter."""

from __future__ import annotations

import json

import pytest

from caretaker.rights import MAX_POLICY
from caretaker.settings import Mode
from tests.contract.member_role import CHORES, FLEET, OF_THE_HUB, RIGHTS
from tests.contract.template import as_list, deployed, function_of, statements, written

IN_REPORT_MODE = {function_of(chore).replace("Function", "Mode"): "report" for chore in CHORES}


def _actions(chore: str, **parameters: str) -> set[str]:
    """Return what a chore's own role allows, without what is the stack's alone."""
    role = CHORES[chore]
    template = deployed(**parameters) if parameters else None
    return {
        action
        for each in statements(role, template)
        if each["Effect"] == "Allow" and each["Sid"] not in OF_THE_HUB
        for action in as_list(each["Action"])
    }


def test_all_five_chores_that_work_elsewhere_are_looked_at() -> None:
    assert sorted(CHORES) == ["drill", "instance_health", "retention", "snapshot", "tagging"]


@pytest.mark.parametrize("chore", CHORES)
def test_rights_are_all_that_the_chores_own_role_allows_and_nothing_else(chore: str) -> None:
    rights = RIGHTS[chore]

    assert {*rights.reads, *rights.changes} == _actions(chore)


@pytest.mark.parametrize("chore", sorted(CHORES.keys() - {"snapshot"}))
def test_what_report_mode_needs_is_what_the_role_has_in_report_mode(chore: str) -> None:
    kept = {"KmsKeyArns": "a-key"}  # reading a key's state is reading

    assert set(RIGHTS[chore].reads) == _actions(chore, **IN_REPORT_MODE, **kept)


def test_the_role_of_snapshot_is_the_same_in_either_mode_so_its_rights_tell_them_apart() -> None:
    assert _actions("snapshot", SnapshotMode="report") == _actions("snapshot")
    assert all(":Describe" in action for action in RIGHTS["snapshot"].reads)
    assert not any(":Describe" in action for action in RIGHTS["snapshot"].changes)


@pytest.mark.parametrize("chore", RIGHTS)
def test_rights_are_in_order_and_none_is_there_twice(chore: str) -> None:
    rights = RIGHTS[chore]

    assert list(rights.reads) == sorted(set(rights.reads))
    assert list(rights.changes) == sorted(set(rights.changes))
    assert not set(rights.reads) & set(rights.changes)


def test_the_fleet_itself_reads_regions_alone() -> None:
    assert RIGHTS[FLEET].reads == ("ec2:DescribeRegions",)
    assert RIGHTS[FLEET].changes == ()


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("chore", RIGHTS)
def test_every_session_policy_is_short_enough_for_sts(chore: str, mode: Mode) -> None:
    policy = RIGHTS[chore].policy_for(mode)

    assert policy.isascii()
    assert len(policy) < MAX_POLICY


@pytest.mark.parametrize("chore", RIGHTS)
def test_the_session_policy_of_a_report_holds_no_change(chore: str) -> None:
    allowed = json.loads(RIGHTS[chore].policy_for(Mode.REPORT))["Statement"]["Action"]

    assert not set(allowed) & set(RIGHTS[chore].changes)
    assert [
        a for a in allowed if not a.partition(":")[2].startswith(("Describe", "Get", "List"))
    ] == []


def test_every_statement_that_is_said_to_be_the_stacks_alone_is_there() -> None:
    assert OF_THE_HUB.keys() <= {s["Sid"] for role in CHORES.values() for s in statements(role)}
    assert written()["Parameters"].keys() >= IN_REPORT_MODE.keys()
