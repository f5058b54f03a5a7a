"""EC2's listings: visible items, ids, filters, pages and tokens.

Source: EC2 API reference, "Pagination" and "Error codes".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from tests.cloud.filters import (
    INSTANCE_FILTERS,
    SNAPSHOT_FILTERS,
    VOLUME_FILTERS,
    Reader,
    select,
)
from tests.cloud.pages import MAX_RESULTS, MIN_RESULTS
from tests.cloud.refusals import Refusal, invalid_value
from tests.cloud.shelves import Shelf, narrowed, shelf_of
from tests.cloud.views import View, instance_view, snapshot_view, volume_view

if TYPE_CHECKING:
    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

_ID = re.compile(r"[a-z]+-[0-9a-f]{8,17}")
_ERROR_NAMES = {
    "AllocationId": ("InvalidAllocationID.NotFound", "allocation ID"),
    "GroupId": ("InvalidGroup.NotFound", "security group"),
    "LaunchTemplateId": ("InvalidLaunchTemplateId.NotFound", "launch template"),
    "NetworkInterfaceId": ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
    "SubnetId": ("InvalidSubnetID.NotFound", "subnet ID"),
    "VpcId": ("InvalidVpcID.NotFound", "vpc ID"),
    "VolumeId": ("InvalidVolume.NotFound", "volume"),
    "SnapshotId": ("InvalidSnapshot.NotFound", "snapshot"),
    "InstanceId": ("InvalidInstanceID.NotFound", "instance ID"),
    "ImageId": ("InvalidAMIID.NotFound", "image id"),
}
_MALFORMED = {
    "AllocationId": ("InvalidAllocationID.Malformed", "eipalloc"),
    "GroupId": ("InvalidGroupId.Malformed", "sg"),
    "ImageId": ("InvalidAMIID.Malformed", "ami"),
    "LaunchTemplateId": ("InvalidLaunchTemplateId.Malformed", "lt"),
    "NetworkInterfaceId": ("InvalidNetworkInterfaceId.Malformed", "eni"),
    "SubnetId": ("InvalidSubnetID.Malformed", "subnet"),
    "VpcId": ("InvalidVpcID.Malformed", "vpc"),
}
_PREFIXES = {"VolumeId": "vol", "SnapshotId": "snap", "InstanceId": "i"}


class StrictListings(EC2Response):
    """The describing half of a strict EC2."""

    cloud: StrictCloud

    @property
    def where(self) -> Where:
        """The account and region that are asked."""
        return self.current_account, self.region

    def describe_volumes(self) -> ActionResult:
        """Page through volumes; the newest may be missing where ids are not what is asked for."""
        shelf = self._volumes()
        lives, now = self.cloud.extras.volumes, self.cloud.clock.now()
        if lives.late_seconds and not self._asks_for_ids():
            seen = {key: each for key, each in shelf.items.items() if not lives.is_late(key, now)}
            shelf = Shelf(seen, shelf.show)
        return self._listing("Volumes", "VolumeId", shelf, VOLUME_FILTERS)

    def _asks_for_ids(self) -> bool:
        names = {each.get("Name") for each in self._get_param("Filters", [])}
        return bool(self._get_param("VolumeIds", [])) or "volume-id" in names

    def describe_snapshots(self) -> ActionResult:
        """Page through the snapshots the caller may see, narrowed by owner."""
        return self._listing("Snapshots", "SnapshotId", self._snapshots(), SNAPSHOT_FILTERS)

    def describe_instances(self) -> ActionResult:
        """Page through instances; those of one reservation may lie on two pages.

        The tags of some may be missing now and then (`Extras.tagless`).
        """
        result = self._page("InstanceId", self._instances(), INSTANCE_FILTERS)
        shown = [self._maybe_tagless(view) for view in result["items"]]
        groups = groupby(shown, key=lambda view: str(view["ReservationId"]))
        reservations = [
            {
                "ReservationId": reservation_id,
                "OwnerId": self.current_account,
                "Groups": [],
                "Instances": list(instances),
            }
            for reservation_id, instances in groups
        ]
        return ActionResult({"Reservations": reservations, "NextToken": result["NextToken"]})

    def describe_volume_status(self) -> ActionResult:  # type: ignore[override]  # moto lacks it
        """Page through volume status checks."""
        shelf = shelf_of(
            [self._volume_status(view) for view in self._volumes().views()], "VolumeId"
        )
        return self._listing("VolumeStatuses", "VolumeId", shelf, VOLUME_FILTERS)

    def _volumes(self) -> Shelf:
        backend, extras = self.ec2_backend, self.cloud.extras
        return Shelf(dict(backend.volumes), lambda volume: volume_view(volume, backend, extras))

    def _instances(self) -> Shelf:
        backend, extras = self.ec2_backend, self.cloud.extras
        found = {
            instance.id: (instance, reservation.id)
            for reservation in list(backend.reservations.values())
            for instance in reservation.instances
        }
        found = narrowed(found, self._get_param("Filters", []), backend.tags)
        return Shelf(
            found, lambda each: instance_view(each[0], backend, extras) | {"ReservationId": each[1]}
        )

    def _maybe_tagless(self, view: View) -> View:
        left = self.cloud.extras.tagless
        times = left.get(view["InstanceId"], 0)
        if times:
            left[view["InstanceId"]] = times - 1
        return {name: view[name] for name in view if name != "Tags"} if times else view

    def _snapshots(self) -> Shelf:
        own, public = self.current_account, self.cloud.extras.public
        owners = {own if each == "self" else each for each in self._get_param("OwnerIds", [])}
        found = {
            each.id: each
            for each in list(self.ec2_backend.snapshots.values())
            if (each.owner_id == own or each.id in public)
            and (not owners or each.owner_id in owners)
        }
        return Shelf(found, self.show)

    def show(self, snapshot: Any) -> View:
        """Show one snapshot as it is now."""
        cloud = self.cloud
        now = cloud.clock.now()
        return snapshot_view(snapshot, self.ec2_backend, cloud.lives, cloud.extras, now)

    def _volume_status(self, view: View) -> View:
        status = self.cloud.extras.impaired.get(view["VolumeId"], "ok")
        passed = "passed" if status == "ok" else "failed"
        return {
            "AvailabilityZone": view["AvailabilityZone"],
            "VolumeId": view["VolumeId"],
            "VolumeStatus": {
                "Status": status,
                "Details": [{"Name": "io-enabled", "Status": passed}],
            },
            "Actions": [],
            "Events": [],
            "Tags": view["Tags"],
        }

    def _listing(
        self,
        name: str,
        key: str,
        shelf: Shelf,
        readers: Mapping[str, Reader],
        bounds: tuple[int, int] = (MIN_RESULTS, MAX_RESULTS),
    ) -> ActionResult:
        result = self._page(key, shelf, readers, bounds)
        return ActionResult({name: result["items"], "NextToken": result["NextToken"]})

    def _page(
        self,
        key: str,
        shelf: Shelf,
        readers: Mapping[str, Reader],
        bounds: tuple[int, int] = (MIN_RESULTS, MAX_RESULTS),
    ) -> View:
        ids = self._get_param(f"{key}s", [])
        self._max_results(ids, bounds)
        if ids:
            found = self._selected(_by_id(key, shelf, ids), readers)
            return {"items": [shown(each) for each in found], "NextToken": None}
        token = self._get_param("NextToken")
        self._selected([], readers)
        keys = shelf.items.keys()
        if token is None and self._get_param("Filters", []):
            keys = dict.fromkeys(str(v[key]) for v in self._selected(shelf.views(), readers)).keys()
        most = min(self._max_results((), bounds) or bounds[1], bounds[1])
        page, following = self.cloud.pages.cut_keys(self._get_action(), keys, most, token)
        found = self._selected(shelf.views(page), readers)
        return {"items": [shown(each) for each in found], "NextToken": following}

    def _selected(self, views: Sequence[View], readers: Mapping[str, Reader]) -> list[View]:
        filters = self._get_param("Filters", [])
        return select(views, filters, readers, self.cloud.limits.filter_values)

    def _cut(
        self,
        name: str,
        views: Sequence[View],
        key: Callable[[View], str],
        bounds: tuple[int, int] = (MIN_RESULTS, MAX_RESULTS),
    ) -> View:
        most, token = self._max_results((), bounds), self._get_param("NextToken")
        # AWS fills pages of templates and fast restores to at most what it allows to ask for.
        most = min(most or bounds[1], bounds[1])
        page, following = self.cloud.pages.cut(self._get_action(), views, key, most, token)
        return {name: page, "NextToken": following}

    def _max_results(
        self, ids: Sequence[str], bounds: tuple[int, int] = (MIN_RESULTS, MAX_RESULTS)
    ) -> int | None:
        given = self._get_param("MaxResults")
        if given is None:
            return None
        if ids:
            raise Refusal(
                "InvalidParameterCombination",
                "The parameter MaxResults cannot be used with a list of ids",
            )
        most = int(given)
        least, greatest = bounds
        if not least <= most <= greatest:
            raise invalid_value(
                f"Value ( {most} ) for parameter maxResults is invalid. "
                f"Expecting a value between {least} and {greatest}.",
            )
        return most


def shown(view: View) -> View:
    """Leave `Tags` out where there are none, as EC2 does; only `TagSet` is there all the same."""
    return {name: value for name, value in view.items() if name != "Tags" or value}


def _by_id(key: str, shelf: Shelf, ids: Sequence[str]) -> list[View]:
    refuse_malformed(key, ids)
    missing = [each for each in ids if each not in shelf.items]
    if missing:
        raise not_found(key, ", ".join(missing))
    return shelf.views(dict.fromkeys(ids))


def refuse_malformed(key: str, ids: Sequence[str]) -> None:
    """Refuse what cannot be an id of its kind at all."""
    code, prefix = _MALFORMED.get(key, ("", _PREFIXES.get(key, "")))
    for each in ids:
        if _ID.fullmatch(each) and each.startswith(f"{prefix}-"):
            continue
        if code:
            raise Refusal(code, f'Invalid id: "{each}" (expecting "{prefix}-...")')
        name = key[0].lower() + key[1:]
        raise invalid_value(f"Value ({each}) for parameter {name} is invalid.")


def not_found(key: str, resource_id: str) -> Refusal:
    """Return the error of a resource that is missing, by the name of its id."""
    code, noun = _ERROR_NAMES[key]
    return Refusal(code, f"The {noun} '{resource_id}' does not exist")
