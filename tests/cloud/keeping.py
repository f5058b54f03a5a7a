"""Puts KMS keys into an account, and tells how its Auto Scaling groups are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.kms.models import kms_backends

from tests.cloud.place import Place


class KeepingPlace(Place):
    """Seeds the keys of volumes; reads groups and their members."""

    def key(
        self, state: str = "Enabled", manager: str = "CUSTOMER", *, denied: bool = False
    ) -> str:
        """Add a KMS key, or take `aws/ebs` where AWS manages it; return its ARN."""
        backend: Any = kms_backends[self.account][self.region]
        if manager == "AWS":
            made = backend.keys[backend.get_key_id_from_alias("alias/aws/ebs")]
        else:
            made = backend.create_key(
                policy="",
                key_usage="ENCRYPT_DECRYPT",
                key_spec="SYMMETRIC_DEFAULT",
                description="",
                tags=None,
            )
        made.key_manager = manager
        self.set_key_state(made.arn, state)
        if denied:
            self.deny_key(made.arn)
        return str(made.arn)

    def set_key_state(self, arn: str, state: str) -> None:
        """Let a key be Enabled, Disabled or PendingDeletion."""
        key = kms_backends[self.account][self.region].keys[arn.rpartition("/")[2]]
        key.key_state, key.enabled = state, state == "Enabled"
        if state == "PendingDeletion":
            # moto's times are without a zone.
            key.deletion_date = self.cloud.clock.now().replace(tzinfo=None) + timedelta(days=30)

    def deny_key(self, arn: str, *, denied: bool = True) -> None:
        """Let nobody describe or use a key, or let all do it again."""
        if denied:
            self.cloud.extras.denied_keys.add(arn)
        else:
            self.cloud.extras.denied_keys.discard(arn)

    def members(self, group: str) -> list[dict[str, Any]]:
        """Return an Auto Scaling group's instances as AWS lists them."""
        groups = self.cloud.extras.scaling_groups.get(self.where, [])
        (found,) = (each for each in groups if each["AutoScalingGroupName"] == group)
        return [dict(each) for each in found["Instances"]]
