"""The actions that make volumes, seat them, unseat them and delete them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from bench.ec2bed.disks import Volume
from bench.ec2bed.errors import Ec2Error
from bench.ec2bed.params import tags
from bench.ec2bed.render import attachment_xml, new_volume_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.params import Params
    from bench.ec2bed.world import Instance, World

_ROOT: Final = "/dev/xvda"


class Seats:
    """The actions upon one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_token: dict[str, Volume] = {}

    def actions(self) -> Mapping[str, Callable[[Params], str]]:
        """Return the actions by name."""
        return {
            "CreateVolume": self._create,
            "DeleteVolume": self._delete,
            "AttachVolume": self._attach,
            "DetachVolume": self._detach,
            "ModifyInstanceAttribute": self._modify,
        }

    def _create(self, params: Params) -> str:
        """Make a volume; the same token gives the same one."""
        token = params.get("ClientToken", "")
        made = self._by_token.get(token) or self._made(params)
        if token:
            self._by_token[token] = made
        return new_volume_xml(made, self._world.now())

    def _made(self, params: Params) -> Volume:
        world, now = self._world, self._world.now()
        snapshot = world.snapshots.get(params["SnapshotId"])
        if snapshot is None or snapshot.state(now) != "completed":
            raise Ec2Error("InvalidSnapshot.NotFound", "The snapshot does not exist")
        made = Volume(
            world.name("vol"),
            "",
            "",
            tags(params, "TagSpecification.1.Tag"),
            now,
            gib=int(params.get("Size", 8)),
            snapshot_id=snapshot.id,
            made=now,
        )
        world.volumes[made.id] = made
        return made

    def _delete(self, params: Params) -> str:
        volume = self._volume(params)
        if volume.seat_at(self._world.now()):
            raise Ec2Error("VolumeInUse", "The volume is attached to an instance")
        del self._world.volumes[volume.id]
        return "<return>true</return>"

    def _attach(self, params: Params) -> str:
        volume, instance, now = self._volume(params), self._instance(params), self._world.now()
        device = params["Device"]
        if volume.state_at(now) != "available":
            raise Ec2Error("IncorrectState", f"The volume is {volume.state_at(now)}")
        if instance.health.state_at(now) not in {"running", "stopped"}:
            raise Ec2Error("IncorrectState", "The instance is neither running nor stopped")
        seats = (self._world.volumes[each] for each in instance.volume_ids)
        if any(each.device == device and each.seat_at(now) for each in seats):
            raise Ec2Error("InvalidParameterValue", f"{device} is already in use")
        volume.instance_id, volume.device = instance.id, device
        volume.moved, volume.leaves, volume.deletes = now, False, False
        instance.volume_ids.append(volume.id)
        return attachment_xml(volume, now)

    def _detach(self, params: Params) -> str:
        volume, now = self._volume(params), self._world.now()
        instance = self._instance({"InstanceId": volume.instance_id, **params})
        sits = volume.seat_at(now) in {"attached", "attaching"}
        if volume.instance_id != instance.id or not sits:
            raise Ec2Error("IncorrectState", "The volume is not attached")
        if volume.device == _ROOT and instance.health.state_at(now) != "stopped":
            raise Ec2Error("OperationNotPermitted", "The root volume of a running instance")
        volume.moved, volume.leaves = now, True
        instance.volume_ids.remove(volume.id)
        return attachment_xml(volume, now)

    def _modify(self, params: Params) -> str:
        """Change what goes with an instance; nothing else is asked for here."""
        instance = self._instance(params)
        sitting = [self._world.volumes[each] for each in instance.volume_ids]
        seats = {each.device: each for each in sitting}
        for number in count(1):
            name = f"BlockDeviceMapping.{number}"
            if f"{name}.DeviceName" not in params:
                return "<return>true</return>"
            seats[params[f"{name}.DeviceName"]].deletes = (
                params[f"{name}.Ebs.DeleteOnTermination"] == "true"
            )
        raise AssertionError

    def _volume(self, params: Params) -> Volume:
        found = self._world.volumes.get(params["VolumeId"])
        if found is None:
            raise Ec2Error("InvalidVolume.NotFound", "The volume does not exist")
        return found

    def _instance(self, params: Params) -> Instance:
        found = self._world.instances.get(params["InstanceId"])
        if found is None:
            raise Ec2Error("InvalidInstanceID.NotFound", "The instance does not exist")
        return found
