"""Gather: what can be brought back, from what, and what would stand in the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker.aws.ec2 import list_ours
from caretaker.aws.errors import AWS_ERRORS
from caretaker.aws.keys import why_unusable
from caretaker.aws.stops import list_stores
from caretaker.errors import OutOfTimeError
from caretaker.lineages import lines_of
from functions.restore.aws.listings import list_disks, list_group_states, list_machines
from functions.restore.facts import Facts, How, Quota
from functions.restore.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caretaker.run import Run, Scene
    from functions.restore.facts import Disk, Machine
    from functions.restore.request import RestoreRequest

_QUOTAS: Final = {
    "gp2": "L-D18FCD1D",
    "gp3": "L-7A658B76",
    "io1": "L-FD252861",
    "io2": "L-09BD8365",
    "st1": "L-82ACEF56",
    "sc1": "L-17AF77E8",
    "standard": "L-9CF3C2EB",
}
"""Storage of a type of volume, in TiB: https://docs.aws.amazon.com/general/latest/gr/ebs-service.html"""


def gather(run: Run[RestoreRequest]) -> Facts:
    """Read all instances, volumes and backups of the account and region."""
    scene = run.scene
    machines, disks = list_machines(scene), list_disks(scene)
    snapshots = list_ours(scene.account, scene.pacer, scene.settings.installation)
    memory = Memory(run)
    is_swap = run.request.how is How.SWAP
    return Facts(
        region=scene.account.place.region,
        machines=_with_groups(scene, machines) if run.request.how is not How.VOLUMES else machines,
        disks=disks,
        snapshots=snapshots,
        lines=lines_of(snapshots, {d.id: d.tags for d in disks.values()}),
        busy=memory.busy(),
        earlier=Counter(target for r in memory.restores() if not r.is_open for target in r.targets),
        unusable_keys=_unusable(scene, disks),
        stores=list_stores(scene, (m.type for m in machines.values())) if is_swap else frozenset(),
        quotas=tuple(_quotas(scene, disks)),
    )


def _with_groups(scene: Scene, machines: Mapping[str, Machine]) -> dict[str, Machine]:
    states = list_group_states(scene, (each.id for each in machines.values() if each.group))
    return {
        name: replace(machine, group_state=states.get(name, "")) if machine.group else machine
        for name, machine in machines.items()
    }


def _unusable(scene: Scene, disks: Mapping[str, Disk]) -> dict[str, str]:
    keys = sorted({disk.make.key for disk in disks.values() if disk.make.key})
    states = {key: why_unusable(scene, key) for key in keys}
    return {key: why for key, why in states.items() if why}


def _quotas(scene: Scene, disks: Mapping[str, Disk]) -> Iterator[Quota]:
    """Yield the quotas of the types in use; what AWS does not tell is met when it is."""
    used: dict[str, float] = {}
    for disk in disks.values():
        used[disk.make.type] = used.get(disk.make.type, 0.0) + disk.make.size_tib
    client = scene.account.quotas
    for kind in sorted(used.keys() & _QUOTAS.keys()):
        try:
            answer = scene.pacer.call(
                "GetServiceQuota",
                lambda: client.get_service_quota(ServiceCode="ebs", QuotaCode=_QUOTAS[kind]),  # noqa: B023
            )
        except (OutOfTimeError, *AWS_ERRORS):
            return
        yield Quota(kind, answer["Quota"]["Value"], used[kind])
