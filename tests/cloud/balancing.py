"""Load balancers, listed as AWS lists them, and what they see of their targets.

Source: Elastic Load Balancing API reference 2015-12-01, "DescribeLoadBalancers" (20 ARNs or names,
pages of 1 to 400), "DescribeTags" (20 ARNs), "DescribeTargetHealth", "TargetHealth".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.balancing_targets import BalancedTarget
from tests.cloud.calls import Call
from tests.cloud.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moto.core.common_types import TYPE_RESPONSE
    from moto.core.request import Request

    from tests.cloud.strict import StrictCloud

_AT_ONCE = 20
_MOST = 400
_WHY = {
    "unhealthy": "Target.FailedHealthChecks",
    "initial": "Elb.InitialHealthChecking",
    "draining": "Target.DeregistrationInProgress",
    "unused": "Target.NotInUse",
    "unavailable": "Target.HealthCheckDisabled",
}


class StrictBalancing(ELBV2Response):
    """Answers one request."""

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
        """Do what is asked and render it; a bucket that is empty throttles."""
        bucket = self.cloud.buckets.get(self.operation)
        scope = f"{self.current_account}/{self.region}"
        if bucket is not None and not bucket.take(self.cloud.clock.now(), scope):
            call = Call("elbv2", self.operation, self.cloud.clock.now())
            return render_error(call, ErrorText(400, "Throttling", "Rate exceeded"))
        return _plain(self.call_action())

    def describe_load_balancers(self) -> ActionResult:
        """Page through load balancers, those of some ARNs or names or all."""
        arns, names = self._asked("LoadBalancerArns"), self._asked("Names")
        size = self._get_int_param("PageSize", _MOST)
        if not 1 <= size <= _MOST:
            raise Refusal("ValidationError", f"PageSize must be between 1 and {_MOST}")
        if (arns or names) and self._get_param("PageSize") is not None:
            raise Refusal("ValidationError", "PageSize goes with neither ARNs nor names")
        known = {each.arn: each for each in self.elbv2_backend.describe_load_balancers([], [])}
        by_name = {each.name: each for each in known.values()}
        for each in (*(a for a in arns if a not in known), *(n for n in names if n not in by_name)):
            raise Refusal("LoadBalancerNotFound", f"Load balancers '[{each}]' not found")
        wanted = {*arns, *(by_name[each].arn for each in names)} or set(known)
        shown = [arn for arn in known if arn in wanted]
        try:
            page, marker = self.cloud.pages.cut_keys(
                self.operation, shown, size, self._get_param("Marker")
            )
        except Refusal:
            raise Refusal("ValidationError", "The marker is not valid") from None
        found = [known[arn] for arn in page if arn in known]
        return ActionResult({"LoadBalancers": found, "NextMarker": marker})

    def describe_tags(self) -> ActionResult:
        """Tell the tags of at most twenty resources, all of which must be there."""
        arns = self._asked("ResourceArns")
        if not arns:
            raise Refusal("ValidationError", "ResourceArns must have an entry")
        known = self.elbv2_backend.load_balancers.keys() | self.elbv2_backend.target_groups.keys()
        for arn in arns:
            if arn not in known:
                is_group = ":targetgroup/" in arn
                code = "TargetGroupNotFound" if is_group else "LoadBalancerNotFound"
                raise Refusal(code, f"'{arn}' not found")
        return super().describe_tags()

    def describe_target_health(self) -> ActionResult:
        """Tell how the targets of a group are seen."""
        arn = self._get_param("TargetGroupArn") or ""
        targets = self.cloud.extras.targets.get(arn)
        if targets is None and arn not in self.elbv2_backend.target_groups:
            raise Refusal("TargetGroupNotFound", f"Target groups '{arn}' not found")
        if targets is None:
            return super().describe_target_health()
        asked = {each["Id"] for each in self._get_param("Targets", [])}
        views = [_view(each) for each in targets if not asked or each.id in asked]
        return ActionResult({"TargetHealthDescriptions": views})

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        """Give an error its own status."""
        status, headers, body = super().serialized(action_result)
        return getattr(action_result.result, "status", status), headers, body

    def _asked(self, name: str) -> Sequence[str]:
        found: list[str] = self._get_param(name, [])
        if len(found) > _AT_ONCE:
            raise Refusal("ValidationError", f"{name} has more than {_AT_ONCE} entries")
        return found


def _view(target: BalancedTarget) -> dict[str, Any]:
    health = {"State": target.state}
    if target.state in _WHY:
        health |= {"Reason": _WHY[target.state], "Description": f"It is {target.state}"}
    return {"Target": {"Id": target.id, "Port": target.port}, "TargetHealth": health}


def _plain(response: TYPE_RESPONSE) -> Answer:
    status, headers, body = response
    return status, {str(name): str(value) for name, value in headers.items()}, body
