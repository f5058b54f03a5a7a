"""Gather and apply: the only file of this chore that talks to AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.apply import fail
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
        self.breaker = Breaker()

    def preview(self, unit: Batch) -> list[Outcome]:
        """Look as `apply` would, and change nothing."""
        outcomes = []
        for decision in unit.decisions:
            now = self._decide_again(decision, self._looks.at(decision.target))
            result = Result.PLANNED if now.is_change else Result.UNCHANGED
            outcomes.append(Outcome(now, result))
        return outcomes

    def apply(self, unit: Batch) -> list[Outcome]:
        """Carry out one unit; protection that AWS knows of leaves a snapshot as it is."""
        self.breaker.check()
        try:
            outcomes = self._apply(unit)
        except ListingError as error:
            outcomes = fail(unit.decisions, error.failure.as_error(), {})
        self.breaker.count(outcomes)
        return outcomes

    def _apply(self, unit: Batch) -> list[Outcome]:
        if unit.lane == "DeleteSnapshot":
            return [self._delete(decision) for decision in unit.decisions]
        again = [self._decide_again(d, self._looks.at(d.target)) for d in unit.decisions]
        tagged = [decision for decision in again if decision.is_change]
        unchanged = [Outcome(d, Result.UNCHANGED) for d in again if not d.is_change]
        return [*unchanged, *self._tag(tagged)]

    def _delete(self, decision: Decision, tries: int = _TRIES) -> Outcome:
        """Delete one snapshot; EC2 may be asked twice, and what is gone is as good as deleted."""
        seen = self._looks.at(decision.target)
        now = self._decide_again(decision, seen)
        if now.reason == Reason.GONE:
            return Outcome(decision, Result.DONE, {"gone": True})
        if now.action == Action.UNMARK:
            return self._tag([now])[0]
        if not now.is_change:
            return Outcome(now, Result.UNCHANGED)
        failure = self._send_delete(decision.target, seen)
        if failure is None or failure.kind is Kind.GONE:
            return Outcome(decision, Result.DONE)
        if failure is STALE or (failure.kind is Kind.UNKNOWN and tries > 1):
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

    def _tag(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Mark or unmark together; one that EC2 does not know must not cost the others."""
        if not decisions:
            return []
        try:
            written = self._send_tags(decisions)
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.kind is Kind.GONE and len(decisions) > 1:
                half = len(decisions) // 2
                return [*self._tag(decisions[:half]), *self._tag(decisions[half:])]
            if failure.kind is Kind.GONE:
                return [Outcome(left(decisions[0], Reason.GONE), Result.UNCHANGED)]
            return fail(decisions, failure.as_error(), {})
        return [Outcome(decision, Result.DONE, written) for decision in decisions]

    def _send_tags(self, decisions: Sequence[Decision]) -> dict[str, Json]:
        """Write or remove the mark; its two days begin as it is sent."""
        client, scene = self._run.scene.account.ec2, self._run.scene
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

    def _decide_again(self, decision: Decision, seen: Seen) -> Decision:
        """Judge by what was just seen; whatever does not come to the same is left as it is."""
        if seen.snapshot is None:
            return left(decision, Reason.GONE)
        shared: frozenset[str] = frozenset()
        if decision.action != Action.UNMARK and self._is_shared(decision.target):
            shared = frozenset({decision.target})
        return reconciled(decision, judge(seen.snapshot, replace(self._case, shared=shared)))

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
