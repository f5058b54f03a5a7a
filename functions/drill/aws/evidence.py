"""Gather: the volumes, their newest backups, and what was proven before."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING

from caretaker.aws.ec2 import list_instances, list_ours, list_pages, volume_of
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import ListingError
from caretaker.failures import Kind
from caretaker.lineages import lines_of
from functions.drill.facts import Disk, Facts
from functions.drill.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ec2.type_defs import FilterTypeDef, VolumeTypeDef

    from caretaker.run import Run, Scene
    from functions.drill.request import DrillRequest


def gather(run: Run[DrillRequest]) -> Facts:
    """Read the fleet, our snapshots of the policy, and the proofs."""
    scene = run.scene
    installation = scene.settings.installation
    snapshots = list_ours(scene.account, scene.pacer, installation, run.request.policy)
    disks = list_disks(scene)
    memory = Memory(run)
    return Facts(
        installation=installation,
        disks=disks,
        instances={each.id: each for each in list_instances(scene.account, scene.pacer)},
        snapshots=snapshots,
        lines=lines_of(snapshots, {disk.id: disk.volume.tags for disk in disks}),
        proofs=memory.proofs(),
        since=memory.since(),
    )


def list_disks(scene: Scene, filters: Sequence[FilterTypeDef] = ()) -> tuple[Disk, ...]:
    """Return the volumes that match all filters, all of them without any."""
    describe = scene.account.ec2.describe_volumes
    found = list_pages(scene.pacer, describe, "DescribeVolumes", "Volumes", Filters=list(filters))
    return tuple({disk.id: disk for disk in map(_disk, found)}.values())


def find_disk(scene: Scene, volume_id: str) -> Disk | None:
    """Return a volume, None where there is none, or none yet."""
    client = scene.account.ec2
    try:
        answer = scene.pacer.call(
            "DescribeVolumes", lambda: client.describe_volumes(VolumeIds=[volume_id])
        )
    except AWS_ERRORS as error:
        failure = classify(error)
        if failure.kind is Kind.GONE:
            return None
        raise ListingError("DescribeVolumes", failure) from error
    return next(map(_disk, answer["Volumes"]), None)


def _disk(item: VolumeTypeDef) -> Disk:
    return Disk(volume_of(item), intern(item["AvailabilityZone"]))
