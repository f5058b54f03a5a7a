"""DescribeInstanceStatus: checks and scheduled events of instances, in pages.

Source: EC2 API reference, "DescribeInstanceStatus", "Pagination".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.cloud.describing import StrictListings, not_found, refuse_malformed
from tests.cloud.filters import STATUS_FILTERS, select
from tests.cloud.pages import MAX_RESULTS
from tests.cloud.refusals import invalid_value
from tests.cloud.status_views import is_plain, plain_text, rendered, status_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cloud.health import ScheduledEvent
    from tests.cloud.views import View

_MOST_IDS = 100
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


class StrictStatuses(StrictListings):
    """The part of a strict EC2 that tells how instances are."""

    def describe_instance_status(self) -> str:  # type: ignore[override]  # as text: it is quicker
        """Page through checks and events; only of running ones without IncludeAllInstances."""
        ids = self._get_param("InstanceIds", [])
        most = self._max_results(ids)
        if len(ids) > _MOST_IDS:
            raise invalid_value(f"At most {_MOST_IDS} instance ids fit in one request.")
        refuse_malformed("InstanceId", ids)
        # The request may bring it as text.
        everything = str(self._get_param("IncludeAllInstances", if_none=False)).lower() == "true"
        instances = {each.id: each for each in self.ec2_backend.all_instances()}
        missing = [each for each in ids if each not in instances]
        if missing:
            raise not_found("InstanceId", ", ".join(missing))
        if not everything:
            instances = {key: each for key, each in instances.items() if each.state == "running"}
        self.error_on_dryrun()
        if ids:
            wanted = [key for key in dict.fromkeys(ids) if key in instances]
            return self._answered([instances[key] for key in wanted], None)
        keys, following = self._cut_instances(instances, most or MAX_RESULTS)
        return self._answered([instances[key] for key in keys if key in instances], following)

    def _cut_instances(self, instances: dict[str, Any], most: int) -> tuple[list[str], str | None]:
        token, keys = self._get_param("NextToken"), instances.keys()
        if token is None and self._get_param("Filters", []):
            keys = {view["InstanceId"]: None for view in self._matching(instances.values())}.keys()
        return self.cloud.pages.cut_keys(self._get_action(), keys, most, token)

    def _matching(self, instances: Any) -> list[View]:
        extras, now = self.cloud.extras, self.cloud.clock.now()
        events = extras.health.events_by_instance(now)
        views = [status_view(each, extras, now, events.get(each.id, ())) for each in instances]
        filters = self._get_param("Filters", [])
        for name in (str(each.get("Name")) for each in filters):
            if name.startswith("tag"):  # instances have tags, their status has none
                raise invalid_value(f"The filter '{name}' is invalid")
        return select(views, filters, STATUS_FILTERS, self.cloud.limits.filter_values)

    def _answered(self, instances: Sequence[Any], token: str | None) -> str:
        if self._get_param("Filters", []):
            items = [rendered(view) for view in self._matching(instances)]
        else:
            items = self._texts(instances)
        found = "".join(f"<item>{each}</item>" for each in items)
        following = f"<nextToken>{token}</nextToken>" if token else ""
        return (
            f'<DescribeInstanceStatusResponse xmlns="{_NAMESPACE}"><requestId>{uuid4()}'
            f"</requestId><instanceStatusSet>{found}</instanceStatusSet>{following}"
            "</DescribeInstanceStatusResponse>"
        )

    def _texts(self, instances: Sequence[Any]) -> list[str]:
        extras, now = self.cloud.extras, self.cloud.clock.now()
        events: dict[str, list[ScheduledEvent]] = extras.health.events_by_instance(now)
        texts = []
        for each in instances:
            if each.id not in events and is_plain(each, extras, now):
                tail = plain_text(each.placement.zone, each.state_code, each.state)
                texts.append(f"<instanceId>{each.id}</instanceId>{tail}")
            else:
                view = status_view(each, extras, now, events.get(each.id, ()))
                texts.append(rendered(view))
        return texts
