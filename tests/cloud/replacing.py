"""What becomes of unhealthy members of Auto Scaling groups: terminated, and another in its place.

Source: Auto Scaling API reference, "SetInstanceHealth"; Auto Scaling user guide, "Health checks for
instances in an Auto Scaling group".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.cloud.bare import bare_instances
from tests.cloud.power import terminate
from tests.cloud.refusals import Refusal
from tests.cloud.views import aware

if TYPE_CHECKING:
    from tests.cloud.extras import Extras, Where
    from tests.cloud.strict import StrictCloud


def set_health(
    cloud: StrictCloud, where: Where, instance_id: str, status: str, *, respects_grace: bool
) -> None:
    """Mark a member of a group; an unhealthy one is replaced after a while."""
    account, region = where
    extras, now = cloud.extras, cloud.clock.now()
    found = _member(extras, where, instance_id)
    if found is None:
        raise Refusal(
            "ValidationError",
            f"Instance Id not found - No managed instance found for instance ID {instance_id}",
        )
    group, member = found
    grace, born = int(group.get("HealthCheckGracePeriod") or 0), None
    for instance in cloud.backend(region, account).all_instances():
        if instance.id == instance_id:
            born = aware(instance.launch_time)
    age = (now - born).total_seconds() if born else grace
    if status == "Unhealthy" and respects_grace and age < grace:
        raise Refusal(
            "ValidationError",
            f"The age of the instance ({int(age)} seconds) is less than the configured grace "
            f"period of {grace} seconds",
        )
    member["HealthStatus"] = status
    extras.replacing.pop(instance_id, None)
    if status == "Unhealthy":
        extras.replacing[instance_id] = now + timedelta(seconds=extras.replacing_seconds)


def replace_members(backend: Any, extras: Extras, now: datetime) -> None:
    """Terminate the unhealthy ones whose time has come, and launch others in their zones."""
    where = str(backend.account_id), str(backend.region_name)
    for instance_id in [each for each, at in extras.replacing.items() if at <= now]:
        found = _member(extras, where, instance_id)
        if found is None:
            continue
        group, member = found
        del extras.replacing[instance_id]
        terminate(backend.get_instance(instance_id), extras, now)
        (made,) = bare_instances(backend, member["AvailabilityZone"]).instances
        made.launch_time = now
        propagated = {
            each["Key"]: each["Value"] for each in group["Tags"] if each["PropagateAtLaunch"]
        }
        name = {"aws:autoscaling:groupName": group["AutoScalingGroupName"]}
        backend.tags[made.id] = propagated | name
        group["Instances"].remove(member)
        group["Instances"].append(member | {"InstanceId": made.id, "HealthStatus": "Healthy"})


def _member(
    extras: Extras, where: Where, instance_id: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    for group in extras.scaling_groups.get(where, ()):
        for member in group["Instances"]:
            if member["InstanceId"] == instance_id:
                return group, member
    return None
