"""Puts what can have tags into an account: any kind of launch, networks, other services' things."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, TypedDict

from tests.cloud.account_guards import GuardedPlace
from tests.cloud.extras import Tagged
from tests.cloud.organization_tree import MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tags = Mapping[str, str]

_NUMBERS = count(1)


class Launch(TypedDict, total=False):
    """How an instance was launched, all of it as one likes.

    `spot` is one-time or persistent, `operator` the principal of the service that manages it (and
    its volumes and interfaces), `group` and `template` what its `aws:` tags name. `address` is
    none, amazon (a public one that a stop loses) or elastic; `auto_recovery` may be disabled.
    """

    spot: str
    group: str
    template: str
    version: str
    operator: str
    instance_store: bool
    stop_protected: bool
    age_hours: float
    interface_tags: Tags
    address: str
    auto_recovery: str
    reboot_migration: str
    instance_type: str


class FleetPlace(GuardedPlace):
    """Seeds launches of every kind, interfaces, addresses, groups, and crowds of them."""

    def shape(self, instance: Any, launch: Launch) -> None:
        """Let a bare instance be one that was launched so."""
        backend, extras = self.backend, self.cloud.extras
        tags = backend.tags[instance.id]
        instance.launch_time = self.cloud.clock.now() - timedelta(
            hours=launch.get("age_hours", 30 * 24)
        )
        for eni in instance.nics.values():
            eni.attach_time, eni.delete_on_termination = instance.launch_time, True
            backend.tags[eni.id] = dict(launch.get("interface_tags", {}))
            if "operator" in launch:
                extras.operators[eni.id] = launch["operator"]
        if "operator" in launch:
            extras.operators[instance.id] = launch["operator"]
        self._recover_and_reach(instance, launch)
        if "group" in launch:
            tags["aws:autoscaling:groupName"] = launch["group"]
            self._join(instance, launch["group"])
        if "template" in launch:
            tags["aws:ec2launchtemplate:id"] = launch["template"]
            tags["aws:ec2launchtemplate:version"] = launch.get("version", "1")
        instance.instance_type = launch.get("instance_type", instance.instance_type)
        instance.disable_api_stop = launch.get("stop_protected", False)
        instance.root_device_type = "instance-store" if launch.get("instance_store") else "ebs"

    def _recover_and_reach(self, instance: Any, launch: Launch) -> None:
        extras = self.cloud.extras
        if "spot" in launch:
            instance.lifecycle = "spot"
            extras.spots[instance.id] = launch["spot"]
        if "auto_recovery" in launch:
            extras.health.auto_recovery[instance.id] = launch["auto_recovery"]
        if "reboot_migration" in launch:
            extras.health.reboot_migration[instance.id] = launch["reboot_migration"]
        address = launch.get("address", "none")
        if address == "elastic":
            self.elastic_ip(instance_id=instance.id)
        elif address == "amazon":
            instance.nics[0].public_ip_auto_assign = True
            instance.nics[0].check_auto_public_ip()
        elif address != "none":
            raise ValueError(f"an address is none, amazon or elastic, not {address}")

    def network_interface(
        self,
        *,
        tags: Tags | None = None,
        instance_id: str = "",
        requester: str = "",
        operator: str = "",
        kind: str = "interface",
    ) -> str:
        """Add an interface, attached to an instance or to none; return its id.

        `requester` is the service that asked for it, such as amazon-elb (`RequesterManaged`).
        """
        backend = self.backend
        subnet = next(iter(backend.subnets[self.zone].values()))
        eni = backend.create_network_interface(subnet, [])
        eni.interface_type = kind
        backend.tags[eni.id] = dict(tags or {})
        if instance_id:
            instance = backend.get_instance(instance_id)
            instance.attach_eni(eni, len(instance.nics))
            eni.attach_time = self.cloud.clock.now()
        if requester:
            self.cloud.extras.requesters[eni.id] = requester
        if operator:
            self.cloud.extras.operators[eni.id] = operator
        return str(eni.id)

    def elastic_ip(
        self, *, tags: Tags | None = None, instance_id: str = "", service_managed: str = ""
    ) -> str:
        """Add an Elastic IP, of an instance or free; return its allocation id.

        `service_managed` is alb, nlb, rnat or rds.
        """
        backend = self.backend
        address = backend.allocate_address("vpc")
        backend.tags[address.allocation_id] = dict(tags or {})
        if instance_id:
            instance = backend.get_instance(instance_id)
            backend.associate_address(instance, allocation_id=address.allocation_id)
        if service_managed:
            self.cloud.extras.service_addresses[address.allocation_id] = service_managed
        return str(address.allocation_id)

    def security_group(self, name: str = "", *, tags: Tags | None = None) -> str:
        """Add a security group to the default VPC, which has one of its own; return its id."""
        backend = self.backend
        group = backend.create_security_group(name or f"group-{next(_NUMBERS)}", "seeded")
        backend.tags[group.id] = dict(tags or {})
        return str(group.id)

    def network_of(self, instance_id: str) -> tuple[str, str, str]:
        """Return the ids of an instance's VPC, subnet and first interface, to tag them."""
        instance = self.backend.get_instance(instance_id)
        return str(instance.vpc_id), str(instance.subnet_id), str(instance.nics[0].id)

    def default_security_group(self) -> str:
        """Return the id of the one that every VPC has."""
        backend = self.backend
        return str(backend.get_default_security_group(backend.default_vpc.id).id)

    def resource(self, kind: str, name: str = "", *, tags: Tags | None = None) -> str:
        """Add a resource of another service (`rds:db`) for the tagging API; return its ARN.

        No service stands behind it. Without tags the API does not show it; see `once_tagged`.
        """
        service, _, of = kind.partition(":")
        name = name or f"{of}-{next(_NUMBERS)}"
        mark = "/" if service in {"ecs", "eks", "elasticloadbalancing", "dynamodb"} else ":"
        where = "::" if service == "s3" else f"{self.region}:{self.account}:{of}{mark}"
        arn = f"arn:aws:{service}:{where}{name}"
        self.cloud.extras.tagged.setdefault(self.where, {})[arn] = Tagged(kind, dict(tags or {}))
        return arn

    def once_tagged(self, arn: str) -> None:
        """Let a resource have had a tag: the tagging API shows it even when it has none left."""
        self.cloud.extras.once_tagged.add(arn)

    def resource_tags(self, arn: str) -> dict[str, str]:
        """Return the tags of what `resource` has added."""
        return dict(self.cloud.extras.tagged[self.where][arn].tags)

    def refuse_tagging(
        self,
        arn: str,
        code: str = "AccessDeniedException",
        *,
        status: int = 403,
        message: str = "User is not authorized to tag this resource.",
    ) -> None:
        """Let a resource's own service refuse to tag it: a partial failure of TagResources."""
        self.cloud.extras.untaggable[arn] = status, code, message

    def hide_tags(self, instance_id: str, times: int = 1) -> None:
        """Let the next listings of instances show this one without its tags."""
        self.cloud.extras.tagless[instance_id] = times

    def organization(self, role: str = MANAGEMENT, tags: Tags | None = None) -> None:
        """Let this account be the management, delegated or member one; give it its tags there."""
        self.cloud.organization.join(self.account, role=role, tags=tags)

    def _join(self, instance: Any, group: str) -> None:
        for each in self.cloud.extras.scaling_groups.get(self.where, []):
            if each["AutoScalingGroupName"] == group:
                member = {
                    "InstanceId": instance.id,
                    "AvailabilityZone": instance.placement.zone,
                    "LifecycleState": "InService",
                    "HealthStatus": "Healthy",
                    "ProtectedFromScaleIn": False,
                }
                each["Instances"].append(member)
