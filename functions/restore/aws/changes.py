"""The calls by which a target is changed, from a move to what EC2 is sent.

Each is sent once: a refusal by rate is then told to all workers at once, and what is unknown is
looked at before it is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from functions.restore.seats import Seating
from functions.restore.turns import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.run import Scene
    from caretaker.tags import Tags
    from functions.restore.facts import Sight
    from functions.restore.journal import Journal, Part
    from functions.restore.turns import Move


@dataclass(frozen=True, slots=True)
class Changes:
    """What may be asked of EC2 for one target, by its journal and the look that decided it."""

    scene: Scene
    journal: Journal
    sight: Sight

    def call(self, move: Move) -> Callable[[], Any]:
        """Return the call of a move."""
        ec2, journal = self.scene.account.ec2_once, self.journal
        calls: Mapping[Step, Callable[[], Any]] = {
            Step.CREATE: lambda: ec2.create_volume(**self._creation(journal.part(move.key))),
            Step.DISCARD: lambda: ec2.delete_volume(VolumeId=move.disk),
            Step.STOP: lambda: ec2.stop_instances(InstanceIds=[journal.target]),
            Step.START: lambda: ec2.start_instances(InstanceIds=[journal.target]),
            Step.DETACH: lambda: ec2.detach_volume(
                InstanceId=journal.target, VolumeId=move.disk, Device=move.key
            ),
            Step.ATTACH: lambda: ec2.attach_volume(
                InstanceId=journal.target, VolumeId=move.disk, Device=move.key
            ),
            Step.PROTECT: lambda: ec2.modify_instance_attribute(
                InstanceId=journal.target,
                BlockDeviceMappings=[
                    {"DeviceName": device, "Ebs": {"DeleteOnTermination": goes}}
                    for device, goes in Seating(journal, self.sight).unlike.items()
                ],
            ),
            Step.TAG: lambda: self._tag(move.disk),
            Step.REPLACE_ROOT: lambda: ec2.create_replace_root_volume_task(
                InstanceId=journal.target,
                SnapshotId=journal.parts[0].snapshot,
                ClientToken=journal.token(journal.parts[0]),
                DeleteReplacedRootVolume=False,
            ),
        }
        return calls[move.step]

    def _creation(self, part: Part) -> dict[str, Any]:
        make, original = part.make, self.sight.disks.get(part.original)
        tags = self._tags(part, original.tags if original else {})
        asked: dict[str, Any] = {
            "AvailabilityZone": make.zone,
            "SnapshotId": part.snapshot,
            "VolumeType": make.type,
            "ClientToken": self.journal.token(part),
            "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
        }
        own = {"Size": make.size_gib, "Iops": make.iops, "Throughput": make.throughput}
        asked |= {name: value for name, value in own.items() if value}
        return asked | ({"Encrypted": True, "KmsKeyId": make.key} if make.key else {})

    def _tags(self, part: Part, original: Tags) -> list[TagTypeDef]:
        """Return ours first, then what users have put on the original."""
        journal = self.journal
        ours = {
            tag.MANAGED_BY: self.scene.settings.installation,
            tag.POLICY: journal.policy,
            tag.SLOT: journal.slot,
            tag.RUN: journal.run_tag,
            tag.RESTORED_FROM: part.snapshot,
            tag.ATTEMPT: str(part.burned + 1),
        }
        return _with_theirs(ours, original)

    def _tag(self, disk: str) -> Any:  # noqa: ANN401 - EC2's answer
        """Say at an original what took its place.

        A new root volume, which EC2 made, says what it is made of and has what users put on the
        original; that it is ours may be written on nothing that exists.
        """
        part = next((each for each in self.journal.parts if disk == each.original), None)
        if part:
            tags = _with_theirs({tag.REPLACED_BY: part.new}, {})
        else:
            (root,) = self.journal.parts
            original = self.sight.disks.get(root.original)
            tags = _with_theirs(
                {tag.RESTORED_FROM: root.snapshot}, original.tags if original else {}
            )
        return self.scene.account.ec2_once.create_tags(Resources=[disk], Tags=tags)


def _with_theirs(ours: Tags, original: Tags) -> list[TagTypeDef]:
    """Return our tags first, then as many as fit of those that users have put on the original."""
    opted = {tag.BACKUP: original[tag.BACKUP]} if tag.BACKUP in original else {}
    theirs = tag.fitting(tag.copyable(original, ("*",)), beside=len(ours) + len(opted))
    return [{"Key": key, "Value": value} for key, value in {**ours, **opted, **theirs}.items()]


ACTIONS: Final = {
    Step.CREATE: "CreateVolume",
    Step.DISCARD: "DeleteVolume",
    Step.STOP: "StopInstances",
    Step.START: "StartInstances",
    Step.DETACH: "DetachVolume",
    Step.ATTACH: "AttachVolume",
    Step.PROTECT: "ModifyInstanceAttribute",
    Step.TAG: "CreateTags",
    Step.REPLACE_ROOT: "CreateReplaceRootVolumeTask",
}
