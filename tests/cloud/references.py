"""What refers to snapshots: images, launch templates, fast snapshot restores."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.parse import default_timestamp_parser
from moto.core.responses import ActionResult

from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.filters import FAST_RESTORE_FILTERS, IMAGE_FILTERS, select
from tests.cloud.locks import FastRestore
from tests.cloud.refusals import Refusal, invalid_value
from tests.cloud.shelves import Shelf
from tests.cloud.views import View, aware, image_view

if TYPE_CHECKING:
    from collections.abc import Sequence

_OF_ALL_TEMPLATES = frozenset({"$Latest", "$Default"})
_MOST_VERSIONS = 200
_ON = frozenset({"enabling", "optimizing", "enabled"})


class StrictReferences(StrictListings):
    """The part of a strict EC2 that tells what a snapshot is needed for."""

    def describe_images(self) -> ActionResult:
        """Page through images; disabled ones only when asked for.

        Deprecated ones are always shown to their owner. Source: EC2 API reference.
        """
        return self._listing("Images", "ImageId", self._images(), IMAGE_FILTERS)

    def enable_image_deprecation(self) -> ActionResult:
        """Let an image be deprecated from a time on."""
        image_id = self._get_param("ImageId")
        self._image(image_id)
        given = self._get_param("DeprecateAt")
        moment = aware(given if isinstance(given, datetime) else default_timestamp_parser(given))
        self.error_on_dryrun()
        self.cloud.extras.deprecations[image_id] = moment
        return ActionResult({"Return": True})

    def disable_image_deprecation(self) -> ActionResult:
        """Let it be current again."""
        image_id = self._get_param("ImageId")
        self._image(image_id)
        self.error_on_dryrun()
        self.cloud.extras.deprecations.pop(image_id, None)
        return ActionResult({"Return": True})

    def describe_launch_template_versions(self) -> ActionResult:
        """Page through versions: of one template, or the latest and default ones of all."""
        template_id = self._get_param("LaunchTemplateId")
        name = self._get_param("LaunchTemplateName")
        versions = self._get_param("Versions", [])
        if template_id and name:
            raise Refusal(
                "InvalidParameterCombination", "Either a template's ID or its name, not both."
            )
        if not template_id and not name and versions and set(versions) - _OF_ALL_TEMPLATES:
            raise invalid_value("Without a template only $Latest and $Default are versions.")
        self.error_on_dryrun()
        found = self.ec2_backend.describe_launch_template_versions(
            template_name=name,
            template_id=template_id,
            versions=self._checked_versions(template_id, name, versions),
            min_version=self._get_int_param("MinVersion"),
            max_version=self._get_int_param("MaxVersion"),
            max_results=10**6,
        )
        views = [self._version(template, version) for template, version in found]
        return ActionResult(
            self._cut(
                "LaunchTemplateVersions",
                views,
                lambda view: f"{view['LaunchTemplateId']}/{view['VersionNumber']}",
                (1, _MOST_VERSIONS),
            )
        )

    def enable_fast_snapshot_restores(self) -> ActionResult:
        """Enable it in zones, for each snapshot that can be found."""
        return self._turn("enabling")

    def disable_fast_snapshot_restores(self) -> ActionResult:
        """Disable it in zones."""
        return self._turn("disabling")

    def describe_fast_snapshot_restores(self) -> ActionResult:
        """Page through snapshots and zones, disabled ones too."""
        now = self.cloud.clock.now()
        views = [
            {
                "SnapshotId": snapshot_id,
                "AvailabilityZone": zone,
                "OwnerId": self.current_account,
                "State": restore.state(now),
                "StateTransitionReason": "Client.UserInitiated",
            }
            for (snapshot_id, zone), restore in self.cloud.extras.fast_restores.items()
            if snapshot_id in self.ec2_backend.snapshots
        ]
        filters = self._get_param("Filters", [])
        found = select(views, filters, FAST_RESTORE_FILTERS, self.cloud.limits.filter_values)
        return ActionResult(
            self._cut(
                "FastSnapshotRestores",
                found,
                lambda view: f"{view['SnapshotId']}/{view['AvailabilityZone']}",
                (1, 200),
            )
        )

    def _images(self) -> Shelf:
        backend, extras, own = self.ec2_backend, self.cloud.extras, self.current_account
        owners = {own if each == "self" else each for each in self._get_param("Owners", [])}
        found = {
            each.id: each
            for each in list(backend.amis.values())
            if (
                each.owner_id == own or each.is_public or {"UserId": own} in each.launch_permissions
            )
            and (not owners or owners & {each.owner_id, each.owner_alias})
            and self._is_asked_for(each)
        }
        return Shelf(found, lambda image: image_view(image, backend, extras))

    def _is_asked_for(self, image: Any) -> bool:
        if image.state == "disabled" and not self._get_bool_param("IncludeDisabled", False):  # noqa: FBT003
            return False
        deprecated_at = self.cloud.extras.deprecations.get(image.id)
        deprecated = deprecated_at is not None and deprecated_at <= self.cloud.clock.now()
        foreign = image.owner_id != self.current_account
        return not (
            deprecated and foreign and not self._get_bool_param("IncludeDeprecated", False)  # noqa: FBT003
        )

    def _image(self, image_id: str) -> Any:
        refuse_malformed("ImageId", [image_id])
        image = self.ec2_backend.amis.get(image_id)
        if image is None:
            raise not_found("ImageId", image_id)
        return image

    def _checked_versions(
        self, template_id: str | None, name: str | None, versions: Sequence[str]
    ) -> Sequence[str]:
        if not template_id and not name:
            return versions
        backend = self.ec2_backend
        template = (
            backend.get_launch_template(template_id)
            if template_id
            else backend.get_launch_template_by_name(name)
        )
        known = {str(each.number) for each in template.versions} | _OF_ALL_TEMPLATES
        for version in versions:
            if version not in known:
                raise Refusal(
                    "InvalidLaunchTemplateId.VersionNotFound",
                    f"Could not find launch template version {version} for the launch template "
                    f"ID: {template.id}.",
                )
        return versions

    def _version(self, template: Any, version: Any) -> View:
        return {
            "CreateTime": version.create_time,
            "CreatedBy": f"arn:aws:iam::{self.current_account}:root",
            "DefaultVersion": template.is_default(version),
            "LaunchTemplateData": version.data,
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionDescription": version.description,
            "VersionNumber": version.number,
        }

    def _turn(self, first: str) -> ActionResult:
        extras, now = self.cloud.extras, self.cloud.clock.now()
        self.error_on_dryrun()
        done, failed = [], []
        for snapshot_id in self._get_param("SourceSnapshotIds", []):
            for zone in self._get_param("AvailabilityZones", []):
                known = extras.fast_restores.get((snapshot_id, zone))
                is_on = known is not None and known.state(now) in _ON
                if snapshot_id not in self.ec2_backend.snapshots or (first != "enabling") != is_on:
                    failed.append(_failed(snapshot_id, zone))
                    continue
                extras.fast_restores[snapshot_id, zone] = FastRestore(first, now)
                done.append({"SnapshotId": snapshot_id, "AvailabilityZone": zone, "State": first})
        return ActionResult({"Successful": done, "Unsuccessful": failed})


def _failed(snapshot_id: str, zone: str) -> View:
    error = {"Code": "InvalidSnapshot.InvalidState", "Message": "It is in the wrong state."}
    return {
        "SnapshotId": snapshot_id,
        "FastSnapshotRestoreStateErrors": [{"AvailabilityZone": zone, "Error": error}],
    }
