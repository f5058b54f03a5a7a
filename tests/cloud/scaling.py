"""Auto Scaling groups, listed as AWS lists them, and the health of their members.

Source: Auto Scaling API reference, "DescribeAutoScalingGroups",
"DescribeAutoScalingInstances", "SetInstanceHealth".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from tests.cloud.answers import Answer
from tests.cloud.refusals import Refusal
from tests.cloud.replacing import set_health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.common_types import TYPE_RESPONSE
    from moto.core.request import Request

    from tests.cloud.strict import StrictCloud

_USUAL_RECORDS = 50
_MOST_RECORDS = 100


class StrictAutoScaling(AutoScalingResponse):
    """Answers one request; groups come from the strict cloud's own table, then from moto's."""

    def __init__(self, cloud: StrictCloud, request: Request) -> None:
        """Read the request; nothing happens yet."""
        super().__init__()
        self.cloud = cloud
        self.setup_class(request)

    @property
    def operation(self) -> str:
        """The operation asked for."""
        return self._get_action()

    def read_params(self) -> Mapping[str, Any]:
        """Return the request's parameters as boto3 names them."""
        return dict(self.params)

    def answer(self) -> Answer:
        """Do what is asked and render it."""
        status, headers, body = self.call_action()
        return status, {str(name): str(value) for name, value in headers.items()}, body

    def describe_auto_scaling_groups(self) -> ActionResult:
        """Page through groups, of some names or all."""
        names = self._get_param("AutoScalingGroupNames", [])
        most = self._get_int_param("MaxRecords", _USUAL_RECORDS)
        if not 1 <= most <= _MOST_RECORDS:
            raise Refusal("ValidationError", "The maximum number of records is out of range.")
        own = self.cloud.extras.scaling_groups.get((self.current_account, self.region), [])
        found: list[Any] = [*own, *self.autoscaling_backend.autoscaling_groups.values()]
        wanted = [each for each in found if not names or _name(each) in names]
        page, token = self.cloud.pages.cut(
            self.operation, wanted, _name, most, self._get_param("NextToken")
        )
        return ActionResult({"AutoScalingGroups": page, "NextToken": token})

    def describe_auto_scaling_instances(self) -> ActionResult:
        """Page through members of groups; what is no member, or unknown, is left out."""
        ids = self._get_param("InstanceIds", [])
        most = self._get_int_param("MaxRecords", _USUAL_RECORDS)
        if len(ids) > _USUAL_RECORDS or not 1 <= most <= _USUAL_RECORDS:
            raise Refusal("ValidationError", f"At most {_USUAL_RECORDS} instances fit in one call.")
        groups = self.cloud.extras.scaling_groups.get((self.current_account, self.region), [])
        found = [_member_view(group, each) for group in groups for each in group["Instances"]]
        wanted = [each for each in found if not ids or each["InstanceId"] in ids]
        page, token = self.cloud.pages.cut(
            self.operation, wanted, lambda each: str(each["InstanceId"]), most, self._token()
        )
        return ActionResult({"AutoScalingInstances": page, "NextToken": token})

    def _token(self) -> str | None:
        token = self._get_param("NextToken")
        return str(token) if token else None

    def set_instance_health(self) -> ActionResult:
        """Mark a member: an unhealthy one is replaced, unless its grace period still lasts."""
        instance_id, status = self._get_param("InstanceId"), self._get_param("HealthStatus")
        if status not in {"Healthy", "Unhealthy"}:
            raise Refusal(
                "ValidationError", "Valid instance health states are: [Healthy, Unhealthy]."
            )
        where = self.current_account, self.region
        # The request may bring it as text.
        respects = str(self._get_param("ShouldRespectGracePeriod", if_none=True)).lower() == "true"
        set_health(self.cloud, where, instance_id, status, respects_grace=respects)
        return EmptyResult()

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        """Give an error its own status."""
        status, headers, body = super().serialized(action_result)
        result = action_result.result
        return getattr(result, "status", status), headers, body


def _member_view(group: Mapping[str, Any], member: Mapping[str, Any]) -> dict[str, Any]:
    known = {"LaunchTemplate", "LaunchConfigurationName"}
    launched = {key: group[key] for key in known if key in group}
    status = {"HealthStatus": str(member["HealthStatus"]).upper()}
    return {**launched, **member, **status, "AutoScalingGroupName": group["AutoScalingGroupName"]}


def _name(group: Any) -> str:
    return str(group["AutoScalingGroupName"] if isinstance(group, dict) else group.name)
