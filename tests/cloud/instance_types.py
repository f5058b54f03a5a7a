"""DescribeInstanceTypes and DescribeInstanceAttribute.

Source: EC2 API reference, the operations of these names: 5-100 types in a page, 100 by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.core.responses import ActionResult
from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.refusals import Refusal, invalid_value

if TYPE_CHECKING:
    from tests.cloud.views import View

_PAGES = (5, 100)
_MOST_NAMES = 100


class StrictTypes(StrictListings):
    """The part of a strict EC2 that tells of kinds and single attributes."""

    def describe_instance_types(self) -> ActionResult:
        """Page through the types of the region, of some names or all."""
        names = self._get_param("InstanceTypes", [])
        if len(names) > _MOST_NAMES:
            raise invalid_value(f"At most {_MOST_NAMES} instance types fit in one request.")
        self._max_results(names, _PAGES)
        unknown = [each for each in names if each not in INSTANCE_TYPES]
        if unknown:
            raise Refusal(
                "InvalidInstanceType",
                f"The following supplied instance types do not exist: [{', '.join(unknown)}]",
            )
        self.error_on_dryrun()
        views: list[View] = self.ec2_backend.describe_instance_types(
            list(dict.fromkeys(names)), self._filters_from_querystring()
        )
        return ActionResult(
            self._cut("InstanceTypes", views, lambda view: str(view["InstanceType"]), _PAGES)
        )

    def describe_instance_attribute(self) -> ActionResult:
        """Tell one attribute of one instance, such as disableApiStop."""
        instance_id = self._get_param("InstanceId")
        refuse_malformed("InstanceId", [instance_id])
        found = {each.id: each for each in self.ec2_backend.all_instances()}
        if instance_id not in found:
            raise not_found("InstanceId", instance_id)
        self.error_on_dryrun()
        if self._get_param("Attribute") != "disableApiStop":
            return super().describe_instance_attribute()
        # It was set by a seed, or by a request as text.
        value = str(found[instance_id].disable_api_stop).lower() == "true"
        return ActionResult({"InstanceId": instance_id, "DisableApiStop": {"Value": value}})
