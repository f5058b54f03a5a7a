"""Gather and apply: the only file of this chore that talks to AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.apply import fail, settle
from caretaker.aws.ec2 import FILTER_VALUES, list_instances, list_snapshots, list_volumes
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.decisions import Json, Outcome, Result
from caretaker.ec2 import Snapshot, SnapshotState, description_of
from caretaker.errors import BusyError, HaltError, ListingError, OutOfTimeError, StateError
from caretaker.failures import Failure, Kind

from .memory import Memory, as_failed, recall_cleared
from .outcomes import created, given_up, skipped, unknown
from .plan import Action, Facts, Reason
from .request import SnapshotRequest, failed_snapshot_ids, retake_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_ec2.type_defs import InstanceSpecificationTypeDef, TagSpecificationTypeDef

    from caretaker.run import Run, Scene

    from .units import Unit

SETTLE_SECONDS: Final = 15
"""What EC2's listings may lag behind, and the least time between two snapshots of a volume."""


def resolve_event(event: Mapping[str, Any], scene: Scene) -> dict[str, Any] | None:
    """Turn an EBS event that tells of failed snapshots into the request that retakes them."""
    ids = failed_snapshot_ids(event)
    if not ids:
        return None
    named = {s.id: s for s in _list_ours(scene, {"snapshot-id": ids[:FILTER_VALUES]})}
    failed = [
        as_failed(s)
        for s in named.values()
        if s.state == SnapshotState.ERROR and s.policy and s.slot
    ]
    gone = [snapshot_id for snapshot_id in ids if snapshot_id not in named]
    return retake_event(event, sorted([*failed, *recall_cleared(scene, gone)]))


def gather(run: Run[SnapshotRequest]) -> Facts:
    """Read the fleet, our snapshots of this policy, and what failed before."""
    scene, policy = run.scene, run.request.policy
    instances = list_instances(scene.account, scene.pacer)
    return Facts(
        volumes=list_volumes(scene.account, scene.pacer),
        instances={instance.id: instance for instance in instances},
        snapshots=_list_ours(scene, {f"tag:{tag.POLICY}": [policy]}),
        # After the snapshots: what was deleted meanwhile has been counted before.
        failed_attempts=Memory(run).failed_attempts(),
        policy_since=Memory(run).policy_since(),
    )


def apply(
    run: Run[SnapshotRequest], unit: Unit, snapshots: Mapping[str, Snapshot]
) -> list[Outcome]:
    """Carry one unit out: clear what failed before, create, and find out what became of it."""
    gives_up = unit.decisions[0].action == Action.GIVE_UP
    try:
        if unit.attempt > 1 and not gives_up:
            return _retake(run, unit, snapshots)
        unit = _clear(run, unit, snapshots)
        return given_up(unit, snapshots) if gives_up else _create(run, unit)
    except BusyError:
        return skipped(unit, Reason.RETAKE_IN_PROGRESS)
    except ListingError as error:
        return unknown(unit.decisions, error.failure)
    except StateError as error:
        why = {"deferred_by": "state_unavailable", "message": error.failure.message}
        return settle(unit.decisions, Result.DEFERRED, **why)


def _retake(
    run: Run[SnapshotRequest], unit: Unit, snapshots: Mapping[str, Snapshot]
) -> list[Outcome]:
    """Claim the retake, clear what failed, wait, look once more, and create.

    The facts may be minutes old by now: another run may have retaken it since. A claim is given
    back only where nothing was made.
    """
    memory = Memory(run)
    memory.claim(unit)
    outcomes: list[Outcome] = []
    try:
        unit = _clear(run, unit, snapshots)
        found = _look(run, unit)
        outcomes = created(unit, found, adopted=True) if found else _create(run, unit)
    finally:
        if all(outcome.result is Result.FAILED for outcome in outcomes):
            memory.give_back(unit)
    return outcomes


def _create(run: Run[SnapshotRequest], unit: Unit, tries: int = 2) -> list[Outcome]:
    """Send once; when the outcome is unknown, look, and send once more if nothing is there.

    CreateSnapshots is all or nothing, so a part of a set means that the rest is not listed yet.
    """
    try:
        return created(unit, _send(run, unit))
    except AWS_ERRORS as error:
        failure = classify(error)
    if failure.kind is not Kind.UNKNOWN:
        return _refused(run, unit, failure)
    found = _look(run, unit) or _look(run, unit)
    if found:
        return created(unit, found, adopted=True)
    return _create(run, unit, tries - 1) if tries > 1 else unknown(unit.decisions, failure)


def _look(run: Run[SnapshotRequest], unit: Unit) -> dict[str, str]:
    """Return the good snapshots of this slot by volume, once EC2's listings had time to settle."""
    scene = run.scene
    scene.clock.sleep(SETTLE_SECONDS)
    found = _list_ours(
        scene,
        {
            f"tag:{tag.POLICY}": [run.request.policy],
            f"tag:{tag.SLOT}": [run.slot],
            "volume-id": list(unit.volume_ids),
        },
    )
    good = {SnapshotState.PENDING, SnapshotState.COMPLETED}
    return {s.volume_id: s.id for s in found if s.state in good}


