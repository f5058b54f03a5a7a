"""The strict EC2: moto's, with its listings and writes replaced, behind buckets and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cloud.answers import Answer
from tests.cloud.attaching import StrictAttachments
from tests.cloud.guards import StrictGuards
from tests.cloud.instance_types import StrictTypes
from tests.cloud.inventory import StrictInventory
from tests.cloud.power import StrictPower
from tests.cloud.references import StrictReferences
from tests.cloud.refusals import Refusal
from tests.cloud.regions import StrictRegions
from tests.cloud.retagging import StrictTags
from tests.cloud.root_volumes import StrictRootVolumes
from tests.cloud.snapshotting import StrictWrites
from tests.cloud.statuses import StrictStatuses
from tests.cloud.volumes import StrictVolumes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.common_types import TYPE_RESPONSE
    from moto.core.request import Request
    from moto.core.responses import ActionResult

    from tests.cloud.strict import StrictCloud


class StrictEC2(
    StrictWrites,
    StrictVolumes,
    StrictAttachments,
    StrictRootVolumes,
    StrictTags,
    StrictPower,
    StrictStatuses,
    StrictGuards,
    StrictReferences,
    StrictInventory,
    StrictTypes,
    StrictRegions,
):
    """Answers one request."""

    def __init__(self, cloud: StrictCloud, request: Request) -> None:
        """Read the request; nothing happens yet."""
        super().__init__()
        self.cloud = cloud
        self.setup_class(request)

    @property
    def operation(self) -> str:
        """The operation asked for, `CreateSnapshot`."""
        return self._get_action()

    @property
    def scope(self) -> str:
        """The account and region whose buckets are drawn from."""
        return f"{self.current_account}/{self.region}"

    def read_params(self) -> Mapping[str, Any]:
        """Return the request's parameters as boto3 names them."""
        return dict(self.params)

    def answer(self) -> Answer:
        """Do what is asked and render it."""
        cloud = self.cloud
        cloud.settle(self.ec2_backend)
        if not cloud.buckets.take(self.operation, self.params, cloud.clock.now(), self.scope):
            refusal = Refusal("RequestLimitExceeded", "Request limit exceeded.", 503)
            return self.rendered(refusal)
        return _plain(self.call_action())

    def rendered(self, refusal: Refusal) -> Answer:
        """Render an error outside a handler."""
        from moto.core.responses import ActionResult  # noqa: PLC0415

        return _plain(self.serialized(ActionResult(refusal)))

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        """Give an error the status AWS gives it; moto knows 400 alone."""
        status, headers, body = super().serialized(action_result)
        result = action_result.result
        return (
            getattr(result, "status", status) if isinstance(result, Refusal) else status,
            headers,
            body,
        )


def _plain(response: TYPE_RESPONSE) -> Answer:
    status, headers, body = response
    return status, {str(name): str(value) for name, value in headers.items()}, body
