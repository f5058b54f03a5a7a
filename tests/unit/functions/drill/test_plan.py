"""Whose backups are drilled, in which order, and what is swept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caretaker import tags as tag
from caretaker.report import plan_id
from functions.drill.cases import cases_of
from functions.drill.facts import How
from functions.drill.request import Sample
from tests.support.builders import BACKED_UP, NOW, SLOT, a_snapshot, a_volume, an_instance
from tests.support.drills import (
    a_backup,
    a_drill_volume,
    a_proof,
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

    from caretaker.ec2 import Snapshot, Volume
    from functions.drill.cases import Case
    from functions.drill.facts import Facts, Proof


ONE, TWO, THREE, FOUR = (volume_id(number) for number in (1, 2, 3, 4))


def known_cases(known: Facts, begun: Mapping[str, Volume] | None = None) -> list[Case]:
    return cases_of(known, request(), NOW, begun or {})


def restored(number: int = 2, *, hours_ago: float = 12, snapshot: int = 1) -> Volume:
    """Return a volume that was made of a backup of another one."""
    tags = {**BACKED_UP, tag.RESTORED_FROM: f"snap-{snapshot:08x}"}
    return a_volume(volume_id(number), tags=tags, age_hours=hours_ago)


def test_what_is_not_selected_is_told() -> None:
    ignored = a_volume(TWO, tags={**BACKED_UP, tag.IGNORE: "true"})
    made = plan(facts(a_volume(tags={}), a_backup(1), ignored, a_backup(2), a_volume(THREE)))
    assert reasons(made) == {
        ONE: "skip not_selected",
        TWO: "skip ignored",
        THREE: "skip no_backup",
    }


def test_the_least_recently_drilled_come_first() -> None:
    known = facts(*fleet(4), a_proof(1, tried=3), a_proof(2, tried=30), a_proof(4, tried=9))
    assert drilled(plan(known)) == [THREE, TWO, FOUR, ONE]
    assert drilled(plan(known, sample={"count": 2})) == [THREE, TWO]
    assert reasons(plan(known, sample={"count": 2}))[ONE] == "skip not_sampled"


def test_what_was_put_off_has_had_its_turn() -> None:
    """One that can never be drilled would else keep all others out."""
    put_off = a_proof(1, tried=1, proven=None, run_slot="")
    known = facts(*fleet(3), put_off, a_proof(2, tried=3), a_proof(3, tried=2))
    assert drilled(plan(known, sample={"count": 2})) == [TWO, THREE]


def test_a_later_round_of_the_same_run_begins_with_what_was_put_off() -> None:
    put_off = a_proof(2, tried=-0.01, proven=None, run_slot="")
    known = facts(*fleet(3), put_off)
    assert drilled(plan(known, sample={"count": 1})) == [ONE]
    known = facts(*fleet(3), put_off, *(a_proof(n, tried=3) for n in (1, 3)))
    assert drilled(plan(known, sample={"count": 1})) == [TWO]
    by_hand = replace(put_off, run_slot="2026-11-21T03:05Z")
    known = facts(*fleet(3), by_hand, *(a_proof(n, tried=3) for n in (1, 3)))
    assert drilled(plan(known, sample={"count": 1})) == [ONE]


def test_what_failed_is_drilled_on_top_of_the_sample() -> None:
    bad = [a_proof(n, tried=n, problem="checksum_wrong") for n in (1, 2)]
    good = [a_proof(n, tried=40 + n) for n in (3, 4)]
    made = plan(facts(*fleet(4), *bad, *good), sample={"count": 1})
    assert reasons(made) == {
        ONE: "skip not_sampled",
        TWO: "drill failed_before",
        THREE: "skip not_sampled",
        FOUR: "drill sampled",
    }


@pytest.mark.parametrize(
    ("problem", "found_by", "fields", "again"),
    [
        ("checksum_wrong", How.BLOCKS, {}, True),
        ("checksum_wrong", How.BLOCKS, {"how": "volume"}, False),
        ("volume_vanished", How.VOLUME, {"how": "volume"}, True),
        ("volume_vanished", How.VOLUME, {}, False),
        ("judged_not_proven", How.VOLUME, {"how": "volume"}, False),
        ("judged_not_proven", How.VOLUME, {"how": "volume", "judge": True}, True),
    ],
)
def test_what_failed_is_drilled_again_by_runs_that_can_tell_whether_it_is_over(
    problem: str, found_by: How, fields: dict[str, Any], *, again: bool
) -> None:
    bad = a_proof(1, tried=1, problem=problem, how=found_by)
    made = plan(facts(*fleet(2), bad), sample={"count": 1}, **fields)
    assert reasons(made)[ONE] == ("drill failed_before" if again else "skip not_sampled")


def test_what_was_drilled_in_this_slot_is_not_drilled_again() -> None:
    done = a_proof(1, tried=0, run_slot=SLOT)
    made = plan(facts(*fleet(4), done), sample={"count": 2})
    assert reasons(made)[ONE] == "skip slot_drilled"
    assert len(drilled(made)) == 1


def test_what_failed_before_takes_no_place_of_a_later_round_s_sample() -> None:
    failed = [a_proof(n, tried=0, run_slot=SLOT, problem="x", sampled=False) for n in (1, 2)]
    assert len(drilled(plan(facts(*fleet(6), *failed), sample={"count": 2}))) == 2


def test_the_same_slot_over_again_drills_nothing() -> None:
    done = [a_proof(n, tried=0, run_slot=SLOT) for n in range(1, 5)]
    assert drilled(plan(facts(*fleet(4), *done))) == []
    assert drilled(plan(facts(*fleet(4), *done[:2]), sample={"percent": 50})) == []


def test_a_backup_that_two_volumes_continue_is_drilled_once() -> None:
    made = plan(facts(a_volume(ONE), restored(), a_backup(1)))
    assert reasons(made) == {ONE: "drill sampled", TWO: "skip not_sampled"}


@pytest.mark.parametrize(
    ("sample", "volumes", "taken"),
    [
        ({"percent": 10}, 1, 1),
        ({"percent": 10}, 10, 1),
        ({"percent": 10}, 11, 2),
        ({"percent": 100}, 7, 7),
        ({"count": 3}, 2, 2),
        ({"count": 3}, 9, 3),
        ({"everything": True}, 9, 9),
        ({"percent": 10}, 0, 0),
    ],
)
def test_a_sample_is_at_least_one_of_what_there_is(
    sample: dict[str, int], volumes: int, taken: int
) -> None:
    assert Sample.model_validate(sample).of(volumes) == taken


def test_ids_that_are_named_and_not_there_are_told() -> None:
    machine = an_instance("i-00000001")
    select = {"volumes": [ONE, "vol-0000beef"], "instances": [machine.id, "i-0000beef"]}
    made = plan(facts(*fleet(1), machine), select=select)
    assert reasons(made) == {
        ONE: "drill sampled",
        "vol-0000beef": "skip not_found",
        "i-0000beef": "skip not_found",
    }


def test_what_is_done_and_of_which_snapshot_is_part_of_the_plan() -> None:
    names = {
        plan_id(plan(facts(a_volume(), backup), how=how).decisions)
        for backup in (a_backup(1), a_backup(2, of=1))
        for how in ("blocks", "volume")
    }
    assert len(names) == 4


@given(order=st.permutations(range(8)), percent=st.integers(1, 100), by_volume=st.booleans())
def test_any_order_of_what_is_gathered_gives_the_same_plan(
    order: list[int], percent: int, *, by_volume: bool
) -> None:
    proofs = [a_proof(n, tried=n, problem="x" if n % 3 else "") for n in range(1, 5)]
    things: list[Volume | Snapshot | Proof] = [
        *fleet(6),
        *proofs,
        *(a_drill_volume(90 + n, expires_in_hours=n - 2, snapshot=n) for n in range(1, 4)),
    ]
    shuffled = [thing for at in order for thing in things[at::8]]
    fields: dict[str, Any] = {
        "sample": {"percent": percent},
        "how": "volume" if by_volume else "blocks",
    }
    first, second = (plan(facts(*each), **fields) for each in (things, shuffled))
    assert reasons(first) == reasons(second)
    assert drilled(first) == drilled(second)


def test_every_volume_has_one_decision() -> None:
    made = plan(facts(*fleet(5), a_drill_volume(), a_snapshot(of="vol-0000beef")))
    targets = [each.target for each in made.decisions]
    assert sorted(targets) == [*(volume_id(n) for n in range(1, 6)), volume_id(99)]
