"""Gather: all snapshots, all that may need one, and what is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.aws.ec2 import list_pages, list_snapshots, list_volumes
from caretaker.aws.errors import AWS_ERRORS
from caretaker.aws.restores import in_open_restores
from caretaker.errors import ListingError, OutOfTimeError
from caretaker.failures import Kind
from caretaker.plans import approved_targets, asked_plan
from caretaker.settings import Mode
from functions.retention import references
from functions.retention.facts import Facts, Reason
from functions.retention.memory import APPROVAL_HOLDS, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caretaker.ec2 import Volume
    from caretaker.run import Run, Scene
    from functions.retention.request import RetentionRequest

_PAGE: Final = 200
"""What the listings of launch templates and of fast restores give at most."""


def gather(run: Run[RetentionRequest]) -> Facts:
    """Read all snapshots of the account, all that may need one, and what is remembered."""
    scene, memory = run.scene, Memory(run)
    plans = memory.plans.plans()
    plan = asked_plan(plans, run.request.approve)
    if run.request.approve and run.mode is Mode.ACT:
        memory.plans.approve(run.request.approve, APPROVAL_HOLDS)
    snapshots = list_snapshots(scene.account, scene.pacer, {})
    volumes = list_volumes(scene.account, scene.pacer)
    return Facts(
        account=scene.account.place.account,
        installation=scene.settings.installation,
        snapshots=snapshots,
        volumes=volumes,
        references=_references(scene, volumes, memory),
        last_seen=memory.last_seen(),
        approved=approved_targets(plans),
        plan=plan,
        recycle_bin_days=_recycle_bin_days(scene),
    )


def _recycle_bin_days(scene: Scene) -> int | None:
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
    except (ListingError, OutOfTimeError, *AWS_ERRORS):
        return None
    return references.bin_days(rules, tag.MANAGED_BY, scene.settings.installation)


def _references(scene: Scene, volumes: Sequence[Volume], memory: Memory) -> dict[str, Reason]:
    """Return, by snapshot, why something else needs it."""
    creating = (volume.snapshot_id for volume in volumes if volume.state == "creating")
    restored = in_open_restores(scene.state.table, scene.account.place, "snapshots")
    found = (
        (Reason.SHARED, memory.shared()),
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
    """Yield the snapshots of these versions; a named one that is gone needs none."""
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
        if error.failure.kind is not Kind.GONE or len(which) == 1:
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
