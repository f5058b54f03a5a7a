"""The EC2 actions that snapshot tools call, over the query API."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Final

from bench.ec2bed.filters import matcher
from bench.ec2bed.render import document, instance_xml, snapshot_info_xml, snapshot_xml, volume_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bench.ec2bed.world import Volume, World

type Params = Mapping[str, str]

_LARGEST_PAGE: Final = 1000


class Ec2Error(Exception):
    """An error answer of EC2."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def error_document(error: Ec2Error) -> str:
    """Return an error as EC2 writes it."""
    return (
        f"<Response><Errors><Error><Code>{error.code}</Code><Message>{error.message}</Message>"
        "</Error></Errors><RequestID>bed</RequestID></Response>"
    )


class Ec2:
    """The actions upon one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cursors: dict[str, list[str]] = {}
        self._tokens = count(1)
        self._actions: dict[str, Callable[[Params], str]] = {
            "DescribeVolumes": self._describe_volumes,
            "DescribeInstances": self._describe_instances,
            "DescribeSnapshots": self._describe_snapshots,
            "DescribeImages": lambda _: "<imagesSet/>",
            "DescribeTags": lambda _: "<tagSet/>",
            "CreateSnapshot": self._create_snapshot,
            "CreateSnapshots": self._create_snapshots,
            "DeleteSnapshot": self._delete_snapshot,
            "CreateTags": self._create_tags,
        }

    def call(self, action: str, params: Params) -> str:
        """Return the answer's document; `Ec2Error` when the action is refused."""
        if action not in self._actions:
            raise Ec2Error("InvalidAction", f"The bed has no action {action}")
        return document(action, self._actions[action](params))

    def _describe_volumes(self, params: Params) -> str:
        volumes = self._world.volumes
        return self._page(
            "volumeSet", params, "VolumeId", volumes, lambda each: volume_xml(volumes[each])
        )

    def _describe_instances(self, params: Params) -> str:
        world = self._world
        return self._page(
            "reservationSet",
            params,
            "InstanceId",
            world.instances,
            lambda each: instance_xml(world.instances[each], world.volumes),
        )

    def _describe_snapshots(self, params: Params) -> str:
        snapshots, now = self._world.snapshots, time.time()
        return self._page(
            "snapshotSet",
            params,
            "SnapshotId",
            snapshots,
            lambda each: snapshot_xml(snapshots[each], now),
        )

    def _page(
        self,
        name: str,
        params: Params,
        id_name: str,
        items: Mapping[str, object],
        render: Callable[[str], str],
    ) -> str:
        """Render one page; what is found at the first page is what all pages go through."""
        token = params.get("NextToken", "")
        if token and token not in self._cursors:
            raise Ec2Error("InvalidParameterValue", "Unable to parse pagination token")
        found = self._cursors.pop(token) if token else self._found(params, id_name, items)
        size = min(int(params.get("MaxResults", len(found) or 1)), _LARGEST_PAGE)
        if "MaxResults" not in params:
            size = len(found)
        page, rest = found[:size], found[size:]
        following = ""
        if rest:
            following = f"page-{next(self._tokens)}"
            self._cursors[following] = rest
        more = f"<nextToken>{following}</nextToken>" if following else ""
        return f"<{name}>{''.join(map(render, page))}</{name}>{more}"

    def _found(self, params: Params, id_name: str, items: Mapping[str, object]) -> list[str]:
        wanted = list(_list(params, id_name))
        missing = [each for each in wanted if each not in items]
        if missing:
            code = f"Invalid{id_name.removesuffix('Id')}.NotFound"
            raise Ec2Error(code, f"The ids {missing} do not exist")
        matches = matcher(dict(_filters(params)), time.time())
        return [each for each in (wanted or items) if matches(items[each])]

    def _create_snapshot(self, params: Params) -> str:
        volume = self._volume(params["VolumeId"])
        made = self._world.snap(volume, _tag_specification(params), params.get("Description", ""))
        return snapshot_info_xml(made, time.time(), wrap=False)

    def _create_snapshots(self, params: Params) -> str:
        instance = self._world.instances.get(params["InstanceSpecification.InstanceId"])
        if instance is None:
            raise Ec2Error("InvalidInstanceID.NotFound", "The instance does not exist")
        excluded = set(_list(params, "InstanceSpecification.ExcludeDataVolumeId"))
        if params.get("InstanceSpecification.ExcludeBootVolume") == "true":
            excluded.add(instance.volume_ids[0])
        members = [self._world.volumes[each] for each in instance.volume_ids]
        # A volume that is gone was detached before: EC2 takes what is attached now.
        members = [each for each in members if each.id not in excluded and not each.gone]
        if not members:
            raise Ec2Error("InvalidParameterValue", "All volumes are excluded")
        copies = params.get("CopyTagsFromSource") == "volume"
        set_id, tags = self._world.set_id(), _tag_specification(params)
        made = [
            self._world.snap(
                each,
                {**(each.tags if copies else {}), **tags},
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
        if snapshot.locked:
            raise Ec2Error("OperationNotPermitted", "The snapshot is locked")
        del self._world.snapshots[snapshot.id]
        return "<return>true</return>"

    def _create_tags(self, params: Params) -> str:
        keys, values = _numbered(params, "Tag", "Key"), _numbered(params, "Tag", "Value")
        tags = dict(zip(keys, values, strict=True))
        world = self._world
        for each in _list(params, "ResourceId"):
            found = (
                world.volumes.get(each) or world.instances.get(each) or world.snapshots.get(each)
            )
            if found is None:
                raise Ec2Error("InvalidID", f"The ID '{each}' is not valid")
            found.tags.update(tags)
        return "<return>true</return>"

    def _volume(self, volume_id: str) -> Volume:
        volume = self._world.volumes.get(volume_id)
        if volume is None or volume.gone:
            raise Ec2Error("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
        return volume


def _list(params: Params, name: str) -> Iterable[str]:
    for number in count(1):
        value = params.get(f"{name}.{number}")
        if value is None:
            return
        yield value


def _numbered(params: Params, name: str, part: str) -> Iterable[str]:
    for number in count(1):
        if f"{name}.{number}.Key" not in params:
            return
        yield params.get(f"{name}.{number}.{part}", "")


def _filters(params: Params) -> Iterable[tuple[str, list[str]]]:
    for number in count(1):
        name = params.get(f"Filter.{number}.Name")
        if name is None:
            return
        yield name, list(_list(params, f"Filter.{number}.Value"))


def _tag_specification(params: Params) -> dict[str, str]:
    prefix = "TagSpecification.1.Tag"
    keys, values = _numbered(params, prefix, "Key"), _numbered(params, prefix, "Value")
    return dict(zip(keys, values, strict=True))
