"""EC2's listings: visible items, ids, filters, pages and tokens."""

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
from tests.cloud.views import View, instance_view, snapshot_view, volume_view

if TYPE_CHECKING:
    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

_ID = re.compile(r"(vol|snap|i|ami)-[0-9a-f]{8,17}")
_ERROR_NAMES = {
    "VolumeId": ("InvalidVolume.NotFound", "volume"),
    "SnapshotId": ("InvalidSnapshot.NotFound", "snapshot"),
    "InstanceId": ("InvalidInstanceID.NotFound", "instance ID"),
    "ImageId": ("InvalidAMIID.NotFound", "image id"),
}


class StrictListings(EC2Response):
    """The describing half of a strict EC2."""

    cloud: StrictCloud

    @property
    def where(self) -> Where:
        """The account and region that are asked."""
        return self.current_account, self.region

    def describe_volumes(self) -> ActionResult:
        """Page through volumes."""
        return self._listing("Volumes", "VolumeId", self._volumes(), VOLUME_FILTERS)

    def describe_snapshots(self) -> ActionResult:
        """Page through the snapshots the caller may see, narrowed by owner."""
        return self._listing("Snapshots", "SnapshotId", self._snapshots(), SNAPSHOT_FILTERS)

    def describe_instances(self) -> ActionResult:
        """Page through instances; those of one reservation may lie on two pages."""
        result = self._page("InstanceId", self._instances(), INSTANCE_FILTERS)
        groups = groupby(result["items"], key=lambda view: str(view["ReservationId"]))
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

    def describe_instance_status(self) -> ActionResult:
        """Page through status checks; stopped instances only with IncludeAllInstances."""
        everything = str(self._get_param("IncludeAllInstances", if_none=False)).lower() == "true"
        views = [v for v in self._instances() if everything or v["State"]["Name"] == "running"]
        statuses = [self._instance_status(view) for view in views]
        return self._listing("InstanceStatuses", "InstanceId", statuses, INSTANCE_FILTERS)

    def describe_volume_status(self) -> ActionResult:  # type: ignore[override]  # moto lacks it
        """Page through volume status checks."""
        statuses = [self._volume_status(view) for view in self._volumes()]
        return self._listing("VolumeStatuses", "VolumeId", statuses, VOLUME_FILTERS)

    def _volumes(self) -> list[View]:
        backend, extras = self.ec2_backend, self.cloud.extras
        return [volume_view(each, backend, extras) for each in list(backend.volumes.values())]

    def _instances(self) -> list[View]:
        backend, extras = self.ec2_backend, self.cloud.extras
        return [
            instance_view(instance, backend, extras) | {"ReservationId": reservation.id}
            for reservation in list(backend.reservations.values())
            for instance in reservation.instances
        ]

    def _snapshots(self) -> list[View]:
        own, public = self.current_account, self.cloud.extras.public
        owners = {own if each == "self" else each for each in self._get_param("OwnerIds", [])}
        return [
            self.show(each)
            for each in list(self.ec2_backend.snapshots.values())
            if (each.owner_id == own or each.id in public)
            and (not owners or each.owner_id in owners)
        ]

    def show(self, snapshot: Any) -> View:
        """Show one snapshot as it is now."""
        cloud = self.cloud
        now = cloud.clock.now()
        return snapshot_view(snapshot, self.ec2_backend, cloud.lives, cloud.extras, now)

    def _instance_status(self, view: View) -> View:
        running = view["State"]["Name"] == "running"
        status = self.cloud.extras.impaired.get(view["InstanceId"], "ok")
        summary = _summary(status if running else "not-applicable")
        return {
            "AvailabilityZone": view["Placement"]["AvailabilityZone"],
            "InstanceId": view["InstanceId"],
            "InstanceState": view["State"],
            "InstanceStatus": summary,
            "SystemStatus": _summary("ok" if running else "not-applicable"),
            "AttachedEbsStatus": _summary("ok" if running else "not-applicable"),
            "Operator": view["Operator"],
            "Tags": view["Tags"],
        }

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
        views: Sequence[View],
        readers: Mapping[str, Reader],
    ) -> ActionResult:
        result = self._page(key, views, readers)
        return ActionResult({name: result["items"], "NextToken": result["NextToken"]})

    def _page(self, key: str, views: Sequence[View], readers: Mapping[str, Reader]) -> View:
        ids = self._get_param(f"{key}s", [])
        self._max_results(ids)
        wanted = _by_id(key, views, ids) if ids else views
        filters = self._get_param("Filters", [])
        found = select(wanted, filters, readers, self.cloud.limits.filter_values)
        if ids:
            return {"items": found, "NextToken": None}
        return self._cut("items", found, lambda view: str(view[key]))

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


def _summary(status: str) -> View:
    checked = {"ok": "passed", "impaired": "failed"}.get(status, status)
    details = [] if status == "not-applicable" else [{"Name": "reachability", "Status": checked}]
    return {"Status": status, "Details": details}


def _by_id(key: str, views: Sequence[View], ids: Sequence[str]) -> list[View]:
    refuse_malformed(key, ids)
    known = {view[key]: view for view in views}
    missing = [each for each in ids if each not in known]
    if missing:
        raise not_found(key, ", ".join(missing))
    return [known[each] for each in dict.fromkeys(ids)]


def refuse_malformed(key: str, ids: Sequence[str]) -> None:
    """Refuse what cannot be an id at all."""
    for each in ids:
        if key == "ImageId" and not _ID.fullmatch(each):
            raise Refusal("InvalidAMIID.Malformed", f'Invalid id: "{each}" (expecting "ami-...")')
        if not _ID.fullmatch(each):
            name = key[0].lower() + key[1:]
            raise invalid_value(f"Value ({each}) for parameter {name} is invalid.")


def not_found(key: str, resource_id: str) -> Refusal:
    """Return the error of a missing volume, snapshot or instance."""
    code, noun = _ERROR_NAMES[key]
    return Refusal(code, f"The {noun} '{resource_id}' does not exist.")
