"""What holds for every account, whatever is in it."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker import tags as tag
from caretaker.blast_radius import BlastRadius
from functions.retention import gates
from functions.retention.facts import Action, Facts, Reason
from functions.retention.plan import GOING, Plan, plan_retention
from functions.retention.request import RetentionRequest
from tests.support.builders import NOW
from tests.support.retention import a_crowd, ask, evidence, ids
from tests.unit.functions.retention.populations import accounts, is_ours, requests

if TYPE_CHECKING:
    from caretaker.ec2 import Snapshot

quick = settings(max_examples=60, deadline=None)


def plan_of(known: Facts, request: RetentionRequest, now: datetime = NOW) -> Plan:
    return plan_retention(known, request, now=now)


def without_limits(known: Facts) -> Facts:
    return replace(known, last_seen=None, plan=None)


def changed(known: Facts, snapshot_id: str, **odd: object) -> Facts:
    """Return the facts with one snapshot that is otherwise."""
    made = tuple(
        replace(each, **odd) if each.id == snapshot_id else each  # type: ignore[arg-type]
        for each in known.snapshots
    )
    return replace(known, snapshots=made)


def by_id(known: Facts) -> dict[str, Snapshot]:
    return {each.id: each for each in known.snapshots}


@quick
@given(accounts(), requests())
def test_decides_exactly_once_for_every_snapshot(known: Facts, request: RetentionRequest) -> None:
    plan = plan_of(known, request)

    assert ids(plan.decisions) == sorted(ids(known.snapshots))
    assert all(d.action in set(Action) and d.reason in set(Reason) for d in plan.decisions)
    assert all({"volume", "started", "gib"} <= d.detail.keys() for d in plan.decisions)


@quick
@given(accounts(), requests(), st.integers(0, 999))
def test_the_order_of_the_facts_does_not_matter(
    known: Facts, request: RetentionRequest, seed: int
) -> None:
    chance = random.Random(seed)
    snapshots, volumes = list(known.snapshots), list(known.volumes)
    chance.shuffle(snapshots)
    chance.shuffle(volumes)
    shuffled = replace(known, snapshots=tuple(snapshots), volumes=tuple(volumes))

    one, other = plan_of(known, request), plan_of(shuffled, request)

    assert (one.decisions, one.refusal, one.id) == (other.decisions, other.refusal, other.id)
    assert one.case.good == other.case.good


@quick
@given(accounts(), requests())
def test_only_what_we_made_for_this_policy_changes(known: Facts, request: RetentionRequest) -> None:
    snapshots = by_id(known)

    for decision in plan_of(known, request).decisions:
        snapshot = snapshots[decision.target]
        ours = is_ours(snapshot) and snapshot.tags[tag.POLICY] == request.policy
        assert ours or decision.action == Action.SKIP


@quick
@given(accounts(), requests())
def test_the_last_good_snapshot_of_every_volume_stays(
    known: Facts, request: RetentionRequest
) -> None:
    going = set(plan_of(known, request).going)
    started: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for snapshot in known.snapshots:
        if snapshot.state == "completed" and is_ours(snapshot) and snapshot.slot < "2026-12":
            started[snapshot.volume_id].append((snapshot.started, snapshot.id))

    assert going.isdisjoint(max(each)[1] for each in started.values())


@quick
@given(accounts(), requests())
def test_only_good_ones_and_superseded_failed_ones_go(
    known: Facts, request: RetentionRequest
) -> None:
    snapshots = by_id(known)

    for decision in plan_of(known, request).decisions:
        if decision.action in GOING:
            snapshot = snapshots[decision.target]
            failed = snapshot.state == "error"
            assert (decision.reason == Reason.FAILED) == failed
            assert failed or snapshot.state == "completed"
            assert snapshot.tier == "standard"
            assert NOW - snapshot.started >= timedelta(hours=24)
            assert snapshot.id not in known.references
            assert not failed or any(
                other.state == "completed" and other.started > snapshot.started
                for other in known.snapshots
                if other.volume_id == snapshot.volume_id
            )


@quick
@given(accounts(), requests())
def test_deletes_a_good_one_only_after_a_mark_that_counts_and_has_passed(
    known: Facts, request: RetentionRequest
) -> None:
    snapshots = by_id(known)

    for decision in plan_of(known, request).decisions:
        if decision.action == Action.DELETE and decision.reason != Reason.FAILED:
            snapshot = snapshots[decision.target]
            until = datetime.fromisoformat(snapshot.tags[tag.DELETE_AFTER])
            assert snapshot.started + timedelta(hours=48) <= until <= NOW


@quick
@given(accounts(), requests())
def test_a_marked_one_of_ours_is_deleted_waits_or_loses_its_mark(
    known: Facts, request: RetentionRequest
) -> None:
    snapshots = by_id(known)

    for decision in plan_of(known, request).decisions:
        is_marked = tag.DELETE_AFTER in snapshots[decision.target].tags
        assert is_marked or decision.action != Action.UNMARK
        if is_marked and decision.action == Action.KEEP:
            assert decision.reason in {Reason.MARKED, Reason.NOT_APPROVED}


@quick
@given(
    st.integers(1, 40),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 25),
    st.builds(BlastRadius, count=st.integers(0, 40), percent=st.integers(0, 50)),
)
def test_never_more_than_the_limit_goes_without_approval(
    kept: int, marks: int, deletions: int, approved: int, blast_radius: BlastRadius
) -> None:
    staying, going = a_crowd(kept), a_crowd(marks, first=101)
    due = a_crowd(deletions, first=201, marked=timedelta(0))
    known = evidence(*staying, *going, *due, approved=ids([*going, *due])[:approved])
    request = ask({"last": kept}, blast_radius=blast_radius.model_dump())

    plan = plan_of(known, request)

    number = max(marks - min(approved, marks), deletions - max(0, approved - marks))
    good, asked = kept + marks + deletions, blast_radius
    allowed = number <= max(asked.count, good * asked.percent / 100)
    bounded = number <= 10 or number * 2 <= good
    assert (plan.refusal is None) == (allowed and bounded)
    assert plan.going == ids([*going, *due])


@quick
@given(accounts(), requests())
def test_an_approval_lets_nothing_else_go(known: Facts, request: RetentionRequest) -> None:
    free, plan = plan_of(without_limits(known), request), plan_of(known, request)

    approved = known.plan.targets if known.plan else frozenset(free.going)
    assert set(plan.going) == set(free.going) & approved
    assert known.plan is None or plan.refusal is None or plan.refusal.reason != "blast_radius"


@quick
@given(accounts(), requests())
def test_every_gate_can_only_keep_more(known: Facts, request: RetentionRequest) -> None:
    known = without_limits(known)
    going = set(plan_of(known, request).going)

    for gate in gates.CHAIN:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gates, "CHAIN", tuple(each for each in gates.CHAIN if each is not gate))
            assert going <= set(plan_of(known, request).going)


odd_ones = st.sampled_from(
    [
        {"tier": "archive"},
        {"owner_id": "210987654321"},
        {"description": "by hand"},
        {"state": "pending"},
        {"state": "recoverable"},
        {"started": NOW - timedelta(hours=23)},
    ]
)


@quick
@given(accounts(fewest=1), requests(), odd_ones, st.data())
def test_evidence_against_it_never_lets_a_snapshot_go(
    known: Facts, request: RetentionRequest, odd: dict[str, object], data: st.DataObject
) -> None:
    each = data.draw(st.sampled_from(ids(known.snapshots)))

    assert each not in plan_of(changed(known, each, **odd), request).going


@quick
@given(known=accounts(fewest=1), request=requests(), by_tag=st.booleans(), data=st.data())
def test_what_protects_one_snapshot_lets_no_other_go(
    known: Facts,
    request: RetentionRequest,
    *,
    by_tag: bool,
    data: st.DataObject,
) -> None:
    known = without_limits(known)
    each = data.draw(st.sampled_from(ids(known.snapshots)))
    tags = {**by_id(known)[each].tags, tag.KEEP: "true"}
    references = {**known.references, each: Reason.LOCKED}
    protected = changed(known, each, tags=tags) if by_tag else replace(known, references=references)

    before, after = plan_of(known, request).going, plan_of(protected, request).going

    assert set(after) == set(before) - {each}
