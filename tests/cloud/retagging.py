"""CreateTags and DeleteTags: of all their resources or of none.

Source: EC2 API reference, "CreateTags" and "DeleteTags".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult

from tests.cloud.describing import StrictListings, not_found
from tests.cloud.known import KEYS, Known, prefix_of
from tests.cloud.refusals import Refusal, invalid_value
from tests.cloud.tagging import checked_tags, refuse_too_many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ID = re.compile(r"[a-z]+(-[a-z]+)*-[0-9a-f]{8,17}")


class StrictTags(StrictListings):
    """The part of a strict EC2 that tags what exists."""

    def create_tags(self) -> ActionResult:
        """Tag all resources, or none where one is unknown or would have too many tags."""
        tags = checked_tags(self._get_param("Tags", []))
        resources = self._resources()
        for resource in resources:
            refuse_too_many(self._tags_of(resource) | tags, self.cloud.limits.tags)
        self.error_on_dryrun()
        for resource in resources:
            self.ec2_backend.tags[resource].update(tags)
        return EmptyResult()

    def delete_tags(self) -> ActionResult:
        """Remove tags by key, or by key and value; without any named all but AWS's own."""
        asked = self._get_param("Tags", [])
        checked_tags(asked)
        resources = self._resources()
        self.error_on_dryrun()
        for resource in resources:
            tags = self.ec2_backend.tags[resource]
            for key in [key for key in tags if _is_named(key, tags[key], asked)]:
                del tags[key]
        return EmptyResult()

    def _resources(self) -> list[str]:
        resources: list[str] = self._get_param("Resources", [])
        most = self.cloud.limits.tagged_resources
        if len(resources) > most:
            raise invalid_value(f"At most {most} resources can be tagged at once")
        known = Known(self.ec2_backend)
        for resource in resources:
            self._refuse_unknown(resource, known)
        return resources

    def _refuse_unknown(self, resource: str, known: Known) -> None:
        if not _ID.fullmatch(resource):
            raise Refusal("InvalidID", f"The ID '{resource}' is not valid")
        if known.holds(resource):
            return
        key = KEYS.get(prefix_of(resource))
        raise (
            not_found(key, resource)
            if key
            else Refusal("InvalidID", f"The ID '{resource}' is not valid")
        )

    def _tags_of(self, resource_id: str) -> dict[str, str]:
        return dict(self.ec2_backend.tags.get(resource_id, {}))


def _is_named(key: str, value: str, asked: Sequence[Mapping[str, Any]]) -> bool:
    if not asked:
        return not key.startswith("aws:")
    return any(
        each["Key"] == key and (each.get("Value") is None or each["Value"] == value)
        for each in asked
    )
