"""What the instance health chore does in other accounts."""

from __future__ import annotations

from typing import Final

from caretaker.rights import Rights

RIGHTS: Final = Rights(
    reads=(
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "kms:DescribeKey",
    ),
    changes=(
        "autoscaling:SetInstanceHealth",
        "ec2:RebootInstances",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "kms:CreateGrant",
    ),
)
