"""What may still need a snapshot: images, launch templates, fast restore, locks, shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.ec2bed.errors import Ec2Error
from bench.ec2bed.params import listed
from bench.ec2bed.render import image_xml, locked_xml, template_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.pages import Pages
    from bench.ec2bed.params import Params
    from bench.ec2bed.world import TemplateVersion, World


class References:
    """The actions that tell of references; nothing is fast-restored or shared here."""

    def __init__(self, world: World, pages: Pages) -> None:
        self._world = world
        self._pages = pages

    def actions(self) -> Mapping[str, Callable[[Params], str]]:
        """Return the actions by name."""
        return {
            "DescribeImages": self._describe_images,
            "DescribeLaunchTemplates": self._describe_templates,
            "DescribeLaunchTemplateVersions": self._describe_template_versions,
            "DescribeLockedSnapshots": self._describe_locked,
            "DescribeFastSnapshotRestores": lambda _: "<fastSnapshotRestoreSet/>",
            "DescribeSnapshotAttribute": self._describe_attribute,
        }

    def _describe_images(self, params: Params) -> str:
        images = self._world.images
        return self._pages.page(
            "imagesSet", params, "ImageId", images, lambda each: image_xml(images[each])
        )

    def _describe_templates(self, params: Params) -> str:
        found = {each.template_id: each for each in self._world.versions if each.number == 1}
        return self._pages.page(
            "launchTemplates",
            params,
            "LaunchTemplateId",
            found,
            lambda each: (
                f"<item><launchTemplateId>{each}</launchTemplateId>"
                f"<launchTemplateName>{each}</launchTemplateName></item>"
            ),
        )

    def _describe_template_versions(self, params: Params) -> str:
        """List versions of one template, or `$Default` and `$Latest` of all."""
        template = params.get("LaunchTemplateId", "")
        asked = set(listed(params, "LaunchTemplateVersion"))
        found = {
            each.id: each
            for each in self._world.versions
            if template in {"", each.template_id} and (not asked or _names(each) & asked)
        }
        return self._pages.page(
            "launchTemplateVersionSet",
            params,
            "LaunchTemplateVersionId",
            found,
            lambda each: template_xml(found[each]),
        )

    def _describe_locked(self, params: Params) -> str:
        listed_locks = {
            each.id: each
            for each in self._world.snapshots.values()
            if each.locked and self._world.locks_listed
        }
        return self._pages.page("snapshotSet", params, "SnapshotId", listed_locks, locked_xml)

    def _describe_attribute(self, params: Params) -> str:
        snapshot_id = params["SnapshotId"]
        if snapshot_id not in self._world.snapshots:
            raise Ec2Error("InvalidSnapshot.NotFound", "The snapshot does not exist")
        return f"<snapshotId>{snapshot_id}</snapshotId><createVolumePermission/>"


def _names(version: TemplateVersion) -> set[str]:
    """Return what a version may be asked by: of two, the first is the default one."""
    return {str(version.number), "$Default" if version.number == 1 else "$Latest"}
