"""Gather and apply: the only file of this chore that talks to AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.apply import fail, settle
from caretaker.aws.ec2 import list_pages, list_snapshots, list_volumes
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.decisions import Decision, Json, Outcome, Result
from caretaker.errors import ListingError
from caretaker.failures import Failure, Kind
from caretaker.settings import Mode

from . import references
from .breaker import Breaker
from .facts import Action, Facts, Reason
from .look import LastLook, Seen
from .memory import Memory, approved_plan
from .outcomes import STALE, left, reconciled, undeleted
from .plan import delete_after, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.decisions import Batch
    from caretaker.ec2 import Snapshot, Volume
    from caretaker.run import Run, Scene

    from .case import Case
    from .request import RetentionRequest

_PAGE: Final = 200
"""What the listings of launch templates and of fast restores give at most."""
_TRIES: Final = 3
_LOOK_AGAIN: Final = frozenset({Kind.UNKNOWN, Kind.GONE, Kind.DENIED})
"""After these it may have happened, or one may be gone: IAM denies what has no tags any more."""
MAX_PREVIEWED: Final = 500
"""So many last looks take a minute at the default pace."""


def gather(run: Run[RetentionRequest]) -> Facts:
    """Read all snapshots of the account, all that may need one, and what is remembered."""
    scene, memory = run.scene, Memory(run)
    plans = memory.plans()
    plan = approved_plan(plans, run.request.approve)
    if plan and run.mode is Mode.ACT:
        memory.approve(plan)
    snapshots = list_snapshots(scene.account, scene.pacer, {})
    volumes = list_volumes(scene.account, scene.pacer)
    return Facts(
        account=scene.account.place.account,
        installation=scene.settings.installation,
        snapshots=snapshots,
        volumes=volumes,
        references=_references(scene, volumes, memory.in_open_restores()),
        last_seen=memory.last_seen(),
        approved=frozenset().union(*(each.snapshots for each in plans.values() if each.approved)),
        plan=plan.snapshots if plan else None,
    )


def recycle_bin_days(scene: Scene, installation: str) -> int | None:
    """Return for how many days deleted snapshots of ours can be had back; None when untold."""
    client, pacer = scene.account.rbin, scene.pacer
    try:
        found = list_pages(
            pacer, client.list_rules, "ListRules", "Rules", ResourceType="EBS_SNAPSHOT"
        )
        rules: list[Any] = [
            pacer.call("GetRule", lambda: client.get_rule(Identifier=rule["Identifier"]))  # noqa: B023
            for rule in found
        ]
    except (ListingError, *AWS_ERRORS):
        return None
    return references.bin_days(rules, tag.MANAGED_BY, installation)


def _references(scene: Scene, volumes: Sequence[Volume], restored: set[str]) -> dict[str, Reason]:
    """Return, by snapshot, why something else needs it."""
    creating = (volume.snapshot_id for volume in volumes if volume.state == "creating")
    found = (
        (Reason.RESTORE_OPEN, restored),
        (Reason.VOLUME_CREATING, creating),
        (Reason.FAST_RESTORE, _fast_restores(scene)),
        (Reason.USED_BY_LAUNCH_TEMPLATE, _launch_templates(scene)),
        (Reason.USED_BY_IMAGE, _images(scene)),
        (Reason.LOCKED, _locks(scene)),
    )
    return {snapshot_id: reason for reason, ids in found for snapshot_id in ids}


def _images(scene: Scene) -> Iterator[str]:
    """Yield the snapshots of all own images; unasked, EC2 leaves out the disabled ones."""
    images = list_pages(
        scene.pacer,
        scene.account.ec2.describe_images,
        "DescribeImages",
        "Images",
        Owners=["self"],
        IncludeDeprecated=True,
        IncludeDisabled=True,
    )
    for image in images:
        yield from references.mapped_snapshots(image)


def _launch_templates(scene: Scene) -> Iterator[str]:
    """Yield the snapshots of default and latest versions, and of those in use."""
    yield from _versions(scene, Versions=["$Default", "$Latest"])
    groups = list_pages(
        scene.pacer,
        scene.account.autoscaling.describe_auto_scaling_groups,
        "DescribeAutoScalingGroups",
        "AutoScalingGroups",
        size=100,
        size_key="MaxRecords",
    )
    for (key, value), numbers in references.versions_in_use(groups).items():
        for number in numbers:
            yield from _versions(scene, **{key: value}, Versions=[number])


def _versions(scene: Scene, **which: Any) -> Iterator[str]:  # noqa: ANN401 - EC2's parameters
    """Yield the snapshots of these versions; a version that is gone needs none."""
    describe = scene.account.ec2.describe_launch_template_versions
    try:
        for version in list_pages(
            scene.pacer,
            describe,
            "DescribeLaunchTemplateVersions",
            "LaunchTemplateVersions",
            size=_PAGE,
            **which,
        ):
            yield from references.mapped_snapshots(version["LaunchTemplateData"])
    except ListingError as error:
        if error.failure.kind is not Kind.GONE:
            raise


def _fast_restores(scene: Scene) -> Iterator[str]:
    describe, key = scene.account.ec2.describe_fast_snapshot_restores, "FastSnapshotRestores"
    for each in list_pages(scene.pacer, describe, f"Describe{key}", key, size=_PAGE):
        if each["State"] != "disabled":
            yield each["SnapshotId"]


def _locks(scene: Scene) -> Iterator[str]:
    describe = scene.account.ec2.describe_locked_snapshots
    for each in list_pages(scene.pacer, describe, "DescribeLockedSnapshots", "Snapshots"):
        if each["LockState"] != "expired":
            yield each["SnapshotId"]


class Changes:
    """Carries out the changes of one run, each after a last look at its snapshot."""

    def __init__(self, run: Run[RetentionRequest], case: Case, ids: Sequence[str]) -> None:
        self._run = run
        self._case = case
        self._looks = LastLook(ids, self._read, run.scene.clock)
        self._previewed = 0
        self.breaker = Breaker()

    def preview(self, unit: Batch) -> list[Outcome]:
        """Look as `apply` would, and change nothing; many are planned without a look.

        There is no listing of what is shared: a look is a call for each snapshot.
        """
        if self._previewed >= MAX_PREVIEWED:
            return settle(unit.decisions, Result.PLANNED, last_look="left out")
        self._previewed += len(unit.decisions)
        return [self._look_at(decision) for decision in unit.decisions]

    def apply(self, unit: Batch) -> list[Outcome]:
        """Carry out one unit; protection that AWS knows of leaves a snapshot as it is."""
        self.breaker.check()
        carry_out = self._tag if unit.lane != "DeleteSnapshot" else self._delete_each
        outcomes = carry_out(unit.decisions)
        self.breaker.count(outcomes)
        return outcomes

    def _delete_each(self, decisions: Sequence[Decision]) -> list[Outcome]:
        return [self._delete(decision) for decision in decisions]

    def _delete(self, decision: Decision, tries: int = _TRIES) -> Outcome:
        """Delete one snapshot; EC2 may be asked again, and what is gone is as good as deleted."""
        seen, looked = self._looks.at(decision.target), self._look_at(decision)
        if looked.decision.reason == Reason.GONE:
            return Outcome(decision, Result.DONE, {"gone": True})
        if looked.decision.action == Action.UNMARK:
            return self._tag([looked.decision])[0]
        if looked.result is not Result.PLANNED:
            return looked
        failure = self._send_delete(decision.target, seen)
        if failure is None or failure.kind is Kind.GONE:
            return Outcome(decision, Result.DONE)
        if failure is STALE or (failure.kind in _LOOK_AGAIN and tries > 1):
            self._looks.forget(decision.target)
            return self._delete(decision, tries - (failure is not STALE))
        return undeleted(decision, failure)

    def _send_delete(self, snapshot_id: str, seen: Seen) -> Failure | None:
        """Send once; `STALE` when the wait for its turn took longer than a last look holds."""
        client = self._run.scene.account.ec2_once

        def send() -> Failure | None:
            if not self._looks.is_fresh(seen):
                return STALE
            client.delete_snapshot(SnapshotId=snapshot_id)
            return None

        try:
            return self._run.scene.pacer.call("DeleteSnapshot", send)
        except AWS_ERRORS as error:
            return classify(error)

    def _tag(self, decisions: Sequence[Decision], tries: int = _TRIES) -> list[Outcome]:
        """Mark or unmark together; of a batch that is refused, look at each once more."""
        looked = [self._look_at(decision) for decision in decisions]
        standing = [each.decision for each in looked if each.result is Result.PLANNED]
        ended = [each for each in looked if each.result is not Result.PLANNED]
        if not standing:
            return ended
        try:
            written = self._send_tags(standing)
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.kind not in _LOOK_AGAIN or tries == 1:
                return [*ended, *fail(standing, failure.as_error(), {})]
            for decision in standing:
                self._looks.forget(decision.target)
            return [*ended, *self._tag(standing, tries - 1)]
        return [*ended, *(Outcome(decision, Result.DONE, written) for decision in standing)]

    def _send_tags(self, decisions: Sequence[Decision]) -> dict[str, Json]:
        """Write or remove the mark; its two days begin as it is sent."""
        client, scene = self._run.scene.account.ec2_once, self._run.scene
        ids = [decision.target for decision in decisions]
        if decisions[0].action == Action.UNMARK:
            only: list[TagTypeDef] = [{"Key": tag.DELETE_AFTER}]
            scene.pacer.call("DeleteTags", lambda: client.delete_tags(Resources=ids, Tags=only))
            return {}

        def mark() -> dict[str, Json]:
            until = delete_after(scene.clock.now())
            client.create_tags(Resources=ids, Tags=[{"Key": tag.DELETE_AFTER, "Value": until}])
            return {"delete_after": until}

        return scene.pacer.call("CreateTags", mark)

    def _look_at(self, decision: Decision) -> Outcome:
        """Judge again by what is there now: `planned` where the change stands."""
        try:
            snapshot = self._looks.at(decision.target).snapshot
            is_shared = _sharing_counts(decision) and self._is_shared(decision.target)
        except ListingError as error:
            return fail([decision], error.failure.as_error(), {})[0]
        if snapshot is None:
            return Outcome(left(decision, Reason.GONE), Result.UNCHANGED)
        shared = frozenset({decision.target} if is_shared else ())
        now = reconciled(decision, judge(snapshot, replace(self._case, shared=shared)))
        return Outcome(now, Result.PLANNED if now.is_change else Result.UNCHANGED)

    def _is_shared(self, snapshot_id: str) -> bool:
        """Tell whether anybody else may make volumes of it; there is no listing of that."""
        client = self._run.scene.account.ec2
        try:
            answer = self._run.scene.pacer.call(
                "DescribeSnapshotAttribute",
                lambda: client.describe_snapshot_attribute(
                    SnapshotId=snapshot_id, Attribute="createVolumePermission"
                ),
            )
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.kind is Kind.GONE:
                return False
            raise ListingError("DescribeSnapshotAttribute", failure) from error
        return bool(answer.get("CreateVolumePermissions"))

    def _read(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        scene = self._run.scene
        found = list_snapshots(scene.account, scene.pacer, {"snapshot-id": ids})
        return {snapshot.id: snapshot for snapshot in found}


def _sharing_counts(decision: Decision) -> bool:
    """Tell whether a change depends on it: not the unmarking of what another gate keeps."""
    return decision.action != Action.UNMARK or decision.reason == Reason.SHARED
