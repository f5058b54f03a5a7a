"""What holds for every fleet, whatever it looks like."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker import tags as tag
from functions.snapshot.plan import (
    MAX_ATTEMPTS,
    Action,
    Facts,
    Reason,
    VolumeDecision,
    plan_snapshots,
)
from functions.snapshot.request import Consistency, SnapshotRequest
from functions.snapshot.units import MAX_EXCLUDED, MAX_SET, OUR_TAGS, Unit, plan_units
from tests.support.builders import BACKED_UP, SLOT, a_snapshot, a_volume, an_instance, facts

quick = settings(max_examples=40, deadline=None)

INSTANCES: Final = [f"i-{n:08x}" for n in range(3)]
SLOTS: Final = ["2026-11-18T03:00Z", "2026-11-19T03:00Z", "2026-11-20T03:00Z", SLOT]
STATES: Final = ["completed", "pending", "error", "recovering"]

keys = st.sampled_from(["Name", "team", "aws:x", "caretaker:probe", *(f"k{n}" for n in range(60))])
tag_sets = st.builds(
    lambda some, mark: {**some, **mark},
    st.dictionaries(keys, st.sampled_from(["", "a", "b"]), max_size=49),
    st.sampled_from([{}, BACKED_UP, {tag.BACKUP: "weekly"}, {**BACKED_UP, tag.IGNORE: ""}]),
)
attempts = st.sampled_from(["1", "2", "3", "", "x", "0"])
requests = st.builds(
    SnapshotRequest,
    consistency=st.sampled_from(Consistency),
    copy_tags=st.sampled_from([("*",), ("Name",), ()]),
)


@st.composite
def fleets(draw: st.DrawFn) -> Facts:
    volumes = [
        a_volume(
            f"vol-{number:08x}",
            at=draw(st.lists(st.sampled_from(INSTANCES), max_size=2, unique=True)),
            tags=draw(tag_sets),
            state=draw(st.sampled_from(["", "", "", "deleting"])),
        )
        for number in range(draw(st.integers(0, 7)))
    ]
    volumes += [
        a_volume(f"vol-2{n:07x}", at=instance, device="/dev/xvda", tags=draw(tag_sets))
        for n, instance in enumerate(draw(st.lists(st.sampled_from(INSTANCES), unique=True)))
    ]
    # A crowd of unselected members brings a set to the limit of exclusions.
    crowd = draw(st.sampled_from([0, 0, MAX_EXCLUDED - 2, MAX_EXCLUDED + 1, MAX_SET]))
    volumes += [a_volume(f"vol-1{n:07x}", at=INSTANCES[0], tags={}) for n in range(crowd)]
    ids = [volume.id for volume in volumes[:11]] or ["vol-00000000"]
    snapshots = [
        a_snapshot(
            f"snap-{number:08x}",
            of=draw(st.sampled_from(ids)),
            state=draw(st.sampled_from(STATES)),
            slot=draw(st.sampled_from(SLOTS)),
            age_hours=draw(st.integers(0, 72)),
            attempt=draw(attempts),
        )
        for number in range(draw(st.integers(0, 12)))
    ]
    owners = [
        an_instance(each, state=draw(st.sampled_from(["running", "stopped", "pending"])))
        for each in draw(st.lists(st.sampled_from(INSTANCES), unique=True))
    ]
    counted = st.dictionaries(st.sampled_from(SLOTS), st.integers(1, 4), max_size=4)
    return facts(
        *volumes,
        *snapshots,
        *owners,
        failed_attempts=draw(st.dictionaries(st.sampled_from(ids), counted)),
        table_reachable=draw(st.booleans()),
    )


def plan(known: Facts, request: SnapshotRequest) -> tuple[list[VolumeDecision], list[Unit]]:
    decisions = plan_snapshots(known, request, slot=SLOT)
    return decisions, plan_units(decisions, known, request, slot=SLOT)


def shuffled(known: Facts, seed: int) -> Facts:
    chance = random.Random(seed)
    volumes, snapshots = list(known.volumes), list(known.snapshots)
    owners = list(known.instances.items())
    for each in (volumes, snapshots, owners):
        chance.shuffle(each)
    return replace(
        known, volumes=tuple(volumes), snapshots=tuple(snapshots), instances=dict(owners)
    )


@quick
@given(fleets(), requests)
def test_decides_exactly_once_for_every_volume(known: Facts, request: SnapshotRequest) -> None:
    decisions, _ = plan(known, request)

    assert [d.target for d in decisions] == sorted(volume.id for volume in known.volumes)
    assert all(d.action in set(Action) and d.reason in set(Reason) for d in decisions)


@quick
@given(fleets(), requests, st.integers(0, 999))
def test_the_order_of_the_facts_does_not_matter(
    known: Facts, request: SnapshotRequest, seed: int
) -> None:
    assert plan(shuffled(known, seed), request) == plan(known, request)


@quick
@given(fleets(), requests)
def test_never_creates_what_the_slot_has(known: Facts, request: SnapshotRequest) -> None:
    had = {
        each.volume_id
        for each in known.snapshots
        if each.slot == SLOT and each.state in {"pending", "completed"}
    }

    decisions, _ = plan(known, request)

    assert not any(d.is_change for d in decisions if d.target in had)


@quick
@given(fleets(), requests, st.sampled_from(["pending", "completed"]))
def test_planning_again_after_the_creation_changes_nothing(
    known: Facts, request: SnapshotRequest, state: str
) -> None:
    created = [d for d in plan(known, request)[0] if d.action == Action.CREATE]
    cleared = {snapshot_id for d in created for snapshot_id in d.clear}
    made = [
        a_snapshot(f"snap-1{n:07x}", of=d.target, state=state, slot=SLOT, attempt=d.attempt)
        for n, d in enumerate(created)
    ]
    left = [snapshot for snapshot in known.snapshots if snapshot.id not in cleared]

    decisions, _ = plan(replace(known, snapshots=(*left, *made)), request)

    assert not [d for d in decisions if d.action == Action.CREATE]
    assert {d.target for d in created} <= {d.target for d in decisions if d.action == Action.KEEP}


@quick
@given(fleets(), requests)
def test_never_tries_a_slot_more_than_three_times(known: Facts, request: SnapshotRequest) -> None:
    for decision in plan(known, request)[0]:
        if decision.action == Action.CREATE:
            counted = (known.failed_attempts or {}).get(decision.target, {}).get(SLOT, 0)
            assert counted < decision.attempt <= MAX_ATTEMPTS


@quick
@given(fleets(), requests)
def test_clears_only_failed_snapshots_of_the_volume_itself(
    known: Facts, request: SnapshotRequest
) -> None:
    by_id = {snapshot.id: snapshot for snapshot in known.snapshots}

    for decision in plan(known, request)[0]:
        assert {by_id[each].state for each in decision.clear} <= {"error"}
        assert {by_id[each].volume_id for each in decision.clear} <= {decision.target}
        assert not (decision.clear and known.failed_attempts is None)


@quick
@given(fleets(), requests)
def test_ignored_and_unselected_volumes_never_change(
    known: Facts, request: SnapshotRequest
) -> None:
    wanted = {
        volume.id
        for volume in known.volumes
        if volume.tags.get(tag.BACKUP) == request.policy and tag.IGNORE not in volume.tags
    }

    assert {d.target for d in plan(known, request)[0] if d.is_change} <= wanted


@quick
@given(fleets(), requests)
def test_every_change_is_in_exactly_one_unit(known: Facts, request: SnapshotRequest) -> None:
    decisions, units = plan(known, request)

    carried_out = sorted(volume_id for unit in units for volume_id in unit.volume_ids)

    assert carried_out == [d.target for d in decisions if d.is_change]


@quick
@given(fleets(), requests)
def test_a_unit_never_mixes_instances_attempts_or_actions(
    known: Facts, request: SnapshotRequest
) -> None:
    owners = {volume.id: volume.instance_ids for volume in known.volumes}
    by_target = {decision.target: decision for decision in plan(known, request)[0]}

    for unit in plan(known, request)[1]:
        members = [by_target[each] for each in unit.volume_ids]
        assert {member.attempt for member in members} == {unit.attempt}
        assert len({member.action for member in members}) == 1
        assert sorted(unit.clear) == sorted(each for m in members for each in m.clear)
        assert unit.is_set == (len(members) > 1)
        if unit.instance_id:
            assert all(owners[each][0] == unit.instance_id for each in unit.volume_ids)


@quick
@given(fleets(), requests)
def test_a_set_takes_its_members_and_nothing_else(known: Facts, request: SnapshotRequest) -> None:
    for unit in plan(known, request)[1]:
        if not unit.is_set:
            assert (unit.exclude_boot, unit.exclude_volumes) == (False, ())
            continue
        root = known.instances[unit.instance_id].root_device
        attached = [v for v in known.volumes if unit.instance_id in v.instance_ids]
        boot = {v.id for v in attached if v.attachments[0].device == root}
        assert len(unit.exclude_volumes) <= MAX_EXCLUDED
        assert len(attached) <= MAX_SET
        assert boot.isdisjoint(unit.exclude_volumes)
        out = {*unit.exclude_volumes, *(boot if unit.exclude_boot else ())}
        assert {v.id for v in attached} - out == set(unit.volume_ids)


@quick
@given(fleets(), requests)
def test_tag_sets_fit_and_hold_no_reserved_key(known: Facts, request: SnapshotRequest) -> None:
    tags_of = {volume.id: volume.tags for volume in known.volumes}
    for unit in plan(known, request)[1]:
        copied = {**unit.tags, **(tags_of[unit.volume_ids[0]] if unit.copy_all_tags else {})}
        assert len(copied) + OUR_TAGS <= tag.MAX_TAGS
        reserved = {key for key in copied if key.startswith(("aws:", tag.PREFIX))}
        assert reserved <= ({tag.BACKUP} if unit.copy_all_tags else set())
