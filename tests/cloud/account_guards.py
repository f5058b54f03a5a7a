"""Puts what refers to snapshots, guards them or hears topics into an account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id
from moto.sns.models import sns_backends

from tests.cloud.locks import COMPLIANCE, GOVERNANCE, FastRestore, Lock
from tests.cloud.place import Place
from tests.cloud.recycle_bin import AVAILABLE, SNAPSHOTS, Rule
from tests.cloud.topics import NEED_NO_CONFIRMATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL = "all"


class GuardedPlace(Place):
    """Seeds images, launch templates, Auto Scaling groups, locks, shares and rules."""

    def image(
        self,
        *snapshot_ids: str,
        name: str = "",
        tags: Mapping[str, str] | None = None,
        owner: str = "",
        public: bool = False,
        age_hours: float = 0.0,
    ) -> str:
        """Register an image of these snapshots and return its id."""
        backend, image_id = self.backend, random_ami_id()
        image = Ami(
            backend,
            image_id,
            name=name or image_id,
            owner_id=owner or None,
            architecture="x86_64",
            virtualization_type="hvm",
            root_device_type="ebs",
            region_name=self.zone,
            creation_date=self.cloud.clock.now() - timedelta(hours=age_hours),
            public=public,
        )
        del backend.snapshots[image.ebs_snapshot.id]
        backend.amis[image_id] = image
        backend.tags[image_id] = dict(tags or {})
        self.cloud.extras.image_snapshots[image_id] = list(snapshot_ids)
        return image_id

    def disable_image(self, image_id: str) -> None:
        """Disable an image: it still needs its snapshots."""
        self.backend.disable_image(image_id)

    def deprecate_image(self, image_id: str, *, days_ago: float = 1.0) -> None:
        """Let an image be deprecated since so many days."""
        moment = self.cloud.clock.now() - timedelta(days=days_ago)
        self.cloud.extras.deprecations[image_id] = moment

    def deregister_image(self, image_id: str) -> None:
        """Take an image away; its snapshots stay."""
        self.backend.deregister_image(image_id)

    def launch_template(
        self,
        *versions: Sequence[str],
        name: str = "",
        default: int = 1,
        image_id: str = "",
        tags: Mapping[str, str] | None = None,
        launch_tags: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """Add a template with one version for each list of snapshots; return its id.

        `tags` are its own; `launch_tags` are those of what it launches, by resource type.
        """
        backend = self.backend
        name = name or f"template-{len(backend.launch_templates) + 1}"
        launched = _specifications(launch_tags or {})
        data = [_template_data(each, image_id) | launched for each in versions or ((),)]
        template = backend.create_launch_template(name, "", data[0], {})
        for each in data[1:]:
            template.create_version(each, "")
        template.default_version_number = default
        template.create_time = self.cloud.clock.now() - timedelta(days=30)
        backend.tags[template.id] = dict(tags or {})
        return str(template.id)

    def scaling_group(
        self,
        template_id: str = "",
        version: str = "$Default",
        *,
        name: str = "",
        mixed: bool = False,
        overrides: Sequence[tuple[str, str]] = (),
        tags: Mapping[str, str] | None = None,
        own_tags: Mapping[str, str] | None = None,
        grace_seconds: int = 0,
    ) -> str:
        """Add an Auto Scaling group that launches from a template's version; return its name.

        `tags` are passed on to what it launches (PropagateAtLaunch), `own_tags` are not. With
        `mixed`, or `overrides` of template and version, it has a MixedInstancesPolicy; without a
        template it has a launch configuration.
        """
        groups = self.cloud.extras.scaling_groups.setdefault(self.where, [])
        name = name or f"group-{len(groups) + 1}"
        group: dict[str, Any] = {
            "AutoScalingGroupName": name,
            "AutoScalingGroupARN": f"arn:aws:autoscaling:{self.region}:{self.account}:{name}",
            "AvailabilityZones": [self.zone],
            "CreatedTime": self.cloud.clock.now(),
            "DefaultCooldown": 300,
            "DesiredCapacity": 1,
            "HealthCheckGracePeriod": grace_seconds,
            "HealthCheckType": "EC2",
            "Instances": [],
            "MaxSize": 1,
            "MinSize": 1,
            "Tags": [
                *_group_tags(name, tags or {}, propagated=True),
                *_group_tags(name, own_tags or {}, propagated=False),
            ],
        }
        if not template_id:
            group["LaunchConfigurationName"] = f"{name}-configuration"
        elif mixed or overrides:
            group["MixedInstancesPolicy"] = {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": self._specification(template_id, version),
                    "Overrides": [
                        {"LaunchTemplateSpecification": self._specification(*each)}
                        for each in overrides
                    ],
                }
            }
        else:
            group["LaunchTemplate"] = self._specification(template_id, version)
        groups.append(group)
        return name

    def fast_restore(self, snapshot_id: str, *, zone: str = "", state: str = "enabled") -> None:
        """Let a snapshot have fast restore in a zone: enabling, enabled, disabled and so on."""
        restore = FastRestore(state, self.cloud.clock.now())
        self.cloud.extras.fast_restores[snapshot_id, zone or self.zone] = restore

    def lock(
        self,
        snapshot_id: str,
        *,
        mode: str = GOVERNANCE,
        days: float = 1.0,
        cool_off_hours: float = 0.0,
        age_days: float = 0.0,
    ) -> None:
        """Lock a snapshot for so many days, which began `age_days` ago."""
        start = self.cloud.clock.now() - timedelta(days=age_days)
        cool = start + timedelta(hours=cool_off_hours) if mode == COMPLIANCE else None
        self.cloud.extras.locks[snapshot_id] = Lock(
            mode, start, start + timedelta(days=days), cool if cool_off_hours else None
        )

    def share(self, snapshot_id: str, account_or_all: str = ALL) -> None:
        """Share a snapshot with an account, or make it public."""
        snapshot = self.backend.snapshots[snapshot_id]
        if account_or_all == ALL:
            snapshot.create_volume_permission_groups.add(ALL)
        else:
            snapshot.create_volume_permission_userids.add(account_or_all)

    def archive(self, snapshot_id: str) -> None:
        """Move a snapshot to the archive tier."""
        self.backend.modify_snapshot_tier(snapshot_id, "archive")

    def bin_rule(
        self,
        days: int,
        *,
        tags: Mapping[str, str] | None = None,
        excluded: Mapping[str, str] | None = None,
        resource_type: str = SNAPSHOTS,
        status: str = AVAILABLE,
    ) -> str:
        """Add a Recycle Bin rule, of the whole region or of tags; return its id."""
        rule = Rule(
            days,
            resource_type,
            tuple((tags or {}).items()),
            tuple((excluded or {}).items()),
            status=status,
        )
        return self.cloud.bin.add(self.where, rule).identifier

    def binned(self) -> list[str]:
        """Return the ids of the snapshots in the Recycle Bin."""
        contents = self.cloud.bin.contents(self.where, self.cloud.clock.now())
        return [str(each.snapshot.id) for each in contents]

    def subscription(
        self, topic_arn: str, endpoint: str, *, protocol: str = "email", confirmed: bool = True
    ) -> str:
        """Subscribe to a topic, asked for confirmation or confirmed already; return the ARN."""
        backend = sns_backends[self.account][self.region]
        made = backend.subscribe(topic_arn, endpoint, protocol)
        made.confirmed = confirmed or protocol in NEED_NO_CONFIRMATION
        return str(made.arn)

    def _specification(self, template_id: str, version: str) -> dict[str, str]:
        template = self.backend.launch_templates[template_id]
        return {
            "LaunchTemplateId": template_id,
            "LaunchTemplateName": template.name,
            "Version": version,
        }


def _group_tags(name: str, tags: Mapping[str, str], *, propagated: bool) -> list[dict[str, object]]:
    return [
        {
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": propagated,
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
        }
        for key, value in tags.items()
    ]


def _specifications(launch_tags: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    found = [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": tags[key]} for key in tags]}
        for kind, tags in launch_tags.items()
    ]
    return {"TagSpecifications": found} if found else {}


def _template_data(snapshot_ids: Sequence[str], image_id: str) -> dict[str, Any]:
    mappings = [
        {"DeviceName": f"/dev/sd{chr(98 + place)}", "Ebs": {"SnapshotId": each}}
        for place, each in enumerate(snapshot_ids)
    ]
    data: dict[str, Any] = {"InstanceType": "t3.small", "BlockDeviceMappings": mappings}
    return data | ({"ImageId": image_id} if image_id else {})
