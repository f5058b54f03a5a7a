"""How incidents of volumes end that are drilled no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caretaker import tags as tag
from caretaker.incidents import Check
from functions.drill.checks import KINDS
from tests.support.builders import BACKED_UP, a_volume
from tests.support.drills import (
    DEFERRED,
    DONE,
    a_backup,
    a_proof,
    check,
    ended,
    facts,
    failed,
    volume_id,
)

if TYPE_CHECKING:
    from caretaker.report import Findings
    from functions.drill.facts import Proof


ONE, TWO = volume_id(1), volume_id(2)


def of(found: Findings, resource: str) -> list[Check]:
    return [each for each in found.checks if each.resource == resource]


def states(found: Findings, resource: str) -> set[bool | None]:
    """Return what a run says of a volume, all kinds of check together."""
    return {each.healthy for each in of(found, resource)}


@pytest.mark.parametrize(
    "select", [{"volumes": [ONE]}, {"tags_any": ["Role=web"]}, {"exclude_volumes": [TWO]}]
)
def test_a_run_about_some_volumes_leaves_the_others_as_they_are(select: dict[str, Any]) -> None:
    one = a_volume(tags={**BACKED_UP, "Role": "web"})
    known = facts(one, a_backup(), a_volume(TWO), a_backup(2))
    found = ended(known, select=select)
    assert states(found, TWO) == {None}
    assert check(found, "drill_failed", ONE).healthy is True
    assert found.gauges == {}


def test_what_is_gone_is_gone_whatever_a_run_is_about() -> None:
    """All volumes that there are have checks; and those without are no longer there."""
    found = ended(facts(a_volume(), a_backup()), select={"volumes": [ONE]})
    assert found.judged == KINDS
    assert all(
        each.is_final for each in found.checks if each.healthy is not None and each.kind in KINDS
    )


def test_volumes_without_a_backup_are_the_snapshot_chore_s_to_tell() -> None:
    found = ended(facts(a_volume(), a_backup(2)))
    assert (states(found, ONE), found.gauges) == ({None}, {})


@pytest.mark.parametrize(
    ("tags", "ending"),
    [
        ({}, "no longer drilled: not selected"),
        ({**BACKED_UP, tag.IGNORE: "true"}, "no longer drilled: ignored"),
    ],
)
def test_a_volume_that_nobody_wants_to_be_drilled_is_told_so_and_not_healthy(
    tags: dict[str, str], ending: str
) -> None:
    found = ended(facts(a_volume(tags=tags), a_backup()))
    assert {(each.healthy, each.ending) for each in of(found, ONE)} == {(True, ending)}
    assert all(each.lapsed for each in of(found, ONE))


def test_what_an_archive_or_a_wrong_state_keeps_from_being_drilled_stays_as_it_is() -> None:
    archived = facts(a_volume(), a_backup(tier="archive"))
    assert states(ended(archived), ONE) == {None}
    assert states(ended(facts(a_volume(state="error"), a_backup())), ONE) == {None}


REPLACED = a_volume(tags={tag.REPLACED_BY: TWO})


@pytest.mark.parametrize(
    ("like", "proof", "ending"),
    [
        (DONE, [], f"replaced by {TWO}, proven since"),
        (DEFERRED, [a_proof(2)], f"replaced by {TWO}, proven since"),
        (DEFERRED, [], ""),
        (failed(), [a_proof(2)], ""),
        (DEFERRED, [a_proof(2, problem="checksum_wrong")], ""),
    ],
)
def test_what_was_replaced_is_over_once_its_successor_is_proven(
    like: dict[str, Any], proof: list[Proof], ending: str
) -> None:
    found = ended(facts(REPLACED, a_backup(), a_volume(TWO), a_backup(2), *proof), like)
    healthy = True if ending else None
    assert {(each.healthy, each.ending) for each in of(found, ONE)} == {(healthy, ending)}


def test_what_was_replaced_twice_is_over_with_the_last_one() -> None:
    second = a_volume(TWO, tags={tag.REPLACED_BY: volume_id(3)})
    found = ended(facts(REPLACED, second, a_volume(volume_id(3)), a_backup(3)))
    assert {each.ending for each in of(found, ONE)} == {f"replaced by {volume_id(3)}, proven since"}
    circle = a_volume(TWO, tags={tag.REPLACED_BY: ONE})
    assert {each.ending for each in of(ended(facts(REPLACED, circle, a_backup(3))), ONE)} == {
        "no longer drilled: not selected"
    }


def test_what_was_replaced_by_what_nobody_drills_is_no_longer_drilled() -> None:
    found = ended(facts(REPLACED, a_volume(TWO, tags={}), a_backup(2)))
    assert {each.ending for each in of(found, ONE)} == {"no longer drilled: not selected"}
