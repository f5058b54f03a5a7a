"""One look at an instance on its way: itself, its volumes old and new, its checks."""

from __future__ import annotations

from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.aws.ec2 import FILTER_VALUES, list_pages
from functions.restore.aws.listings import disk_of, list_group_states, machine_of
from functions.restore.facts import (
    AVAILABLE,
    RUNNING,
    Disk,
    How,
    Machine,
    RootTask,
    Sight,
)
from functions.restore.journal import Goal
from functions.restore.seats import Seating

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_ec2.type_defs import FilterTypeDef

    from caretaker.run import Scene
    from functions.restore.journal import Journal

_CHECKS: Final = ("InstanceStatus", "SystemStatus", "AttachedEbsStatus")
_NONE: Final = "not-applicable"
_WORST: Final = ("impaired", "insufficient-data", "initializing")


def look_calls(journal: Journal) -> dict[str, int]:
    """Return how many calls of each action a look takes, but for those that only some take."""
    calls = {"DescribeVolumes": len(_wanted(journal))}
    return calls | ({"DescribeInstances": 1} if journal.is_instance else {})


def look_at(scene: Scene, journal: Journal) -> Sight:
    """Return what EC2 shows; `ListingError` when it does not tell."""
    machine = _machine(scene, journal) if journal.is_instance else None
    disks = {disk.id: disk for disk in _disks(scene, journal)}
    if machine and machine.group and _is_touched_next(journal, disks):
        state = list_group_states(scene, [machine.id]).get(machine.id, "")
        machine = replace(machine, group_state=state)
    task = _task(scene, journal.task) if journal.task else None
    sight = Sight(scene.clock.now(), machine, disks, task=task)
    return (
        replace(sight, health=_health(scene, journal)) if _wants_health(journal, sight) else sight
    )


def _is_touched_next(journal: Journal, disks: Mapping[str, Disk]) -> bool:
    """Tell whether all is ready, so that how an instance stands in its group is asked just then."""
    made = (disks.get(part.new) for part in journal.parts)
    is_ready = journal.how is How.ROOT or all(disk and disk.state == AVAILABLE for disk in made)
    return is_ready and not journal.is_touched and journal.goal is Goal.FORWARD


def _machine(scene: Scene, journal: Journal) -> Machine | None:
    found = list_pages(
        scene.pacer,
        scene.account.ec2.describe_instances,
        "DescribeInstances",
        "Reservations",
        Filters=[{"Name": "instance-id", "Values": [journal.target]}],
    )
    machines = [machine_of(item) for each in found for item in each["Instances"]]
    return machines[0] if machines else None


def _disks(scene: Scene, journal: Journal) -> Iterator[Disk]:
    for wanted in _wanted(journal):
        yield from _listed(scene, wanted)


def _wanted(journal: Journal) -> list[FilterTypeDef]:
    """Return what tells the originals, the new ones, and those whose answer was lost."""
    known = [each for part in journal.parts for each in (part.original, part.new) if each]
    wanted: list[FilterTypeDef] = [
        {"Name": "volume-id", "Values": list(some)}
        for some in batched(known, FILTER_VALUES, strict=False)
    ]
    if any(part.burned or (part.is_sent and not part.new) for part in journal.parts):
        wanted.append({"Name": f"tag:{tag.RUN}", "Values": [journal.run_tag]})
    if journal.how is How.ROOT:
        wanted.append({"Name": "attachment.instance-id", "Values": [journal.target]})
    return wanted


def _listed(scene: Scene, wanted: FilterTypeDef) -> Iterator[Disk]:
    found = list_pages(
        scene.pacer,
        scene.account.ec2.describe_volumes,
        "DescribeVolumes",
        "Volumes",
        Filters=[wanted],
    )
    return map(disk_of, found)


def _wants_health(journal: Journal, sight: Sight) -> bool:
    """Tell whether checks are waited for: not before all new ones sit, nor on the way back."""
    machine = sight.machine
    is_late = journal.is_touched and journal.goal is Goal.FORWARD
    if not (journal.check_minutes and is_late and machine and machine.state == RUNNING):
        return False
    return journal.how is How.ROOT or Seating(journal, sight).is_done


def _health(scene: Scene, journal: Journal) -> str:
    """Return the worst of the status checks; `ok` only when all of them are.

    Not every instance has one of the volumes attached.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """
    found = list_pages(
        scene.pacer,
        scene.account.ec2.describe_instance_status,
        "DescribeInstanceStatus",
        "InstanceStatuses",
        size=None,
        InstanceIds=[journal.target],
    )
    for item in found:
        checks = (item.get(each, {}).get("Status") for each in _CHECKS)
        said = {status for status in checks if status not in {None, _NONE}}
        if said == {"ok"}:
            return "ok"
        return next((word for word in _WORST if word in said), "")
    return ""


def _task(scene: Scene, task: str) -> RootTask | None:
    found = list_pages(
        scene.pacer,
        scene.account.ec2.describe_replace_root_volume_tasks,
        "DescribeReplaceRootVolumeTasks",
        "ReplaceRootVolumeTasks",
        size=None,
        ReplaceRootVolumeTaskIds=[task],
    )
    tasks = [RootTask(each["ReplaceRootVolumeTaskId"], each["TaskState"]) for each in found]
    return tasks[0] if tasks else None
