"""The EC2 actions that snapshot tools call, over the query API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.ec2bed.errors import Ec2Error
from bench.ec2bed.health import HealthApi
from bench.ec2bed.nets import Nets
from bench.ec2bed.pages import Pages
from bench.ec2bed.params import listed, pairs, tags
from bench.ec2bed.references import References
from bench.ec2bed.render import document, instance_xml, snapshot_info_xml, snapshot_xml, volume_xml
from bench.ec2bed.seats import Seats

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.ec2bed.disks import Volume
    from bench.ec2bed.params import Params
    from bench.ec2bed.world import Tagged, World

_MOST_IDS: Final = 1000
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html"""
_NOT_FOUND: Final = {
    "i": "InstanceID",
    "vol": "Volume",
    "snap": "Snapshot",
    "ami": "AMIID",
    "eni": "NetworkInterfaceID",
    "sg": "Group",
    "eipalloc": "AllocationID",
}
_SPECIFICATION: Final = "TagSpecification.1.Tag"


class Ec2:
    """The actions upon one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages = Pages(world.now)
        self._actions: dict[str, Callable[[Params], str]] = {
            "DescribeVolumes": self._describe_volumes,
            "DescribeInstances": self._describe_instances,
            "DescribeSnapshots": self._describe_snapshots,
            "CreateSnapshot": self._create_snapshot,
            "CreateSnapshots": self._create_snapshots,
            "DeleteSnapshot": self._delete_snapshot,
            "CreateTags": self._create_tags,
            "DeleteTags": self._delete_tags,
            **References(world, self._pages).actions(),
            **Nets(world, self._pages).actions(),
            **HealthApi(world, self._pages).actions(),
            **Seats(world).actions(),
        }

    def call(self, action: str, params: Params) -> str:
        """Return the answer's document; `Ec2Error` when the action is refused."""
        if action not in self._actions:
            raise Ec2Error("InvalidAction", f"The bed has no action {action}")
        return document(action, self._actions[action](params))

    def _describe_volumes(self, params: Params) -> str:
        volumes, now = self._world.volumes, self._world.now()
        return self._pages.page(
            "volumeSet", params, "VolumeId", volumes, lambda each: volume_xml(volumes[each], now)
        )

    def _describe_instances(self, params: Params) -> str:
        world, now = self._world, self._world.now()
        return self._pages.page(
            "reservationSet",
            params,
            "InstanceId",
            world.instances,
            lambda each: instance_xml(world.instances[each], world.volumes, now),
        )

    def _describe_snapshots(self, params: Params) -> str:
        snapshots, now = self._world.snapshots, time.time()
        return self._pages.page(
            "snapshotSet",
            params,
            "SnapshotId",
            snapshots,
            lambda each: snapshot_xml(snapshots[each], now),
        )

    def _create_snapshot(self, params: Params) -> str:
        volume = self._volume(params["VolumeId"])
        made = self._world.snap(volume, tags(params, _SPECIFICATION), params.get("Description", ""))
        return snapshot_info_xml(made, time.time(), wrap=False)

    def _create_snapshots(self, params: Params) -> str:
        instance = self._world.instances.get(params["InstanceSpecification.InstanceId"])
        if instance is None:
            raise Ec2Error("InvalidInstanceID.NotFound", "The instance does not exist")
        excluded = set(listed(params, "InstanceSpecification.ExcludeDataVolumeId"))
        if params.get("InstanceSpecification.ExcludeBootVolume") == "true":
            excluded.add(instance.volume_ids[0])
        members = [self._world.volumes[each] for each in instance.volume_ids]
        # A volume that is gone was detached before: EC2 takes what is attached now.
        members = [each for each in members if each.id not in excluded and not each.gone]
        if not members:
            raise Ec2Error("InvalidParameterValue", "All volumes are excluded")
        copies = params.get("CopyTagsFromSource") == "volume"
        set_id, given = self._world.set_id(), tags(params, _SPECIFICATION)
        made = [
            self._world.snap(
                each,
                {**(each.tags if copies else {}), **given},
                params.get("Description", ""),
                set_id=set_id,
            )
            for each in members
        ]
        now = time.time()
        items = "".join(snapshot_info_xml(each, now, wrap=True) for each in made)
        return f"<snapshotSet>{items}</snapshotSet>"

    def _delete_snapshot(self, params: Params) -> str:
        snapshot = self._world.snapshots.get(params["SnapshotId"])
        if snapshot is None:
            raise Ec2Error("InvalidSnapshot.NotFound", "The snapshot does not exist")
        if snapshot.id in self._world.used_by_images:
            raise Ec2Error("InvalidSnapshot.InUse", "The snapshot is in use by an image")
        if snapshot.locked:
            # AWS documents that a locked snapshot cannot be deleted, and no code for it.
            raise Ec2Error("SnapshotLocked", "The snapshot is locked")
        del self._world.snapshots[snapshot.id]
        return "<return>true</return>"

    def _create_tags(self, params: Params) -> str:
        added = tags(params, "Tag")
        for each in self._tagged(params):
            each.tags.update(added)
        return "<return>true</return>"

    def _delete_tags(self, params: Params) -> str:
        """Delete the tags named; all of a resource when none is, as EC2 does."""
        named = pairs(params, "Tag")
        for each in self._tagged(params):
            for key in list(each.tags):
                if not named or (key in named and named[key] in {None, each.tags[key]}):
                    del each.tags[key]
        return "<return>true</return>"

    def _tagged(self, params: Params) -> list[Tagged]:
        """Return the resources named; one that is not there refuses the whole call."""
        named = list(listed(params, "ResourceId"))
        if len(named) > _MOST_IDS:
            raise Ec2Error("InvalidParameterValue", f"More than {_MOST_IDS} resources are named")
        found = []
        for each in named:
            one = self._world.find(each)
            if one is None:
                what = _NOT_FOUND.get(each.partition("-")[0], "ID")
                raise Ec2Error(f"Invalid{what}.NotFound", f"The ID '{each}' does not exist")
            found.append(one)
        return found

    def _volume(self, volume_id: str) -> Volume:
        volume = self._world.volumes.get(volume_id)
        if volume is None or volume.gone:
            raise Ec2Error("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
        return volume
