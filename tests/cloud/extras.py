"""What EC2 knows of its resources and moto does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.cloud.balancing_targets import BalancedTarget
from tests.cloud.block_store import Blocks
from tests.cloud.ecs_life import Ecs
from tests.cloud.health import Health
from tests.cloud.locks import FastRestore, Lock
from tests.cloud.root_tasks import RootTasks
from tests.cloud.run_command import RunCommand
from tests.cloud.volume_lives import Volumes

Where = tuple[str, str]
"""Account and region."""


@dataclass
class Tagged:
    """A resource of any service; `kind` is `rds:db`, as the tagging API filters by."""

    kind: str
    tags: dict[str, str]


@dataclass
class Switching:
    """Until when an instance is stopping, or pending: then it is stopped, or running."""

    until: datetime
    state: str
    reason: tuple[str, str] | None = None
    """Code and message of a StateReason, of one that falls back to stopped."""


@dataclass
class Extras:
    """By resource id, unless told otherwise."""

    operators: dict[str, str] = field(default_factory=dict)
    """Principal of the service that manages a resource (`Operator.Managed`)."""
    attachments: dict[str, list[Any]] = field(default_factory=dict)
    """The other attachments of a multi-attach volume."""
    impaired: dict[str, str] = field(default_factory=dict)
    """Instances and volumes whose status checks fail, with the status shown."""
    states: dict[str, str] = field(default_factory=dict)
    """Volumes in a state moto never shows, as `error` or `creating`."""
    public: set[str] = field(default_factory=set)
    """Snapshots of others that anybody may see."""
    full_sizes: dict[str, int] = field(default_factory=dict)
    """Snapshots whose FullSnapshotSizeInBytes is not the volume's size."""
    locks: dict[str, Lock] = field(default_factory=dict)
    """Locks of snapshots, expired ones too."""
    used_by_images: dict[str, str] = field(default_factory=dict)
    """Snapshots that back an image no listing shows, with the image's id."""
    image_snapshots: dict[str, list[str]] = field(default_factory=dict)
    """Images with the snapshots of their block device mappings; moto's own have one each."""
    deprecations: dict[str, datetime] = field(default_factory=dict)
    """Images with the time from which on they are deprecated."""
    fast_restores: dict[tuple[str, str], FastRestore] = field(default_factory=dict)
    """By snapshot id and availability zone."""
    tagless: dict[str, int] = field(default_factory=dict)
    """Instances that the next listings of instances show without their tags, and how many do."""
    requesters: dict[str, str] = field(default_factory=dict)
    """Network interfaces that a service has asked for (`RequesterManaged`), with its id."""
    service_addresses: dict[str, str] = field(default_factory=dict)
    """Elastic IPs by allocation that a service manages (`ServiceManaged`: alb, nlb, rnat, rds)."""
    spots: dict[str, str] = field(default_factory=dict)
    """Spot instances, with the kind of their request: one-time or persistent."""
    switching: dict[str, Switching] = field(default_factory=dict)
    """Instances on their way to running or stopped."""
    switching_seconds: float = 0.0
    """How long an instance is pending or stopping; without any, until the next call."""
    tagged: dict[Where, dict[str, Tagged]] = field(default_factory=dict)
    """By ARN: what other services have and the tagging API knows, without a service behind it."""
    once_tagged: set[str] = field(default_factory=set)
    """ARNs that have had a tag, which the tagging API goes on showing."""
    untaggable: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """ARNs whose service refuses to tag them: status, code and message."""
    scaling_groups: dict[Where, list[dict[str, Any]]] = field(default_factory=dict)
    """Auto Scaling groups as DescribeAutoScalingGroups shows them."""
    health: Health = field(default_factory=Health)
    """Impaired checks, scheduled events, what stops and starts meet and who was rebooted."""
    initializing_seconds: float = 120.0
    """How long after a launch or start the checks are still initializing."""
    replacing_seconds: float = 60.0
    """How long an unhealthy member of an Auto Scaling group is there before it is replaced."""
    replacing: dict[str, datetime] = field(default_factory=dict)
    """Unhealthy members, with the time from which on they are replaced."""
    vanishing_tags: bool = False
    """Whether a terminated instance has lost its tags already."""
    denied_keys: set[str] = field(default_factory=set)
    """ARNs of KMS keys that nobody here may describe or use."""

    volumes: Volumes = field(default_factory=Volumes)
    """Volumes on their way, what the next ones meet, client tokens."""
    root_tasks: RootTasks = field(default_factory=RootTasks)
    """Replacements of root volumes."""
    blocks: Blocks = field(default_factory=Blocks)
    """What is written on volumes and in snapshots."""
    quotas: dict[str, float] = field(default_factory=dict)
    """Quotas of EBS by code, where they are not AWS's defaults."""

    ecs: Ecs = field(default_factory=Ecs)
    """Clusters and their services."""
    run_command: RunCommand = field(default_factory=RunCommand)
    """Agents, documents and commands of Systems Manager."""
    targets: dict[str, list[BalancedTarget]] = field(default_factory=dict)
    """By ARN of a target group: how its load balancer sees its targets."""
    locked_secrets: set[str] = field(default_factory=set)
    """ARNs of secrets and parameters whose key nobody here may use."""

    unlisted_buckets: set[str] = field(default_factory=set)
    """Buckets whose objects may be read by their key alone."""

    def age(self, shift: timedelta) -> None:
        """Move what has a time into the past."""
        for lock in self.locks.values():
            lock.age(shift)
        for restore in self.fast_restores.values():
            restore.since -= shift
        for each in self.switching.values():
            each.until -= shift
        for times in (self.deprecations, self.replacing):
            for resource in times:
                times[resource] -= shift
        self.health.age(shift)
        self.volumes.age(shift)
        self.root_tasks.age(shift)
        self.ecs.age(shift)
        self.run_command.age(shift)

    def forget_snapshot(self, snapshot_id: str) -> None:
        """Drop what ends with a snapshot: its lock's record and its fast restores."""
        self.locks.pop(snapshot_id, None)
        for key in [each for each in self.fast_restores if each[0] == snapshot_id]:
            del self.fast_restores[key]
