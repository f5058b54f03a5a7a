"""The status of instances, and the actions that reboot, stop and start them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.ec2bed.errors import Ec2Error
from bench.ec2bed.fleet import EBS, INSTANCE, SYSTEM
from bench.ec2bed.params import filters, listed
from bench.ec2bed.render import STATE_CODES, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bench.ec2bed.pages import Pages
    from bench.ec2bed.params import Params
    from bench.ec2bed.world import Instance, World

_CHECKS: Final = (
    ("systemStatus", SYSTEM),
    ("instanceStatus", INSTANCE),
    ("attachedEbsStatus", EBS),
)
_RESULTS: Final = {"ok": "passed", "impaired": "failed", "initializing": "initializing"}


class HealthApi:
    """The actions upon one world."""

    def __init__(self, world: World, pages: Pages) -> None:
        self._world = world
        self._pages = pages

    def actions(self) -> Mapping[str, Callable[[Params], str]]:
        """Return the actions by name."""
        return {
            "DescribeInstanceStatus": self._describe_status,
            "DescribeInstanceTypes": self._describe_types,
            "DescribeInstanceAttribute": self._describe_attribute,
            "RebootInstances": self._reboot,
            "StopInstances": self._stop,
            "StartInstances": self._start,
        }

    def _describe_status(self, params: Params) -> str:
        """List statuses; of those that run unless all are asked for."""
        if "MaxResults" in params and "InstanceId.1" in params:
            raise Ec2Error("InvalidParameterCombination", "Instance ids cannot be paged")
        now, found = self._world.now(), self._world.instances
        if params.get("IncludeAllInstances", "false") == "false":
            found = {k: v for k, v in found.items() if v.health.state_at(now) == "running"}
        return self._pages.page(
            "instanceStatusSet",
            params,
            "InstanceId",
            found,
            lambda each: _status_xml(found[each], now),
        )

    def _describe_types(self, params: Params) -> str:
        asked = [*listed(params, "InstanceType"), *dict(filters(params)).get("instance-type", ())]
        items = "".join(
            f"<item><instanceType>{each}</instanceType>"
            "<instanceStorageSupported>false</instanceStorageSupported>"
            "<autoRecoverySupported>true</autoRecoverySupported></item>"
            for each in asked
        )
        return f"<instanceTypeSet>{items}</instanceTypeSet>"

    def _describe_attribute(self, params: Params) -> str:
        (instance,) = self._named([params["InstanceId"]])
        name = params["Attribute"]
        return f"<instanceId>{instance.id}</instanceId><{name}><value>false</value></{name}>"

    def _reboot(self, params: Params) -> str:
        now = self._world.now()
        for instance in self._named(listed(params, "InstanceId")):
            instance.health.reboot(now)
        return "<return>true</return>"

    def _stop(self, params: Params) -> str:
        now = self._world.now()
        named = self._named(listed(params, "InstanceId"))
        return _changed(named, now, lambda each: each.health.stop(now))

    def _start(self, params: Params) -> str:
        now = self._world.now()
        named = self._named(listed(params, "InstanceId"))
        if any(each.health.state_at(now) == "stopping" for each in named):
            raise Ec2Error("IncorrectInstanceState", "The instance is not in a valid state")
        return _changed(named, now, lambda each: each.health.start(now))

    def _named(self, ids: Iterable[str]) -> list[Instance]:
        found = []
        for each in ids:
            if each not in self._world.instances:
                raise Ec2Error("InvalidInstanceID.NotFound", f"The ID '{each}' does not exist")
            found.append(self._world.instances[each])
        return found


def _status_xml(instance: Instance, now: float) -> str:
    """Render one status, with the line breaks and blanks that AWS puts between its elements."""
    health = instance.health
    state = health.state_at(now)
    checks = "".join(
        _check(name, health.check_at(check, now), health.since) for name, check in _CHECKS
    )
    return f"""
        <item>
            <instanceId>{instance.id}</instanceId>
            <availabilityZone>{instance.zone}</availabilityZone>
            <availabilityZoneId>euw1-az{1 + ord(instance.zone[-1]) - ord("a")}</availabilityZoneId>
            <operator>
                <managed>false</managed>
            </operator>
            <instanceState>
                <code>{STATE_CODES[state]}</code>
                <name>{state}</name>
            </instanceState>{checks}
        </item>"""


def _check(name: str, said: str, since: float) -> str:
    if said not in _RESULTS:
        return f"""
            <{name}>
                <status>{said}</status>
            </{name}>"""
    begun = f"<impairedSince>{utc(since)}</impairedSince>" if said == "impaired" else ""
    return f"""
            <{name}>
                <status>{said}</status>
                <details>
                    <item>
                        <name>reachability</name>
                        <status>{_RESULTS[said]}</status>{begun}
                    </item>
                </details>
            </{name}>"""


def _changed(named: Iterable[Instance], now: float, change: Callable[[Instance], None]) -> str:
    items = []
    for instance in named:
        before = instance.health.state_at(now)
        change(instance)
        after = instance.health.state_at(now)
        states = "".join(
            f"<{name}><code>{STATE_CODES[state]}</code><name>{state}</name></{name}>"
            for name, state in (("currentState", after), ("previousState", before))
        )
        items.append(f"<item><instanceId>{instance.id}</instanceId>{states}</item>")
    return f"<instancesSet>{''.join(items)}</instancesSet>"