def _send(run: Run[SnapshotRequest], unit: Unit) -> dict[str, str]:
    """Create the snapshots and return their ids by volume."""
    client, pacer = run.scene.account.ec2_once, run.scene.pacer
    description = description_of(run.request.policy, run.slot)
    specification = _tag_specification(run, unit)
    if not unit.is_set:
        made = pacer.call(
            "CreateSnapshot",
            lambda: client.create_snapshot(
                VolumeId=unit.volume_ids[0],
                Description=description,
                TagSpecifications=[specification],
            ),
        )
        return {made["VolumeId"]: made["SnapshotId"]}
    optional: dict[str, Any] = {"CopyTagsFromSource": "volume"} if unit.copy_all_tags else {}
    members: InstanceSpecificationTypeDef = {
        "InstanceId": unit.instance_id,
        "ExcludeBootVolume": unit.exclude_boot,
    }
    if unit.exclude_volumes:
        members["ExcludeDataVolumeIds"] = unit.exclude_volumes
    answer = pacer.call(
        "CreateSnapshots",
        lambda: client.create_snapshots(
            InstanceSpecification=members,
            Description=description,
            TagSpecifications=[specification],
            **optional,
        ),
    )
    return {made["VolumeId"]: made["SnapshotId"] for made in answer["Snapshots"]}


def _tag_specification(run: Run[SnapshotRequest], unit: Unit) -> TagSpecificationTypeDef:
    ours = {
        tag.MANAGED_BY: run.scene.settings.installation,
        tag.POLICY: run.request.policy,
        tag.SLOT: run.slot,
        tag.RUN: run.scene.run_id,
        tag.ATTEMPT: str(unit.attempt),
        **({tag.INSTANCE: unit.instance_id} if unit.instance_id else {}),
    }
    pairs = {**ours, **unit.tags}.items()
    return {"ResourceType": "snapshot", "Tags": [{"Key": k, "Value": v} for k, v in pairs]}


def _clear(run: Run[SnapshotRequest], unit: Unit, snapshots: Mapping[str, Snapshot]) -> Unit:
    """Count failed snapshots, then delete them; in this order a killed run forgets no attempt.

    One that cannot be deleted does not keep its volume from being backed up: it is noted.
    """
    notes: dict[str, Json] = {}
    for snapshot_id in unit.clear:
        Memory(run).count(snapshots[snapshot_id])
        try:
            _delete(run, snapshot_id)
        except AWS_ERRORS as error:
            notes[f"not_deleted:{snapshot_id}"] = classify(error).code
    return replace(unit, notes={**unit.notes, **notes})


def _delete(run: Run[SnapshotRequest], snapshot_id: str) -> None:
    """Delete one snapshot of ours; one that is gone already is as good."""
    client = run.scene.account.ec2
    try:
        run.scene.pacer.call(
            "DeleteSnapshot", lambda: client.delete_snapshot(SnapshotId=snapshot_id)
        )
    except AWS_ERRORS as error:
        if classify(error).kind is not Kind.GONE:
            raise


def _refused(run: Run[SnapshotRequest], unit: Unit, failure: Failure) -> list[Outcome]:
    """Report a refusal: a limit defers; anything else fails the one volume that it is about."""
    if failure.kind is Kind.FULL:
        raise HaltError(failure)
    if failure.kind is Kind.BUSY:
        why = {"deferred_by": failure.code, "message": failure.message}
        return settle(unit.decisions, Result.DEFERRED, **why)
    if unit.is_set and failure.kind in {Kind.GONE, Kind.INVALID}:
        return _one_by_one(run, unit, failure)
    if failure.kind is Kind.GONE:
        return skipped(unit, Reason.VOLUME_GONE)
    Memory(run).count_refused(unit, failure.message)
    return fail(unit.decisions, failure.as_error(), unit.notes)


def _one_by_one(run: Run[SnapshotRequest], unit: Unit, failure: Failure) -> list[Outcome]:
    """Take the members of a refused set singly: one bad volume must not cost the others."""
    kept = {key: note for key, note in unit.notes.items() if key != "tags"}
    notes = {**kept, "consistency": "volume_by_refusal", "refusal": failure.code}
    alone = replace(unit, is_set=False, notes=notes)
    outcomes: list[Outcome] = []
    for number, decision in enumerate(unit.decisions):
        try:
            own_tags = unit.own_tags[decision.target]
            outcomes += _create(run, replace(alone, decisions=(decision,), tags=own_tags))
        except (HaltError, OutOfTimeError) as stopped:
            if not outcomes:
                raise
            why = stopped.failure.code if isinstance(stopped, HaltError) else "out_of_time"
            outcomes += settle(unit.decisions[number:], Result.DEFERRED, deferred_by=why)
            break
    return outcomes


def _list_ours(scene: Scene, filters: Mapping[str, Sequence[str]]) -> tuple[Snapshot, ...]:
    ours = {f"tag:{tag.MANAGED_BY}": [scene.settings.installation]}
    return list_snapshots(scene.account, scene.pacer, {**ours, **filters})
