"""Each volume with its newest backup, and what is known of its drills."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caretaker import tags as tag
from functions.drill.cases import cases_of
from tests.support.builders import BACKED_UP, NOW, a_volume
from tests.support.drills import (
    a_backup,
    a_proof,
    days_ago,
    drilled,
    facts,
    fleet,
    plan,
    reasons,
    request,
    volume_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.ec2 import Volume
    from functions.drill.cases import Case
    from functions.drill.facts import Facts


ONE, TWO, THREE, FOUR = (volume_id(number) for number in (1, 2, 3, 4))


def known_cases(known: Facts, begun: Mapping[str, Volume] | None = None) -> list[Case]:
    return cases_of(known, request(), NOW, begun or {})


def restored(number: int = 2, *, hours_ago: float = 12, snapshot: int = 1) -> Volume:
    """Return a volume that was made of a backup of another one."""
    tags = {**BACKED_UP, tag.RESTORED_FROM: f"snap-{snapshot:08x}"}
    return a_volume(volume_id(number), tags=tags, age_hours=hours_ago)


def test_the_newest_good_slot_is_drilled() -> None:
    old, new = a_backup(1, age_hours=48), a_backup(2, of=1, age_hours=24)
    failed = a_backup(3, of=1, age_hours=1, state="error")
    pending = a_backup(4, of=1, age_hours=1, state="pending")
    (case,) = known_cases(facts(a_volume(), old, new, failed, pending))
    assert case.backup == new


def test_an_archived_backup_is_passed_over_for_an_older_one() -> None:
    old, archived = a_backup(1, age_hours=48), a_backup(2, of=1, tier="archive")
    (case,) = known_cases(facts(a_volume(), old, archived))
    assert case.backup == old
    assert reasons(plan(facts(a_volume(), archived))) == {ONE: "skip archived"}


@pytest.mark.parametrize("slot", ["", "yesterday"])
def test_a_snapshot_without_a_slot_is_no_backup(slot: str) -> None:
    made = plan(facts(a_volume(), a_backup(slot=slot)))
    assert reasons(made) == {ONE: "skip no_backup"}


def test_of_a_slot_the_volume_s_own_backup_is_drilled_and_not_that_of_what_it_replaced() -> None:
    first, slot = a_backup(1, age_hours=48), "2026-11-20T03:00Z"
    own = a_backup(2, slot=slot, age_hours=24)
    of_replaced = a_backup(3, of=1, slot=slot, age_hours=23.9)
    new = restored(hours_ago=30)
    cases = known_cases(facts(a_volume(ONE), new, first, own, of_replaced))
    assert [case.backup for case in cases] == [of_replaced, own]


def test_what_the_one_before_it_held_later_was_never_a_volume_s_own() -> None:
    """Both live on: a wreck that was kept, and what was restored of an earlier backup of it."""
    before, later = a_backup(1, age_hours=48), a_backup(2, of=1, age_hours=12)
    cases = known_cases(facts(a_volume(ONE), restored(hours_ago=24), before, later))
    assert [case.backup for case in cases] == [later, before]


def test_nor_is_what_was_drilled_of_it_later_a_volume_s_own_proof() -> None:
    wreck = a_proof(1, tried=0.5, problem="signature_lost", found=("whole:xfs",))
    things = (a_volume(ONE), restored(hours_ago=24), a_backup(1, age_hours=48))
    old, new = known_cases(facts(*things, wreck))
    assert (old.proof, new.proof) == (wreck, None)
    before = replace(wreck, tried=days_ago(1.5))
    old, new = known_cases(facts(*things, before))
    assert (old.proof, new.proof) == (before, before)


def test_a_proof_that_only_a_tag_tells_counts() -> None:
    tagged = a_backup(1, tags={tag.PROVEN_AT: "2026-11-20T00:00:00Z"})
    first, _ = known_cases(facts(*fleet(2), tagged, table_reachable=False))
    assert first.proven == days_ago(1).replace(hour=0)
    known = facts(a_volume(ONE), a_volume(TWO), tagged, a_backup(2), table_reachable=False)
    assert drilled(plan(known)) == [TWO, ONE]


@pytest.mark.parametrize("text", ["yesterday", "", "2026-11-20T00:00:00"])
def test_a_tag_that_is_no_time_with_a_zone_proves_nothing(text: str) -> None:
    (case,) = known_cases(facts(a_volume(), a_backup(1, tags={tag.PROVEN_AT: text})))
    assert case.proven is None


def test_a_time_that_is_still_to_come_proves_nothing() -> None:
    tagged = a_backup(1, tags={tag.PROVEN_AT: "2099-01-01T00:00:00Z"})
    known = facts(a_volume(ONE), tagged, a_volume(TWO), a_backup(2), a_proof(2, proven=-5, tried=9))
    first, second = known_cases(known)
    assert (first.proven, second.proven) == (None, None)
    assert drilled(plan(known, sample={"count": 1})) == [ONE]


def test_which_backup_was_proven_last_is_known() -> None:
    tagged = a_backup(2, of=1, age_hours=48, tags={tag.PROVEN_AT: "2026-11-19T05:00:00Z"})
    remembered = a_proof(1, tried=5, proven_slot="2026-11-15T03:00Z", proven_snapshot="snap-0f")
    (case,) = known_cases(facts(a_volume(), a_backup(1), tagged, remembered))
    assert case.last
    assert case.last[1:] == ("2026-11-19T03:00Z", "snap-00000002")
    (case,) = known_cases(facts(a_volume(), a_backup(1), remembered))
    assert case.last
    assert case.last[1:] == ("2026-11-15T03:00Z", "snap-0f")


def test_a_failed_drill_counts_for_the_turn_but_not_as_proof() -> None:
    failed = a_proof(1, tried=1, proven=50, problem="checksum_wrong")
    first, _ = known_cases(facts(*fleet(2), failed))
    assert (first.tried, first.proven) == (days_ago(1), days_ago(50))


def test_a_volume_that_was_restored_has_the_proofs_of_its_lineage() -> None:
    known = facts(restored(), a_backup(1), a_proof(1, tried=7, proven=7))
    (case,) = known_cases(known)
    assert case.backup
    assert (case.backup.id, case.proven) == ("snap-00000001", days_ago(7))
